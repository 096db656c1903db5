"""Saving tasks: one conditional write each, in a transaction with its project's counts where these change."""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from collections.abc import AsyncIterator, Callable, Iterable, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from weakref import WeakValueDictionary

from miyabi.database import DatabaseUnavailable, Save
from miyabi.database.dynamodb_calls import BUSY, Calls, Json, Refused, Request
from miyabi.database.dynamodb_history import kept_before
from miyabi.database.dynamodb_items import (
    Item,
    Stored,
    Tables,
    base_of,
    binary,
    check_size,
    current_key,
    decoded,
    encoded,
    keys_of,
    stored_of,
    text,
    version_item,
    version_sort,
)
from miyabi.database.dynamodb_requests import (
    count_deltas,
    count_update,
    current_fields,
    current_update,
    project_listed,
    project_made,
    stays,
)
from miyabi.model import Task

AT_ONCE = 8
"""Tasks that one call of save writes at the same time."""
REMEMBERED = 4096
"""Tasks of which it is remembered whether their current state is kept."""
LOOKS = 20
"""So often may what is stored change under a write that fits each time."""
BATCH = 25
"""DynamoDB's limit of a BatchWriteItem."""


class Writer:
    """Saves tasks. ``now``: the time in ms, stamped on what is written at each try."""

    def __init__(self, calls: Calls, tables: Tables, now: Callable[[], int]) -> None:
        self._calls, self._tables, self._now = calls, tables, now
        self._gate = asyncio.Semaphore(AT_ONCE)
        self._kept: OrderedDict[str, tuple[int, bool]] = OrderedDict()
        self._turns: WeakValueDictionary[str, asyncio.Lock] = WeakValueDictionary()

    def remember(self, items: Iterable[Item]) -> None:
        """Of current items that were read: whether they are kept, which a base does not tell."""
        for item in items:
            self._note(item["task_id"]["S"], int(item["version"]["N"]), item["kept"]["BOOL"])

    async def save_all(self, saves: Sequence[Save]) -> list[bool]:
        """Save each; those of one task in their order, different tasks at the same time."""
        for save in saves:
            _check(save)
        of_task: dict[str, list[int]] = {}
        for place, save in enumerate(saves):
            of_task.setdefault(save.task.task_id, []).append(place)
        kept = [False] * len(saves)

        failed: list[Exception] = []

        async def in_order(places: list[int]) -> None:
            async with self._gate:
                for place in places:
                    if failed:  # what was not begun yet would most likely wait in vain, too
                        return
                    try:
                        kept[place] = await self._save(saves[place])
                    except Exception as error:
                        failed.append(error)

        await asyncio.gather(*map(in_order, of_task.values()))
        if failed:
            raise failed[0]
        return kept

    async def _save(self, save: Save) -> bool:
        """Write on what the writer had read; when something else is there that fits too, on that."""
        if save.base and save.task.timestamp < save.base.task.timestamp:
            return False
        expected, new_project = self._base(save), False
        for _ in range(LOOKS):
            try:
                await self._write(save, expected, new_project)
            except Refused as refusal:
                if refusal.items[0] is None:
                    new_project = True
                    continue
                stored = stored_of(refusal.items[0]) if refusal.items[0] else None
                if stored is None or not _fits(stored, save):
                    return stored is not None and await self._same(stored, save)
                if _is_same(stored, save):
                    return await self._same(stored, save)
                expected = stored
            else:
                self._note(save.task.task_id, save.task.timestamp, stays(save, expected))
                await self._replace_history(save)
                return True
        raise DatabaseUnavailable(f"DynamoDB: the task {save.task.task_id} is being changed all the time.")

    async def _write(self, save: Save, expected: Stored | None, new_project: bool) -> None:
        """One try. Raises :class:`Refused`, first what is stored of the task (``None``: that was as expected)."""
        await self._keep(save, expected)
        deltas = count_deltas(expected.keys if expected else None, keys_of(save.task))
        rest = self._counts(save.task, deltas, new_project)

        def make() -> Request:
            current = current_update(self._tables.tasks, save, expected, self._now())
            if not rest:
                return "UpdateItem", current
            return "TransactWriteItems", {"TransactItems": [{"Update": current}, *rest]}

        await self._calls.attempt(make, lambda: self._alone(deltas))

    @asynccontextmanager
    async def _alone(self, projects: Iterable[str]) -> AsyncIterator[None]:
        """Have these projects' items for oneself: of transactions that meet there, DynamoDB cancels all but one."""
        turns = [self._turns.setdefault(project, asyncio.Lock()) for project in sorted(projects)]
        async with AsyncExitStack() as stack:
            for turn in turns:
                await stack.enter_async_context(turn)
            yield

    async def _keep(self, save: Save, expected: Stored | None) -> None:
        """Put the state that is there now into the history, when it belongs there, before another takes its place."""
        if not expected or not expected.kept or expected.version == save.task.timestamp or save.history is not None:
            return
        item = version_item(decoded(expected.record), expected.record)
        await self._calls.call("PutItem", {"TableName": self._tables.tasks, "Item": item})

    def _base(self, save: Save) -> Stored | None:
        """What should be stored. Whether that is kept is a guess when it was not read here: a wrong one is refused."""
        if save.base is None:
            return None
        version, kept = self._kept.get(save.task.task_id, (-1, False))
        return base_of(save.base, kept and version == save.base.task.timestamp)

    def _note(self, task_id: str, version: int, kept: bool) -> None:
        self._kept[task_id] = (version, kept)
        self._kept.move_to_end(task_id)
        if len(self._kept) > REMEMBERED:
            self._kept.popitem(last=False)

    def _counts(self, task: Task, deltas: Mapping[str, Mapping[str, int]], new_project: bool) -> list[Json]:
        """What is written in one transaction with the current item: counts that change with it."""
        parts = list[Json]()
        for project_id, counts in deltas.items():
            if new_project and project_id == task.project_id:
                parts.append({"Update": project_made(self._tables.projects, task, counts)})
                parts.append({"Put": project_listed(self._tables.tasks, project_id)})
            else:
                there = project_id == task.project_id
                parts.append({"Update": count_update(self._tables.projects, project_id, counts, there=there)})
        return parts

    async def _same(self, stored: Stored, save: Save) -> bool:
        """Whether this very write was made before; what a crash may have left undone of it is done."""
        if not _is_same(stored, save):
            return False
        await self._replace_history(save)
        return True

    async def _replace_history(self, save: Save) -> None:
        """Put the given versions in the place of all that were kept before this one.

        Not in one transaction with it, since there may be thousands: made again, the save does what is left of this.
        """
        if save.history is None:
            return
        task = save.task
        earlier = [version for version in save.history if version.timestamp != task.timestamp]
        wanted = {version_sort(version.timestamp)["N"]: version_item(version) for version in earlier}
        old = [key for key in await self._kept_before(task.task_id, task.timestamp) if key not in wanted]
        requests: list[Json] = [{"PutRequest": {"Item": item}} for item in wanted.values()]
        requests += [{"DeleteRequest": {"Key": {**current_key(task.task_id), "timestamp": {"N": key}}}} for key in old]
        for start in range(0, len(requests), BATCH):
            await self._batch(requests[start : start + BATCH])

    async def _kept_before(self, task_id: str, timestamp: int) -> list[str]:
        """The sort keys of a task's kept versions that are older than ``timestamp``."""
        request = {**kept_before(self._tables.tasks, task_id, timestamp), "ProjectionExpression": "#t"}
        found: list[str] = []
        while True:
            answer = await self._calls.call("Query", request)
            found += [item["timestamp"]["N"] for item in answer["Items"]]
            if not (start := answer.get("LastEvaluatedKey")):
                return found
            request["ExclusiveStartKey"] = start

    async def _batch(self, requests: Sequence[Json]) -> None:
        tries, left = self._calls.tries(), {self._tables.tasks: requests}
        while left:
            answer = await self._calls.call("BatchWriteItem", {"RequestItems": left})
            if left := answer.get("UnprocessedItems") or {}:
                await tries.again(BUSY)


def _check(save: Save) -> None:
    """Refuse what DynamoDB would refuse, before anything is sent."""
    mark = save.bookmark or (save.base.bookmark if save.base else None)
    fields: Mapping[str, object] = current_fields(save.task, text(save.task.updated_at), save.kept)
    item: Item = {name: value for name, value in fields.items() if isinstance(value, dict)}
    if mark:
        item = {**item, "position": text(mark.position), "reader": binary(mark.reader)}
    versions = map(version_item, save.history or ())
    check_size(f"The task {save.task.task_id}", [{**current_key(save.task.task_id), **item}, *versions])


def _is_same(stored: Stored, save: Save) -> bool:
    if (stored.version, stored.record) != (save.task.timestamp, encoded(save.task)):
        return False
    mark = save.bookmark
    return mark is None or (mark.position, mark.reader) == (stored.position, stored.reader)


def _fits(stored: Stored, save: Save) -> bool:
    """Whether what the writer had read is what is stored, and the write is no older."""
    if save.base is None:
        return False
    base = base_of(save.base)
    return (base.version, base.position) == (stored.version, stored.position) and save.task.timestamp >= stored.version
