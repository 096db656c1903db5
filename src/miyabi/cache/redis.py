"""The cache in a Redis 7 that several processes share: one server, or a cluster of them.

Each process keeps a copy of the two lists. Asking for one costs one round trip, in which Redis sends what has changed
since the copy was made, or the whole list once.
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncGenerator, Awaitable, Callable, Sequence
from contextlib import suppress
from typing import Any, NamedTuple, TypeVar
from urllib.parse import parse_qsl, urlencode, urlsplit, urlunsplit

import msgspec
from redis.asyncio import BlockingConnectionPool, Redis, RedisCluster
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from redis.credentials import CredentialProvider
from redis.exceptions import NoScriptError, RedisError
from redis.exceptions import TimeoutError as TimedOut

from miyabi.cache import NEWEST, TTL_SECONDS, CacheSlow, CacheUnavailable, Listing
from miyabi.cache import redis_scripts as scripts
from miyabi.cache.members import Members
from miyabi.cache.redis_limit import LIMIT
from miyabi.cache.redis_scripts import Script
from miyabi.model import Project, Task, millis

T = TypeVar("T")

ANSWER_SECONDS = 0.04
"""A Redis that takes longer is as good as down: the database takes no longer."""
CONNECT_SECONDS = 1.0
CONNECTIONS = 32
MOST_CHANGES = 2000
"""Changes that are noted for copies of lists; who is further behind gets the whole list."""
MOST_ACTIVE = 5000
"""A longer list of active tasks is not kept: it would cost more than the database's first page."""
CHANNEL = "miyabi:tasks"
"""Where every newer record that is put is published, as JSON."""
AT_ONCE = 100
"""Tasks in one call of a script, so that nobody waits long for it to end."""

LISTEN_SECONDS = 5.0

_TASK = msgspec.json.Decoder(Task)
_PROJECT = msgspec.json.Decoder(Project)
_ENCODER = msgspec.json.Encoder()


def connect(
    url: str, answer_seconds: float = ANSWER_SECONDS, credentials: CredentialProvider | None = None
) -> RedisCache:
    """The cache at ``redis://[user:password@]host[:port][/db]``; ``rediss://`` with TLS.

    ``?cluster=yes`` for a cluster, of which the host is any node; other parameters are redis-py's
    (``ssl_ca_certs=/path/ca.pem``). ``credentials`` are asked for user and password at each connection, if the address
    names none. Connects with the first call. Raises ``ValueError`` for what is no such address.
    """
    parts = urlsplit(url)
    options = dict(parse_qsl(parts.query))
    cluster = options.pop("cluster", "no") == "yes"
    plain = urlunsplit(parts._replace(query=urlencode(options)))
    try:
        return RedisCache((_cluster if cluster else _server)(plain, answer_seconds, credentials))
    except (TypeError, RedisError) as error:
        raise ValueError(str(error)) from None


def _server(url: str, answer_seconds: float, credentials: CredentialProvider | None) -> Redis:
    pool = BlockingConnectionPool.from_url(
        url,
        max_connections=CONNECTIONS,
        timeout=answer_seconds,
        socket_timeout=answer_seconds,
        socket_connect_timeout=max(CONNECT_SECONDS, answer_seconds),
        retry=Retry(NoBackoff(), 0),
        credential_provider=credentials,
    )
    pool.connection_class(**pool.connection_kwargs)  # an option that is none is found out here
    return Redis.from_pool(pool)


def _cluster(url: str, answer_seconds: float, credentials: CredentialProvider | None) -> RedisCluster:
    """Every script may run twice, so calls are repeated: nodes and slots move, and redis-py drops what is under way."""
    return RedisCluster.from_url(
        url,
        max_connections=CONNECTIONS,
        socket_timeout=answer_seconds,
        socket_connect_timeout=max(CONNECT_SECONDS, answer_seconds),
        retry=Retry(NoBackoff(), 2),
        credential_provider=credentials,
    )


class _Copy(NamedTuple):
    """This process' copy of a list, and what it is a copy of."""

    epoch: bytes
    fill: bytes
    version: bytes
    members: Members


_NONE = _Copy(b"", b"", b"-1", Members("newest"))


