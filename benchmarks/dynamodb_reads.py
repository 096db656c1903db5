"""Reads by our backend, by bare aiodynamo and by bare boto3, of the same server in turns."""

from __future__ import annotations

import asyncio
import statistics
import time
from collections import deque
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from typing import Any, NamedTuple

import boto3
import uvloop
from aiodynamo.client import Client
from botocore.config import Config
from tests.support.ministack import KEYS, REGION, options

from benchmarks.boards import NOW, sample
from benchmarks.canned import canned, canonical
from benchmarks.dynamodb_tap import PREFIX, TABLES, Said, bare, tapped
from benchmarks.load import load
from benchmarks.table import Row
from miyabi.database import Bookmark, Save, TaskQuery
from miyabi.database.dynamodb import DynamoDatabase, Timing
from miyabi.database.dynamodb_aiohttp import open_database
from miyabi.database.dynamodb_items import current_key

READERS = 16
CANNED_ROUNDS, EMULATED_ROUNDS = 5, 3
PAGE = 50
STORED = 60
LATER = NOW + 60_000
"""When the tasks are read; always the same, so that a request is."""
GOAL = 0.8
READER_STATE = bytes(500)
"""As many bytes as a reader's state usually has in a bookmark."""
ID = sample(7).task_id
GET: dict[str, Any] = {"TableName": TABLES.tasks, "Key": current_key(ID), "ConsistentRead": True}

Read = Callable[[], Awaitable[object]]
Reads = Mapping[str, tuple[int, Read]]
"""By the client's name: how many at once, and one read."""


class Clock:
    """Is moved by hand: a task is saved when it is made."""

    ms = NOW


class Took(NamedTuple):
    """One round: reads a second, ms to an answer (50th and 99th of 100), ms of this process' CPU for a read."""

    rate: float
    p50: float
    p99: float
    cpu: float


Rounds = dict[str, list[Took]]


class Kind(NamedTuple):
    """What is read, and how often in a round from either server."""

    name: str
    canned: int
    emulated: int


KINDS = (Kind("get", 480, 64), Kind("list of 50", 32, 16))


async def fill(endpoint: str) -> list[Said]:
    """Store some tasks; what a get and a list of 50 say to the server and hear."""
    clock = Clock()
    async with tapped(endpoint, lambda: clock.ms) as (database, tap):
        for number in range(STORED):
            clock.ms = NOW + number
            await database.save([Save(sample(number), bookmark=Bookmark("1", READER_STATE))])
        clock.ms = LATER
        tap.taken()
        await database.get([ID])
        page = await database.tasks(TaskQuery(), limit=PAGE)
        assert len(page.tasks) == PAGE
        return tap.taken()


def reads(endpoint: str, said: Sequence[Said]) -> Iterator[Row]:
    """Rows for gets and lists, of the canned answers and of the emulator at ``endpoint``."""
    answers = {(one.action, canonical(one.request)): one.answer for one in said}
    answers[("GetItem", "")] = uvloop.run(_item(endpoint))
    with canned(answers) as server:
        limit = load(server.url, server.pid, ["/"], 1.0)
        yield Row("the canned server itself, GetItem's answer", f"{limit.rate:,.0f}/s", beside="wrk, nothing signed")
        for kind in KINDS:
            took = uvloop.run(_rounds(server.url, kind.name, kind.canned, CANNED_ROUNDS, said))
            yield from _rows(kind.name, "canned", took)
    for kind in KINDS:
        took = uvloop.run(_rounds(endpoint, kind.name, kind.emulated, EMULATED_ROUNDS, said))
        yield from _rows(kind.name, "emulator", took)


async def _item(endpoint: str) -> bytes:
    """The body of the emulator's answer to a GetItem."""
    async with tapped(endpoint) as (database, tap):
        await database._calls.call("GetItem", GET)
        return tap.taken()[0].answer


async def _rounds(endpoint: str, kind: str, count: int, many: int, said: Sequence[Said]) -> Rounds:
    """Each client in turns, another one first in each round."""
    rounds: Rounds = {}
    async with _clients(endpoint, kind, said) as clients:
        for name, (at_once, read) in clients.items():
            await _round(read, at_once, at_once)
            rounds[name] = []
        order = deque(clients)
        for _ in range(many):
            for name in order:
                at_once, read = clients[name]
                rounds[name].append(await _round(read, count, at_once))
            order.rotate()
    return rounds


