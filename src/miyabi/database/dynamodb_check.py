"""Whether restored tables are right: their indexes, their counts, and their tasks beside the tables they came from."""

from __future__ import annotations

import asyncio
import random
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence

from msgspec import Struct

from miyabi.database import ProjectRow
from miyabi.database.dynamodb_calls import Calls, Json
from miyabi.database.dynamodb_compare import Seen, Verdict, verdict
from miyabi.database.dynamodb_history import Histories
from miyabi.database.dynamodb_items import COUNTS, PROJECTS, Item, Tables, current_key, number, row_of, text
from miyabi.database.dynamodb_reads import HIGHEST, LOWEST, Entry, Index, Reader, Source
from miyabi.database.restore import Faults, Told
from miyabi.model import LATEST, STATUSES

SAMPLE = 200
"""Tasks that are compared one by one, unless all are."""
VERSIONS = 10
"""Newest versions of each that are compared, unless all are."""
ALL = 100_000
AT_ONCE = 8
BATCH = 100


class Found(Struct):
    """What the check has found."""

    tasks: int
    versions: int | None
    projects: int
    checked: int
    wrong: list[str]
    notes: list[str]


class Check:
    """Checks the tables ``target``, restored from ``source`` as of ``at`` (ms). Nobody else may use them meanwhile."""

    def __init__(self, calls: Calls, source: Tables, target: Tables, at: int, now: int, told: Told) -> None:
        self._calls, self._source, self._target = calls, source, target
        self._at, self._now, self._told = at, now, told
        self._reader = Reader(calls)
        self._histories = Histories(calls, target), Histories(calls, source)
        self._faults, self._notes = Faults(), list[str]()

    async def run(self, *, full: bool) -> Found:
        """Check, and set counts right that a lost or expired task has put wrong."""
        entries = await self._indexes()
        versions = await self._scanned(entries) if full else None
        projects = await self._projects(entries, full=full)
        names = sorted(entries)
        if not full:
            names = random.Random(self._at).sample(names, min(SAMPLE, len(names)))  # noqa: S311 - the same each time
        uncompared = await self._tasks([entries[name] for name in names], full=full)
        if uncompared:
            self._notes.append(
                f"{uncompared} of the {len(names)} checked tasks could not be compared with the old table: their "
                "history was made anew, or has expired, since then."
            )
        return Found(len(entries), versions, projects, len(names), self._faults.lines(), self._notes)

    async def _indexes(self) -> dict[str, Entry]:
        """Every task by its entry in the StatusIndex. Each must be in each index, once."""
        self._told("reading the indexes")
        listed = [entry for status in STATUSES for entry in await self._partition("StatusIndex", status)]
        entries = {entry.task_id: entry for entry in listed}
        for name, times in Counter(entry.task_id for entry in listed).items():
            if times > 1:
                self._faults.add(f"task {name}: is in the StatusIndex {times} times")
        by: dict[Index, set[str]] = {
            "ProjectIndex": {entry.project_id for entry in listed},
            "TypeIndex": {entry.task_type for entry in listed},
        }
        for index, partitions in by.items():
            there = [entry.task_id for part in sorted(partitions) for entry in await self._partition(index, part)]
            for name in entries.keys() ^ set(there) | {name for name, times in Counter(there).items() if times > 1}:
                self._faults.add(f"task {name}: is in the {index} {there.count(name)} times")
        return entries

    async def _partition(self, index: Index, partition: str) -> list[Entry]:
        source = Source(self._calls, self._target.tasks, index, partition, LOWEST, HIGHEST)
        found: list[Entry] = []
        while not source.done:
            found += await source.read(1000)
        return found

    async def _scanned(self, entries: Mapping[str, Entry]) -> int:
        """Every item of the table, whatever the indexes say; the number of kept versions."""
        versions = 0
        request: dict[str, object] = {
            "TableName": self._target.tasks,
            "ProjectionExpression": "task_id, #t",
            "ExpressionAttributeNames": {"#t": "timestamp"},
        }
        while True:
            answer = await self._calls.call("Scan", request)
            for item in answer["Items"]:
                name, kept = item["task_id"]["S"], item["timestamp"]["N"] != "0"
                versions += kept
                if not kept and ":" not in name and name not in entries:
                    self._faults.add(f"task {name}: is not in the StatusIndex")
            if not (start := answer.get("LastEvaluatedKey")):
                return versions
            request["ExclusiveStartKey"] = start

    async def _projects(self, entries: Mapping[str, Entry], *, full: bool) -> int:
        """Each project that has tasks is listed, and its counts are those of its tasks; the number of projects."""
        listed = {entry.sort for entry in await self._partition("StatusIndex", PROJECTS)}
        wanted = listed | {entry.project_id for entry in entries.values()}
        keys = ({"project_id": text(name)} for name in wanted)
        items = await self._reader.get(self._target.projects, keys, "project_id", consistent=True)
        mine: dict[str, list[Entry]] = defaultdict(list)
        for entry in entries.values():
            mine[entry.project_id].append(entry)
        corrected = 0
        for name in sorted(wanted):
            if name not in listed or "record" not in items.get(name, {}):
                self._faults.add(f"project {name}: {'is missing' if name in listed else 'is not listed'}")
                continue
            corrected += await self._counted(row_of(items[name]), mine[name], full=full)
        if corrected:
            self._notes.append(
                f"{corrected} of {len(wanted)} projects did not count the tasks that they have (expired ones stay "
                "counted, and a task and its project are restored apart). Their counts were set right."
            )
        return len(listed)

    async def _counted(self, row: ProjectRow, entries: Sequence[Entry], *, full: bool) -> bool:
        """Set a project's counts right; whether that was needed. The seconds are looked at with ``full``, or then."""
        counts = Counter[str](entry.status for entry in entries)
        tally = row.tally
        if not full and all(getattr(tally, status) == counts[status] for status in STATUSES):
            return False
        completed = [entry.task_id for entry in entries if entry.status == "completed"]
        items = await self._current(self._target, completed)
        counts["completed_ms"] = sum(int(item["completed_ms"]["N"]) for item in items.values())
        before = {status: getattr(tally, status) for status in STATUSES}
        if before | {"completed_ms": round(tally.completed_seconds * 1000)} == {name: counts[name] for name in COUNTS}:
            return False
        await self._calls.call("UpdateItem", self._set_counts(row.project.project_id, counts))
        return True

    def _set_counts(self, project_id: str, counts: Mapping[str, int]) -> Json:
        return {
            "TableName": self._target.projects,
            "Key": {"project_id": text(project_id)},
            "UpdateExpression": "SET " + ", ".join(f"#{name} = :{name}" for name in COUNTS),
            "ExpressionAttributeNames": {f"#{name}": name for name in COUNTS},
            "ExpressionAttributeValues": {f":{name}": number(counts[name]) for name in COUNTS},
        }

    async def _tasks(self, entries: Sequence[Entry], *, full: bool) -> int:
        """Compare each with the old table; how many that was not possible for."""
        uncompared = 0
        for start in range(0, len(entries), BATCH):
            self._told("comparing tasks", start, len(entries))
            for entry, found in await self._verdicts(entries[start : start + BATCH], ALL if full else VERSIONS):
                uncompared += not found.compared
                for fault in found.faults:
                    self._faults.add(f"task {entry.task_id}: {fault}")
        self._told("comparing tasks", len(entries), len(entries))
        return uncompared

    async def _verdicts(self, entries: Sequence[Entry], most: int) -> list[tuple[Entry, Verdict]]:
        names = [entry.task_id for entry in entries]
        here, there = [await self._current(tables, names) for tables in (self._target, self._source)]
        gate = asyncio.Semaphore(AT_ONCE)

        async def one(entry: Entry) -> tuple[Entry, Verdict]:
            name = entry.task_id
            async with gate:
                restored = await self._histories[0].versions(name, LATEST, most)
                source = await self._histories[1].versions(name, self._at + 1, most)
            return entry, verdict(
                entry,
                Seen(here.get(name), restored, len(restored) < most),
                Seen(there.get(name), source, len(source) < most),
                self._at,
                self._now,
            )

        return await asyncio.gather(*map(one, entries))

    async def _current(self, tables: Tables, names: Sequence[str]) -> dict[str, Item]:
        return await self._reader.get(tables.tasks, map(current_key, names), "task_id", consistent=True)
