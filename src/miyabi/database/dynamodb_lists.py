"""Lists of tasks, newest first, from indexes that are sorted by the time of the last save.

No task is saved before it is made. So an index is read downwards from the newest save, and of what was read all that
was made after the place of the reading can be given out in order: whatever follows in the index was made earlier.
A page costs what was saved since the last task on it was made; that is bounded by how much runs at the same time, not
by what is stored.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from functools import lru_cache

from miyabi.database import TaskPage, TaskQuery
from miyabi.database.dynamodb_calls import Calls
from miyabi.database.dynamodb_cursors import ListPlace, list_number, place_behind, read_cursor, write_cursor
from miyabi.database.dynamodb_items import Tables, current_key, task_of
from miyabi.database.dynamodb_reads import HIGHEST, LOWEST, Entry, Index, Reader, Source
from miyabi.model import FINAL, STATUSES, Task, iso

MOST_READ = 2000
"""Entries after which a page ends early, if it can: it may hold fewer tasks than asked for, or none, and a cursor."""
LEAST_CHUNK = 20


class Lists:
    """Answers lists of tasks. ``now``: the time in ms; ``margin``: ms by which clocks and indexes may be late."""

    def __init__(self, calls: Calls, reader: Reader, tables: Tables, now: Callable[[], int], margin: int) -> None:
        self._calls, self._reader, self._table = calls, reader, tables.tasks
        self._now, self._margin = now, margin

    async def page(self, query: TaskQuery, cursor: str | None, limit: int) -> TaskPage:
        """One page."""
        since = iso(self._now() - self._margin)
        first = ListPlace(list_number(query), "", "", since, HIGHEST)
        place = first if cursor is None else place_behind(cursor, first) or read_cursor(cursor, query)
        walk = Walk(self._sources(query, place), query, place, limit + 1)
        await walk.run()
        if walk.requests > 1 and not _by_type(query):
            await walk.look_again(self._changed(query, since))
        entries, rest = walk.result(limit)
        return TaskPage(await self._records(entries, query), write_cursor(rest) if rest else None)

    def _sources(self, query: TaskQuery, place: ListPlace) -> list[Source]:
        """What was saved since the list began, and what of the rest was not given out yet."""
        if _by_type(query):
            return self._ranges(query, LOWEST, place.created_at or HIGHEST)
        if place.high == HIGHEST:
            return self._ranges(query, LOWEST, HIGHEST)
        older = self._ranges(query, LOWEST, place.high) if place.high else []
        return [*self._changed(query, place.begun), *older]

    def _changed(self, query: TaskQuery, since: str) -> list[Source]:
        return self._ranges(query, since, HIGHEST)

    def _ranges(self, query: TaskQuery, lower: str, upper: str) -> list[Source]:
        return [
            Source(self._calls, self._table, index, partition, lower, upper) for index, partition in partitions(query)
        ]

    async def _records(self, entries: Sequence[Entry], query: TaskQuery) -> list[Task]:
        """The tasks of these entries, without those that are not in the list any more."""
        ids = [entry.task_id for entry in entries]
        found = await self._get(ids, consistent=False)
        doubtful = [task_id for task_id in ids if task_id not in found or not _in(query, found[task_id])]
        found |= await self._get(doubtful, consistent=True)
        tasks = [found[task_id] for task_id in ids if task_id in found]
        return [task for task in tasks if _in(query, task)]

    async def _get(self, ids: Sequence[str], *, consistent: bool) -> dict[str, Task]:
        items = await self._reader.get(self._table, map(current_key, ids), "task_id", consistent=consistent)
        return {task_id: task_of(item) for task_id, item in items.items()}


class Walk:
    """One way down several ranges of an index, until ``want`` tasks are known in their order."""

    def __init__(self, sources: Sequence[Source], query: TaskQuery, place: ListPlace, want: int) -> None:
        self._sources, self._query, self._place, self._want = sources, query, place, want
        self._found: dict[str, Entry] = {}
        self._read = 0

    @property
    def requests(self) -> int:
        """How many reads it took."""
        return sum(source.reads for source in self._sources)

    async def run(self) -> None:
        """Read until enough is known."""
        while (left := self._open()) and len(self._ready()) < self._want and not self._may_stop():
            bar = self._bar()
            chunk = max(self._want, LEAST_CHUNK)
            await asyncio.gather(*(self._take(source, chunk) for source in left if source.at >= bar))

    async def look_again(self, sources: Sequence[Source]) -> None:
        """Take in what was saved while the walk went on: it may have moved from below the walk to above it."""
        while left := [source for source in sources if not source.done]:
            await asyncio.gather(*(self._take(source, self._want) for source in left))

    def result(self, limit: int) -> tuple[list[Entry], ListPlace | None]:
        """The first ``limit`` entries, and where the list goes on (``None``: that was all)."""
        ready = self._ready()
        given = ready[:limit]
        if len(ready) <= limit and not self._open():
            return given, None
        created_at, task_id = given[-1].place if given else (self._place.created_at, self._place.task_id)
        high = self._high({entry.task_id for entry in given})
        return given, ListPlace(self._place.list, created_at, task_id, self._place.begun, high)

    async def _take(self, source: Source, limit: int) -> None:
        entries = await source.read(limit)
        self._read += len(entries)
        for entry in entries:
            known = self._found.get(entry.task_id)
            if entry.place < self._place.place and _in(self._query, entry) and (not known or known.sort < entry.sort):
                self._found[entry.task_id] = entry

    def _open(self) -> list[Source]:
        return [source for source in self._sources if not source.done]

    def _ready(self) -> list[Entry]:
        """What can be given out: nothing that was not read can stand before it."""
        frontier = max((source.at for source in self._open()), default="")
        ready = [entry for entry in self._found.values() if entry.created_at > frontier]
        return sorted(ready, key=lambda entry: entry.place, reverse=True)

    def _bar(self) -> str:
        """Where a source stands lower than this, it can add nothing to the page."""
        made = sorted((entry.created_at for entry in self._found.values()), reverse=True)
        return made[self._want - 1] if len(made) >= self._want else ""

    def _may_stop(self) -> bool:
        """Whether much was read and the next page would still start further on."""
        return self._read >= MOST_READ and bool(self._ready() or self._high(set()) < self._place.high)

    def _high(self, given: set[str]) -> str:
        """The highest save, of those from before the list began, that has to be read again or for the first time."""
        begun = self._place.begun
        unread = [min(source.at, begun) for source in self._open()]
        waiting = [entry.sort for entry in self._found.values() if entry.task_id not in given]
        return max([*unread, *(sort for sort in waiting if sort < begun)], default="")


def partitions(query: TaskQuery) -> list[tuple[Index, str]]:
    """The partitions of an index that hold a list.

    A project's tasks in progress are few among all in progress, but may be few among all of the project too: those
    are looked for in the StatusIndex.
    """
    wanted = statuses(query)
    if query.within == ():
        return []
    if query.within is not None and FINAL & wanted:
        return [("ProjectIndex", project_id) for project_id in query.within]
    if query.task_type is not None and _by_type(query):
        return [("TypeIndex", query.task_type)]
    return [("StatusIndex", status) for status in STATUSES if status in wanted]


@lru_cache(256)
def statuses(query: TaskQuery) -> frozenset[str]:
    """The statuses that a query wants."""
    return frozenset(
        status for status in STATUSES if query.status in (None, status) and query.active in (None, status not in FINAL)
    )


def _by_type(query: TaskQuery) -> bool:
    """Whether the TypeIndex answers it: that is sorted by creation already."""
    return query.task_type is not None and query.within is None and query.status is None and query.active is None


def _in(query: TaskQuery, task: Entry | Task) -> bool:
    """Whether a list holds this, as far as it is known."""
    if _by_type(query):
        return True
    return (
        task.status in statuses(query)
        and (query.within is None or task.project_id in query.within)
        and query.task_type in (None, task.task_type)
    )
