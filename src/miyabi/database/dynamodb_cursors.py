"""The cursors of lists: where a list stands, in a form that outlives every change of the data."""

from __future__ import annotations

import zlib
from base64 import urlsafe_b64decode, urlsafe_b64encode

import msgspec
from msgspec import Struct
from msgspec.structs import replace

from miyabi.database import TaskQuery, cursor_place
from miyabi.database.dynamodb_reads import HIGHEST
from miyabi.model import is_id, iso, millis


class ListPlace(Struct, frozen=True, array_like=True, tag="dynamodb"):
    """Where a list of tasks goes on.

    ``created_at`` and ``task_id``: the last task that was given out (both empty: none yet). ``begun``: what was saved
    since then (the list's beginning, less a margin for clocks and the indexes' lag) is looked through again on every
    page. ``high``: of what was saved before, all above this was given out or is not in the list; empty: all was.
    """

    list: int
    created_at: str
    task_id: str
    begun: str
    high: str

    @property
    def place(self) -> tuple[str, str]:
        """Only tasks before this follow."""
        return (self.created_at, self.task_id) if self.task_id else (HIGHEST, HIGHEST)


_DECODER = msgspec.json.Decoder(ListPlace)


def list_number(query: TaskQuery) -> int:
    """Tells one list from another, so that nobody goes on in the wrong one."""
    return zlib.crc32(msgspec.json.encode(query))


def write_cursor(place: ListPlace) -> str:
    """A place as text."""
    return urlsafe_b64encode(msgspec.json.encode(place)).decode().rstrip("=")


def read_cursor(cursor: str, query: TaskQuery) -> ListPlace:
    """The inverse of :func:`write_cursor`; ``ValueError`` when it is none of ours, or another list's."""
    try:
        place = _DECODER.decode(urlsafe_b64decode(cursor.encode() + b"=" * (-len(cursor) % 4)))
        for time in (place.begun, place.created_at or iso(0), place.high or iso(0)):
            millis(time)
        if (place.task_id and not is_id(place.task_id)) or bool(place.task_id) != bool(place.created_at):
            raise ValueError(cursor)
    except ValueError:
        raise ValueError(
            f"`{cursor[:80]}` is no cursor of this database; take `next_cursor` from the page before, as it is"
        ) from None
    if place.list != list_number(query):
        raise ValueError("This cursor is another list's; take one from a page with the same filters")
    return place


def place_behind(cursor: str, first: ListPlace) -> ListPlace | None:
    """The list that begins at ``first`` behind the task that the cursor names by itself, as a cached list's does.

    The way there is gone once more, since nothing is known of it. ``None``: the cursor is of another kind.
    """
    try:
        created_at, task_id = cursor_place(cursor)
    except ValueError:
        return None
    return replace(first, created_at=created_at, task_id=task_id) if is_id(task_id) else None
