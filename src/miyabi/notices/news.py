"""What of a task's state is news, and what of it a notice shows."""

from __future__ import annotations

from hashlib import blake2b

from msgspec.structs import replace

from miyabi.model import Details, Task, millis
from miyabi.notices import Kind, News

MOST_TEXT = 300
"""Characters of the line that says why a task failed; of other texts a third."""


def kind_of(task: Task) -> Kind:
    """What there is to tell of a task in this state."""
    return "stopped" if task.status == "running" and task.details.stopped else task.status


def run_of(task: Task) -> str:
    """Which of its runs a task is in: when that began. A restarted task is another run."""
    return task.details.started_at or ""


def news_of(task: Task, at: int) -> News:
    """The news that a task is in its state since ``at`` (ms)."""
    kind = kind_of(task)
    known = f"{task.task_id}\n{run_of(task)}\n{kind}\n{at}"
    return News(f"msg_{blake2b(known.encode(), digest_size=12).hexdigest()}", kind, at, shown(task))


def ran_seconds(task: Task, now: int) -> float:
    """How long a task has run: to its end, else to ``now`` (ms)."""
    if task.duration_seconds is not None:
        return task.duration_seconds
    return max(0.0, (now - millis(task.details.started_at or task.created_at)) / 1000)


def shown(task: Task) -> Task:
    """``task`` with what a notice shows of it alone: bounded, whatever its job printed."""
    was = task.details
    details = Details(
        phase=_short(was.phase, MOST_TEXT // 3),
        current_step=_short(was.current_step, MOST_TEXT // 3),
        error_message=_short(was.error_message, MOST_TEXT),
        exit_code=was.exit_code,
        started_at=was.started_at,
        stopped=was.stopped,
    )
    name = _short(task.task_name, MOST_TEXT // 3) or task.task_name
    return replace(task, task_name=name, details=details, description=None, metadata={}, github=None, ttl=None)


def _short(text: str | None, most: int) -> str | None:
    if text is None or len(text) <= most:
        return text
    return f"{text[: most - 1]}…"
