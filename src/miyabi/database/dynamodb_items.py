"""What lies in DynamoDB: the items of both tables, and their sizes.

``miyabi-tasks``, by ``task_id`` and ``timestamp``:

* ``timestamp`` 0 is a task's current state, and alone carries what the indexes are made of, so that each holds each
  task once. ``updated_at`` there is when that state was saved by the writer's clock (never before ``created_at``, and
  later with every change), not the record's own: lines may be read long after they were printed.
* every kept version but the current one is an item at its own timestamp, with ``record`` only. It is written just
  before the state that takes its place, so it is always a state that was there, whoever writes it and whatever becomes
  of the next one; ``kept`` on the current item says whether it shall be.
* ``memo:NAME`` is a memo; ``project:ID`` stands in the StatusIndex's partition ``project``, sorted by id, so that
  projects are listed without a scan. No task's id has a colon.

``miyabi-projects``, by ``project_id``: the record and the counts of its tasks.
"""

from __future__ import annotations

from base64 import b64decode, b64encode
from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple

from msgspec import json

from miyabi.database import Bookmark, Current, DatabaseUnavailable, ProjectRow, RecordTooLarge
from miyabi.model import STATUSES, Project, Status, Tally, Task, iso, millis

Value = Mapping[str, Any]
"""An attribute's value as DynamoDB writes it: ``{"S": "text"}``, ``{"N": "1"}``, ``{"B": base64}``."""
Item = Mapping[str, Value]

MOST_BYTES = 400 * 1024
"""DynamoDB's limit for an item, names and values together:
https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/ServiceQuotas.html"""
COUNTS = (*STATUSES, "completed_ms")
PROJECTS = "project"
"""The StatusIndex's partition that lists the projects; no task has this status."""

_ENCODER = json.Encoder()
_TASK = json.Decoder(Task)
_PROJECT = json.Decoder(Project)


class Tables(NamedTuple):
    """The names of the two tables."""

    tasks: str
    projects: str

    @classmethod
    def of(cls, prefix: str) -> Tables:
        """``PREFIX-tasks`` and ``PREFIX-projects``."""
        return cls(f"{prefix}-tasks", f"{prefix}-projects")


class Keys(NamedTuple):
    """What of a task stands in its project's counts."""

    status: Status
    project_id: str
    completed_ms: int


class Stored(NamedTuple):
    """What a current item holds, as far as a write depends on it."""

    version: int
    keys: Keys
    position: str | None
    record: str
    kept: bool
    """Whether this state stays in the history when the next one comes."""
    reader: bytes | None = None
    saved: str | None = None
    """The item's ``updated_at``; ``None`` when only the writer's base is known."""


def text(value: str) -> Value:
    """A string attribute."""
    return {"S": value}


def number(value: float) -> Value:
    """A number attribute."""
    return {"N": str(value)}


def binary(value: bytes) -> Value:
    """A binary attribute."""
    return {"B": b64encode(value).decode()}


def encoded(record: Task | Project) -> str:
    """A record as it is stored."""
    return _ENCODER.encode(record).decode()


def current_key(task_id: str) -> Item:
    """The key of a task's current item."""
    return {"task_id": text(task_id), "timestamp": number(0)}


def version_sort(timestamp: int) -> Value:
    """The sort key of a kept version. 0 is the current item's, so the version of 1970 lies between it and 1."""
    return number(timestamp or 0.5)


def flag(value: bool) -> Value:
    """A boolean attribute."""
    return {"BOOL": value}


def version_item(task: Task, record: str | None = None) -> Item:
    """A kept version (``record``: as it was stored); it is forgotten when it says so itself."""
    record = encoded(task) if record is None else record
    item = {"task_id": text(task.task_id), "timestamp": version_sort(task.timestamp), "record": text(record)}
    return item if task.ttl is None else {**item, "ttl": number(task.ttl)}


def keys_of(task: Task) -> Keys:
    """What a task counts for in its project."""
    seconds = (task.duration_seconds or 0) if task.status == "completed" else 0
    return Keys(task.status, task.project_id, round(seconds * 1000))


def base_of(current: Current, kept: bool = False) -> Stored:
    """What is stored if it is what the writer had read, and ``kept``."""
    task, mark = current.task, current.bookmark
    return Stored(task.timestamp, keys_of(task), mark.position if mark else None, encoded(task), kept)


def stored_of(item: Item) -> Stored:
    """What a current item holds."""
    keys = Keys(item["status"]["S"], item["project_id"]["S"], int(item["completed_ms"]["N"]))
    return Stored(
        int(item["version"]["N"]),
        keys,
        item["position"]["S"] if "position" in item else None,
        item["record"]["S"],
        item["kept"]["BOOL"],
        b64decode(item["reader"]["B"]) if "reader" in item else None,
        item["updated_at"]["S"],
    )


def task_of(item: Item) -> Task:
    """The task in an item."""
    return decoded(item["record"]["S"])


def decoded(record: str) -> Task:
    """The task in a stored record."""
    try:
        return _TASK.decode(record)
    except ValueError as error:
        raise DatabaseUnavailable(f"DynamoDB holds an item that is no task: {error}") from error


def current_of(item: Item) -> Current:
    """The task in a current item with its bookmark."""
    if "position" not in item:
        return Current(task_of(item))
    reader = b64decode(item["reader"]["B"]) if "reader" in item else b""
    return Current(task_of(item), Bookmark(item["position"]["S"], reader))


def row_of(item: Item) -> ProjectRow:
    """A project with its counts."""
    counts = {name: int(item[name]["N"]) if name in item else 0 for name in COUNTS}
    completed_ms = counts.pop("completed_ms")
    return ProjectRow(_PROJECT.decode(item["record"]["S"]), Tally(**counts, completed_seconds=completed_ms / 1000))


def saved_at(now: int, created_at: str, before: str | None) -> str:
    """When a state is saved: now, but never before the task was made, nor when its last state was."""
    times = [iso(now), created_at]
    return max([*times, iso(millis(before) + 1)] if before else times)


def size(item: Item) -> int:
    """An item's bytes as DynamoDB counts them: names and values, a number at most half its digits and two."""
    return sum(len(name.encode()) + _value_size(value) for name, value in item.items())


def check_size(what: str, items: Iterable[Item]) -> None:
    """Raise :class:`RecordTooLarge` when one of the items can't be stored."""
    largest = max(map(size, items), default=0)
    if largest > MOST_BYTES:
        raise RecordTooLarge(
            f"{what} is {largest:,} bytes as an item of DynamoDB, which takes {MOST_BYTES:,}. Put less in its metadata."
        )


def _value_size(value: Value) -> int:
    ((kind, content),) = value.items()
    if kind == "BOOL":
        return 1
    if kind == "N":
        return len(content) // 2 + 2
    return len(b64decode(content)) if kind == "B" else len(content.encode())
