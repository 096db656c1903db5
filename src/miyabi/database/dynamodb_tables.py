"""The two tables as they should be: made, and compared with what is there.

An entry of an index holds the few attributes that lists are filtered by, none of which changes with progress, and not
the record: an entry is written anew with every save, so it has to be small (see ``docs/decisions/dynamodb.md``).
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from contextlib import suppress
from typing import Any, NamedTuple

from miyabi.database import RECOVERY_DAYS, DatabaseUnavailable
from miyabi.database.dynamodb_calls import Calls, Json, NoTable
from miyabi.database.dynamodb_items import Tables
from miyabi.database.dynamodb_reads import KEYS, Index

TTL_ATTRIBUTE = "ttl"
LOOKS = 300
"""Times a table is looked at until it is active, a second apart (on AWS it takes about ten)."""
INCLUDED: Mapping[Index, Sequence[str]] = {
    "ProjectIndex": ("created_at", "status", "task_type"),
    "StatusIndex": ("created_at", "project_id", "task_type"),
    "TypeIndex": (),
}
"""What an entry holds besides keys; nothing: keys only."""


class Capacity(NamedTuple):
    """Units of a table and of each of its indexes; ``on_demand``: as many as are used."""

    read: int = 5
    write: int = 5
    on_demand: bool = False


class Row(NamedTuple):
    """One thing about a table: how it should be and how it is."""

    table: str
    what: str
    wanted: str
    found: str

    @property
    def same(self) -> bool:
        """Whether all is well."""
        return self.wanted == self.found


class Admin:
    """Makes and describes the tables."""

    def __init__(self, calls: Calls, tables: Tables, capacity: Capacity) -> None:
        self._calls, self._tables, self._capacity = calls, tables, capacity

    async def create(self, *, ttl: bool = True, recovery: bool = True) -> list[str]:
        """Make what is missing; in words, what was done and what could not be."""
        said = [f"{name}: {'made' if await self._made(name) else 'is there'}" for name in self._tables]
        for name in self._tables:
            await self._active(name)
        if ttl and await self._ttl(self._tables.tasks) != TTL_ATTRIBUTE:
            await self._expire(self._tables.tasks)
            said.append(f"{self._tables.tasks}: items are forgotten by their `{TTL_ATTRIBUTE}`")
        if recovery:
            said += [words for name in self._tables if (words := await self._recoverable(name))]
        return said

    async def describe(self) -> list[Row]:
        """Each thing about the tables, as it should be and as it is."""
        rows: list[Row] = []
        for name in self._tables:
            wanted = shape(self._definition(name))
            wanted |= {"recovery": f"{RECOVERY_DAYS} days"}
            wanted |= {"ttl": TTL_ATTRIBUTE if name == self._tables.tasks else "off"}
            found = await self._found(name)
            rows += [Row(name, what, wanted.get(what, "none"), found.get(what, "none")) for what in {**wanted, **found}]
        return rows

    async def _made(self, name: str) -> bool:
        if await self._is_there(name):
            return False
        try:
            await self._calls.call("CreateTable", self._definition(name))
        except DatabaseUnavailable:
            if not await self._is_there(name):  # it is where an answer was lost, or somebody else was faster
                raise
        return True

    async def _is_there(self, name: str) -> bool:
        try:
            await self._calls.call("DescribeTable", {"TableName": name})
        except NoTable:
            return False
        return True

    async def _expire(self, name: str) -> None:
        try:
            await self._calls.call("UpdateTimeToLive", _ttl_on(name))
        except DatabaseUnavailable:
            if await self._ttl(name) != TTL_ATTRIBUTE:
                raise

    async def _active(self, name: str) -> None:
        for _ in range(LOOKS):
            with suppress(NoTable):  # AWS may not know yet what it has just made
                table = (await self._calls.call("DescribeTable", {"TableName": name}))["Table"]
                indexes = table.get("GlobalSecondaryIndexes") or []
                if {table["TableStatus"], *(index["IndexStatus"] for index in indexes)} == {"ACTIVE"}:
                    return
            await asyncio.sleep(1)
        raise DatabaseUnavailable(f"DynamoDB: {name} is still being made. Look again with `miyabi tables describe`.")

    async def _recoverable(self, name: str) -> str:
        """Turn recovery on; in words, what came of it (nothing when it was on)."""
        days = f"{RECOVERY_DAYS} days"
        try:
            if await self._recovery(name) == days:
                return ""
            specification = {"PointInTimeRecoveryEnabled": True, "RecoveryPeriodInDays": RECOVERY_DAYS}
            request = {"TableName": name, "PointInTimeRecoverySpecification": specification}
            await self._calls.call("UpdateContinuousBackups", request)
        except DatabaseUnavailable as error:
            return f"{name}: NO point-in-time recovery ({error})"
        return f"{name}: any second of the last {days} can be recovered"

    async def _found(self, name: str) -> dict[str, str]:
        try:
            table = (await self._calls.call("DescribeTable", {"TableName": name}))["Table"]
        except NoTable:
            return {}
        return {**shape(table), "recovery": await self._recovery(name), "ttl": await self._ttl(name)}

    async def _ttl(self, name: str) -> str:
        answer = await self._calls.call("DescribeTimeToLive", {"TableName": name})
        ttl = answer["TimeToLiveDescription"]
        return str(ttl["AttributeName"]) if ttl["TimeToLiveStatus"] in ("ENABLED", "ENABLING") else "off"

    async def _recovery(self, name: str) -> str:
        try:
            answer = await self._calls.call("DescribeContinuousBackups", {"TableName": name})
        except DatabaseUnavailable:
            return "unknown"
        found = answer["ContinuousBackupsDescription"].get("PointInTimeRecoveryDescription", {})
        if found.get("PointInTimeRecoveryStatus") != "ENABLED":
            return "off"
        return f"{found.get('RecoveryPeriodInDays', RECOVERY_DAYS)} days"

    def _definition(self, name: str) -> Json:
        if name == self._tables.tasks:
            return tasks_table(name, self._capacity)
        return projects_table(name, self._capacity)


def tasks_table(name: str, capacity: Capacity) -> Json:
    """The request that makes the table of tasks."""
    strings = sorted({"task_id", *(key for keys in KEYS.values() for key in keys)})
    return {
        "TableName": name,
        "AttributeDefinitions": [
            *({"AttributeName": key, "AttributeType": "S"} for key in strings),
            {"AttributeName": "timestamp", "AttributeType": "N"},
        ],
        "KeySchema": _schema("task_id", "timestamp"),
        "GlobalSecondaryIndexes": [
            {
                "IndexName": index,
                "KeySchema": _schema(*keys),
                "Projection": _projection(INCLUDED[index]),
                **_throughput(capacity),
            }
            for index, keys in KEYS.items()
        ],
        **_billing(capacity),
    }


def projects_table(name: str, capacity: Capacity) -> Json:
    """The request that makes the table of projects."""
    return {
        "TableName": name,
        "AttributeDefinitions": [{"AttributeName": "project_id", "AttributeType": "S"}],
        "KeySchema": _schema("project_id"),
        **_billing(capacity),
    }


def shape(table: Json) -> dict[str, str]:
    """A table in words, from the request that makes it or from its description."""
    types = {part["AttributeName"]: part["AttributeType"] for part in table["AttributeDefinitions"]}
    found = {"key": _keys(table, types), "capacity": _units(table, table)}
    for index in table.get("GlobalSecondaryIndexes") or []:
        name = index["IndexName"]
        found[name] = f"{_keys(index, types)}, {_projected(index['Projection'])}"
        found[f"{name} capacity"] = _units(index, table)
    return found


def _schema(partition: str, sort: str | None = None) -> list[dict[str, str]]:
    keys = [{"AttributeName": partition, "KeyType": "HASH"}]
    return keys if sort is None else [*keys, {"AttributeName": sort, "KeyType": "RANGE"}]


def _projection(included: Sequence[str]) -> dict[str, Any]:
    if not included:
        return {"ProjectionType": "KEYS_ONLY"}
    return {"ProjectionType": "INCLUDE", "NonKeyAttributes": list(included)}


def _throughput(capacity: Capacity) -> dict[str, Any]:
    if capacity.on_demand:
        return {}
    return {"ProvisionedThroughput": {"ReadCapacityUnits": capacity.read, "WriteCapacityUnits": capacity.write}}


def _billing(capacity: Capacity) -> dict[str, Any]:
    return {"BillingMode": "PAY_PER_REQUEST" if capacity.on_demand else "PROVISIONED", **_throughput(capacity)}


def _ttl_on(name: str) -> Json:
    return {"TableName": name, "TimeToLiveSpecification": {"AttributeName": TTL_ATTRIBUTE, "Enabled": True}}


def _keys(part: Json, types: Mapping[str, str]) -> str:
    return " + ".join(f"{key['AttributeName']} {types[key['AttributeName']]}" for key in part["KeySchema"])


def _projected(projection: Json) -> str:
    included = sorted(projection.get("NonKeyAttributes") or [])
    return " ".join(["keys", *included]) if projection["ProjectionType"] != "ALL" else "all"


def _units(part: Json, table: Json) -> str:
    mode = table.get("BillingMode") or (table.get("BillingModeSummary") or {}).get("BillingMode")
    if mode == "PAY_PER_REQUEST":
        return "on demand"
    units = part.get("ProvisionedThroughput") or {}
    return f"{units.get('ReadCapacityUnits', 0)} read, {units.get('WriteCapacityUnits', 0)} write"
