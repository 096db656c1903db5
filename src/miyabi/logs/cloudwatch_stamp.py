"""The stamp that every line of ours carries in CloudWatch Logs: its writer, its number, and when it was printed.

CloudWatch Logs knows no writer and stores a batch that is sent again a second time. With the stamp a reader, of
whatever process, tells a copy from a line; and a line whose time the service would refuse keeps its own. A text is
stamped behind its end (``building [miyabi 3f2a:17]``), a JSON object inside as its last member, so that Logs Insights
and JSON filters still see its fields. Reading takes off exactly what was put on; a job that prints a stamp of its own
gets ours behind it.
"""

from __future__ import annotations

import re
from typing import NamedTuple

LONGEST = 192
"""Characters that a stamp never exceeds (64 of the writer's id, four numbers and what stands around them)."""
_STAMP = re.compile(
    r"""(?:(?P<json>,"_miyabi":")|[ ]\[miyabi[ ])
    (?P<writer>[A-Za-z0-9_-]{1,64}):(?P<sequence>[0-9]{1,16})
    (?:/(?P<piece>[0-9]{1,9})-(?P<pieces>[0-9]{1,9}))?(?:@(?P<time>[0-9]{1,15}))?
    (?(json)"}|])\Z""",
    re.VERBOSE,
)


class Stamp(NamedTuple):
    """Line ``sequence`` of ``writer``, or piece ``piece`` (0 is the first) of its ``pieces`` when it was too long.

    ``time``: when it was printed (ms), where that is not the time that it is stored at.
    """

    writer: str
    sequence: int
    piece: int = 0
    pieces: int = 1
    time: int | None = None


def stamped(text: str, stamp: Stamp) -> str:
    """``text`` with its stamp; never empty, since CloudWatch Logs takes no empty event."""
    word = f"{stamp.writer}:{stamp.sequence}"
    if stamp.pieces > 1:
        word += f"/{stamp.piece}-{stamp.pieces}"
    if stamp.time is not None:
        word += f"@{stamp.time}"
    if _is_object(text):
        return f'{text[:-1]},"_miyabi":"{word}"}}'
    return f"{text} [miyabi {word}]"


def unstamped(message: str) -> tuple[str, Stamp | None]:
    """The text and the stamp; ``None`` when somebody else wrote the message, which is the text then."""
    found = _STAMP.search(message, max(0, len(message) - LONGEST))
    if found is None:
        return message, None
    piece, pieces, time = (None if found[name] is None else int(found[name]) for name in ("piece", "pieces", "time"))
    stamp = Stamp(found["writer"], int(found["sequence"]), piece or 0, 1 if pieces is None else pieces, time)
    return message[: found.start()] + ("}" if found["json"] else ""), stamp


def _is_object(text: str) -> bool:
    """Whether it looks like a JSON object with a member; it need not be one, since taking off is exact anyway."""
    return text.startswith('{"') and text.endswith("}")
