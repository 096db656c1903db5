"""What the task API takes and answers, beside the records of the model.

Query parameters and bodies are refused by name when they are unknown or can't be used.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal

from msgspec import UNSET, Meta, Struct, UnsetType

from miyabi.logs import MAX_BATCH
from miyabi.model import (
    DEFAULT_PROJECT,
    GitHub,
    Id,
    LogEvent,
    Name,
    NewEvent,
    Priority,
    Project,
    ProjectStatus,
    Resources,
    Status,
    Tally,
    Task,
    TaskType,
    Text,
    Writer,
)

PageSize = Annotated[int, Meta(ge=1, le=200)]
LogPageSize = Annotated[int, Meta(ge=1, le=10_000)]
MOST_PLACE = 6000
"""A log service's position may hold what has been read near it; nearly all are far shorter."""
TaskCursor = Annotated[str, Meta(max_length=500, extra_json_schema={"format": "task-cursor"})]
VersionCursor = Annotated[str, Meta(max_length=500, extra_json_schema={"format": "version-cursor"})]
ProjectCursor = Annotated[str, Meta(max_length=500, extra_json_schema={"format": "project-cursor"})]
LogPlace = Annotated[str, Meta(max_length=MOST_PLACE, extra_json_schema={"format": "log-place"})]
"""Places are taken from an earlier answer, as they are. What they look like is each store's own affair."""
EventId = Annotated[str, Meta(max_length=MOST_PLACE)]
"""Any is taken: one that no stream has sent means from now on."""


class NoQuery(Struct, frozen=True, forbid_unknown_fields=True):
    """No parameters."""


class TasksQuery(Struct, frozen=True, forbid_unknown_fields=True):
    """Which tasks; newest first."""

    status: Status | None = None
    project_id: Id | None = None
    task_type: TaskType | None = None
    active: bool | None = None
    limit: PageSize = 50
    cursor: TaskCursor | None = None


class VersionsQuery(Struct, frozen=True, forbid_unknown_fields=True):
    """A page of a task's versions."""

    limit: PageSize = 50
    cursor: VersionCursor | None = None


class ProjectsQuery(Struct, frozen=True, forbid_unknown_fields=True):
    """A page of the projects."""

    limit: PageSize = 50
    cursor: ProjectCursor | None = None


class BadgeQuery(Struct, frozen=True, forbid_unknown_fields=True):
    """How a badge looks. ``token`` stands for the header that an image can't send; the gateway takes it out."""

    label: Annotated[str, Meta(max_length=200)] | None = None
    lang: Literal["en", "ja"] = "en"
    token: str | None = None


class LogsQuery(Struct, frozen=True, forbid_unknown_fields=True):
    """A page of lines: those after ``after``, or the last ones before ``before`` (empty: the end)."""

    limit: LogPageSize = 1000
    after: LogPlace = ""
    before: LogPlace | None = None


class EventsQuery(Struct, frozen=True, forbid_unknown_fields=True):
    """All tasks' changes, or one task's with its lines after ``after`` (default: from now on)."""

    task_id: Id | None = None
    after: LogPlace | None = None
    last_event_id: EventId | None = None


class NewTask(Struct, frozen=True, forbid_unknown_fields=True):
    """A task made before its first line. With ``task_id`` the same call made twice makes one task."""

    task_name: Name
    task_id: Id | None = None
    task_type: TaskType = "build"
    project_id: Id = DEFAULT_PROJECT
    priority: Priority = "P2"
    status: Literal["pending", "running"] = "pending"
    description: Text | None = None
    metadata: dict[str, Any] = {}
    github: GitHub | None = None


class TaskPatch(Struct, frozen=True, forbid_unknown_fields=True):
    """``cancelled`` ends a task, ``running`` restarts an ended one; the rest renames and describes."""

    status: Literal["cancelled", "running"] | UnsetType = UNSET
    task_name: Name | UnsetType = UNSET
    priority: Priority | UnsetType = UNSET
    description: Text | UnsetType | None = UNSET


class NewProject(Struct, frozen=True, forbid_unknown_fields=True):
    """A project. The same id posted again changes its fields."""

    project_id: Id
    project_name: Name
    description: Text | None = None
    status: ProjectStatus = "active"
    owner: Annotated[str, Meta(max_length=200)] | None = None
    resources: Resources | None = None


class Append(Struct, frozen=True, forbid_unknown_fields=True):
    """Lines for a stream, in their order. ``writer`` lets the same batch be sent twice and stored once."""

    events: Annotated[list[NewEvent], Meta(min_length=1, max_length=MAX_BATCH)]
    writer: Writer | None = None


class TaskList(Struct, frozen=True):
    """A page of tasks; ``next_cursor`` is ``null`` on the last."""

    tasks: list[Task]
    next_cursor: str | None


class ProjectView(Project, frozen=True, kw_only=True):
    """A project with its tasks counted. The rates are ``null`` before the first task has ended."""

    tally: Tally
    success_rate: float | None
    mean_duration_seconds: float | None


class ProjectList(Struct, frozen=True):
    """A page of projects; ``next_cursor`` is ``null`` on the last."""

    projects: list[ProjectView]
    next_cursor: str | None


class Lines(Struct, frozen=True):
    """Lines, oldest first; ``next`` goes on after them, ``previous`` goes back before them."""

    events: list[LogEvent]
    next: str
    previous: str


class NewLines(Struct, frozen=True):
    """Lines as they come, oldest first; a reader goes on after ``next``."""

    events: list[LogEvent]
    next: str


class Again(Struct, frozen=True):
    """An answer's end: come back after so many milliseconds, with that place."""

    milliseconds: int
    place: str


class Appended(Struct, frozen=True):
    """How many lines were stored now; those that had been stored before are not counted."""

    stored: int


class DeployedResource(Struct, frozen=True, omit_defaults=True):
    """One action of a deployment on one resource; ``duration_seconds`` as the tool says it, else between its lines."""

    name: str
    kind: str
    action: Literal["create", "update", "delete", "import"]
    state: Literal["running", "completed", "failed"]
    started_at: str
    ended_at: str | None = None
    duration_seconds: float | None = None
    stack: str | None = None
    reason: str | None = None


class ResourceList(Struct, frozen=True):
    """The resources of a run in the order in which they began. ``whole``: its log was read to the end."""

    resources: list[DeployedResource]
    whole: bool


class Reread(Struct, frozen=True):
    """A task after its lines were read again: how many there were, and whether it says something else now."""

    task: Task
    lines: int
    changed: bool


class Collected(Struct, frozen=True):
    """What one run of the collector read."""

    streams: int
    lines: int


ServiceState = Literal["ok", "down"]


class ServiceHealth(Struct, frozen=True, omit_defaults=True):
    """One service's state, and what is wrong with it."""

    status: ServiceState
    detail: str | None = None
    milliseconds: float | None = None
    """How long it took to answer."""


class Health(Struct, frozen=True):
    """``degraded`` when any service is down; the answer is 503 when tasks can't be served at all."""

    status: Literal["ok", "degraded", "down"]
    services: dict[str, ServiceHealth]
