"""AWS's rules for capacity units, applied to what was really said and stored.

Rules: https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/read-write-operations.html and, for indexes,
https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/GSI.html#GSI.ThroughputConsiderations.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from benchmarks.dynamodb_tap import TABLES, Said
from miyabi.database.dynamodb_items import Item, size
from miyabi.database.dynamodb_reads import KEYS, Index
from miyabi.database.dynamodb_tables import INCLUDED

Units = Mapping[str, float]
"""Units by what they are taken from: ``tasks``, ``projects``, or an index."""
WRITE_BYTES, READ_BYTES = 1024, 4096
NAMES = {TABLES.tasks: "tasks", TABLES.projects: "projects"}


def write_units(table: str, before: Item | None, after: Item, *, transaction: bool) -> Units:
    """Of one write that makes ``after`` of ``before``: the larger counts, twice in a transaction; then each index."""
    largest = max(size(before) if before else 0, size(after))
    own = {table: _begun(largest, WRITE_BYTES) * (2 if transaction else 1)}
    if table != "tasks":
        return own
    return own | {index: _entry_units(index, entry(index, before), entry(index, after)) for index in KEYS}


def entry(index: Index, item: Item | None) -> Item | None:
    """What an index holds of an item of the tasks; ``None`` when a key is missing."""
    if item is None or any(key not in item for key in KEYS[index]):
        return None
    names = ("task_id", "timestamp", *KEYS[index], *INCLUDED[index])
    return {name: item[name] for name in names if name in item}


def _entry_units(index: Index, before: Item | None, after: Item | None) -> int:
    """A changed key is a delete and a put; the same entry costs nothing."""
    if before == after:
        return 0
    if before and after and all(before[key] == after[key] for key in KEYS[index]):
        return _begun(max(size(before), size(after)), WRITE_BYTES)
    return sum(_begun(size(one), WRITE_BYTES) for one in (before, after) if one)


def read_units(said: Said) -> Units:
    """Of one read, halved when it may be a moment old: a query counts all bytes, a batch each item."""
    asked, answered = said.asked, said.answered
    if said.action == "BatchGetItem":
        return added(
            {NAMES[table]: _batch_units(wanted, answered["Responses"].get(table, []))}
            for table, wanted in asked["RequestItems"].items()
        )
    items = answered["Items"] if said.action == "Query" else [answered.get("Item", {})]
    name = asked.get("IndexName") or NAMES[asked["TableName"]]
    return {name: _begun(sum(map(size, items)), READ_BYTES) * _share(asked)}


def _batch_units(wanted: Mapping[str, Any], items: list[Item]) -> float:
    missing = len(wanted["Keys"]) - len(items)
    return (sum(_begun(size(item), READ_BYTES) for item in items) + missing) * _share(wanted)


def _share(asked: Mapping[str, Any]) -> float:
    return 1.0 if asked.get("ConsistentRead") else 0.5


def added(parts: Iterable[Units]) -> Units:
    """All together."""
    units: dict[str, float] = {}
    for part in parts:
        for name, amount in part.items():
            units[name] = units.get(name, 0) + amount
    return units


def writes(said: Said) -> Iterator[tuple[str, dict[str, Any], bool]]:
    """The items that a request wrote: table, key, whether in a transaction."""
    transaction = said.action == "TransactWriteItems"
    parts = said.asked["TransactItems"] if transaction else [{said.action: said.asked}]
    for part in parts:
        for what, request in part.items():
            table = request["TableName"]
            names = ("task_id", "timestamp") if table == TABLES.tasks else ("project_id",)
            given = request["Item"] if what.startswith("Put") else request["Key"]
            yield table, {name: given[name] for name in names}, transaction


def consumed(said: Said) -> float:
    """What the server says that a request took, all tables and indexes together."""
    told: Any = said.answered["ConsumedCapacity"]
    return sum(float(one["CapacityUnits"]) for one in (told if isinstance(told, list) else [told]))


def in_words(units: Mapping[str, float]) -> str:
    """``tasks 3, StatusIndex 2, ProjectIndex 2``."""
    return ", ".join(f"{name} {amount:g}" for name, amount in units.items() if amount)


def _begun(count: int, of: int) -> int:
    """Pieces of ``of`` bytes begun, at least one."""
    return max(1, -(-count // of))
