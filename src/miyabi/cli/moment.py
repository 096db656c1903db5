"""Moments as people write them."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta, tzinfo

EXAMPLES = "`2026-11-24T21:00:00Z`, `2026-11-24 21:00` (your time), `yesterday 14:00`, `2h ago` or `now`"
UNITS = {"s": "seconds", "m": "minutes", "min": "minutes", "h": "hours", "d": "days"}
_EPOCH = datetime.fromtimestamp(0, UTC)
_AGO = re.compile(r"(\d{1,6}) ?(s|min|m|h|d) ago")
_DAY = re.compile(r"(today|yesterday) (\d\d:\d\d(?::\d\d)?)")
_DATE = re.compile(r"\d{4}-?\d\d-?\d\d")


def moment(text: str, now: datetime, zone: tzinfo | None = None) -> int:
    """The moment that ``text`` names, in ms; times without a zone are of ``zone`` (``None``: this machine's).

    Raises ``ValueError`` that says how to write it, also for a moment that is still to come.
    """
    at = _read(" ".join(text.split()), now, zone)
    if at > now:
        raise ValueError(f"`{text}` is still to come: it is {now.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ} now.")
    return (at - _EPOCH) // timedelta(milliseconds=1)


def _read(text: str, now: datetime, zone: tzinfo | None) -> datetime:
    if text.lower() == "now":
        return now
    if _DATE.fullmatch(text):
        raise ValueError(f"`{text}` names a whole day; say the time, too: `{text} 21:00`.")
    try:
        if ago := _AGO.fullmatch(text.lower()):
            return now - timedelta(**{UNITS[ago[2]]: int(ago[1])})
        if day := _DAY.fullmatch(text.lower()):
            date = now.astimezone(zone).date() - timedelta(days=day[1] == "yesterday")
            return _placed(datetime.fromisoformat(f"{date}T{day[2]}"), zone)
        return _placed(datetime.fromisoformat(text), zone)
    except _AmbiguousError:
        raise
    except (ValueError, OverflowError):
        raise ValueError(f"`{text}` is no time; write it like {EXAMPLES}.") from None


class _AmbiguousError(ValueError):
    """A time that the clocks show twice, or never."""


def _placed(time: datetime, zone: tzinfo | None) -> datetime:
    """``time`` with its zone, or else that of ``zone``."""
    if time.tzinfo is not None:
        return time
    first, second = (time.replace(tzinfo=zone, fold=fold).timestamp() for fold in (0, 1))
    if first != second:
        raise _AmbiguousError(
            f"On that day the clocks are changed: {time:%H:%M} is no single moment. Write it with its zone, "
            f"like `{datetime.fromtimestamp(first, UTC):%Y-%m-%dT%H:%M:%SZ}`."
        )
    return datetime.fromtimestamp(first, UTC)