async def _round(read: Read, count: int, at_once: int) -> Took:
    times: list[float] = []

    async def reader(first: int) -> None:
        for _ in range(first, count, at_once):
            began = time.perf_counter()
            await read()
            times.append(1000 * (time.perf_counter() - began))

    began, cpu = time.perf_counter(), time.process_time()
    await asyncio.gather(*map(reader, range(at_once)))
    seconds, used = time.perf_counter() - began, time.process_time() - cpu
    times.sort()
    return Took(count / seconds, times[count // 2], times[int(0.99 * count)], 1000 * used / count)


@asynccontextmanager
async def _clients(endpoint: str, kind: str, said: Sequence[Said]) -> AsyncIterator[Reads]:
    database = await open_database(options(endpoint, PREFIX), Timing(now=lambda: LATER))
    client = _boto(endpoint)
    with ThreadPoolExecutor(READERS) as pool:
        async with bare(endpoint) as plain:
            try:
                yield {
                    "ours": (READERS, _ours(database, kind)),
                    "aiodynamo": (READERS, _bare(plain, kind, said)),
                    "boto3, 16 threads": (READERS, _threaded(_blocking(client, kind, said), pool)),
                    "boto3, 1 thread": (1, _threaded(_blocking(client, kind, said), pool)),
                }
            finally:
                client.close()
                await database.close()


def _boto(endpoint: str) -> Any:
    retries: Any = {"total_max_attempts": 1}
    return boto3.client(
        "dynamodb",
        region_name=REGION,
        endpoint_url=endpoint,
        aws_access_key_id=KEYS["AWS_ACCESS_KEY_ID"],
        aws_secret_access_key=KEYS["AWS_SECRET_ACCESS_KEY"],
        config=Config(max_pool_connections=READERS, retries=retries),
    )


def _ours(database: DynamoDatabase, kind: str) -> Read:
    if kind == "get":
        return lambda: database.get([ID])
    return lambda: database.tasks(TaskQuery(), limit=PAGE)


def _bare(client: Client, kind: str, said: Sequence[Said]) -> Read:
    """A get as aiodynamo has it; the requests of our list, their answers not looked at."""
    if kind == "get":
        return lambda: client.get_item(TABLES.tasks, {"task_id": ID, "timestamp": 0}, consistent_read=True)
    queries, batch = _of_list(said)

    async def read() -> object:
        await asyncio.gather(*(client.send_request(action="Query", payload=query) for query in queries))
        return await client.send_request(action="BatchGetItem", payload=batch)

    return read


def _blocking(client: Any, kind: str, said: Sequence[Said]) -> Callable[[], object]:
    if kind == "get":
        return lambda: client.get_item(**GET)["Item"]
    queries, batch = _of_list(said)

    def read() -> object:
        for query in queries:
            client.query(**query)
        return client.batch_get_item(**batch)

    return read


def _threaded(read: Callable[[], object], pool: ThreadPoolExecutor) -> Read:
    loop = asyncio.get_running_loop()
    return lambda: loop.run_in_executor(pool, read)


def _of_list(said: Sequence[Said]) -> tuple[list[dict[str, Any]], dict[str, Any]]:
    queries = [one.asked for one in said if one.action == "Query"]
    return queries, [one.asked for one in said if one.action == "BatchGetItem"][-1]


def _rows(kind: str, server: str, rounds: Rounds) -> Iterator[Row]:
    """Ours beside each, medians; the goal is in CPU time of the same round, which a busy machine disturbs least."""
    for name, took in rounds.items():
        rate, p50, p99, cpu = map(statistics.median, zip(*took, strict=True))
        what, measured = f"{kind}, {server}: {name}", f"{rate:,.0f}/s, CPU {cpu:.2f}, p50 {p50:.1f}, p99 {p99:.1f} ms"
        if name == "ours":
            yield Row(what, measured)
            continue
        ratio = statistics.median(peer.cpu / ours.cpu for peer, ours in zip(took, rounds["ours"], strict=True))
        faster = statistics.median(ours.rate / peer.rate for peer, ours in zip(took, rounds["ours"], strict=True))
        judged = (kind, server, name) == ("get", "canned", "aiodynamo")
        goal, met = (f"ours ≥ {GOAL} of it in CPU", ratio >= GOAL) if judged else ("", None)
        yield Row(what, measured, goal, met, f"ours to it: rate {faster:.2f}, CPU", ratio)
