"""Every backend of every protocol, and the tests as coroutines. A new backend is one more row here."""

from __future__ import annotations

import asyncio
import atexit
import inspect
from collections.abc import Awaitable, Callable, Iterator
from contextlib import closing
from functools import cache as cache_of_calls
from pathlib import Path
from typing import Protocol, TypeVar
from uuid import uuid4

import pytest
from tests.support import ministack
from tests.support.clock import Clock
from tests.support.redis import RedisServer, RedisServers

from miyabi.cache import Cache
from miyabi.cache.memory import MemoryCache
from miyabi.cache.redis import connect
from miyabi.database import Database
from miyabi.database.dynamodb_aiohttp import open_database as open_dynamodb
from miyabi.database.dynamodb_client import Options
from miyabi.database.sqlite import open_database as open_sqlite
from miyabi.logs import Logs
from miyabi.logs.local import open_logs as open_local
from miyabi.wiring.dynamodb_light import open_light

from . import aws
from .cloudwatch import CANNOT, close_cloudwatch, open_aws, open_cloudwatch, open_moto
from .log_service import close_http, open_http

LOGS: dict[str, Callable[[Path], Awaitable[Logs]]] = {
    "local": open_local,
    "http": open_http,
    "cloudwatch": open_cloudwatch,
    "cloudwatch-moto": open_moto,
    **({"cloudwatch-aws": open_aws} if aws.REGION else {}),
}
DATABASES = ("sqlite", "dynamodb", "dynamodb-light", *(["dynamodb-aws"] if aws.REGION else []))
CACHES: dict[str, Callable[[Clock], Cache]] = {
    "memory": lambda clock: MemoryCache(clock.seconds),
    "redis": lambda clock: redis_cache(RedisServer, clock),
    "redis with password and TLS": lambda clock: redis_cache(guarded_redis, clock),
    "redis cluster": lambda clock: redis_cache(RedisServers, clock),
}


def guarded_redis() -> RedisServer:
    return RedisServer(password="open sesame/1", tls=True)


@cache_of_calls
def server(kind: Callable[[], RedisServer | RedisServers]) -> RedisServer | RedisServers:
    """One server of each kind for all tests of this process."""
    started = kind()
    atexit.register(started.close)
    return started


def redis_cache(kind: Callable[[], RedisServer | RedisServers], clock: Clock) -> Cache:
    """A cache on an emptied Redis, whose entries age as ``clock`` is moved forward."""
    at = server(kind)
    with closing(at.client) as client:
        client.flushall()
    clock.moved = lambda ms: age(at, ms)
    return connect(at.url, answer_seconds=60)  # however busy the machine is


def age(at: RedisServer | RedisServers, ms: int) -> None:
    """What would be left of all keys after ``ms``."""
    with closing(at.client) as client:
        for key in list(client.scan_iter()):
            if 0 <= client.pttl(key) <= ms:
                client.delete(key)
            elif client.pttl(key) > 0:
                client.pexpire(key, client.pttl(key) - ms)


class Store(Protocol):
    """What can be closed."""

    async def close(self) -> None: ...


S = TypeVar("S", bound=Store)
S_co = TypeVar("S_co", bound=Store, covariant=True)


@pytest.hookimpl(tryfirst=True)
def pytest_pyfunc_call(pyfuncitem: pytest.Function) -> bool | None:
    """Run a test that is a coroutine on the loop its stores were opened on."""
    if not inspect.iscoroutinefunction(pyfuncitem.obj):
        return None
    arguments = {name: pyfuncitem.funcargs[name] for name in inspect.signature(pyfuncitem.obj).parameters}
    runner = pyfuncitem.funcargs["runner"]
    assert isinstance(runner, asyncio.Runner)
    runner.run(pyfuncitem.obj(**arguments))
    return True


@pytest.fixture(autouse=True)
def runner() -> Iterator[asyncio.Runner]:
    with asyncio.Runner() as runner:
        yield runner


@pytest.fixture(params=LOGS)
def open_logs(request: pytest.FixtureRequest, runner: asyncio.Runner, tmp_path: Path) -> Iterator[Opener[Logs]]:
    """Opens the logs; a second opening is what another process would have."""
    if reason := CANNOT.get(request.param, {}).get(request.node.originalname):
        pytest.skip(reason)
    yield from _opener(runner, lambda: LOGS[request.param](tmp_path))
    close_cloudwatch(tmp_path)
    close_http(tmp_path)


@pytest.fixture
def logs(runner: asyncio.Runner, open_logs: Opener[Logs]) -> Logs:
    return runner.run(open_logs())


@pytest.fixture(params=DATABASES)
def open_database(request: pytest.FixtureRequest, runner: asyncio.Runner) -> Iterator[Opener[Database]]:
    """Opens the database; a second opening is what another process would have."""
    make: Callable[[], Awaitable[Database]] = request.getfixturevalue(f"{request.param.replace('-', '_')}_database")
    yield from _opener(runner, make)


@pytest.fixture
def sqlite_database(tmp_path: Path) -> Callable[[], Awaitable[Database]]:
    return lambda: open_sqlite(tmp_path)


@pytest.fixture
def tables(dynamodb: str, runner: asyncio.Runner, monkeypatch: pytest.MonkeyPatch) -> Options:
    """Where tables of the test's own are."""
    for name, value in ministack.KEYS.items():
        monkeypatch.setenv(name, value)
    prefix = f"test-{uuid4().hex[:12]}"
    runner.run(ministack.make_tables(dynamodb, prefix))
    return ministack.options(dynamodb, prefix)


@pytest.fixture
def dynamodb_database(tables: Options) -> Callable[[], Awaitable[Database]]:
    return lambda: open_dynamodb(tables, ministack.QUICK)


@pytest.fixture
def dynamodb_light_database(tables: Options) -> Callable[[], Awaitable[Database]]:
    """As a function opens it."""
    return lambda: open_light(tables, ministack.QUICK)


@pytest.fixture
def dynamodb_aws_database(runner: asyncio.Runner) -> Iterator[Callable[[], Awaitable[Database]]]:
    """Tables of the test's own on AWS."""
    options = aws.table_options()
    try:
        runner.run(aws.make_tables(options))
        yield lambda: aws.open_tables(options)
    finally:
        aws.remove_tables(options)


@pytest.fixture
def database(runner: asyncio.Runner, open_database: Opener[Database]) -> Database:
    return runner.run(open_database())


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture(params=CACHES)
def cache(request: pytest.FixtureRequest, runner: asyncio.Runner, clock: Clock) -> Iterator[Cache]:
    cache = CACHES[request.param](clock)
    yield cache
    runner.run(cache.close())


class Opener(Protocol[S_co]):
    """Opens a store, which is closed after the test."""

    async def __call__(self) -> S_co: ...


def _opener(runner: asyncio.Runner, make: Callable[[], Awaitable[S]]) -> Iterator[Opener[S]]:
    opened: list[S] = []

    async def open_one() -> S:
        opened.append(await make())
        return opened[-1]

    yield open_one
    for store in opened:
        runner.run(store.close())
