"""What everyone in the house speaks of: tasks, projects, progress and log events.

Every struct refuses bad values at birth, so that nobody behind it must check again. JSON is written with the
field names as they stand here, and a field that is ``None`` is left out.
"""

from __future__ import annotations

import os
import re
from datetime import UTC, datetime
from functools import lru_cache
from typing import Annotated, Any, Literal

from msgspec import Meta, MsgspecError, Struct, field, json

Status = Literal["pending", "running", "completed", "failed", "blocked", "cancelled"]
STATUSES: tuple[Status, ...] = ("pending", "running", "completed", "failed", "blocked", "cancelled")
FINAL: frozenset[Status] = frozenset({"completed", "failed", "cancelled"})
"""A task leaves one of these only by an explicit restart."""
TTL_SECONDS = 90 * 24 * 3600
"""A task is forgotten so long after its last update."""

Priority = Literal["P0", "P1", "P2", "P3"]
ProjectStatus = Literal["active", "paused", "completed", "archived"]

ID_PATTERN = r"^[A-Za-z0-9][A-Za-z0-9._@+-]{0,127}(?!\n)$"
"""In Python's ``re`` a lone ``$`` would let a line end pass."""
Id = Annotated[str, Meta(pattern=ID_PATTERN, description="1 to 128 of A-Z a-z 0-9 . _ @ + -")]
"""A task's or a project's id: safe in a URL, in a file name and as a log stream's name."""

TaskType = Annotated[str, Meta(pattern=r"^[a-z][a-z0-9_]{0,63}(?!\n)$", description="cdk_deploy, build, … or your own")]
"""``cdk_deploy``, ``agent_execution``, ``issue_creation``, ``build``, or another word."""

DEFAULT_PROJECT = "default"
"""The project of tasks that name none."""

Name = Annotated[str, Meta(min_length=1, max_length=200)]
Text = Annotated[str, Meta(max_length=4000)]
LATEST = 253_402_300_799_000
"""9999-12-31T23:59:59Z in ms: a later time could not be written in the form that all records use."""
Millis = Annotated[int, Meta(ge=0, le=LATEST)]
"""Milliseconds since 1970-01-01T00:00:00Z."""
Count = Annotated[int, Meta(ge=0, le=2**53 - 1)]
"""A number that every reader of JSON takes in exactly."""

_ID = re.compile(ID_PATTERN)


class Progress(Struct, frozen=True):
    """How far something has got, as its own output says.

    ``current`` of ``total`` in the unit the tool shows (files, bytes, steps); ``None`` where it shows none.
    ``percentage`` is 0 to 100 with one decimal, ``None`` when nothing may be claimed; it is 100 only when
    ``current`` equals ``total`` or the tool itself says 100 % without a count.
    """

    current: int | float | None = None
    total: int | float | None = None
    percentage: int | float | None = None

    def __post_init__(self) -> None:
        if self.total is not None and not self.total > 0:
            raise ValueError("`total` must be greater than 0; leave it out when it is unknown")
        if self.current is not None and not self.current >= 0:
            raise ValueError("`current` must be 0 or more")
        if self.percentage is not None and not 0 <= self.percentage <= 100:
            raise ValueError("`percentage` must be between 0 and 100")

    @classmethod
    def of(cls, current: float, total: float) -> Progress:
        """``current`` of ``total``, the percentage following from them: 99.9 until they are equal."""
        if current == total:
            return cls(current, total, 100.0)
        return cls(current, total, max(0.0, min(99.9, round(100 * current / total, 1))))


class Source(Struct, frozen=True, omit_defaults=True):
    """Where a progress was read: the format's name, the line (1 is the first) and how sure the reader is."""

    format: str
    line: int
    text: str
    confidence: Annotated[float, Meta(ge=0, le=1)] = 1.0


class Estimate(Struct, frozen=True, omit_defaults=True):
    """How long a task still needs from ``as_of`` on: four times of five from ``low_seconds`` to ``high_seconds``.

    Count down from ``as_of``, but for ``holds_seconds`` at most: when no progress has come for longer, the rest of
    the work still takes what it takes. ``basis``: the pace of this run, the history of ``runs`` earlier ones of the
    same job, or both. ``whole`` is false when only the stage under way is meant, since more of them may follow.
    """

    as_of: str
    low_seconds: float
    likely_seconds: float
    high_seconds: float
    holds_seconds: float
    basis: Literal["pace", "history", "both"]
    runs: int = 0
    whole: bool = True


