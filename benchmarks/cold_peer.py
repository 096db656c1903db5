"""The peer of the cold start: the specified routes in the usual way, with FastAPI, pydantic, boto3, redis and Mangum.

Cache-aside over two DynamoDB tables: a task is one item for each version, by ``task_id`` and ``timestamp``.
"""
# mypy: ignore-errors
# What it imports is installed for the benchmark alone.

from __future__ import annotations

import logging
import os
import time
import uuid
from collections import Counter
from datetime import UTC, datetime
from decimal import Decimal
from typing import Annotated, Any, Literal

import boto3
import redis
from boto3.dynamodb.conditions import Key
from fastapi import FastAPI, HTTPException, Query
from mangum import Mangum
from pydantic import BaseModel, Field

TTL_SECONDS = 3600
KEPT_SECONDS = 90 * 24 * 3600

Status = Literal["pending", "running", "completed", "failed", "blocked", "cancelled"]
STATUSES = ("pending", "running", "completed", "failed", "blocked", "cancelled")
FINAL = ("completed", "failed", "cancelled")

log = logging.getLogger(__name__)
app = FastAPI(title="Tasks")
cache = redis.Redis.from_url(os.environ["PEER_REDIS"], socket_timeout=0.04)
dynamodb = boto3.resource("dynamodb", endpoint_url=os.environ["PEER_DYNAMODB"])
tasks_table = dynamodb.Table(os.environ["PEER_TASKS"])
projects_table = dynamodb.Table(os.environ["PEER_PROJECTS"])


class Progress(BaseModel):
    """How far a task is."""

    current: float | None = Field(None, ge=0)
    total: float | None = Field(None, gt=0)
    percentage: float | None = Field(None, ge=0, le=100)


class Details(BaseModel):
    """What a task is doing, and where its lines are."""

    phase: str | None = None
    current_step: str | None = None
    log_group: str | None = None
    log_stream: str | None = None
    error_message: str | None = None


class GitHub(BaseModel):
    """The issue or pull request of a task."""

    issue_number: int | None = None
    issue_url: str | None = None
    pr_number: int | None = None
    pr_url: str | None = None


class NewTask(BaseModel):
    """What makes a task."""

    task_name: str = Field(min_length=1, max_length=200)
    task_type: str = Field("build", pattern=r"^[a-z][a-z0-9_]*$")
    project_id: str = "default"
    priority: Literal["P0", "P1", "P2", "P3"] = "P2"
    description: str | None = None
    metadata: dict[str, Any] = {}
    github: GitHub | None = None


class Task(NewTask):
    """A version of a task."""

    task_id: str
    timestamp: int = Field(ge=0)
    status: Status
    progress: Progress = Progress()
    created_at: str
    updated_at: str
    completed_at: str | None = None
    duration_seconds: float | None = None
    details: Details = Details()
    ttl: int | None = None


class TaskList(BaseModel):
    """A page of tasks."""

    tasks: list[Task]


class Resources(BaseModel):
    """Where a project lives."""

    github_repo: str | None = None
    s3_bucket: str | None = None
    cloudfront_distribution: str | None = None
    api_endpoint: str | None = None


class Project(BaseModel):
    """What tasks are grouped by."""

    project_id: str
    project_name: str
    description: str | None = None
    status: Literal["active", "paused", "completed", "archived"]
    owner: str | None = None
    resources: Resources | None = None
    created_at: str
    updated_at: str


class ProjectView(Project):
    """A project with its tasks counted."""

    counts: dict[Status, int]
    success_rate: float | None = None
    mean_duration_seconds: float | None = None


class ProjectList(BaseModel):
    """All projects."""

    projects: list[ProjectView]


class Health(BaseModel):
    """The state of what the API stands on."""

    status: Literal["ok", "degraded", "down"]
    services: dict[str, str]


def cached(key: str) -> bytes | None:
    """What Redis has, if it answers."""
    try:
        return cache.get(key)
    except redis.RedisError:
        log.warning("Redis unavailable, using DynamoDB")
        return None


