"""Gateways that share a rate limit, each in a process of its own, and the Redis between them that fails."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import ExitStack, closing
from functools import partial
from pathlib import Path

import pytest
from tests.support.board import Service, environment
from tests.support.offered import PATH, offer
from tests.support.redis import RedisServer, free_port
from tests.support.until import until

RATE, BURST = 50, 250
SECONDS = 4.0
FAULT_AT = 5
HOG, POLITE = {"x-forwarded-for": "192.0.2.1"}, {"x-forwarded-for": "192.0.2.9"}
WARNING = "Redis unavailable, this gateway limits the rate by itself"
NEAR = 0.1
"""A process that the machine stops for a moment sends late; how exact the limit is, a benchmark tells."""
patient = pytest.mark.parametrize("gateways", ["?socket_timeout=5&timeout=5"], indirect=True, ids=["patient"])
"""However busy the machine is, no gateway thinks that Redis is away."""


@pytest.fixture
def server() -> Iterator[RedisServer]:
    with closing(RedisServer()) as server:
        server.admin.ping()
        yield server


@pytest.fixture
def gateways(request: pytest.FixtureRequest, server: RedisServer, tmp_path: Path) -> Iterator[list[Service]]:
    """Two, with no task API behind them."""
    cache = server.url + getattr(request, "param", "")
    limits = {"MIYABI_RATE_LIMIT": str(RATE), "MIYABI_RATE_BURST": str(BURST), "MIYABI_CACHE": cache}
    nobody = {"MIYABI_TASKS": f"http://127.0.0.1:{free_port()}", "MIYABI_TRUSTED_PROXIES": "127.0.0.1"}
    env = environment(tmp_path / "data", **limits, **nobody)
    with ExitStack() as stack:
        yield [stack.enter_context(closing(Service("serve", "gateway", env=env))) for _ in range(2)]


def connected(gateways: list[Service], server: RedisServer) -> None:
    """Each has asked Redis, which holds nothing after that."""
    for gateway in gateways:
        shares(gateway, server)
    server.admin.flushall()


def shares(gateway: Service, server: RedisServer) -> None:
    """Return when the gateway asks Redis."""

    def asks() -> bool:
        gateway.api.request("GET", PATH)
        return bool(client.exists("{limit}:board"))

    with server.client as client:
        client.flushall()
        until(asks, "the limit is shared")


@patient
def test_two_gateways_let_through_what_one_may(gateways: list[Service], server: RedisServer) -> None:
    connected(gateways, server)
    offered = asyncio.run(offer([gateway.url for gateway in gateways], SECONDS))
    assert set(offered.statuses) == {200, 429}
    assert offered.passed == pytest.approx(BURST + RATE * offered.seconds, rel=NEAR)


@patient
def test_when_redis_is_killed_no_request_fails_and_each_gateway_limits_by_itself(
    gateways: list[Service], server: RedisServer
) -> None:
    connected(gateways, server)

    async def kill() -> None:
        await asyncio.sleep(SECONDS / 3)
        await asyncio.to_thread(server.kill)

    one = gateways[0]
    offered = asyncio.run(offer([one.url], SECONDS, kill))
    assert set(offered.statuses) == {200, 429}
    assert offered.passed == pytest.approx(BURST + RATE * offered.seconds, rel=NEAR)
    assert one.errors().count(WARNING) >= 1
    server.restart()
    shares(one, server)


@pytest.mark.parametrize("fault", ["freeze", "kill"])
def test_a_hog_keeps_nobody_out_who_stays_within_its_share_with_redis_and_without(
    gateways: list[Service], server: RedisServer, fault: str
) -> None:
    connected(gateways, server)
    urls = [gateway.url for gateway in gateways]
    answers: list[int] = []

    async def polite() -> None:
        """Half of its share."""
        for number in range(2 * FAULT_AT):
            if number == FAULT_AT:
                await asyncio.to_thread(getattr(server, fault))
            ask = partial(gateways[number % 2].api.request, "GET", PATH, **POLITE)
            answers.append((await asyncio.to_thread(ask)).status)
            await asyncio.sleep(SECONDS / FAULT_AT / 2)

    offered = asyncio.run(offer(urls, SECONDS, polite, **HOG))
    assert set(offered.statuses) == {200, 429}
    assert set(answers) == {200}
