"""What the task API does, free of HTTP: make, change and read tasks and projects. What fails is a :class:`Problem`."""

from __future__ import annotations

from collections.abc import Callable

from msgspec import UNSET
from msgspec.structs import replace

from miyabi.database import Bookmark, Current, Database, ProjectRow, Save, TaskPage, TaskQuery
from miyabi.http import Problem
from miyabi.logs import LogPage, Logs
from miyabi.model import TTL_SECONDS, Details, Progress, Project, Task, group_of, iso, millis, new_id
from miyabi.tasks.records import Records
from miyabi.tasks.shapes import NewProject, NewTask, ProjectView, TaskPatch

Clock = Callable[[], int]
"""The time in milliseconds."""
ATTEMPTS = 20
"""How often a change is made again after somebody else's came in between."""


class TaskService:
    """Tasks and projects. ``now`` gives milliseconds."""

    def __init__(self, records: Records, database: Database, logs: Logs, now: Clock) -> None:
        self.records = records
        self._database = database
        self._logs = logs
        self._now = now

    async def task(self, task_id: str) -> Task:
        """A task; :class:`Problem` ``not-found`` when there is none."""
        task = await self.records.task(task_id)
        if task is None:
            raise Problem("not-found", f"There is no task `{task_id}`.")
        return task

    async def tasks(self, query: TaskQuery, cursor: str | None, limit: int) -> TaskPage:
        """A page of tasks, newest first."""
        try:
            return await self.records.tasks(query, cursor, limit)
        except ValueError as error:
            raise Problem("invalid-parameter", str(error), parameter="cursor") from None

    async def create(self, new: NewTask) -> tuple[Task, bool]:
        """The task and whether it was made now: an id that is taken answers with what is there."""
        task = self._newborn(new)
        if await self.records.save(Save(task)):
            return task, True
        return await self.task(task.task_id), False

    async def change(self, task_id: str, patch: TaskPatch) -> Task:
        """Cancel, restart, rename or describe; what others write in between is kept."""
        for _ in range(ATTEMPTS):
            current = (await self._database.get([task_id]))[0]
            if current is None:
                raise Problem("not-found", f"There is no task `{task_id}`.")
            save = changed(current, patch, self._now())
            if await self.records.save(save):
                return save.task
        raise Problem("unavailable", "The task changes too fast just now. Try again.", Retry_After="1")

    async def history(self, task_id: str, cursor: str | None, limit: int) -> TaskPage:
        """The kept versions of a task, newest first."""
        await self.task(task_id)
        try:
            return await self._database.history(task_id, cursor=cursor, limit=limit)
        except ValueError as error:
            raise Problem("invalid-parameter", str(error), parameter="cursor") from None

    async def lines(self, task_id: str, after: str, before: str | None, limit: int) -> LogPage:
        """A page of a task's lines."""
        stream = stream_of(await self.task(task_id))
        try:
            return await self._logs.read(*stream, after=after, before=before, limit=limit)
        except ValueError as error:
            name = "after" if before is None else "before"
            raise Problem("invalid-parameter", str(error), parameter=name) from None

    async def project(self, project_id: str) -> ProjectView:
        """A project with its counts."""
        row = await self._database.project(project_id)
        if row is None:
            raise Problem("not-found", f"There is no project `{project_id}`.")
        return view(row)

    async def projects(self, cursor: str | None, limit: int) -> tuple[list[ProjectView], str | None]:
        """Projects by id, with their counts."""
        try:
            rows, following = await self._database.projects(cursor=cursor, limit=limit)
        except ValueError as error:
            raise Problem("invalid-parameter", str(error), parameter="cursor") from None
        return [view(row) for row in rows], following

    async def put_project(self, new: NewProject) -> tuple[ProjectView, bool]:
        """Make a project, or change the one of that id; whether it was made now."""
        old = await self._database.project(new.project_id)
        time = iso(self._now())
        project = Project(
            project_id=new.project_id,
            project_name=new.project_name,
            status=new.status,
            description=new.description,
            owner=new.owner,
            resources=new.resources,
            created_at=old.project.created_at if old else time,
            updated_at=time,
        )
        await self.records.save_project(project)
        return await self.project(new.project_id), old is None

    def _newborn(self, new: NewTask) -> Task:
        now = self._now()
        task_id = new.task_id or new_id(new.task_name)
        return Task(
            task_id=task_id,
            timestamp=now,
            task_name=new.task_name,
            task_type=new.task_type,
            status=new.status,
            priority=new.priority,
            project_id=new.project_id,
            description=new.description,
            created_at=iso(now),
            updated_at=iso(now),
            details=Details(
                log_group=group_of(new.task_type),
                log_stream=task_id,
                started_at=iso(now) if new.status == "running" else None,
            ),
            metadata=new.metadata,
            github=new.github,
            ttl=now // 1000 + TTL_SECONDS,
        )


def stream_of(task: Task) -> tuple[str, str]:
    """The log group and stream of a task's lines."""
    return task.details.log_group or group_of(task.task_type), task.details.log_stream or task.task_id


def changed(current: Current, patch: TaskPatch, now: int) -> Save:
    """The write that ``patch`` asks for; :class:`Problem` ``conflict`` when the task's state does not allow it."""
    task = current.task
    fields = {
        name: value for name in ("task_name", "priority", "description") if (value := getattr(patch, name)) is not UNSET
    }
    now = max(now, task.timestamp + 1)
    task = replace(task, **fields, timestamp=now, updated_at=iso(now), ttl=now // 1000 + TTL_SECONDS)
    if patch.status == "cancelled":
        return Save(_cancelled(task), current)
    if patch.status == "running":
        return _restarted(task, current)
    return Save(task, current)


def _cancelled(task: Task) -> Task:
    if task.final:
        raise Problem("conflict", f"The task is {task.status} already.", parameter="status")
    begun = task.details.started_at
    seconds = max(0, task.timestamp - millis(begun)) / 1000 if begun else None
    details = replace(task.details, estimate=None, stopped=None)
    return replace(task, status="cancelled", details=details, completed_at=task.updated_at, duration_seconds=seconds)


def _restarted(task: Task, current: Current) -> Save:
    """Running again from the lines that come from now on; what the reader knew is forgotten."""
    if not task.final:
        raise Problem(
            "conflict", f"The task is {task.status}; only one that has ended can restart.", parameter="status"
        )
    details = Details(
        log_group=task.details.log_group, log_stream=task.details.log_stream, command=task.details.command
    )
    task = replace(
        task, status="running", progress=Progress(), details=details, completed_at=None, duration_seconds=None
    )
    bookmark = current.bookmark and Bookmark(current.bookmark.position)
    return Save(task, current, bookmark)


def view(row: ProjectRow) -> ProjectView:
    """A project as the API answers it."""
    fields = {name: getattr(row.project, name) for name in Project.__struct_fields__}
    tally = row.tally
    return ProjectView(
        **fields,
        tally=tally,
        success_rate=tally.success_rate,
        mean_duration_seconds=tally.mean_duration_seconds,
    )
