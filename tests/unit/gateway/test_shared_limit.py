"""The rate limit that gateways share: few calls, and nobody waits for a Redis that does not answer."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Coroutine, Sequence
from typing import Any

import pytest
from tests.support.clock import Clock

from miyabi.cache import CacheUnavailable
from miyabi.gateway.limit import Decision, LocalLimit, Rates
from miyabi.gateway.shared_limit import ALONE, AT_ONCE, Answered, Asked, SharedLimit

RATES = Rates(1, 20)


class Buckets:
    """Shared buckets of the same arithmetic; ``gate`` holds answers back, ``broken`` refuses them."""

    def __init__(self, clock: Clock) -> None:
        self.limit = LocalLimit(RATES, clock.seconds)
        self.calls: list[list[Asked]] = []
        self.asked = asyncio.Event()
        self.gate = asyncio.Event()
        self.gate.set()
        self.broken = False

    async def take(self, asked: Sequence[Asked], spent: int = 0, lacks: float = 0.0) -> tuple[list[Answered], float]:
        self.calls.append(list(asked))
        self.asked.set()
        await self.gate.wait()
        if self.broken:
            raise CacheUnavailable("Redis: gone")
        self.limit.lacks = self.limit.lacks + spent if self.limit.lacks else lacks
        for one in asked:
            self.limit.learn(one.client, max(one.lacks, dict(self.limit.own(100)).get(one.client, 0.0)))
        return [self._one(one) for one in asked], self.limit.lacks

    def _one(self, asked: Asked) -> Answered:
        made = [self.limit.decide(asked.client, asked.own_only) for _ in range(asked.requests)]
        lacks = dict(self.limit.own(100))[asked.client]
        last = made[-1] if made else Decision(0.0, 0)
        return Answered(sum(not one.wait for one in made), last.wait, last.left, lacks)

    async def close(self) -> None:
        return None


Scenario = Callable[[SharedLimit, Buckets, LocalLimit], Coroutine[Any, Any, None]]


def run(scenario: Scenario, patience: float = 60.0) -> None:
    """With rests that end at the next turn of the loop."""

    async def whole() -> None:
        clock = Clock()
        buckets, local = Buckets(clock), LocalLimit(RATES, clock.seconds)
        limit = SharedLimit(buckets, local, patience, sleep=lambda _: asyncio.sleep(0), chance=lambda: 0.0)
        async with asyncio.timeout(30):
            await scenario(limit, buckets, local)
            await limit.close()

    asyncio.run(whole())


async def passing(limit: SharedLimit, count: int, client: str = "a") -> int:
    return sum(not one.wait for one in await asyncio.gather(*(limit.take(client) for _ in range(count))))


def test_those_who_come_while_a_call_is_under_way_go_together_in_the_next() -> None:
    async def scenario(limit: SharedLimit, buckets: Buckets, local: LocalLimit) -> None:
        buckets.gate.clear()
        first = asyncio.create_task(limit.take("a"))
        await buckets.asked.wait()
        others = [asyncio.create_task(limit.take(client, own_only)) for client in "aab" for own_only in (False, True)]
        await asyncio.sleep(0)
        buckets.gate.set()
        await asyncio.gather(first, *others)
        together = [Asked("a", False, 2), Asked("a", True, 2), Asked("b", False, 1), Asked("b", True, 1)]
        assert buckets.calls == [[Asked("a", False, 1)], together]

    run(scenario)


def test_the_first_of_a_clients_requests_pass_and_the_others_are_told_how_long_to_wait() -> None:
    async def scenario(limit: SharedLimit, buckets: Buckets, local: LocalLimit) -> None:
        made = await asyncio.gather(*(limit.take("a") for _ in range(25)))
        assert [not one.wait for one in made] == [True] * 19 + [False] * 6
        assert made[-1].wait == pytest.approx(1)

    run(scenario)


def test_a_call_decides_on_so_many_at_most() -> None:
    async def scenario(limit: SharedLimit, buckets: Buckets, local: LocalLimit) -> None:
        await passing(limit, 3 * AT_ONCE)
        assert [asked[0].requests for asked in buckets.calls] == [AT_ONCE] * 3

    run(scenario)


def test_when_the_shared_buckets_fail_this_process_goes_on_where_they_were(caplog: pytest.LogCaptureFixture) -> None:
    async def scenario(limit: SharedLimit, buckets: Buckets, local: LocalLimit) -> None:
        before = ALONE.value
        assert await passing(limit, 5) == 5
        buckets.broken = True
        buckets.calls.clear()
        assert await passing(limit, 30, "b") == 14
        assert ALONE.value == before + 30
        assert buckets.calls[0] == [Asked("b", False, 30)]

    with caplog.at_level(logging.WARNING):
        run(scenario)
    assert [record.message for record in caplog.records] == [
        "Redis unavailable, this gateway limits the rate by itself: Redis: gone"
    ]


def test_what_a_client_has_spent_of_its_share_is_known_here_too() -> None:
    async def scenario(limit: SharedLimit, buckets: Buckets, local: LocalLimit) -> None:
        assert await passing(limit, 30) == 19
        buckets.broken = True
        assert await passing(limit, 1) == 0, "not a second share for who has spent it"
        assert await passing(limit, 1, "b") == 1

    run(scenario)


def test_nobody_waits_long_for_shared_buckets_that_do_not_answer() -> None:
    async def scenario(limit: SharedLimit, buckets: Buckets, local: LocalLimit) -> None:
        buckets.gate.clear()
        assert await passing(limit, 30) == 19
        assert await passing(limit, 1, "b") == 1
        assert len(buckets.calls) == 1, "and nobody asks them again before they have said no"
        buckets.gate.set()

    run(scenario, patience=0.001)


def test_when_they_are_back_they_decide_again_and_know_what_was_spent_meanwhile() -> None:
    async def scenario(limit: SharedLimit, buckets: Buckets, local: LocalLimit) -> None:
        buckets.broken = True
        assert await passing(limit, 10) == 10
        buckets.broken = False
        buckets.calls.clear()
        assert limit._return
        await limit._return
        assert buckets.calls[-1] == [Asked("a", False, 0, 1.0)]
        assert buckets.limit.lacks == 10
        assert await passing(limit, 30, "b") == 9
        assert buckets.calls[-1] == [Asked("b", False, 30)]

    run(scenario)


def test_what_was_spent_meanwhile_is_taken_from_what_others_left() -> None:
    async def scenario(limit: SharedLimit, buckets: Buckets, local: LocalLimit) -> None:
        assert await passing(limit, 5) == 5
        buckets.broken = True
        assert await passing(limit, 4) == 4
        buckets.limit.lacks += 3
        buckets.broken = False
        assert limit._return
        await limit._return
        assert buckets.limit.lacks == 12

    run(scenario)


def test_what_comes_too_late_is_not_paid_for_twice() -> None:
    async def scenario(limit: SharedLimit, buckets: Buckets, local: LocalLimit) -> None:
        buckets.gate.clear()
        assert await passing(limit, 5) == 5
        assert await passing(limit, 2) == 2
        buckets.gate.set()
        assert limit._return
        await limit._return
        assert buckets.limit.lacks == 7

    run(scenario, patience=0.001)


def test_whoever_no_longer_waits_harms_nobody() -> None:
    async def scenario(limit: SharedLimit, buckets: Buckets, local: LocalLimit) -> None:
        buckets.gate.clear()
        gone, stays = asyncio.create_task(limit.take("a")), asyncio.create_task(limit.take("a"))
        await buckets.asked.wait()
        gone.cancel()
        buckets.gate.set()
        assert not (await stays).wait

    run(scenario)


def test_an_answer_that_makes_no_sense_is_none() -> None:
    async def scenario(limit: SharedLimit, buckets: Buckets, local: LocalLimit) -> None:
        async def nonsense(asked: Sequence[Asked], spent: int = 0, lacks: float = 0.0) -> tuple[list[Answered], float]:
            raise ValueError("an empty reply")

        buckets.take = nonsense  # type: ignore[method-assign]
        assert await passing(limit, 3) == 3

    run(scenario)
