"""From the change feed to the ledger: which of the tasks that changed are news."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Sequence
from typing import NamedTuple

from miyabi.database import Database
from miyabi.database.follow import place_of
from miyabi.model import Task
from miyabi.notices import Kind
from miyabi.notices.book import DAY_MILLIS, Book, Find, at_once, enter, is_news, touches
from miyabi.notices.ledger import Ledger
from miyabi.notices.news import kind_of, run_of
from miyabi.notices.rules import Rule, parcels

PLACE = "notices-place"
"""Name of the memo of the place up to which the feed was read. It may be behind: what was told is not told again."""
PLACE_MILLIS = 5000
"""So often that is written."""
PAGE = 20
VERSIONS = 50
MOST_WAITING = 40
"""While so many notices wait to be sent, no more is read."""
REMEMBERED = 1000


class _Entered(NamedTuple):
    run: str
    kind: Kind
    at: int


class Follower:
    """Follows the feed from a place that is remembered. ``now`` gives milliseconds."""

    def __init__(self, database: Database, ledger: Ledger, rules: Sequence[Rule], now: Callable[[], int]) -> None:
        self._database, self._ledger, self._rules, self._now = database, ledger, rules, now
        self._entered: OrderedDict[str, _Entered] = OrderedDict()
        self._stored, self._stored_at = "", 0
        self.place: str | None = None
        """Where it stands; ``None`` before the first look."""

    async def look(self) -> int:
        """Read what has changed to its end, or until too many notices wait: how many were held until later.

        Raises ``DatabaseUnavailable``; then it goes on from where it was.
        """
        self.place = self.place or await self._begin()
        held = 0
        while at_once(self._ledger.book) < MOST_WAITING:
            changes = await self._database.changed(self.place, PAGE)
            if changes.tasks:
                held += await self._enter(changes.tasks)
            self.place = changes.next
            if not changes.tasks:
                break
            await self.remember(soonest=PLACE_MILLIS)
        return held

    async def remember(self, soonest: int = 0) -> None:
        """Write the place down, unless it was less than ``soonest`` ms ago."""
        if self.place and self.place != self._stored and self._now() - self._stored_at >= soonest:
            await self._database.set_memo(PLACE, self.place)
            self._stored, self._stored_at = self.place, self._now()

    async def _begin(self) -> str:
        place, new = await place_of(self._database, PLACE)
        if new:
            await self._ledger.read()
        return place

    async def _enter(self, tasks: Sequence[Task]) -> int:
        finds = [find for task in tasks if (find := await self._find(task))]
        if not finds:
            return 0

        def step(book: Book) -> tuple[Book, int]:
            after = enter(book, finds, self._now())
            return after, _held(after) - _held(book)

        return await self._ledger.change(step)

    async def _find(self, task: Task) -> Find | None:
        """What a task is to the book as it was last seen; only what may be news is looked up in its history."""
        book, now = self._ledger.book, self._now()
        if is_news(book, task) and (to := parcels(self._rules, task, now)) and task.timestamp >= self._oldest():
            at = await self._came_at(task)
            if at >= self._oldest():
                return Find(task, at, to)
        return Find(task, now) if touches(book, task) else None

    def _oldest(self) -> int:
        return max(self._ledger.book.since, self._now() - DAY_MILLIS)

    async def _came_at(self, task: Task) -> int:
        """When a task came into its state, by its history: a name that is changed later is no news."""
        known = self._entered.get(task.task_id)
        if known is None or (known.run, known.kind) != (run_of(task), kind_of(task)):
            known = _Entered(run_of(task), kind_of(task), await self._search(task))
        self._entered[task.task_id] = known
        self._entered.move_to_end(task.task_id)
        while len(self._entered) > REMEMBERED:
            self._entered.popitem(last=False)
        return known.at

    async def _search(self, task: Task) -> int:
        at, cursor = task.timestamp, None
        while True:
            page = await self._database.history(task.task_id, cursor=cursor, limit=VERSIONS)
            for version in page.tasks:
                if (run_of(version), kind_of(version)) != (run_of(task), kind_of(task)) or at < self._oldest():
                    return at
                at = min(at, version.timestamp)
            if (cursor := page.next) is None:
                return at


def _held(book: Book) -> int:
    waiting = sum(parcel.held for item in book.outbox for parcel in item.parcels)
    return waiting + sum(book.more.values())
