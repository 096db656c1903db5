"""One step, pure: a task and a page of its lines in, the write that follows out.

The same page read again from the same bookmark gives the same task, so a step may be made twice and by anybody.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from msgspec.structs import replace

from miyabi.collector.foresight import estimated, stage_of
from miyabi.collector.memory import Memory
from miyabi.database import Current, Save
from miyabi.model import (
    TTL_SECONDS,
    Details,
    LogEvent,
    Progress,
    RunExit,
    RunStart,
    Source,
    Status,
    Task,
    iso,
    millis,
    read_marker,
)
from miyabi.progress.forecast import Earlier
from miyabi.progress.pace import Pace
from miyabi.progress.reader import Reading

Runs = Callable[[Task], Earlier]
"""Earlier runs of a task's job, and of the stage that it is in."""
HISTORY_MILLIS = 1000
"""Versions that differ in progress alone stay in the history at most once in this time."""
RUN = "run"
"""Key in a task's metadata: the id of the ``miyabi run`` that its stream belongs to."""
INTERRUPTED = (130, "SIGINT")
MAX_COMMAND = 4000
MAX_TOLD = 1000
"""Characters of what a run says of itself that are kept with every version; the marker itself has all."""

STATUS_OF: dict[str, Status] = {
    "running": "running",
    "blocked": "blocked",
    "succeeded": "completed",
    "failed": "failed",
}


