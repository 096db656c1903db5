"""One restored task beside the table that it came from: pure, from items to faults."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from miyabi.database import DatabaseUnavailable
from miyabi.database.dynamodb_items import Item, keys_of, task_of
from miyabi.database.dynamodb_reads import Entry
from miyabi.model import Task, iso

MARGIN_MILLIS = 10_000
"""By so much may the clocks of who wrote and of DynamoDB differ."""


class Seen(NamedTuple):
    """A task's items in a table: its current one, and its newest kept versions, newest first.

    ``whole``: these are all versions that there are (of that time).
    """

    current: Item | None
    versions: Sequence[Item]
    whole: bool = True


class Verdict(NamedTuple):
    """What is wrong with a task; ``compared``: the old table still tells what it was."""

    faults: list[str]
    compared: bool = True


def verdict(entry: Entry, restored: Seen, source: Seen, at: int, now: int) -> Verdict:
    """Whether the task of an index's ``entry`` is what it was ``at`` (ms); it is ``now`` (ms) now."""
    if restored.current is None:
        return Verdict(["an index has it, but the table does not"])
    try:
        faults = _own_faults(entry, restored.current, task_of(restored.current), restored.versions, at)
        if not _comparable(restored, source, now):
            return Verdict(faults, compared=False)
        return Verdict(faults + _differences(restored, source, at))
    except DatabaseUnavailable as error:
        return Verdict([str(error)])


def _own_faults(entry: Entry, item: Item, task: Task, versions: Sequence[Item], at: int) -> list[str]:
    """What is wrong by itself: an item that is not what its record says, or a state that is not the newest."""
    faults = []
    keys = keys_of(task)
    says = (task.task_id, task.timestamp, *keys, task.task_type, task.created_at)
    stands = (
        item["task_id"]["S"],
        int(item["version"]["N"]),
        *(item[name]["S"] for name in ("status", "project_id")),
        int(item["completed_ms"]["N"]),
        *(item[name]["S"] for name in ("task_type", "created_at")),
    )
    if says != stands:
        faults.append("its attributes are not those of its record")
    listed = (item["updated_at"]["S"], *(item[name]["S"] for name in ("created_at", "status", "project_id")))
    if listed != (entry.sort, entry.created_at, entry.status, entry.project_id):
        faults.append("its entry in the StatusIndex is not that of its item")
    if task.timestamp > at + MARGIN_MILLIS:
        faults.append(f"is of {iso(task.timestamp)}, which is later")
    if versions and _time(versions[0]) >= task.timestamp:
        faults.append("has a version that is as new as its state")
    return faults


def _comparable(restored: Seen, source: Seen, now: int) -> bool:
    """Whether the old table still has the versions: not when its history was made anew, or has expired, since then."""
    known = _records(source)
    return all(when in known for when in _kept(restored, now) if when >= _floor(source))


def _kept(seen: Seen, now: int) -> list[int]:
    """When the versions are of that should be kept in the old table."""
    assert seen.current is not None
    kept = [item for item in seen.versions if "ttl" not in item or int(item["ttl"]["N"]) * 1000 > now]
    times = [_time(item) for item in kept]
    return [int(seen.current["version"]["N"]), *times] if seen.current["kept"]["BOOL"] else times


def _differences(restored: Seen, source: Seen, at: int) -> list[str]:
    """Versions that are another here than there, and a state that there is a newer one of."""
    here, there = _records(restored), _records(source)
    assert restored.current is not None
    version = int(restored.current["version"]["N"])
    faults = [
        f"its version of {iso(when)} is not the one in the old table"
        for when in sorted(here.keys() & there.keys())
        if here[when] != there[when]
    ]
    newer = [when for when in there if version < when <= at - MARGIN_MILLIS]
    if newer:
        faults.append(f"is of {iso(version)}, but the old table has a version of {iso(max(newer))}")
    floor = max(_floor(source), _floor(restored))
    if missing := [when for when in there if floor <= when < version and when not in here]:
        faults.append(f"its version of {iso(max(missing))} is missing")
    return faults


def _records(seen: Seen) -> dict[int, str]:
    records = {_time(item): str(item["record"]["S"]) for item in seen.versions}
    if seen.current is not None:
        records[int(seen.current["version"]["N"])] = str(seen.current["record"]["S"])
    return records


def _floor(seen: Seen) -> int:
    """Since when ``seen`` has all."""
    return 0 if seen.whole or not seen.versions else _time(seen.versions[-1])


def _time(item: Item) -> int:
    """When a kept version is of; the sort key of 1970's is 0.5."""
    return int(float(item["timestamp"]["N"]))
