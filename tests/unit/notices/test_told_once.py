"""What is told, and that it is told once."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from itertools import pairwise

import pytest
from tests.support.tasks import a_task

from miyabi.database import Current, Save
from miyabi.model import Stopped, iso
from miyabi.notices import NotTold
from miyabi.notices.follower import PLACE
from miyabi.notices.ledger import NAME
from miyabi.notices.rules import Rule
from miyabi.notices.sender import LEASE_MILLIS

from .conftest import Bench, Story

Tell = Callable[[Story], None]
HOUR = 3_600_000


@pytest.mark.parametrize("status", ["completed", "failed", "blocked", "cancelled"])
def test_a_task_that_comes_into_a_status_is_told(tell: Tell, status: str) -> None:
    async def story(bench: Bench) -> None:
        notifier = await bench.begun()
        await bench.saved("a")
        await bench.saved("a", status=status)
        await notifier.once()
        assert bench.heard.told() == [f"{status} a"]

    tell(story)


def test_what_was_before_the_first_start_is_never_told(tell: Tell) -> None:
    async def story(bench: Bench) -> None:
        for name in ("old", "renamed", "waits", "continues"):
            await bench.saved(name, status="failed" if name in ("old", "renamed") else "blocked")
        notifier = await bench.begun()
        await bench.saved("renamed", task_name="new name")
        await bench.saved("waits", task_name="new name")
        await bench.saved("continues", status="running")
        await bench.saved("continues", status="blocked")
        await notifier.once()
        assert bench.heard.told() == ["blocked continues"]

    tell(story)


def test_a_failure_with_a_new_text_or_name_is_no_second_one(tell: Tell) -> None:
    async def story(bench: Bench) -> None:
        notifier = await bench.begun()
        for text in ("first", "second"):
            await bench.saved("a", status="failed", details={"error_message": text})
            await notifier.once()
        await (bench.notifier()).once()
        await bench.saved("a", task_name="another name")
        await (bench.notifier()).once()
        assert bench.heard.told() == ["failed a"]
        assert bench.heard.notices[0].news[0].task.details.error_message == "first"

    tell(story)


def test_a_stream_whose_words_go_back_and_forth_is_told_each_end_once(tell: Tell) -> None:
    async def story(bench: Bench) -> None:
        notifier = await bench.begun()
        for status in ("completed", "running", "failed", "running", "failed", "completed"):
            await bench.saved("a", status=status)
            await notifier.once()
        assert bench.heard.told() == ["completed a", "failed a"]

    tell(story)


def test_a_restarted_task_is_told_again(tell: Tell) -> None:
    async def story(bench: Bench) -> None:
        notifier = await bench.begun()
        for run in range(2):
            await bench.saved("a", status="running", details={"started_at": iso(bench.clock())})
            await bench.saved("a", status="failed")
            await notifier.once()
            assert bench.heard.told() == ["failed a"] * (run + 1)

    tell(story)


def test_each_time_that_a_task_waits_is_told(tell: Tell) -> None:
    async def story(bench: Bench) -> None:
        notifier = await bench.begun()
        for step in ("asks", "still asks"):
            await bench.saved("a", status="blocked", details={"current_step": step})
            await notifier.once()
        await bench.saved("a", status="running")
        await notifier.once()
        await bench.saved("a", status="blocked")
        await notifier.once()
        assert bench.heard.told() == ["blocked a", "blocked a"]

    tell(story)


def test_a_stop_is_told_once_until_the_task_goes_on(tell: Tell) -> None:
    async def story(bench: Bench) -> None:
        notifier = await bench.begun()
        for what in ("progress", "output"):
            await bench.saved("a", details={"stopped": Stopped(what, iso(bench.clock()), 60.0)})
            await notifier.once()
        await bench.saved("a")
        await notifier.once()
        await bench.saved("a", details={"stopped": Stopped("progress", iso(bench.clock()), 60.0)})
        await notifier.once()
        assert bench.heard.told() == ["stopped a", "stopped a"]

    tell(story)


def test_of_several_collectors_that_see_it_at_once_one_tells(tell: Tell) -> None:
    async def story(bench: Bench) -> None:
        notifiers = [await bench.begun() for _ in range(4)]
        for number in range(10):
            await bench.saved(f"t{number}", status="failed")
            await asyncio.gather(*(notifier.once() for notifier in notifiers))
        assert sorted(bench.heard.told()) == sorted(f"failed t{number}" for number in range(10))

    tell(story)


def test_a_feed_that_is_read_again_from_its_beginning_tells_nothing_again(tell: Tell) -> None:
    async def story(bench: Bench) -> None:
        await bench.begun()
        for name in ("a", "b"):
            await bench.saved(name, status="failed")
        await bench.notifier().once()
        await bench.database.set_memo(PLACE, "0")
        await bench.notifier().once()
        assert bench.heard.told() == ["failed a", "failed b"]

    tell(story)


def test_what_happened_while_nobody_followed_is_told_by_the_next_start_unless_it_is_a_day_old(tell: Tell) -> None:
    async def story(bench: Bench) -> None:
        await bench.begun()
        await bench.saved("old", status="failed")
        bench.clock.forward(20 * HOUR)
        await bench.saved("young", status="failed")
        bench.clock.forward(10 * HOUR)
        await bench.saved("old", task_name="renamed")
        await bench.notifier().once()
        assert bench.heard.told() == ["failed young"]

    tell(story)


def test_an_old_end_that_comes_up_again_days_later_is_not_told_again(tell: Tell) -> None:
    async def story(bench: Bench) -> None:
        notifier = await bench.begun()
        await bench.saved("a", status="failed")
        await notifier.once()
        for day in range(3):
            bench.clock.forward(25 * HOUR)
            await bench.saved(f"other{day}", status="cancelled")
            await bench.saved("a", task_name=f"name {day}")
            await notifier.once()
        assert [told for told in bench.heard.told() if told.endswith(" a")] == ["failed a"]
        assert '"a":' not in await bench.database.memo(NAME), "what is told does not pile up"

    tell(story)


def test_a_line_that_arrives_days_late_is_told_as_it_is_news_to_the_board(tell: Tell) -> None:
    async def story(bench: Bench) -> None:
        notifier = await bench.begun()
        bench.clock.forward(100 * HOUR)
        await bench.saved("a")
        await bench.saved("a", status="failed", completed_at=iso(bench.clock() - 90 * HOUR))
        await notifier.once()
        assert bench.heard.told() == ["failed a"]

    tell(story)


def test_a_task_read_again_by_a_newer_reader_is_told_only_of_what_is_new(tell: Tell) -> None:
    async def story(bench: Bench) -> None:
        notifier = await bench.begun()
        task = await bench.saved("a")
        await bench.saved("a", status="failed")
        await notifier.once()
        bench.clock.forward(48 * HOUR)
        (was,) = await bench.database.get(["a"])
        assert was
        again = a_task("a", timestamp=bench.clock(), status="completed", details=task.details)
        then = a_task("a", timestamp=task.timestamp + 1, status="completed", details=task.details)
        assert await bench.database.save([Save(again, Current(was.task, was.bookmark), history=[then])]) == [True]
        await notifier.once()
        assert bench.heard.told() == ["failed a"], "it completed two days ago"

    tell(story)


def test_a_process_that_dies_after_sending_leaves_it_to_be_sent_again_under_the_same_id(tell: Tell) -> None:
    async def story(bench: Bench) -> None:
        notifier = await bench.begun()
        await bench.saved("a", status="failed")

        async def die() -> None:
            raise asyncio.CancelledError

        bench.heard.before = die
        with pytest.raises(asyncio.CancelledError):
            await notifier.once()
        bench.heard.before = None
        await bench.notifier().once()
        assert len(bench.heard.notices) == 1, "it may still be on its way"
        bench.clock.forward(LEASE_MILLIS)
        await bench.notifier().once()
        first, second = bench.heard.notices
        assert first.id == second.id
        bench.clock.forward(HOUR)
        await bench.notifier().once()
        assert len(bench.heard.notices) == 2

    tell(story)


def test_what_a_target_does_not_take_is_tried_again_ever_later_under_the_same_id_and_given_up_after_a_day(
    tell: Tell,
) -> None:
    async def story(bench: Bench) -> None:
        notifier = await bench.begun()
        bench.heard.refuse = NotTold("503", again=True)
        await bench.saved("a", status="failed")
        tries: list[int] = []
        for _ in range(40 * 60):
            before = len(bench.heard.notices)
            await notifier.once()
            tries += [bench.clock()] * (len(bench.heard.notices) - before)
            bench.clock.forward(60_000)
        waits = [b - a for a, b in pairwise(tries)]
        assert waits == sorted(waits)
        assert 10 < len(tries) < 25
        assert 20 * HOUR < tries[-1] - tries[0] <= 24 * HOUR
        assert len({notice.id for notice in bench.heard.notices}) == 1
        assert "failed" in await bench.database.memo(NAME)
        bench.heard.refuse = None
        await bench.saved("b", status="failed")
        await notifier.once()
        assert bench.heard.told()[-1] == "failed b"

    tell(story)


def test_it_is_not_tried_before_the_time_that_the_target_asks_for(tell: Tell) -> None:
    async def story(bench: Bench) -> None:
        notifier = await bench.begun()
        bench.heard.refuse = NotTold("429", again=True, after=3600)
        await bench.saved("a", status="failed")
        await notifier.once()
        bench.heard.refuse = None
        bench.clock.forward(HOUR - 1000)
        await notifier.once()
        assert len(bench.heard.notices) == 1
        bench.clock.forward(1000)
        await notifier.once()
        assert len(bench.heard.notices) == 2

    tell(story)


def test_what_is_refused_for_good_is_not_tried_again_and_others_are_told(
    tell: Tell, caplog: pytest.LogCaptureFixture
) -> None:
    async def story(bench: Bench) -> None:
        bench.rules = [Rule(to=["heard", "other"], on=frozenset({"failed"}))]
        notifier = await bench.begun()
        bench.heard.refuse = NotTold("404 Not Found", again=False)
        for name in ("a", "b"):
            await bench.saved(name, status="failed")
            await notifier.once()
        bench.clock.forward(25 * HOUR)
        await notifier.once()
        assert bench.heard.told() == bench.other.told() == ["failed a", "failed b"]
        assert [record.getMessage() for record in caplog.records] == [
            "a notice did not reach heard://…: 404 Not Found; correct its address. Try it: miyabi notify test"
        ], "once, not for each"

    tell(story)


def test_while_too_many_wait_the_feed_is_not_read_on_and_nothing_is_lost(
    tell: Tell, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("miyabi.notices.follower.MOST_WAITING", 3)
    monkeypatch.setattr("miyabi.notices.follower.PAGE", 2)

    async def story(bench: Bench) -> None:
        notifier = await bench.begun()
        bench.heard.refuse = NotTold("503", again=True)
        for number in range(10):
            await bench.saved(f"t{number}", status="failed")
        await notifier.once()
        assert len(bench.heard.notices) == 4
        bench.heard.refuse = None
        for _ in range(4):
            bench.clock.forward(10_000)
            await notifier.once()
        assert set(bench.heard.told()) == {f"failed t{number}" for number in range(10)}

    tell(story)


def test_what_another_version_wrote_begins_the_ledger_anew(tell: Tell) -> None:
    async def story(bench: Bench) -> None:
        await bench.database.set_memo(NAME, '{"of": "another time"}')
        notifier = await bench.begun()
        await bench.saved("a", status="failed")
        await notifier.once()
        await bench.notifier().once()
        assert bench.heard.told() == ["failed a"]

    tell(story)


def test_a_place_of_another_database_is_begun_anew_at_the_end(tell: Tell) -> None:
    async def story(bench: Bench) -> None:
        await bench.begun()
        await bench.database.set_memo(PLACE, "another's")
        await bench.saved("a", status="failed")
        notifier = bench.notifier()
        await notifier.once()
        await bench.saved("b", status="failed")
        await notifier.once()
        assert bench.heard.told() == ["failed b"]

    tell(story)
