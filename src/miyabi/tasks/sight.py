"""What a token that is limited to some projects may see and change. What it may not see is answered as not there."""

from __future__ import annotations

from collections.abc import Sequence

from miyabi.database import Database
from miyabi.http import Problem
from miyabi.logs import Logs, storable
from miyabi.logs.jobs import is_job, own_id, task_id_of
from miyabi.model import DEFAULT_PROJECT, NewEvent, RunStart, read_marker
from miyabi.principal import NEEDS_ALL, Sight


def check_whole(sight: Sight) -> None:
    """Raise :class:`Problem` ``forbidden`` unless it is all of the board."""
    if not sight.whole:
        raise Problem("forbidden", NEEDS_ALL)


def check_project(sight: Sight, project_id: str) -> None:
    """Raise :class:`Problem` ``forbidden`` unless the project and its tasks may be made and changed."""
    if not sight.holds(project_id):
        known = ", ".join(f"`{name}`" for name in (sight.projects or ())[:10]) or "none"
        detail = f"Your token may not change the project `{project_id}`; it is for {known}. Name one that it is for."
        raise Problem("forbidden", detail, parameter="project_id")


async def check_append(
    sight: Sight, database: Database, logs: Logs, group: str, stream: str, events: Sequence[NewEvent]
) -> None:
    """Raise :class:`Problem` unless these lines may be put at the end of the stream.

    ``forbidden`` where a start among them would move the task into another project; ``not-found`` where the stream
    is another project's, or would begin there.
    """
    if sight.whole:
        return
    stored = storable(events)
    for event in stored:
        if (project := _started(event.message)) is not None:
            check_project(sight, project)
    project = await project_of(database, logs, group, stream) or _started(stored[0].message) or DEFAULT_PROJECT
    if not is_job(group) or not sight.holds(project):
        raise Problem("not-found", f"There is no stream `{stream}` in `{group}` that your token is for.")


async def project_of(database: Database, logs: Logs, group: str, stream: str) -> str | None:
    """The project of a stream's task; of one that no collector has read yet, the one it will be of.

    ``None`` where there is neither a task nor a line.
    """
    first, second = await database.get([task_id_of(group, stream), own_id(group, stream)])
    if first and first.task.details.log_group not in (None, group):
        first = second
    if first:
        return first.task.project_id
    lines = (await logs.read(group, stream, limit=1)).events
    return (_started(lines[0].message) or DEFAULT_PROJECT) if lines else None


def _started(message: str) -> str | None:
    """The project that a run names as it starts; ``None`` for any other line."""
    marker = read_marker(message)
    return marker.project if isinstance(marker, RunStart) else None
