"""The rate limit in a real Redis: the same decisions as in one process, whoever asks."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Sequence
from contextlib import closing
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.support.redis import RedisServer, RedisServers

from miyabi.gateway.limit import LocalLimit, Rates, decide, left
from miyabi.gateway.shared_limit import Answered, Asked
from miyabi.settings import Settings, SettingsError, from_environment
from miyabi.wiring.gateway import make_limit
from miyabi.wiring.limit import RedisLimit
from miyabi.wiring.shared import redis_at


@pytest.fixture(scope="module")
def server() -> Iterator[RedisServer]:
    with closing(RedisServer()) as server:
        yield server


@pytest.fixture(params=[RedisServer, RedisServers])
def redis(request: pytest.FixtureRequest) -> Iterator[RedisServer | RedisServers]:
    with closing(request.param()) as server:
        yield server


class Model:
    """The gateway's own arithmetic over groups of requests."""

    def __init__(self, rates: Rates) -> None:
        self.now = 1_795_000_000.0
        self._limit = LocalLimit(rates, lambda: self.now)

    def take(self, asked: Sequence[Asked], spent: int, lacks: float) -> tuple[list[Answered], float]:
        common = self._limit.lacks
        self._limit.lacks = min(self._limit.rates.burst, max(0.0, common + spent if common else lacks))
        return [self._one(one) for one in asked], self._limit.lacks

    def _one(self, asked: Asked) -> Answered:
        most = self._limit.rates.own_burst
        self._limit.learn(asked.client, min(most, max(self._own(asked), asked.lacks)))
        made = [self._limit.decide(asked.client, asked.own_only) for _ in range(asked.requests)]
        return Answered(sum(not one.wait for one in made), made[-1].wait, made[-1].left, self._own(asked))

    def _own(self, asked: Asked) -> float:
        return dict(self._limit.own(100)).get(asked.client, 0.0)


LACKS = st.just(0.0) | st.floats(0, 100)
GROUPS = st.lists(st.builds(Asked, st.sampled_from("abc"), st.booleans(), st.integers(1, 30), LACKS), max_size=4)
CALLS = st.lists(st.tuples(st.floats(0, 30), st.integers(-3, 9), LACKS, GROUPS), min_size=1, max_size=12)


@settings(deadline=None, max_examples=60)
@given(st.floats(0.1, 2), st.integers(1, 60), st.floats(0.01, 1), CALLS)
def test_redis_decides_to_the_last_bit_as_one_process_does(
    server: RedisServer, rate: float, burst: int, share: float, calls: list[tuple[float, int, float, list[Asked]]]
) -> None:
    async def scenario() -> None:
        model = Model(Rates(rate, burst, share))
        shared = RedisLimit(redis_at(server.url, answer_seconds=10), Rates(rate, burst, share))
        for pause, spent, lacks, asked in calls:
            model.now += pause
            shared.now = repr(model.now)
            assert await shared.take(asked, spent, lacks) == model.take(asked, spent, lacks)
        await shared.close()

    server.admin.flushall()
    asyncio.run(scenario())


def test_all_who_share_a_redis_share_its_buckets_on_one_server_and_in_a_cluster(
    redis: RedisServer | RedisServers,
) -> None:
    async def scenario() -> list[int]:
        rates = Rates(0.001, 100)
        gateways = [RedisLimit(redis_at(redis.url, answer_seconds=10), rates) for _ in range(3)]
        made = [await gateway.take([Asked("a", False, 30), Asked("b", False, 10)]) for gateway in gateways]
        for gateway in gateways:
            await gateway.close()
        return [one.passed for answers, _ in made for one in answers]

    assert asyncio.run(scenario()) == [30, 10, 30, 10, 18, 0]


def test_what_is_kept_ends_by_itself_and_names_nobody(server: RedisServer) -> None:
    async def scenario() -> None:
        shared = RedisLimit(redis_at(server.url, answer_seconds=10), Rates(1000, 2000))
        await shared.take([Asked("subject ann@example.com", False, 100)])
        await shared.close()

    server.admin.flushall()
    asyncio.run(scenario())
    keys: list[bytes] = server.admin.keys()  # type: ignore[assignment]
    assert len(keys) == 2
    assert all(0 < server.admin.ttl(key) <= 11 for key in keys)
    assert not any(b"ann" in key for key in keys)


def test_a_servers_clock_that_goes_back_stops_the_limit_for_no_longer_than_it_takes_to_fill(
    server: RedisServer,
) -> None:
    async def scenario() -> list[int]:
        shared = RedisLimit(redis_at(server.url, answer_seconds=10), Rates(1, 20), "1795000000")
        passed = []
        for now in ("1795000000", "1794000000", "1794000010"):
            shared.now = now
            answers, _ = await shared.take([Asked("a", False, 30)])
            passed.append(answers[0].passed)
        await shared.close()
        return passed

    server.admin.flushall()
    assert asyncio.run(scenario()) == [19, 0, 10]


def test_a_decision_takes_nothing_from_who_is_refused() -> None:
    rates, empty = Rates(1, 20), (19.5, 2.0)
    wait, after = decide(rates, empty, own_only=False)
    assert (wait > 0, after, left(rates, after, own_only=False)) == (True, empty, 0)


@pytest.mark.parametrize("proxies", ["proxy.example", "10.0.0.0/33"])
def test_proxies_that_are_no_networks_are_refused_at_the_start(proxies: str) -> None:
    with pytest.raises(SettingsError, match=r"MIYABI_TRUSTED_PROXIES: .*10\.0\.0\.0/8"):
        make_limit(Settings(data=Path(), trusted_proxies=proxies))


@pytest.mark.parametrize(
    ("name", "value"), [("RATE_SHARE", "0"), ("RATE_SHARE", "1.5"), ("RATE_BURST", "0"), ("RATE_LIMIT", "-1")]
)
def test_a_limit_that_makes_no_sense_is_refused_by_name(name: str, value: str) -> None:
    with pytest.raises(SettingsError, match=f"MIYABI_{name}"):
        from_environment({f"MIYABI_{name}": value})
