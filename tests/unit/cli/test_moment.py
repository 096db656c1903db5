"""Moments as people write them."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest

from miyabi.cli.moment import moment
from miyabi.model import iso

BERLIN = ZoneInfo("Europe/Berlin")
NOW = datetime(2026, 11, 24, 22, 0, 30, tzinfo=UTC)


@pytest.mark.parametrize(
    ("text", "utc"),
    [
        ("2026-11-24T21:00:00Z", "2026-11-24T21:00:00.000Z"),
        ("2026-11-24T21:00:00.250+09:00", "2026-11-24T12:00:00.250Z"),
        ("2026-11-24 21:00", "2026-11-24T20:00:00.000Z"),
        ("  2026-11-24  21:00:05 ", "2026-11-24T20:00:05.000Z"),
        ("2026-07-01 12:00", "2026-07-01T10:00:00.000Z"),
        ("2h ago", "2026-11-24T20:00:30.000Z"),
        ("90 min ago", "2026-11-24T20:30:30.000Z"),
        ("90m ago", "2026-11-24T20:30:30.000Z"),
        ("3d ago", "2026-11-21T22:00:30.000Z"),
        ("45s ago", "2026-11-24T21:59:45.000Z"),
        ("yesterday 14:00", "2026-11-23T13:00:00.000Z"),
        ("Today 09:30:15", "2026-11-24T08:30:15.000Z"),
        ("now", "2026-11-24T22:00:30.000Z"),
    ],
)
def test_a_moment_is_read(text: str, utc: str) -> None:
    assert iso(moment(text, NOW, BERLIN)) == utc


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "write it like"),
        ("noon", "write it like"),
        ("2026-13-24 21:00", "write it like"),
        ("yesterday 25:00", "write it like"),
        ("21:00", "write it like"),
        ("999999d ago", "write it like"),
        ("2026-11-24", "say the time, too"),
        ("2026-11-24 23:01", "still to come"),
        ("2026-10-25 02:30", "no single moment. Write it with its zone, like `2026-10-25T00:30:00Z`"),
        ("2026-03-29 02:30", "no single moment"),
    ],
)
def test_what_names_no_single_moment_is_refused_with_what_to_write(text: str, words: str) -> None:
    with pytest.raises(ValueError, match=re.escape(words)):
        moment(text, NOW, BERLIN)
