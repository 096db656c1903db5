"""What does a cold start cost: a fresh process imports the task API's function and answers its first read?

CPU seconds of the process, for a read that the cache answers and one that goes on to DynamoDB, beside the same API as
it is usually written (:mod:`benchmarks.cold_peer`). Files are in the machine's cache; starts take turns.
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

from tests.support.function import request
from tests.support.ministack import KEYS, REGION, dynamodb_endpoint, make_tables, open_dynamodb
from tests.support.redis import RedisServer
from tests.support.tasks import a_task

from benchmarks.table import Row
from miyabi.cache.redis import connect
from miyabi.database import Save

OURS, PEER = "miyabi.wiring.aws_lambda.tasks.handler", "benchmarks.cold_peer.handler"
STARTS = 20
GOAL = 0.35
PREFIX = "cold"
PATHS = {"PYTHONPATH": os.pathsep.join(filter(None, [str(Path(__file__).parents[1]), os.environ.get("PYTHONPATH")]))}
WAYS = {"hit": "cached", "miss": "stored"}


def measure() -> list[Row]:
    """CPU of a start and its first read, ours and the peer's, and of Python alone."""
    with _stores() as env:
        spent: dict[tuple[str, str], list[float]] = {}
        for _ in range(STARTS):
            for way, task_id in WAYS.items():
                for handler in (OURS, PEER):
                    spent.setdefault((handler, way), []).append(start(handler, task_id, env))
        python = statistics.median(_python() for _ in range(STARTS))
    rows = []
    for way in WAYS:
        ours, peer = (statistics.median(spent[handler, way]) for handler in (OURS, PEER))
        ratio = ours / peer
        beside = f"FastAPI + boto3 + redis: {peer * 1000:.0f} ms"
        rows.append(
            Row(f"first read, {way}", f"{ours * 1000:.0f} ms of CPU", f"≤ {GOAL}", ratio <= GOAL, beside, ratio)
        )
    rows.append(Row("Python alone", f"{python * 1000:.0f} ms of CPU"))
    return rows


@contextmanager
def _stores() -> Iterator[dict[str, str]]:
    """A Redis and a DynamoDB with a task each, and the environment that names them."""
    os.environ.update(KEYS)
    with closing(RedisServer()) as redis, dynamodb_endpoint() as endpoint:
        asyncio.run(_fill(redis.url, endpoint))
        yield {
            "MIYABI_CACHE": redis.url,
            "MIYABI_DATABASE": f"dynamodb:?region={REGION}&prefix={PREFIX}&endpoint={endpoint}",
            "MIYABI_DATA": "/nowhere",
            "MIYABI_LOGS": "cloudwatch:",
            "AWS_DEFAULT_REGION": REGION,
            "PEER_DYNAMODB": endpoint,
            "PEER_TABLE": f"{PREFIX}-tasks",
        }


async def _fill(redis_url: str, endpoint: str) -> None:
    await make_tables(endpoint, PREFIX)
    database = await open_dynamodb(endpoint, PREFIX)
    await database.save([Save(a_task(WAYS["miss"]))])
    await database.close()
    cache = connect(redis_url, answer_seconds=5)
    await cache.put([a_task(WAYS["hit"])])
    await cache.close()


def start(handler: str, task_id: str, env: Mapping[str, str]) -> float:
    """CPU seconds of a process that answers one read."""
    command = [sys.executable, "-P", str(Path(__file__).with_name("cold_process.py")), handler]
    event = json.dumps(request("GET", f"/api/tasks/{task_id}"))
    done = subprocess.run(
        command, input=event, env={**os.environ, **PATHS, **env}, capture_output=True, text=True, check=True
    )
    told = json.loads(done.stdout.splitlines()[-1])
    assert told["status"] == 200, (handler, task_id, done.stderr)
    return float(told["seconds"])


def _python() -> float:
    code = "import time; print(time.process_time())"
    return float(subprocess.run([sys.executable, "-c", code], capture_output=True, check=True).stdout)
