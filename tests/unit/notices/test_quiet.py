"""Quiet hours: on the clock of a place, over midnight, and over the nights in which clocks are changed."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from zoneinfo import ZoneInfo

import pytest

from miyabi.model import iso, millis
from miyabi.notices.quiet import Quiet, read_hours
from miyabi.notices.rules import Rule

from .conftest import Bench, Story

Tell = Callable[[Story], None]


def quiet(hours: str, zone: str) -> Quiet:
    return Quiet(*read_hours(hours), ZoneInfo(zone))


@pytest.mark.parametrize(
    ("hours", "zone", "now", "until"),
    [
        ("22:00-07:00", "UTC", "2026-11-23T21:59:59Z", None),
        ("22:00-07:00", "UTC", "2026-11-23T22:00:00Z", "2026-11-24T07:00:00Z"),
        ("22:00-07:00", "UTC", "2026-11-24T06:59:59Z", "2026-11-24T07:00:00Z"),
        ("22:00-07:00", "UTC", "2026-11-24T07:00:00Z", None),
        ("12:00-13:30", "UTC", "2026-11-24T13:00:00Z", "2026-11-24T13:30:00Z"),
        ("12:00-13:30", "UTC", "2026-11-24T11:00:00Z", None),
        ("22:00-07:00", "Asia/Tokyo", "2026-11-23T13:00:00Z", "2026-11-23T22:00:00Z"),
        ("22:00-07:00", "Asia/Tokyo", "2026-11-23T12:59:00Z", None),
        # Berlin's clocks go from 02:00 to 03:00 on 2026-03-29, and from 03:00 to 02:00 on 2026-10-25
        ("22:00-07:00", "Europe/Berlin", "2026-03-28T21:00:00Z", "2026-03-29T05:00:00Z"),
        ("22:00-07:00", "Europe/Berlin", "2026-03-29T04:59:59Z", "2026-03-29T05:00:00Z"),
        ("22:00-07:00", "Europe/Berlin", "2026-10-24T20:00:00Z", "2026-10-25T06:00:00Z"),
        ("22:00-07:00", "Europe/Berlin", "2026-10-25T05:30:00Z", "2026-10-25T06:00:00Z"),
        ("22:00-02:30", "Europe/Berlin", "2026-03-29T00:30:00Z", "2026-03-29T01:30:00Z"),
        ("22:00-02:30", "Europe/Berlin", "2026-03-29T01:30:00Z", None),
        ("22:00-02:30", "Europe/Berlin", "2026-10-25T00:45:00Z", "2026-10-25T01:30:00Z"),
        ("22:00-02:30", "Europe/Berlin", "2026-10-25T01:30:00Z", None),
        ("02:30-04:00", "Europe/Berlin", "2026-03-29T01:45:00Z", "2026-03-29T02:00:00Z"),
    ],
)
def test_quiet_hours_end_when_the_clock_of_the_place_says_so(
    hours: str, zone: str, now: str, until: str | None
) -> None:
    assert quiet(hours, zone).until(millis(now)) == (until and millis(until))


@pytest.mark.parametrize("hours", ["22:00-07:00", "01:30-02:30", "02:15-02:45", "23:59-00:00"])
@pytest.mark.parametrize(
    ("zone", "change"),
    [
        ("Europe/Berlin", "2026-03-29"),
        ("Europe/Berlin", "2026-10-25"),
        ("America/New_York", "2026-11-01"),
        ("Australia/Lord_Howe", "2026-04-05"),  # by half an hour
        ("Australia/Lord_Howe", "2026-10-04"),
    ],
)
def test_around_a_change_of_the_clocks_quiet_hours_always_end_and_are_over_then(
    hours: str, zone: str, change: str
) -> None:
    each, start = quiet(hours, zone), millis(f"{change}T00:00:00Z") - 36 * 3_600_000
    for now in range(start, start + 72 * 3_600_000, 7 * 60_000):
        until = each.until(now)
        if until is not None:
            assert now < until <= now + 25 * 3_600_000
            assert each.until(until) is None


@pytest.mark.parametrize("text", ["", "22-7", "22:00", "24:00-07:00", "22:00-22:00", "22:00–07:00", "9:00-17:00"])
def test_hours_in_another_form_are_refused(text: str) -> None:
    with pytest.raises(ValueError, match="like `22:00-07:00`"):
        read_hours(text)


NIGHT = quiet("22:00-07:00", "Europe/Berlin")


async def at(bench: Bench, local: str) -> None:
    """Move the clock forward to a time in Berlin."""
    moment = datetime.fromisoformat(local).replace(tzinfo=ZoneInfo("Europe/Berlin"))
    bench.clock.forward(round(moment.timestamp() * 1000) - bench.clock())


def test_what_happens_in_the_night_that_the_clocks_change_comes_together_at_its_end(tell: Tell) -> None:
    async def story(bench: Bench) -> None:
        bench.rules = [
            Rule(to=["heard"], on=frozenset({"failed"}), quiet=NIGHT),
            Rule(to=["other"], on=frozenset({"failed"}), quiet=NIGHT, urgent=True),
        ]
        await at(bench, "2027-03-27T21:00:00")
        notifier = await bench.begun()
        for number, local in enumerate(("27T23:00", "28T01:59", "28T03:01", "28T06:59")):
            await at(bench, f"2027-03-{local}:00")
            await bench.saved(f"t{number}", status="failed")
            await notifier.once()
        assert bench.heard.notices == []
        assert len(bench.other.notices) == 4
        await at(bench, "2027-03-28T07:00:00")
        await bench.notifier().once()
        (digest,) = bench.heard.notices
        assert [news.task.task_id for news in digest.news] == ["t0", "t1", "t2", "t3"]
        assert iso(bench.clock()) == "2027-03-28T05:00:00.000Z"
        await bench.notifier().once()
        assert len(bench.heard.notices) == 1

    tell(story)


def test_a_digest_that_was_not_taken_is_tried_again_as_it_was(tell: Tell) -> None:
    async def story(bench: Bench) -> None:
        from miyabi.notices import NotTold

        bench.rules = [Rule(to=["heard"], on=frozenset({"failed"}), quiet=NIGHT)]
        await at(bench, "2027-01-01T23:00:00")
        notifier = await bench.begun()
        for name in ("a", "b"):
            await bench.saved(name, status="failed")
        await notifier.once()
        await at(bench, "2027-01-02T07:00:00")
        bench.heard.refuse = NotTold("503", again=True)
        await notifier.once()
        bench.heard.refuse = None
        bench.clock.forward(60_000)
        await notifier.once()
        first, second = bench.heard.notices
        assert first == second
        assert len(second.news) == 2

    tell(story)


def test_one_that_was_held_alone_comes_as_itself(tell: Tell) -> None:
    async def story(bench: Bench) -> None:
        bench.rules = [Rule(to=["heard"], on=frozenset({"failed"}), quiet=NIGHT)]
        await at(bench, "2027-01-01T23:00:00")
        notifier = await bench.begun()
        await bench.saved("a", status="failed")
        await notifier.once()
        await at(bench, "2027-01-02T07:00:00")
        await notifier.once()
        (notice,) = bench.heard.notices
        assert notice.id == notice.news[0].id

    tell(story)


def test_of_a_bad_night_the_first_are_kept_and_the_others_counted(tell: Tell, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("miyabi.notices.book.MOST_HELD", 3)

    async def story(bench: Bench) -> None:
        bench.rules = [Rule(to=["heard"], on=frozenset({"failed"}), quiet=NIGHT)]
        await at(bench, "2027-01-01T23:00:00")
        notifier = await bench.begun()
        for number in range(5):
            await bench.saved(f"t{number}", status="failed")
        await notifier.once()
        for day in ("02", "03"):
            await at(bench, f"2027-01-{day}T07:00:00")
            await notifier.once()
        (digest,) = bench.heard.notices
        assert (len(digest.news), digest.more) == (3, 2)

    tell(story)
