"""Tasks and projects in two DynamoDB tables (``miyabi tables create`` makes them)."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from typing import Protocol
from uuid import uuid4

from msgspec import Struct

from miyabi.database import (
    MAX_PAGE,
    Changes,
    Current,
    ProjectRow,
    Save,
    TaskPage,
    TaskQuery,
)
from miyabi.database.dynamodb_calls import Calls, Json, Patience, Refused
from miyabi.database.dynamodb_client import Client
from miyabi.database.dynamodb_feed import Feed, Pace
from miyabi.database.dynamodb_history import Histories
from miyabi.database.dynamodb_items import Tables, check_size, current_key, current_of, number, text
from miyabi.database.dynamodb_lists import Lists
from miyabi.database.dynamodb_projects import Projects
from miyabi.database.dynamodb_reads import Reader
from miyabi.database.dynamodb_requests import memo_is
from miyabi.database.dynamodb_writes import Writer
from miyabi.model import TTL_SECONDS, Project, is_id

MARGIN_SECONDS = 10.0
"""By so much may writers' clocks, a request under way and the indexes be late altogether."""


def now_ms() -> int:
    """The time in milliseconds."""
    return time.time_ns() // 1_000_000


class Timing(Struct, frozen=True, kw_only=True):
    """Everything that has to do with time: the clock (ms), the margin, and how to wait."""

    now: Callable[[], int] = now_ms
    margin_seconds: float = MARGIN_SECONDS
    pace: Pace = Pace()
    patience: Patience = Patience()


class Closing(Protocol):
    """What a client sends by."""

    async def close(self) -> None: ...


class DynamoDatabase:
    """:class:`miyabi.database.Database` over DynamoDB.

    ``http`` is closed with it. A call of :meth:`save` is one write for each task: after ``DatabaseUnavailable``
    some of them may be stored, and making the same call again does the rest.
    """

    def __init__(self, client: Client, tables: Tables, timing: Timing, http: Closing | None = None) -> None:
        self._http, self._tables, self._now = http, tables, timing.now
        self._calls = Calls(client, timing.patience)
        self._reader = Reader(self._calls)
        margin = round(timing.margin_seconds * 1000)
        self._writer = Writer(self._calls, tables, timing.now)
        self._lists = Lists(self._calls, self._reader, tables, timing.now, margin)
        self._histories = Histories(self._calls, tables)
        self._feed = Feed(self._calls, self._reader, tables, timing.now, margin, timing.pace)
        self._projects = Projects(self._calls, self._reader, tables)

    async def get(self, task_ids: Sequence[str]) -> list[Current | None]:
        keys = map(current_key, filter(is_id, task_ids))
        found = await self._reader.get(self._tables.tasks, keys, "task_id", consistent=True)
        self._writer.remember(found.values())
        return [current_of(found[task_id]) if task_id in found else None for task_id in task_ids]

    async def save(self, saves: Sequence[Save]) -> list[bool]:
        try:
            return await self._writer.save_all(saves)
        finally:
            if any(save.base is None or save.base.task != save.task for save in saves):
                self._feed.ring()

    async def tasks(self, query: TaskQuery, *, cursor: str | None = None, limit: int = 50) -> TaskPage:
        return await self._lists.page(query, cursor, min(limit, MAX_PAGE))

    async def history(self, task_id: str, *, cursor: str | None = None, limit: int = 50) -> TaskPage:
        if not is_id(task_id):
            return TaskPage([])
        return await self._histories.page(task_id, cursor, min(limit, MAX_PAGE))

    async def changed(self, after: str = "", limit: int = 1000) -> Changes:
        return await self._feed.changes(after, min(limit, MAX_PAGE))

    async def wait(self, after: str, timeout: float) -> bool:
        return await self._feed.wait(after, timeout)

    async def project(self, project_id: str) -> ProjectRow | None:
        return await self._projects.get(project_id) if is_id(project_id) else None

    async def projects(
        self, *, cursor: str | None = None, limit: int = 100, only: Sequence[str] | None = None
    ) -> tuple[list[ProjectRow], str | None]:
        return await self._projects.page(cursor, min(limit, MAX_PAGE), only)

    async def save_project(self, project: Project, *, new: bool = False) -> bool:
        return await self._projects.save(project, new=new)

    async def memo(self, name: str) -> str:
        key = current_key(f"memo:{name}")
        request = {"TableName": self._tables.tasks, "Key": key, "ConsistentRead": True}
        item = (await self._calls.call("GetItem", request)).get("Item")
        if item is None or int(item["ttl"]["N"]) * 1000 <= self._now():
            return ""
        value: str = item["value"]["S"]
        return value

    async def set_memo(self, name: str, value: str) -> None:
        """Remembered for as long as a task is after its last update."""
        await self._calls.call("PutItem", self._memo(name, value))

    async def swap_memo(self, name: str, was: str, value: str) -> bool:
        """A swap whose answer was lost is made again and then finds what it wrote: that counts as swapped."""
        request = self._memo(name, value)
        try:
            await self._calls.call("PutItem", {**request, **memo_is(was, self._now() // 1000)})
        except Refused as refused:
            stored = refused.items[0] or {}
            return bool(stored.get("swap") == request["Item"]["swap"])
        return True

    def _memo(self, name: str, value: str) -> Json:
        """The request that writes a memo; each has a mark of its own."""
        ttl = number(self._now() // 1000 + TTL_SECONDS)
        item = {**current_key(f"memo:{name}"), "value": text(value), "ttl": ttl, "swap": text(uuid4().hex)}
        check_size(f"The memo {name[:80]}", [item])
        return {"TableName": self._tables.tasks, "Item": item}

    async def ping(self) -> None:
        await self.memo("ping")

    async def close(self) -> None:
        self._calls.closed = True
        if self._http is not None:
            await self._http.close()