class Stopped(Struct, frozen=True):
    """A running task that has stopped, by what is usual for it.

    ``what``: its ``progress`` does not move though lines come, or there is no ``output`` either. ``since`` is when
    the last one came; ``usual_seconds`` the longest wait for one until then, in this run or in earlier ones.
    """

    what: Literal["progress", "output"]
    since: str
    usual_seconds: float


class Details(Struct, frozen=True, omit_defaults=True):
    """What a task is doing and where its lines are."""

    phase: str | None = None
    current_step: str | None = None
    log_group: str | None = None
    log_stream: str | None = None
    error_message: str | None = None
    source: Source | None = None
    command: str | None = None
    exit_code: int | None = None
    started_at: str | None = None
    """When this run began: the creation for most, later for one that was pending or was restarted."""
    estimate: Estimate | None = None
    stopped: Stopped | None = None


class GitHub(Struct, frozen=True, omit_defaults=True):
    """The issue or pull request a task belongs to."""

    issue_number: Count | None = None
    issue_url: str | None = None
    pr_number: Count | None = None
    pr_url: str | None = None


class Task(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One job: one log stream. A version of it is known by ``(task_id, timestamp)``; the highest is current.

    Times are ISO 8601 in UTC with milliseconds, so that text order is time order. In JSON, fields whose default is
    made by a factory are always there; those whose default is ``None`` are left out.
    """

    task_id: Id
    timestamp: Millis
    task_name: Name
    task_type: TaskType
    status: Status
    project_id: Id
    created_at: str
    updated_at: str
    priority: Priority = field(default_factory=lambda: "P2")
    progress: Progress = field(default_factory=Progress)
    description: Text | None = None
    completed_at: str | None = None
    duration_seconds: float | None = None
    details: Details = field(default_factory=Details)
    metadata: dict[str, Any] = field(default_factory=lambda: {})
    github: GitHub | None = None
    ttl: int | None = None

    @property
    def final(self) -> bool:
        """Whether only a restart may change the status."""
        return self.status in FINAL


class Resources(Struct, frozen=True, omit_defaults=True):
    """Where a project lives."""

    github_repo: str | None = None
    s3_bucket: str | None = None
    cloudfront_distribution: str | None = None
    api_endpoint: str | None = None


class Project(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What tasks are grouped by."""

    project_id: Id
    project_name: Name
    status: ProjectStatus
    created_at: str
    updated_at: str
    description: Text | None = None
    owner: str | None = None
    resources: Resources | None = None


class Tally(Struct, frozen=True):
    """A project's tasks in figures: how many in each status, and the sum of the completed ones' seconds."""

    pending: int = 0
    running: int = 0
    completed: int = 0
    failed: int = 0
    blocked: int = 0
    cancelled: int = 0
    completed_seconds: float = 0.0

    @property
    def success_rate(self) -> float | None:
        """Completed of those that ended by themselves, 0 to 1; ``None`` before the first has."""
        ended = self.completed + self.failed
        return round(self.completed / ended, 4) if ended else None

    @property
    def mean_duration_seconds(self) -> float | None:
        """Mean run time of the completed tasks; ``None`` before the first."""
        return round(self.completed_seconds / self.completed, 3) if self.completed else None


class NewEvent(Struct, frozen=True):
    """A line on its way into a log stream: when it was printed (ms) and its text.

    A text that ends in ``\\r`` is redrawn by the next line of its stream (a bar, or a line shown before it was
    whole); any other text is a finished line.
    """

    timestamp: Millis
    message: str


class LogEvent(Struct, frozen=True, omit_defaults=True):
    """A line in a log stream.

    ``position`` is the backend's word for its place: opaque, and what a later read continues after.
    ``line`` is its number within the stream (1 is the first) where the backend numbers lines.
    """

    position: str
    timestamp: Millis
    message: str
    line: int | None = None


class Writer(Struct, frozen=True):
    """Who appends, and the number of its first line in the batch, so that a batch sent twice is stored once."""

    id: Annotated[str, Meta(pattern=r"^[A-Za-z0-9_-]{1,64}(?!\n)$")]
    sequence: Count


def is_id(text: str) -> bool:
    """Whether ``text`` may stand as a task's or project's id."""
    return _ID.match(text) is not None


def slug(text: str, fallback: str = "task") -> str:
    """The nearest id to ``text``: what is not allowed becomes ``-``; at most 64 characters."""
    clean = re.sub(r"[^A-Za-z0-9._@+-]+", "-", text).strip("-._@+")[:64]
    return clean or fallback


def new_id(name: str, token: str | None = None) -> str:
    """A fresh id that says what it is: the name's slug and 8 random hex digits."""
    return f"{slug(name).lower()}-{token or os.urandom(4).hex()}"


def iso(ms: int) -> str:
    """``ms`` as the text all records use: ``2026-11-23T21:07:31.000Z``. A later time than :data:`LATEST` is that."""
    second, rest = divmod(max(0, min(ms, LATEST)), 1000)
    return f"{_second(second)}.{rest:03d}Z"


@lru_cache(maxsize=1024)
def _second(seconds: int) -> str:
    """Most times that are written down are of the same few seconds."""
    return datetime.fromtimestamp(seconds, UTC).isoformat().removesuffix("+00:00")


def millis(text: str) -> int:
    """The inverse of :func:`iso`. Raises ``ValueError`` when ``text`` is not ISO 8601."""
    return round(datetime.fromisoformat(text).timestamp() * 1000)


RunId = Annotated[str, Meta(min_length=1, max_length=64)]


class RunStart(Struct, frozen=True, omit_defaults=True, tag_field="miyabi", tag="start"):
    """The first line that ``miyabi run`` writes into a task's stream: what is run, as what.

    ``run`` is the writer's id; only a :class:`RunExit` with the same one ends it, so a job that prints somebody
    else's markers ends nothing.
    """

    run: RunId
    name: Name
    type: TaskType
    project: Id
    command: str = ""
    host: str = ""
    user: str = ""
    directory: str = ""


class RunExit(Struct, frozen=True, omit_defaults=True, tag_field="miyabi", tag="exit"):
    """The last line that ``miyabi run`` writes: how the command ended.

    ``code`` as a shell gives it (128 + n for death by signal n); ``None`` for lines from standard input, whose
    command nobody sees. ``seen`` is false when ``miyabi run`` itself died and so can't tell.
    """

    run: RunId
    code: Annotated[int, Meta(ge=-(2**31), le=2**32 - 1)] | None
    signal: str | None = None
    duration_seconds: Annotated[float, Meta(ge=0, le=1e9)] = 0.0
    seen: bool = True


Marker = RunStart | RunExit
_MARKERS: json.Decoder[Marker] = json.Decoder(Marker)
_MARKER_START = '{"miyabi":'


def marker_line(marker: Marker) -> str:
    """``marker`` as a line of a log stream."""
    return json.encode(marker).decode()


def plain_line(message: str) -> str:
    """A job's own line as it may stand in a stream: one that reads like a marker gets a space before it."""
    return f" {message}" if message.startswith(_MARKER_START) else message


def read_marker(message: str) -> Marker | None:
    """The marker that a line is, or ``None`` for any other line."""
    if not message.startswith(_MARKER_START):
        return None
    try:
        return _MARKERS.decode(message)
    except (MsgspecError, RecursionError, UnicodeError):
        return None


GROUP_OF_TYPE = {
    "cdk_deploy": "/miyabi/cdk-deploy",
    "agent_execution": "/miyabi/agents",
    "issue_creation": "/miyabi/agents",
}
SYSTEM_GROUP = "/miyabi/system"
OTHER_GROUP = "/miyabi/jobs"


def group_of(task_type: str) -> str:
    """The log group that a task's lines go to: by its type; ``/miyabi/jobs`` for builds, tests and the rest."""
    return GROUP_OF_TYPE.get(task_type, OTHER_GROUP)
