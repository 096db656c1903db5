"""Quiet hours: from a time of the day to another, on the clock of a place."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from msgspec import Struct

_HOURS = re.compile(r"([01]\d|2[0-3]):([0-5]\d)-([01]\d|2[0-3]):([0-5]\d)")
FORM = "`22:00-07:00`"


class Quiet(Struct, frozen=True):
    """From ``start`` to ``end`` each day, over midnight when ``end`` is earlier."""

    start: time
    end: time
    zone: ZoneInfo

    def until(self, now: int) -> int | None:
        """When the quiet hours that ``now`` (ms) is in end (ms); ``None`` outside of them.

        A time that the clocks pass over or show twice in that night is the later of what it may mean.
        """
        today = datetime.fromtimestamp(now / 1000, self.zone).date()
        for day in (today - timedelta(days=1), today):
            last = day if self.start < self.end else day + timedelta(days=1)
            end = self._at(last, self.end)
            if self._at(day, self.start) <= now < end:
                return end
        return None

    def _at(self, day: date, clock: time) -> int:
        local = [datetime.combine(day, clock, self.zone).replace(fold=fold) for fold in (0, 1)]
        return max(round(moment.astimezone(UTC).timestamp() * 1000) for moment in local)


def read_hours(text: str) -> tuple[time, time]:
    """The two times in ``22:00-07:00``. Raises ``ValueError`` saying what to write."""
    found = _HOURS.fullmatch(text)
    if not found or found.group(1, 2) == found.group(3, 4):
        raise ValueError(f"`{text[:40]}` are no hours; write two times of the day like {FORM}")
    hours, minutes, last_hours, last_minutes = map(int, found.groups())
    return time(hours, minutes), time(last_hours, last_minutes)