def warm(task: Task) -> None:
    """Put a task into Redis, if it answers."""
    try:
        cache.set(f"task:{task.task_id}", task.model_dump_json(exclude_none=True), ex=TTL_SECONDS)
        (cache.srem if task.status in FINAL else cache.sadd)("active_tasks", task.task_id)
    except redis.RedisError:
        log.warning("Redis unavailable, using DynamoDB")


@app.get("/api/tasks", response_model_exclude_none=True)
def list_tasks(
    status: Status | None = None,
    project_id: str | None = None,
    limit: Annotated[int, Query(ge=1, le=100)] = 50,
) -> TaskList:
    """Tasks by status or project, newest first."""
    if project_id is not None:
        asked = [("ProjectIndex", Key("project_id").eq(project_id))]
    else:
        asked = [("StatusIndex", Key("status").eq(word)) for word in ([status] if status else STATUSES)]
    items = []
    for index, key in asked:
        answer = tasks_table.query(IndexName=index, KeyConditionExpression=key, ScanIndexForward=False, Limit=limit)
        items += answer["Items"]
    items.sort(key=lambda item: item["updated_at"], reverse=True)
    return TaskList(tasks=[Task.model_validate(item) for item in items[:limit]])


@app.get("/api/tasks/{task_id}", response_model_exclude_none=True)
def get_task(task_id: str) -> Task:
    """A task from the cache, else its newest version from the database."""
    if found := cached(f"task:{task_id}"):
        return Task.model_validate_json(found)
    answer = tasks_table.query(KeyConditionExpression=Key("task_id").eq(task_id), ScanIndexForward=False, Limit=1)
    if not answer["Items"]:
        raise HTTPException(404, f"There is no task {task_id}")
    task = Task.model_validate(answer["Items"][0])
    warm(task)
    return task


@app.post("/api/tasks", status_code=201, response_model_exclude_none=True)
def create_task(new: NewTask) -> Task:
    """Make a task."""
    now = datetime.now(UTC)
    made = now.isoformat(timespec="milliseconds")
    task = Task(
        **new.model_dump(),
        task_id=str(uuid.uuid4()),
        timestamp=int(now.timestamp() * 1000),
        status="pending",
        created_at=made,
        updated_at=made,
        ttl=int(time.time()) + KEPT_SECONDS,
    )
    tasks_table.put_item(Item=_numbers(task.model_dump(exclude_none=True)))
    warm(task)
    return task


@app.get("/api/projects", response_model_exclude_none=True)
def list_projects() -> ProjectList:
    """All projects with their tasks counted."""
    return ProjectList(projects=[_view(item) for item in projects_table.scan()["Items"]])


@app.get("/health")
def health() -> Health:
    """Whether cache and database answer."""
    services = {}
    for name, ask in (("cache", cache.ping), ("database", tasks_table.load)):
        try:
            ask()
            services[name] = "ok"
        except Exception:
            log.exception("%s does not answer", name)
            services[name] = "down"
    down = services["database"] == "down"
    degraded = services["cache"] == "down"
    return Health(status="down" if down else "degraded" if degraded else "ok", services=services)


def _view(item: dict[str, Any]) -> ProjectView:
    key = Key("project_id").eq(item["project_id"])
    tasks = tasks_table.query(IndexName="ProjectIndex", KeyConditionExpression=key)["Items"]
    counts = Counter(task["status"] for task in tasks)
    ended = counts["completed"] + counts["failed"]
    durations = [float(task["duration_seconds"]) for task in tasks if task["status"] == "completed"]
    return ProjectView(
        **item,
        counts=counts,
        success_rate=counts["completed"] / ended if ended else None,
        mean_duration_seconds=sum(durations) / len(durations) if durations else None,
    )


def _numbers(value: Any) -> Any:
    """boto3 takes decimals for floats."""
    match value:
        case float():
            return Decimal(str(value))
        case dict():
            return {name: _numbers(inner) for name, inner in value.items()}
        case list():
            return [_numbers(inner) for inner in value]
    return value


handler = Mangum(app, lifespan="off")
