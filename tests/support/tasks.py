"""Tasks for tests: made in a line, each a little different."""

from __future__ import annotations

from typing import Any

from msgspec.structs import replace

from miyabi.database import Current
from miyabi.model import Task, iso

START = 1_795_000_000_000


def a_task(task_id: str, *, age: int = 0, **fields: Any) -> Task:
    """A running task made ``age`` seconds after the first of them."""
    made = iso(START + age * 1000)
    usual: dict[str, Any] = {
        "task_id": task_id,
        "timestamp": START + age * 1000,
        "task_name": task_id,
        "task_type": "build",
        "status": "running",
        "project_id": "house",
        "created_at": made,
        "updated_at": made,
    }
    return Task(**(usual | fields))


def later(task: Task, *, by: int = 1, **fields: Any) -> Task:
    """A version of ``task`` that is ``by`` milliseconds newer."""
    timestamp = task.timestamp + by
    return replace(task, timestamp=timestamp, updated_at=iso(timestamp), **fields)


def ids(tasks: Any) -> list[str]:
    """The tasks' ids, in their order."""
    return [task.task_id for task in tasks]


def known(current: Current | None) -> Current:
    """``current``, which must be there."""
    assert current is not None
    return current
