"""Signing in with IAM, at real Redis servers with TLS that take the token of one moment as the user's password.

They compare it with one that AWS's signer has made; ElastiCache checks it with IAM instead.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable, Iterator
from functools import cache
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from tests.support.clock import Clock
from tests.support.redis import RedisServer, RedisServers
from tests.support.tasks import a_task
from tests.unit.cache.test_elasticache_token import by_botocore

from miyabi.cache import CacheUnavailable
from miyabi.cache.redis import RedisCache, connect
from miyabi.cache.redis_iam import IamCredentials
from miyabi.model import Task
from miyabi.settings import AwsKeys, Settings, SettingsError, aws_keys, from_environment
from miyabi.wiring import open_cache
from miyabi.wiring.shared import _read, shared_cache

KEYS = AwsKeys("AKIDEXAMPLE", "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY", "a/session+token=" * 40)
GROUP, USER, REGION = "miyabi-cache", "miyabi", "eu-west-1"
ADMIN = "the-admin-of-this-test"
Server = RedisServer | RedisServers
Story = Callable[[RedisCache, Clock, Server], Awaitable[None]]


@cache
def started(kind: str) -> Server:
    return RedisServer(password=ADMIN, tls=True) if kind == "one server" else RedisServers(password=ADMIN, tls=True)


@pytest.fixture(scope="module")
def all_servers() -> Iterator[Callable[[str], Server]]:
    yield started
    for kind in ("one server", "a cluster"):
        started(kind).close()


@pytest.fixture(params=["one server", "a cluster"])
def server(request: pytest.FixtureRequest, all_servers: Callable[[str], Server]) -> Server:
    return all_servers(request.param)


def nodes(server: Server) -> list[RedisServer]:
    return server.nodes if isinstance(server, RedisServers) else [server]


def let_in(server: Server, password: str) -> None:
    """From now on each node takes this password from the user; who is connected stays so."""
    for node in nodes(server):
        _do(node, "ACL", "SETUSER", USER, "reset", "on", password, "~*", "&*", "+@all")


def _do(node: RedisServer, *command: str) -> None:
    node.admin.execute_command(*command)  # type: ignore[no-untyped-call]


def token_at(clock: Clock) -> str:
    return ">" + by_botocore(GROUP, USER, REGION, KEYS, clock.seconds())


def end_connections(server: Server) -> None:
    """What ElastiCache does after 12 hours."""
    for node in nodes(server):
        _do(node, "CLIENT", "KILL", "USER", USER)


def url_of(server: Server) -> str:
    """The address as the settings have it."""
    parts = urlsplit(server.url)
    host = f"{USER}@{parts.hostname}:{parts.port}"
    return parts._replace(netloc=host, query=f"{parts.query}&iam={GROUP}").geturl()


def tell(server: Server, story: Story) -> None:
    clock = Clock()
    plain, _ = without_credentials(server)
    credentials = IamCredentials(GROUP, USER, REGION, lambda: KEYS, clock.seconds)

    async def run() -> None:
        cache = connect(plain, 10, credentials)
        try:
            await story(cache, clock, server)
        finally:
            await cache.close()

    asyncio.run(run())


def without_credentials(server: Server) -> tuple[str, str]:
    parts = urlsplit(server.url)
    return parts._replace(netloc=f"{parts.hostname}:{parts.port}").geturl(), parts.netloc


async def works(cache: RedisCache) -> None:
    """Everything that needs a connection: scripts, plain commands, and what others are told."""
    await cache.put([a_task("a")])
    assert await cache.task("a") == a_task("a")
    hearing = cache.heard()
    heard = asyncio.ensure_future(until_heard(hearing, "b"))
    number = 1
    while not heard.done():
        number += 1
        await cache.put([a_task("b", timestamp=a_task("b").timestamp + number)])
        await asyncio.wait([heard], timeout=0.02)
    await heard
    await hearing.aclose()


async def until_heard(hearing: AsyncGenerator[Task], task_id: str) -> None:
    """Others may be heard before: half of a put that failed is still under way."""
    async for task in hearing:
        if task.task_id == task_id:
            return


def test_the_token_of_the_moment_is_what_signs_in(server: Server) -> None:
    async def story(cache: RedisCache, clock: Clock, server: Server) -> None:
        let_in(server, token_at(clock))
        await works(cache)
        connected = {client["user"] for node in nodes(server) for client in node.admin.client_list()}
        assert connected == {USER, "default"}, "who has signed in, and the admin of this test"

    tell(server, story)


def test_a_user_who_needs_no_password_may_bring_the_token(server: Server) -> None:
    async def story(cache: RedisCache, clock: Clock, server: Server) -> None:
        let_in(server, "nopass")
        await works(cache)

    tell(server, story)


def test_the_token_of_another_moment_does_not_sign_in(server: Server) -> None:
    async def story(cache: RedisCache, clock: Clock, server: Server) -> None:
        let_in(server, token_at(clock))
        clock.forward(1000)
        with pytest.raises(CacheUnavailable):
            await cache.ping()

    tell(server, story)


def test_a_connection_that_was_ended_is_made_again_with_a_new_token(server: Server) -> None:
    async def story(cache: RedisCache, clock: Clock, server: Server) -> None:
        for _ in range(3):
            let_in(server, token_at(clock))
            await works(cache)
            clock.forward(12 * 3_600_000)
            let_in(server, token_at(clock))
            end_connections(server)
            await works_again(cache)

    tell(server, story)


async def works_again(cache: RedisCache) -> None:
    """The calls that find the ends of old connections may fail: one for each of them at most."""
    for _ in range(50):
        try:
            await cache.ping()
            await cache.task("a")
            return await works(cache)
        except CacheUnavailable:
            continue
    await works(cache)


def test_while_a_connection_lasts_an_old_token_is_no_matter(server: Server) -> None:
    async def story(cache: RedisCache, clock: Clock, server: Server) -> None:
        let_in(server, token_at(clock))
        await cache.put([a_task("a")])
        clock.forward(3_600_000)
        assert await cache.task("a") == a_task("a")

    tell(server, story)


@pytest.fixture
def role(monkeypatch: pytest.MonkeyPatch) -> None:
    """The environment that Lambda makes for a function."""
    for name, value in zip(("ACCESS_KEY_ID", "SECRET_ACCESS_KEY", "SESSION_TOKEN"), KEYS, strict=True):
        monkeypatch.setenv(f"AWS_{name}", str(value))
    monkeypatch.setenv("AWS_REGION", REGION)


def test_the_settings_address_is_all_that_it_needs(all_servers: Callable[[str], Server], role: None) -> None:
    server, clock = all_servers("one server"), Clock()
    let_in(server, token_at(clock))

    async def story() -> None:
        breaker = shared_cache(url_of(server), kept=True, now=clock.seconds)
        try:
            while True:  # a busy machine may need longer for TLS than a cache is waited for
                try:
                    return await breaker.ping()
                except CacheUnavailable:
                    await asyncio.sleep(0.01)
        finally:
            await breaker.close()

    asyncio.run(asyncio.wait_for(story(), 30))


def test_options_beside_it_are_kept_and_the_user_is_not_named_twice(role: None) -> None:
    plain, credentials = _read(
        f"rediss://my%40user@host:6380/2?cluster=yes&iam={GROUP}&ssl_ca_certs=/ca.pem", lambda: 0.0
    )
    assert plain == "rediss://host:6380/2?cluster=yes&ssl_ca_certs=%2Fca.pem"
    assert credentials
    user, token = credentials.get_credentials()  # type: ignore[misc]
    assert (user, token) == ("my@user", by_botocore(GROUP, "my@user", REGION, KEYS, 0.0))


@pytest.mark.parametrize(
    "url",
    [
        "redis://miyabi@host?iam=miyabi-cache",
        "rediss://host?iam=miyabi-cache",
        "rediss://miyabi:password@host?iam=miyabi-cache",
        "rediss://miyabi@host?iam=",
        "rediss://miyabi@host?iam=Miyabi",
        "rediss://miyabi@host?iam=a/b",
        "rediss://miyabi@host?iam=a&iam=b",
    ],
)
def test_an_address_that_can_not_work_is_refused_with_what_to_write(url: str, role: None) -> None:
    with pytest.raises(SettingsError, match=r"MIYABI_CACHE: .*rediss://USER@HOST:6379\?iam="):
        asyncio.run(open_cache(Settings(data=Path(), cache=url)))


@pytest.mark.parametrize("missing", ["AWS_REGION", "AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"])
def test_what_the_environment_lacks_is_said_at_the_start(
    missing: str, role: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv(missing)
    monkeypatch.delenv("AWS_DEFAULT_REGION", raising=False)
    settings = from_environment({"MIYABI_CACHE": f"rediss://{USER}@127.0.0.1?iam={GROUP}"})
    with pytest.raises(SettingsError, match=missing):
        asyncio.run(open_cache(settings))


def test_credentials_without_a_session_are_a_persons_own() -> None:
    env: dict[str, Any] = {"AWS_ACCESS_KEY_ID": "a", "AWS_SECRET_ACCESS_KEY": "b", "AWS_SESSION_TOKEN": ""}
    assert aws_keys(env) == AwsKeys("a", "b", None)
