"""Reading from DynamoDB: items by key, in batches; entries of an index, in either direction."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Mapping, Sequence
from typing import Literal, NamedTuple

from miyabi.database.dynamodb_calls import BUSY, Calls, Json
from miyabi.database.dynamodb_items import Item, text
from miyabi.model import STATUSES

BATCH = 100
"""DynamoDB's limit of a BatchGetItem."""
BATCHES_AT_ONCE = 4
"""Of one call: a large one leaves connections to the others."""
CHUNK = 1000
"""Entries of an index read at once; about 250 KB."""
LOWEST, HIGHEST = " ", "~"
"""Before and behind every time and id."""

Index = Literal["ProjectIndex", "StatusIndex", "TypeIndex"]
KEYS: Mapping[Index, tuple[str, str]] = {
    "ProjectIndex": ("project_id", "updated_at"),
    "StatusIndex": ("status", "updated_at"),
    "TypeIndex": ("task_type", "created_at"),
}
"""Partition key and sort key of each index."""


class Entry(NamedTuple):
    """A task in an index. ``sort``: the index's sort key; empty what the index does not hold."""

    task_id: str
    sort: str
    created_at: str
    status: str
    project_id: str
    task_type: str

    @property
    def place(self) -> tuple[str, str]:
        """Its place in the order of lists."""
        return self.created_at, self.task_id


class Reader:
    """Gets items by their keys."""

    def __init__(self, calls: Calls) -> None:
        self._calls = calls

    async def get(self, table: str, keys: Iterable[Item], name: str, *, consistent: bool) -> dict[str, Item]:
        """The items of those keys that are there, by their attribute ``name`` (a string)."""
        wanted = list({key[name]["S"]: key for key in keys}.values())
        batches = [wanted[start : start + BATCH] for start in range(0, len(wanted), BATCH)]
        found = await self._batches(table, batches, consistent)
        return {item[name]["S"]: item for items in found for item in items}

    async def _batches(self, table: str, batches: Sequence[Sequence[Item]], consistent: bool) -> list[list[Item]]:
        """Each batch's items. One batch, as nearly always, needs no task of its own."""
        if len(batches) == 1:
            return [await self._batch(table, batches[0], consistent)]
        gate = asyncio.Semaphore(BATCHES_AT_ONCE)

        async def in_turn(batch: Sequence[Item]) -> list[Item]:
            async with gate:
                return await self._batch(table, batch, consistent)

        return await asyncio.gather(*map(in_turn, batches))

    async def _batch(self, table: str, keys: Sequence[Item], consistent: bool) -> list[Item]:
        tries, found = self._calls.tries(), list[Item]()
        left: Json = {table: {"Keys": keys, "ConsistentRead": consistent}}
        while left:
            answer = await self._calls.call("BatchGetItem", {"RequestItems": left})
            found += answer["Responses"].get(table, [])
            if left := answer.get("UnprocessedKeys") or {}:
                await tries.again(BUSY)
        return found


class Source:
    """A range of one partition of an index, read piece by piece from one end.

    ``at`` is the sort key up to which it has been read, ``done`` whether that was all.
    """

    def __init__(
        self, calls: Calls, table: str, index: Index, partition: str, lower: str, upper: str, *, forward: bool = False
    ) -> None:
        self._calls = calls
        self._keys = KEYS[index]
        self.at = lower if forward else upper
        self.done = lower > upper
        self.reads = 0
        self._request: dict[str, object] = {
            "TableName": table,
            "IndexName": index,
            "KeyConditionExpression": "#p = :p AND #s BETWEEN :lower AND :upper",
            "ExpressionAttributeNames": {"#p": self._keys[0], "#s": self._keys[1]},
            "ExpressionAttributeValues": {":p": text(partition), ":lower": text(lower), ":upper": text(upper)},
            "ScanIndexForward": forward,
        }

    async def read(self, limit: int) -> list[Entry]:
        """The next entries, about ``limit`` of them (more the more often it is asked)."""
        limit = min(limit << min(self.reads, 6), CHUNK)
        answer = await self._calls.call("Query", {**self._request, "Limit": limit})
        self.reads += 1
        entries = [_entry(item, self._keys[1]) for item in answer["Items"]]
        start = answer.get("LastEvaluatedKey")
        self._request["ExclusiveStartKey"] = start
        self.done = not start
        if start:
            self.at = start[self._keys[1]]["S"]
        return entries


def of_statuses(
    calls: Calls, table: str, statuses: Iterable[str] = STATUSES, lower: str = LOWEST, *, forward: bool
) -> list[Source]:
    """The StatusIndex's partitions of these statuses from ``lower`` on."""
    return [Source(calls, table, "StatusIndex", status, lower, HIGHEST, forward=forward) for status in statuses]


def _entry(item: Item, sort: str) -> Entry:
    def of(name: str) -> str:
        value: str = item[name]["S"] if name in item else ""
        return value

    return Entry(of("task_id"), of(sort), of("created_at"), of("status"), of("project_id"), of("task_type"))