def advance(
    current: Current | None, fresh: Task, events: Sequence[LogEvent], position: str, now: int, runs: Runs
) -> Save:
    """The write after ``events``: ``fresh`` is the task as it is when nothing is known of it yet.

    ``position`` is behind the last event; ``now`` in ms is the version's time, moved on if the task is newer.
    """
    task = current.task if current else replace(fresh, created_at=iso(min(now, events[0].timestamp)))
    memory = Memory(current.bookmark if current else None)
    task, memory = _read(_begun(task, events[0].timestamp), memory, events)
    mark = memory.mark(position)
    if current and task == current.task:
        return Save(task, current, mark, kept=False)
    time = max(now, current.task.timestamp + 1) if current else now
    task = replace(task, timestamp=time, updated_at=iso(time), ttl=time // 1000 + TTL_SECONDS)
    return Save(_foreseen(task, memory.pace, runs), current, mark, kept=_worth_keeping(current, task))


def _foreseen(task: Task, pace: Pace, runs: Runs) -> Task:
    """``task`` with its estimate; none for one that has stopped or waits for somebody."""
    running = task.status == "running"
    stopped = task.details.stopped if running else None
    estimate = estimated(pace, runs(task), task.details.phase) if running and stopped is None else None
    return replace(task, details=replace(task.details, estimate=estimate, stopped=stopped))


def _begun(task: Task, at: int) -> Task:
    """The first line is the beginning of a task that nobody started before."""
    if task.details.started_at or task.final:
        return task
    return replace(task, status="running", details=replace(task.details, started_at=iso(at)))


def _read(task: Task, memory: Memory, events: Sequence[LogEvent]) -> tuple[Task, Memory]:
    """Lines between markers go to the reader in one piece; a marker starts or ends the run."""
    start = 0
    for index, event in enumerate(events):
        marker = read_marker(event.message)
        if marker is None:
            continue
        task = _told(task, memory, events[start:index])
        start = index + 1
        if isinstance(marker, RunStart):
            task = _started(task, marker, event)
            memory = Memory()
            memory.pace.heard([event.timestamp])
        else:
            task = _ended(task, marker, event, memory.reader.reading)
    return _told(task, memory, events[start:]), memory


def _told(task: Task, memory: Memory, events: Sequence[LogEvent]) -> Task:
    """What the lines say; once a task has ended they say nothing more, unless it was by their own words."""
    if not events or (task.final and not _ended_by_words(task)):
        return task
    reader = memory.reader
    was = reader.reading
    changes = reader.read([event.message for event in events])
    task = _going_on(task, _timed(memory.pace, changes, events))
    source = _located(task.details.source, was, changes, events)
    return _shown(task, reader.reading, source, _end_of(was, changes, events))


def _timed(pace: Pace, changes: Sequence[tuple[int, Reading]], events: Sequence[LogEvent]) -> bool:
    """Take down when the lines came and progress moved; whether it has."""
    moved, times, heard = pace.moved, [event.timestamp for event in events], 0
    for index, reading in changes:
        percentage = reading.progress.percentage
        if percentage is not None:
            pace.heard(times[heard : index + 1])
            heard = index + 1
            pace.at(percentage / 100, stage_of(reading.phase))
    pace.heard(times[heard:])
    return pace.moved != moved


def _going_on(task: Task, moved: bool) -> Task:
    """A task that had stopped goes on: with any line where there was none, else with progress."""
    stopped = task.details.stopped
    if stopped is None or (stopped.what == "progress" and not moved):
        return task
    return replace(task, details=replace(task.details, stopped=None))


def _ended_by_words(task: Task) -> bool:
    """Whether only the tool's words ended it: in a stream that nobody runs, one tool's last word may not be the last.

    A build goes on after the success of one of its parts, a job after an error that it survives.
    """
    return task.status in ("completed", "failed") and RUN not in task.metadata


def _end_of(was: Reading, changes: Sequence[tuple[int, Reading]], events: Sequence[LogEvent]) -> int | None:
    """When the lines last said that it had ended, if they did."""
    at = None
    for index, reading in changes:
        if reading.status != was.status:
            at = events[index].timestamp
        was = reading
    return at


def _located(
    source: Source | None, was: Reading, changes: Sequence[tuple[int, Reading]], events: Sequence[LogEvent]
) -> Source | None:
    """The source of what is shown, with its line's number in the stream where the store numbers lines.

    Viewers go to the line by it. A line that says the same again is not it: where pages end must not matter.
    """
    for index, reading in changes:
        if reading.source is not None and _position(reading) != _position(was):
            source = replace(reading.source, line=events[index].line or reading.source.line)
        was = reading
    return source


def _position(reading: Reading) -> tuple[Progress, str | None, str | None]:
    """What of a reading its source stands for."""
    return reading.progress, reading.phase, reading.step


def _shown(task: Task, reading: Reading, source: Source | None, ended: int | None) -> Task:
    status = STATUS_OF[reading.status]
    if RUN in task.metadata and status in ("completed", "failed"):
        status = "running"  # the command's exit code will tell
    details = replace(
        task.details,
        phase=reading.phase,
        current_step=reading.step,
        error_message=reading.error,
        source=source,
    )
    task = replace(task, status=status, progress=reading.progress, details=details)
    if not task.final:
        return replace(task, completed_at=None, duration_seconds=None)
    return task if ended is None else _final(task, ended)


def _started(task: Task, start: RunStart, event: LogEvent) -> Task:
    """A run begins in this stream: its name and kind are known now, and what an earlier run showed is over."""
    told = {"host": start.host[:MAX_TOLD], "user_id": start.user[:MAX_TOLD], "directory": start.directory[:MAX_TOLD]}
    return replace(
        task,
        status="running",
        task_name=start.name,
        task_type=start.type,
        project_id=start.project,
        completed_at=None,
        duration_seconds=None,
        progress=Progress(),
        details=Details(
            log_group=task.details.log_group,
            log_stream=task.details.log_stream,
            command=start.command[:MAX_COMMAND] or None,
            started_at=iso(event.timestamp),
        ),
        metadata={**task.metadata, **{k: v for k, v in told.items() if v}, RUN: start.run},
    )


def _ended(task: Task, end: RunExit, event: LogEvent, reading: Reading) -> Task:
    """The run has ended, as its marker says."""
    if task.final or task.metadata.get(RUN) != end.run:
        return task
    status = _verdict(end, reading)
    error = reading.error or _reason(end) if status == "failed" else None
    details = replace(task.details, exit_code=end.code, error_message=error, estimate=None, stopped=None)
    return replace(
        _final(replace(task, status=status, details=details), event.timestamp),
        duration_seconds=round(end.duration_seconds, 3),
    )


def _verdict(end: RunExit, reading: Reading) -> Status:
    """The exit code alone decides, whatever the words were; only where nobody could see one, the words do.

    Lines from standard input that end without a word of failure have come to a good end.
    """
    if end.code == INTERRUPTED[0] or end.signal == INTERRUPTED[1]:
        return "cancelled"
    if end.code is None:
        return "failed" if reading.status == "failed" or not end.seen else "completed"
    return "completed" if end.code == 0 else "failed"


def _reason(end: RunExit) -> str:
    if not end.seen:
        return "The run ended without being seen to: `miyabi run` was killed or its machine stopped."
    if end.signal:
        return f"Ended by {end.signal}."
    return f"Ended with exit code {end.code}."


def _final(task: Task, at: int) -> Task:
    seconds = max(0, at - millis(task.details.started_at or task.created_at)) / 1000
    return replace(task, completed_at=iso(at), duration_seconds=seconds)


def _worth_keeping(current: Current | None, task: Task) -> bool:
    """Whether the history wants this version: a change of more than numbers, or the first in its second."""
    if current is None:
        return True
    was = current.task
    changed = (was.status, was.task_name, was.details.phase) != (task.status, task.task_name, task.details.phase)
    return changed or was.timestamp // HISTORY_MILLIS != task.timestamp // HISTORY_MILLIS
