"""What one line says of progress, before the lines around it are considered."""

from __future__ import annotations

from typing import NamedTuple

BINARY = {"k": 1 << 10, "m": 1 << 20, "g": 1 << 30, "t": 1 << 40, "p": 1 << 50}
DECIMAL = {"k": 10**3, "m": 10**6, "g": 10**9, "t": 10**12, "p": 10**15}
LONGEST_NUMBER = 18
MOST = 10**15
"""A count of more than this counts nothing that anybody waits for."""


class Found(NamedTuple):
    """``current`` of ``total``, or a ``percentage`` alone; ``format`` names the row that saw it.

    ``label`` tells what it counts, so that two counts are told apart; ``depth`` is how many rows below the
    first bar it stands. ``begun``: the piece ``current`` of a larger whole begins, and the counts that follow are
    within it (``Epoch 2/4``). ``stage``: it stands on a line of its own, so what follows may be within it
    (``[2/4] Linking``, then ``52 %``). ``whole``: it is the whole job's, whatever else is counted;
    ``overall``: a bar that says so itself, beside others. ``lane``: a checksum of the name before each line where the
    outputs of several commands come through one stream (``[test] 3/5``).
    """

    format: str
    current: float | None = None
    total: float | None = None
    percentage: float | None = None
    label: str = ""
    confidence: float = 0.9
    step: str | None = None
    depth: int = 0
    begun: bool = False
    stage: bool = False
    whole: bool = False
    overall: bool = False
    phase: str | None = None
    lane: int = 0


def number(text: str) -> float:
    """``1,500`` → 1500, ``15.2`` → 15.2; whole numbers come as ``int``."""
    plain = text.replace(",", "").replace("_", "")[:LONGEST_NUMBER]
    return float(plain) if "." in plain else int(plain)


def scale(unit: str | None) -> float:
    """Bytes (or ones) in a unit: ``MiB`` → 1048576, ``MB`` → 1000000, ``k`` → 1000; 1 for none."""
    if not unit or unit[0].lower() not in DECIMAL or unit.lower() in ("page", "pages"):
        return 1
    table = BINARY if len(unit) > 1 and unit[1] == "i" else DECIMAL
    return table[unit[0].lower()]


def ratio(current: float, total: float) -> float:
    """The percentage of ``current`` in ``total``, 0 to 100."""
    return max(0.0, min(100.0, 100.0 * current / total))


def clip(text: str, length: int = 300) -> str:
    """At most ``length`` bytes of ``text`` in UTF-8, no character cut."""
    return text.strip()[:length].encode("utf-8", "replace")[:length].decode("utf-8", "ignore")
