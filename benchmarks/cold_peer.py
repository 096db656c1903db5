"""The peer of the cold start: the same read in the usual way, with FastAPI, pydantic, boto3, redis and Mangum."""
# mypy: ignore-errors
# What it imports is installed for the benchmark alone.

from __future__ import annotations

import os
from decimal import Decimal
from typing import Any

import boto3
import redis
from fastapi import FastAPI, HTTPException
from mangum import Mangum
from pydantic import BaseModel

app = FastAPI()
cache = redis.Redis.from_url(os.environ["MIYABI_CACHE"])
table = boto3.resource("dynamodb", endpoint_url=os.environ["PEER_DYNAMODB"]).Table(os.environ["PEER_TABLE"])


class Progress(BaseModel):
    """How far a task is."""

    current: int | None = None
    total: int | None = None
    percentage: float | None = None


class Task(BaseModel):
    """The parts of a task that such an API would serve; those that our table keeps elsewhere may be missing."""

    task_id: str
    timestamp: int
    task_name: str = ""
    task_type: str = ""
    status: str = ""
    priority: str = ""
    project_id: str = ""
    created_at: str = ""
    updated_at: str = ""
    progress: Progress = Progress()
    details: dict[str, Any] = {}
    metadata: dict[str, Any] = {}


@app.get("/api/tasks/{task_id}")
def task(task_id: str) -> Task:
    """A task from the cache, else from the database."""
    if cached := cache.get(f"task:{task_id}"):
        return Task.model_validate_json(cached)
    item = table.get_item(Key={"task_id": task_id, "timestamp": Decimal(0)}).get("Item")
    if item is None:
        raise HTTPException(404)
    return Task.model_validate(item)


handler = Mangum(app, lifespan="off")
