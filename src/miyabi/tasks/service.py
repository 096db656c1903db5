"""What the task API does, free of HTTP: make, change and read tasks and projects. What fails is a :class:`Problem`."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from msgspec import UNSET
from msgspec.structs import replace

from miyabi.database import Bookmark, Current, Database, ProjectRow, Save, TaskPage, TaskQuery
from miyabi.http import Problem
from miyabi.logs import LogPage, Logs
from miyabi.model import TTL_SECONDS, Details, NewEvent, Progress, Project, Task, group_of, iso, millis, new_id
from miyabi.principal import Sight
from miyabi.tasks.records import Records
from miyabi.tasks.shapes import NewProject, NewTask, ProjectView, TaskPatch
from miyabi.tasks.sight import check_append, check_project, project_of

Clock = Callable[[], int]
"""The time in milliseconds."""
MOST_RUNNING = 50
"""Tasks of a project that its badge looks at."""
ATTEMPTS = 20
"""How often a change is made again after somebody else's came in between."""


class TaskService:
    """Tasks and projects, for whoever asks: only what is in their ``sight`` is there. ``now`` gives milliseconds."""

    def __init__(self, records: Records, database: Database, logs: Logs, now: Clock) -> None:
        self.records = records
        self._database = database
        self._logs = logs
        self.now = now

    async def task(self, task_id: str, sight: Sight) -> Task:
        """A task; :class:`Problem` ``not-found`` when there is none."""
        task = await self.records.task(task_id)
        if task is None or not sight.holds(task.project_id):
            raise Problem("not-found", f"There is no task `{task_id}`.")
        return task

    async def tasks(self, query: TaskQuery, cursor: str | None, limit: int, sight: Sight) -> TaskPage:
        """A page of tasks, newest first."""
        try:
            return await self.records.tasks(replace(query, projects=sight.projects), cursor, limit)
        except ValueError as error:
            raise Problem("invalid-parameter", str(error), parameter="cursor") from None

    async def create(self, new: NewTask, sight: Sight) -> tuple[Task, bool]:
        """The task and whether it was made now: an id that is taken answers with what is there."""
        check_project(sight, new.project_id)
        task = self._newborn(new)
        if await self._may_begin(task, sight) and await self.records.save(Save(task)):
            return task, True
        there = await self.records.task(task.task_id)
        if there is None or not sight.holds(there.project_id):
            detail = f"The id `{task.task_id}` can't be used. Choose another, or leave it out."
            raise Problem("conflict", detail, parameter="task_id")
        return there, False

    async def change(self, task_id: str, patch: TaskPatch, sight: Sight) -> Task:
        """Cancel, restart, rename or describe; what others write in between is kept."""
        for _ in range(ATTEMPTS):
            current = (await self._database.get([task_id]))[0]
            if current is None or not sight.holds(current.task.project_id):
                raise Problem("not-found", f"There is no task `{task_id}`.")
            save = changed(current, patch, self.now())
            if await self.records.save(save):
                return save.task
        raise Problem("unavailable", "The task changes too fast just now. Try again.", Retry_After="1")

    async def history(self, task_id: str, cursor: str | None, limit: int, sight: Sight) -> TaskPage:
        """The kept versions of a task, newest first; without those from when it was of a project out of sight."""
        await self.task(task_id, sight)
        try:
            page = await self._database.history(task_id, cursor=cursor, limit=limit)
        except ValueError as error:
            raise Problem("invalid-parameter", str(error), parameter="cursor") from None
        return page if sight.whole else TaskPage([t for t in page.tasks if sight.holds(t.project_id)], page.next)

    async def lines(self, task_id: str, after: str, before: str | None, limit: int, sight: Sight) -> LogPage:
        """A page of a task's lines."""
        stream = stream_of(await self.task(task_id, sight))
        try:
            return await self._logs.read(*stream, after=after, before=before, limit=limit)
        except ValueError as error:
            name = "after" if before is None else "before"
            raise Problem("invalid-parameter", str(error), parameter=name) from None

    async def check_append(self, group: str, stream: str, events: Sequence[NewEvent], sight: Sight) -> None:
        """See :func:`miyabi.tasks.sight.check_append`."""
        await check_append(sight, self._database, self._logs, group, stream, events)

    async def project(self, project_id: str, sight: Sight) -> ProjectView:
        """A project with its counts."""
        return view(await self._row(project_id, sight))

    async def project_now(self, project_id: str, sight: Sight) -> tuple[ProjectRow, list[Task], Task | None]:
        """A project, the newest of its running tasks, and when none runs the last that has ended."""
        row = await self._row(project_id, sight)
        running = await self.records.tasks(TaskQuery("running", project_id), None, MOST_RUNNING)
        if running.tasks:
            return row, running.tasks, None
        ended = await self.records.tasks(TaskQuery(project_id=project_id, active=False), None, 1)
        return row, [], next(iter(ended.tasks), None)

    async def projects(self, cursor: str | None, limit: int, sight: Sight) -> tuple[list[ProjectView], str | None]:
        """Projects by id, with their counts."""
        try:
            rows, following = await self._database.projects(cursor=cursor, limit=limit, only=sight.projects)
        except ValueError as error:
            raise Problem("invalid-parameter", str(error), parameter="cursor") from None
        return [view(row) for row in rows], following

    async def put_project(self, new: NewProject, sight: Sight) -> tuple[ProjectView, bool]:
        """Make a project, or change the one of that id; whether it was made now."""
        check_project(sight, new.project_id)
        old = await self._database.project(new.project_id)
        time = iso(self.now())
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
        return await self.project(new.project_id, sight), old is None

    async def _may_begin(self, task: Task, sight: Sight) -> bool:
        """Whether the lines that are in its stream already, if any, may be seen, too."""
        if sight.whole:
            return True
        project = await project_of(self._database, self._logs, *stream_of(task))
        return project is None or sight.holds(project)

    async def _row(self, project_id: str, sight: Sight) -> ProjectRow:
        row = await self._database.project(project_id) if sight.holds(project_id) else None
        if row is None:
            raise Problem("not-found", f"There is no project `{project_id}`.")
        return row

    def _newborn(self, new: NewTask) -> Task:
        now = self.now()
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
