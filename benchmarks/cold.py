"""What does a cold start cost: a fresh process imports the task API's function and answers its first read?

CPU seconds of the process, for a read that the cache answers and one that goes on to DynamoDB, beside the same API as
it is usually written (:mod:`benchmarks.cold_peer`), each from a folder as Lambda would unpack it and with what it needs
only. Files are in the machine's cache, bytecode is there. Starts take turns, another one first in each round, and the
ratio is the median of those of the same round: the same start varies by a tenth and more from minute to minute.
"""

from __future__ import annotations

import asyncio
import json
import os
import statistics
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from pathlib import Path
from typing import NamedTuple

import msgspec
from redis import Redis
from tests.support.function import request
from tests.support.ministack import KEYS, REGION, dynamodb_endpoint, make_tables, open_dynamodb, options
from tests.support.redis import RedisServer
from tests.support.tasks import a_task

from benchmarks import cold_folders
from benchmarks.table import Row
from miyabi.cache.redis import connect
from miyabi.database import Save
from miyabi.database.dynamodb_aiohttp import client_of, new_session
from miyabi.database.dynamodb_calls import Calls, Patience
from miyabi.database.dynamodb_items import number, text
from miyabi.model import Task

STARTS = 20
GOAL = 0.35
PROCESS = Path(__file__).with_name("cold_process.py")
OURS, PEER = "cold", "peer"
"""Prefixes of each one's tables."""
WAYS = {"hit": "cached", "miss": "stored"}
"""What a read is called, and the id of the task it asks for."""


class Function(NamedTuple):
    """A folder, the handler in it, its environment, and the Redis that is its cache."""

    folder: Path
    handler: str
    env: Mapping[str, str]
    redis: Redis

    def start(self, task_id: str) -> float:
        """CPU seconds of a process that reads the task of a way, which a miss leaves in the cache."""
        if task_id == WAYS["miss"]:
            self.redis.delete(f"task:{task_id}")
        command = [sys.executable, "-P", "-I", str(PROCESS), str(self.folder), self.handler]
        event = json.dumps(request("GET", f"/api/tasks/{task_id}"))
        done = subprocess.run(command, input=event, env=dict(self.env), capture_output=True, text=True, check=True)
        told = json.loads(done.stdout.splitlines()[-1])
        assert told["answer"]["task_id"] == task_id, (self.handler, told, done.stderr)
        assert self.redis.exists(f"task:{task_id}"), (self.handler, told, done.stderr)
        return float(told["seconds"])


def measure() -> list[Row]:
    """CPU of a start and its first read, ours and the peer's, and of Python alone."""
    spent: dict[tuple[str, str], list[float]] = {}
    with _functions() as functions:
        for turn in range(STARTS):
            for way, task_id in WAYS.items():
                for name, function in list(functions.items())[:: -1 if turn % 2 else 1]:
                    spent.setdefault((name, way), []).append(function.start(task_id))
    python = statistics.median(_python() for _ in range(STARTS))
    return [*(_row(way, spent[OURS, way], spent[PEER, way]) for way in WAYS), Row("Python alone", _ms(python))]


def _row(way: str, ours: list[float], peer: list[float]) -> Row:
    mine, theirs = statistics.median(ours), statistics.median(peer)
    ratio = statistics.median(one / other for one, other in zip(ours, peer, strict=True))
    beside = f"FastAPI + boto3 + redis: {_ms(theirs)}"
    return Row(f"first read, {way}", _ms(mine), f"≤ {GOAL}", ratio <= GOAL, beside, ratio)


def _ms(seconds: float) -> str:
    return f"{seconds * 1000:.0f} ms of CPU"


@contextmanager
def _functions() -> Iterator[Mapping[str, Function]]:
    """Both, over a Redis and a DynamoDB with a task for each way to read."""
    os.environ.update(KEYS)
    with closing(RedisServer()) as redis, dynamodb_endpoint() as endpoint:
        asyncio.run(_fill(redis.url, endpoint))
        client = redis.client
        keys = {**KEYS, "AWS_DEFAULT_REGION": REGION, "PATH": os.environ["PATH"]}
        ours = {
            "MIYABI_CACHE": redis.url,
            "MIYABI_DATABASE": f"dynamodb:?region={REGION}&prefix={OURS}&endpoint={endpoint}",
            "MIYABI_DATA": "/nowhere",
            "MIYABI_LOGS": "cloudwatch:",
        }
        peer = {
            "PEER_REDIS": redis.url,
            "PEER_DYNAMODB": endpoint,
            "PEER_TASKS": f"{PEER}-tasks",
            "PEER_PROJECTS": f"{PEER}-projects",
        }
        yield {
            OURS: Function(cold_folders.ours(), "miyabi.wiring.aws_lambda.tasks.handler", keys | ours, client),
            PEER: Function(cold_folders.peer(), "cold_peer.handler", keys | peer, client),
        }


async def _fill(redis_url: str, endpoint: str) -> None:
    """A task in the cache and in no table, and one in both's tables."""
    stored = a_task(WAYS["miss"])
    await make_tables(endpoint, OURS)
    database = await open_dynamodb(endpoint, OURS)
    await database.save([Save(stored)])
    await database.close()
    await make_tables(endpoint, PEER)
    await _store_for_peer(endpoint, stored)
    cache = connect(redis_url, answer_seconds=5)
    await cache.put([a_task(WAYS["hit"])])
    await cache.close()


async def _store_for_peer(endpoint: str, task: Task) -> None:
    """The attributes of such an item; those that are maps are left at their defaults."""
    fields = {name: value for name, value in msgspec.to_builtins(task).items() if not isinstance(value, dict)}
    item = {name: number(value) if isinstance(value, int) else text(value) for name, value in fields.items()}
    async with new_session() as session:
        calls = Calls(client_of(options(endpoint, PEER), session), Patience())
        await calls.call("PutItem", {"TableName": f"{PEER}-tasks", "Item": item})


def _python() -> float:
    code = "import time; print(time.process_time())"
    return float(subprocess.run([sys.executable, "-I", "-c", code], capture_output=True, check=True).stdout)