class RedisCache:
    """:class:`miyabi.cache.Cache` over a client of redis-py. ``word`` gives a fresh random word."""

    def __init__(self, client: Redis | RedisCluster, word: Callable[[], str] = lambda: os.urandom(8).hex()) -> None:
        self._client = client
        self._word = word
        self._copies: dict[Listing, _Copy] = {}

    async def task(self, task_id: str) -> Task | None:
        data = await self._ask(lambda: self._client.get(f"task:{task_id}"))
        return _decoded(_TASK, data)

    async def put(self, tasks: Sequence[Task]) -> None:
        for first in range(0, len(tasks), AT_ONCE):
            await self._put(tasks[first : first + AT_ONCE])

    async def listing(self, name: Listing) -> tuple[Task, ...] | None:
        copy = self._copies.get(name, _NONE)
        answer = await self._run(scripts.LISTING, scripts.LIST_KEYS, name, copy.epoch, copy.fill, copy.version)
        if answer is None:
            self._copies.pop(name, None)
            return None
        epoch, fill, version, *changed = answer
        members = copy.members
        if changed:
            members = Members(name) if changed[0] else members
            for record in changed[1:]:
                members.put(_TASK.decode(record))
            self._keep(name, _Copy(epoch, fill, version, members))
        return members.whole() if len(members) <= MOST_ACTIVE else None

    def _keep(self, name: Listing, copy: _Copy) -> None:
        """Of two answers that come at the same time the newer one stays: the other's changes are in it."""
        known = self._copies.get(name)
        if known is None or known.epoch != copy.epoch or int(known.version) <= int(copy.version):
            self._copies[name] = copy

    async def fill(self, name: Listing, tasks: Sequence[Task], since: str) -> None:
        epoch, _, version = since.partition(" ")
        if not version:
            return
        arguments = [argument for task in tasks for argument in _for_lists(task)]
        await self._run(scripts.FILL, scripts.LIST_KEYS, name, epoch, version, TTL_SECONDS, NEWEST, *arguments)

    async def mark(self) -> str:
        epoch, version = await self._run(scripts.MARK, scripts.LIST_KEYS, self._word(), TTL_SECONDS)
        return f"{epoch.decode()} {version.decode()}"

    async def project(self, project_id: str) -> Project | None:
        return _decoded(_PROJECT, await self._ask(lambda: self._client.get(f"project:{project_id}")))

    async def put_project(self, project: Project) -> None:
        record = _ENCODER.encode(project)
        key = f"project:{project.project_id}"
        await self._run(scripts.PUT_PROJECT, [key], record, project.updated_at, TTL_SECONDS)

    async def heard(self) -> AsyncGenerator[Task]:
        async with self._client.pubsub(ignore_subscribe_messages=True) as listening:
            await _answered(listening.subscribe(CHANNEL))
            while True:
                message = await _answered(listening.get_message(timeout=LISTEN_SECONDS))
                task = _decoded(_TASK, message["data"]) if message else None
                if task is not None:
                    yield task

    async def ping(self) -> None:
        await self._ask(lambda: self._client.ping())

    async def close(self) -> None:
        with suppress(RedisError, OSError):
            await self._client.aclose()

    async def turn(self, name: str, calls: int, period: float) -> float:
        """Seconds until it is the caller's turn: of all on this Redis ``calls`` have one in any ``period`` seconds.

        A turn is a time given out at once, in the order in which they were asked for. Raises ``CacheUnavailable``.
        """
        micros = 1_000_000
        return int(await self._run(scripts.TURN, [f"turns:{name}"], calls, int(period * micros))) / micros

    async def tokens(self, clients: Sequence[str], *arguments: str | float) -> list[bytes | int]:
        """What :data:`miyabi.cache.redis_limit.LIMIT` says of the rate limit. Raises ``CacheUnavailable``."""
        keys = ["{limit}:board", *(f"{{limit}}:client:{client}" for client in clients)]
        answer: list[bytes | int] = await self._run(LIMIT, keys, *arguments)
        return answer

    async def _put(self, tasks: Sequence[Task]) -> None:
        singles = [
            self._run(scripts.PUT_TASK, [f"task:{task.task_id}"], _ENCODER.encode(task), task.timestamp, TTL_SECONDS)
            for task in tasks
        ]
        arguments = [argument for task in tasks for argument in _for_lists(task)]
        limits = TTL_SECONDS, NEWEST, MOST_CHANGES, CHANNEL
        lists = self._run(scripts.PUT_LISTS, scripts.LIST_KEYS, self._word(), *limits, *arguments)
        results = await asyncio.gather(*singles, lists, return_exceptions=True)
        for result in results:
            if isinstance(result, BaseException):
                raise result

    async def _ask(self, call: Callable[[], Awaitable[T]]) -> T:
        """Redis' answer. A cluster is looked at before the first call: redis-py mixes the two up when they overlap."""
        if isinstance(self._client, RedisCluster):
            await _answered(self._client.initialize())
        return await _answered(call())

    async def _run(self, script: Script, keys: Sequence[str], *arguments: str | bytes | float) -> Any:
        """Run a script by its digest; a Redis that does not know it yet is given its text."""
        try:
            return await self._ask(lambda: self._client.evalsha(script.sha, len(keys), *keys, *arguments))
        except _Unknown:
            return await self._ask(lambda: self._client.eval(script.text, len(keys), *keys, *arguments))


class _Unknown(Exception):
    """Redis does not know the script (any more)."""


async def _answered(call: Awaitable[T]) -> T:
    """Redis' answer. Raises ``CacheUnavailable`` when there is none, or when it says that it can't."""
    try:
        return await call
    except NoScriptError as error:
        raise _Unknown from error
    except Exception as error:  # redis-py's cluster client raises AttributeError where connections are dropped at once
        slow = isinstance(error, TimedOut | TimeoutError) or isinstance(error.__cause__, TimeoutError)
        kind = CacheSlow if slow else CacheUnavailable
        raise kind(f"Redis: {error or type(error).__name__}") from error


def _for_lists(task: Task) -> tuple[str | bytes | int, ...]:
    """What the scripts take of each task: id, timestamp, whether it has ended, its place by creation, the record."""
    return task.task_id, task.timestamp, int(task.final), millis(task.created_at), _ENCODER.encode(task)


def _decoded(decoder: msgspec.json.Decoder[T], data: bytes | str | None) -> T | None:
    """``None`` for what another version of miyabi put, too: the database knows better."""
    try:
        return decoder.decode(data) if data is not None else None
    except msgspec.MsgspecError:
        return None
