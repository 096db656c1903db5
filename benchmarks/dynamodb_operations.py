"""Each operation of our backend as it is really sent, and the units that it takes by AWS's rules."""

from __future__ import annotations

import gzip
import statistics
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from aiodynamo.client import Client
from msgspec.structs import replace
from tests.support.corpus import segments
from tests.support.runs import RUNS

from benchmarks.boards import NOW, folder, sample
from benchmarks.dynamodb_tap import Counted, Said, Tap, bare, tapped
from benchmarks.dynamodb_units import NAMES, Units, added, consumed, read_units, write_units, writes
from miyabi.cache.none import NoCache
from miyabi.collector.collect import Collector
from miyabi.database import Bookmark, Current, Save, TaskQuery
from miyabi.database.dynamodb import DynamoDatabase
from miyabi.database.dynamodb_items import Item, size
from miyabi.logs.local import open_logs
from miyabi.model import NewEvent, Progress, Task, iso

GROUP = "/miyabi/cdk-deploy"
LOGS = [f"cdk-events-{number}" for number in range(1, 6)]
LINES, MILLIS = 15, 5_000
"""Lines that come between two runs of the collector, and the time between these."""
PAGE = 50


class Measured(NamedTuple):
    """``units`` of each operation and ``bytes`` of items, medians; how many of the writes the server counted alike."""

    units: Mapping[str, Units]
    bytes: Mapping[str, float]
    same: int
    writes: int


class Meter:
    """Counts the units of what was said. Writes are known by what was there before: all of them come by here.

    A name in parentheses is no operation but what others need: a project's first task is tried twice, and the refused
    try, which takes units too, is not seen here.
    """

    def __init__(self, tap: Tap, client: Client) -> None:
        self._tap, self._client = tap, client
        self._items: dict[str, Item] = {}
        self.found: dict[str, list[Units]] = {}
        self.bytes: dict[str, list[int]] = {}
        self.same = self.writes = 0

    async def note(self, name: str) -> None:
        """What was said since the last note was the operation ``name``."""
        said = self._tap.taken()
        wrote = [one for one in said if one.action in ("UpdateItem", "PutItem", "TransactWriteItems")]
        units = [await self._written(one) for one in wrote]
        if not units:
            units = [read_units(one) for one in said]
        self.found.setdefault(name, []).append(added(units))

    async def _written(self, said: Said) -> Units:
        parts = []
        for table, key, transaction in writes(said):
            answer = await self._client.send_request(action="GetItem", payload=_read(table, key))
            after, name = answer["Item"], f"{table} {key}"
            parts.append(write_units(NAMES[table], self._items.get(name), after, transaction=transaction))
            self._items[name] = after
            self._measure(NAMES[table], after)
        units = added(parts)
        self.writes += 1
        self.same += consumed(said) == sum(units.values())
        return units

    def _measure(self, table: str, item: Item) -> None:
        kind = "project" if table == "projects" else "current state" if "version" in item else "kept version"
        if "record" in item:
            self.bytes.setdefault(kind, []).append(size(item))


def _read(table: str, key: Item) -> dict[str, Any]:
    return {"TableName": table, "Key": key, "ConsistentRead": True}


async def operations(endpoint: str) -> Measured:
    """Deploys read by the collector as their lines came, then each other operation once."""
    clock = [NOW]
    async with tapped(endpoint, lambda: clock[0], Counted) as (database, tap), bare(endpoint) as client:
        meter = Meter(tap, client)
        await database.save([Save(sample(0))])
        await meter.note("(the first task of a project)")
        for name in LOGS:
            await _deploy(name, database, meter, clock)
        sizes = {kind: statistics.median(of) for kind, of in meter.bytes.items()}
        await _by_hand(database, meter)
        await _reads(database, meter)
    units = {name: _median(found) for name, found in meter.found.items() if not name.startswith("(")}
    return Measured(units, sizes, meter.same, meter.writes)


async def _deploy(name: str, database: DynamoDatabase, meter: Meter, clock: list[int]) -> None:
    """One recorded deploy: its lines into the embedded logs some at a time, and each time the collector's turn."""
    messages = [message for message, _ in segments(gzip.decompress((RUNS / "logs" / f"{name}.log.gz").read_bytes()))]
    with folder() as data:
        logs = await open_logs(data)
        collector = Collector(logs, database, NoCache(), lambda: clock[0])
        before: Task | None = None
        for start in range(0, len(messages), LINES):
            clock[0] += MILLIS
            lines = [NewEvent(clock[0], message) for message in messages[start : start + LINES]]
            await logs.append(GROUP, name, lines)
            await collector.collect([*(await logs.changed())])
            current = (await database.get([name]))[0]
            assert current is not None
            await meter.note(_what(before, current.task))
            before = current.task
        await logs.close()


def _what(before: Task | None, after: Task) -> str:
    if before is None:
        return "create, read from lines"
    if before == after:
        return "the bookmark alone"
    return "final" if after.final and not before.final else "progress, the version before kept"


async def _by_hand(database: DynamoDatabase, meter: Meter) -> None:
    """What people and the task API do: a task made in a known project, its progress, its end."""
    task = sample(20, NOW, 1)
    assert task.status == "running"
    await _save(database, meter, "(the first task of another project)", Save(task))
    task = replace(task, task_id="made")
    await _save(database, meter, "create", Save(task, kept=False))
    mark = Bookmark("1", bytes(500))
    await _save(database, meter, "the bookmark alone", Save(task, Current(task), mark, kept=False))
    later = replace(task, timestamp=NOW + 1, updated_at=iso(NOW + 1), progress=Progress.of(2, 29))
    await _save(database, meter, "progress, nothing kept", Save(later, Current(task, mark), Bookmark("2", bytes(500))))


async def _save(database: DynamoDatabase, meter: Meter, name: str, save: Save) -> None:
    assert await database.save([save]) == [True]
    await meter.note(name)


async def _reads(database: DynamoDatabase, meter: Meter) -> None:
    """Lists of 50 tasks, all of them active ones of one project too."""
    await database.save([Save(replace(sample(n), status="running", project_id="house")) for n in range(100, 151)])
    await meter.note("(the tasks of the lists)")
    await database.get(["made"])
    await meter.note("get")
    queries = {"all": TaskQuery(), "active": TaskQuery(active=True), "a project's": TaskQuery(project_id="house")}
    for name, query in queries.items():
        assert len((await database.tasks(query, limit=PAGE)).tasks) == PAGE
        await meter.note(f"50 of {name} tasks")


def _median(found: Sequence[Units]) -> Units:
    """By its total, the one in the middle."""
    return sorted(found, key=lambda units: sum(units.values()))[len(found) // 2]
