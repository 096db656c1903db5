"""``miyabi restore`` of DynamoDB: both tables as they were, under new names, by point-in-time recovery.

https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/pointintimerecovery_restores.html
"""

from __future__ import annotations

import asyncio
import math
from collections.abc import Awaitable, Callable
from contextlib import suppress
from typing import NamedTuple

from miyabi.database import DatabaseUnavailable
from miyabi.database.dynamodb_calls import Calls, Json, NoTable, NotAllowed
from miyabi.database.dynamodb_check import Check
from miyabi.database.dynamodb_items import Tables
from miyabi.database.dynamodb_tables import Admin
from miyabi.database.restore import NotRestored, Restored, Told, outside
from miyabi.model import iso

LOOK_SECONDS = 5.0
LOOKS = 12 * 3600 // 5
"""Twelve hours: AWS needs some ten minutes for a small table, and says of no size how long it takes."""
RIGHTS = (
    "on the old tables DescribeContinuousBackups, RestoreTableToPointInTime, BatchGetItem and Query; on "
    "the new ones and their indexes DescribeTable, DescribeContinuousBackups, UpdateContinuousBackups, "
    "DescribeTimeToLive, UpdateTimeToLive, Query, Scan, GetItem, BatchGetItem, PutItem, UpdateItem, DeleteItem and "
    "BatchWriteItem (all of `dynamodb:`)"
)
"""AWS writes the new tables with the caller's rights:
https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/backuprestore_IAM.html"""


class Asked(NamedTuple):
    """What to restore: the moment (ms; DynamoDB knows whole seconds), and how. ``resume``: go on with tables that an
    earlier call has begun to restore to that very second. ``full``: check every task, not a sample.
    """

    at: int
    resume: bool = False
    full: bool = False


class Restorer:
    """Restores the tables ``source`` into ``target``. ``admin`` is the new tables'; ``wait`` waits some seconds."""

    def __init__(
        self,
        calls: Calls,
        source: Tables,
        target: Tables,
        admin: Admin,
        now: Callable[[], int],
        told: Told,
        wait: Callable[[float], Awaitable[object]] = asyncio.sleep,
    ) -> None:
        self._calls, self._source, self._target, self._admin = calls, source, target, admin
        self._now, self._told, self._wait = now, told, wait

    async def restore(self, asked: Asked) -> Restored:
        """Restore, wait, check. Raises :class:`NotRestored` and ``DatabaseUnavailable``."""
        try:
            return await self._restore(asked)
        except NotAllowed as error:
            raise NotRestored(f"{error} A restore needs {RIGHTS}.") from None

    async def _restore(self, asked: Asked) -> Restored:
        second = asked.at // 1000
        there = [await self._described(name) for name in self._target]
        for name, table in zip(self._target, there, strict=True):
            if table is not None:
                self._check_resumed(name, table, second, resume=asked.resume)
        if not all(there):
            await self._check_window(second)
        for source, target, table in zip(self._source, self._target, there, strict=True):
            if table is None:
                await self._start(source, target, second)
        await self._until_active()
        notes = [line for line in await self._admin.create(ttl=False) if ": NO " in line]
        check = Check(self._calls, self._source, self._target, second * 1000 + 999, self._now(), self._told)
        found = await check.run(full=asked.full)
        await self._admin.create()  # expiry last: it would take away what is being checked
        return Restored(
            at=iso(second * 1000),
            where=self._target.tasks.removesuffix("-tasks"),
            tasks=found.tasks,
            versions=found.versions,
            projects=found.projects,
            checked=found.checked,
            wrong=found.wrong,
            notes=[*notes, *found.notes],
        )

    async def _described(self, name: str) -> Json | None:
        with suppress(NoTable):
            table: Json = (await self._calls.call("DescribeTable", {"TableName": name}))["Table"]
            return table
        return None

    def _check_resumed(self, name: str, table: Json, second: int, *, resume: bool) -> None:
        """Nothing that is there is ever written to, unless it was restored from these tables to that second."""
        if not resume:
            raise NotRestored(
                f"DynamoDB: {name} is there already, and nothing is ever overwritten. Choose another name with --into; "
                "or, when it is from a restore that was cut short, say --resume."
            )
        summary = table.get("RestoreSummary") or {}
        source = str(summary.get("SourceTableArn", "")).rpartition("/")[2]
        if source not in self._source or int(summary.get("RestoreDateTime", -1)) != second:
            raise NotRestored(
                f"DynamoDB: {name} was not restored from {' or '.join(self._source)} as of {iso(second * 1000)}, so it "
                "can't be gone on with. Give the same --at and --into as before, or choose another --into."
            )

    async def _check_window(self, second: int) -> None:
        windows = [await self._window(name) for name in self._source]
        earliest, latest = max(first for first, _ in windows), min(last for _, last in windows)
        if not earliest <= second <= latest:
            raise outside(second * 1000, earliest * 1000, latest * 1000)

    async def _window(self, name: str) -> tuple[int, int]:
        """The first and the last second that can be restored."""
        answer = await self._calls.call("DescribeContinuousBackups", {"TableName": name})
        found = answer["ContinuousBackupsDescription"].get("PointInTimeRecoveryDescription") or {}
        if found.get("PointInTimeRecoveryStatus") != "ENABLED" or "EarliestRestorableDateTime" not in found:
            raise NotRestored(
                f"DynamoDB: point-in-time recovery of {name} is off, so its past is not kept. `miyabi tables create` "
                "turns it on; every second from then on, up to five minutes ago, can be restored."
            )
        return math.ceil(found["EarliestRestorableDateTime"]), math.floor(found["LatestRestorableDateTime"])

    async def _start(self, source: str, target: str, second: int) -> None:
        request = {"SourceTableName": source, "TargetTableName": target, "RestoreDateTime": second}
        try:
            await self._calls.call("RestoreTableToPointInTime", request)
        except DatabaseUnavailable as error:
            table = await self._described(target)
            if table is None:
                raise
            if "RestoreSummary" not in table:
                raise NotRestored(f"{error} {target} was made by somebody else meanwhile.") from None

    async def _until_active(self) -> None:
        for _ in range(LOOKS):
            tables = [await self._described(name) for name in self._target]
            active = sum(table is not None and _is_active(table) for table in tables)
            self._told("restoring the tables", active, len(tables))
            if active == len(tables):
                return
            await self._wait(LOOK_SECONDS)
        raise NotRestored(f"DynamoDB is still restoring {' and '.join(self._target)}. Go on later with --resume.")


def _is_active(table: Json) -> bool:
    indexes = table.get("GlobalSecondaryIndexes") or []
    restoring = (table.get("RestoreSummary") or {}).get("RestoreInProgress", False)
    return not restoring and {table["TableStatus"], *(index["IndexStatus"] for index in indexes)} == {"ACTIVE"}
