"""The ledger's content stays small and exact, whoever changes it in between."""

from __future__ import annotations

import msgspec
import pytest
from tests.support.tasks import START, a_task, later

from miyabi.model import Details, Task, iso
from miyabi.notices.book import DAY_MILLIS, MOST_HELD, MOST_TOLD, Book, Find, claim, enter, is_news, next_due, settle
from miyabi.notices.follower import MOST_WAITING, PAGE
from miyabi.notices.rules import Parcel


def a_parcel(due: int, *, held: bool = False) -> Parcel:
    return Parcel("t", "en", due, due + DAY_MILLIS, held)


def failed(task_id: str, at: int = START) -> Task:
    return a_task(task_id, status="failed", timestamp=at)


def find(task: Task, *, held: bool = False) -> Find:
    return Find(task, task.timestamp, [a_parcel(task.timestamp, held=held)])


def test_what_a_task_came_into_before_the_book_began_is_not_entered() -> None:
    book = Book(since=START)
    assert enter(book, [find(failed("a", START - 1))], START) is book
    assert enter(book, [find(failed("a", START))], START).told.keys() == {"a"}


def test_the_same_find_made_by_others_changes_nothing() -> None:
    book = enter(Book(since=START), [find(failed("a"))], START)
    assert enter(book, [find(failed("a")), find(later(failed("a"), task_name="new"))], START) is book
    assert not is_news(book, failed("a"))


def test_an_older_state_of_a_task_changes_nothing() -> None:
    book = enter(Book(since=START), [find(failed("a", START + 9))], START)
    assert enter(book, [find(a_task("a", status="blocked", timestamp=START + 5))], START) is book


def test_when_too_much_was_told_the_oldest_is_forgotten_and_not_told_again(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("miyabi.notices.book.MOST_TOLD", 3)
    book = Book(since=START)
    for number in range(5):
        book = enter(book, [find(failed(f"t{number}", START + number))], START + number)
    assert book.told.keys() == {"t2", "t3", "t4"}
    assert enter(book, [find(failed("t1", START + 1))], START + 5) is book


def test_one_collector_has_a_notice_until_its_time_is_over() -> None:
    book = enter(Book(since=START), [find(failed("a"))], START)
    book, batch = claim(book, "t", START, 100)
    assert batch is not None
    assert claim(book, "t", START + 99, 100)[1] is None
    book, again = claim(book, "t", START + 100, 100)
    assert again is not None
    assert (again.id, again.tries) == (batch.id, 2)
    assert settle(book, "t", again, None).outbox == []


def test_a_digest_that_is_tried_again_takes_nothing_in() -> None:
    book = enter(Book(since=START), [find(failed("a"), held=True), find(failed("b"), held=True)], START)
    book, digest = claim(book, "t", START, 100)
    assert digest is not None
    book = settle(book, "t", digest, START + 50)
    book = enter(book, [find(failed("c", START + 1), held=True)], START + 1)
    book, again = claim(book, "t", START + 50, 100)
    assert again is not None
    assert (again.id, [news.task.task_id for news in again.news]) == (digest.id, ["a", "b"])
    _, other = claim(settle(book, "t", again, None), "t", START + 50, 100)
    assert other is not None
    assert [news.task.task_id for news in other.news] == ["c"]


def test_what_is_for_a_target_that_nobody_serves_any_more_is_dropped_in_the_end() -> None:
    book = enter(Book(since=START), [find(failed("a"))], START)
    assert next_due(book, "t") == START
    soon, late = START + DAY_MILLIS, START + 2 * DAY_MILLIS + 1
    assert len(enter(book, [find(failed("b", soon))], soon).outbox) == 2
    assert len(enter(book, [find(failed("b", late))], late).outbox) == 1


def test_a_full_book_fits_into_an_item_of_dynamodb() -> None:
    """Its limit is 400 KB, names and values together."""
    details = Details(error_message="誤" * 4000, phase="段" * 4000, current_step="歩" * 4000, started_at=iso(START))
    more = {"status": "failed", "task_name": "名" * 200, "project_id": "p" * 64, "details": details}
    tasks = [a_task(f"{number}-{'t' * 60}", age=number, **more) for number in range(700)]
    book = Book(since=START)
    for number, task in enumerate(tasks):
        held = number >= MOST_WAITING + PAGE
        to = [Parcel(f"{n:016}", "en", START, START + DAY_MILLIS, held) for n in range(3)]
        book = enter(book, [Find(task, task.timestamp, to)], task.timestamp)
    assert len(book.told) == MOST_TOLD
    assert len(book.outbox) == MOST_WAITING + PAGE + MOST_HELD
    assert len(msgspec.json.encode(book)) < 390_000
