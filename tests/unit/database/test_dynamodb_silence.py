"""When DynamoDB says nothing at all, callers are told soon; one at a time finds out when it is back."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable

import pytest
from aiodynamo.http.types import Response
from tests.support.faulty import BUSY, SILENT, Fault
from tests.support.tasks import a_task

from miyabi.database import DatabaseUnavailable, Save
from miyabi.database.dynamodb_calls import GIVE_UP_SECONDS, LONGEST_SECONDS
from miyabi.database.dynamodb_pulse import REST_SECONDS, SILENT_SECONDS

from .conftest import Place


async def refused(call: Awaitable[object]) -> str:
    """What an unavailable database says."""
    with pytest.raises(DatabaseUnavailable) as error:
        await call
    return str(error.value)


async def for_ever(asked: asyncio.Event) -> None:
    """Set ``asked`` and answer nothing."""
    asked.set()
    await asyncio.Event().wait()


def test_the_first_calls_wait_a_little_and_those_that_follow_not_at_all(place: Place) -> None:
    bench = place.open()

    async def scenario() -> None:
        bench.http.rate, bench.http.faults = 1.0, SILENT
        await asyncio.gather(*(refused(bench.database.ping()) for _ in range(5)))
        waited = bench.waits.time
        assert SILENT_SECONDS - LONGEST_SECONDS <= waited <= SILENT_SECONDS + LONGEST_SECONDS
        bench.http.seen.clear()
        for _ in range(50):
            assert "does not answer" in await refused(bench.database.get(["a"]))
        assert bench.waits.time == waited
        assert bench.http.seen == []

    place.runner.run(scenario())


def test_one_at_a_time_asks_whether_it_is_back_and_then_all_go_on(place: Place) -> None:
    bench = place.open()

    async def scenario() -> None:
        bench.http.rate, bench.http.faults = 1.0, SILENT
        await refused(bench.database.ping())
        for _ in range(3):
            bench.waits.time += REST_SECONDS
            bench.http.seen.clear()
            await asyncio.gather(*(refused(bench.database.get(["a"])) for _ in range(20)))
            assert len(bench.http.seen) == 1
        bench.http.rate = 0.0
        bench.waits.time += REST_SECONDS
        await bench.database.ping()
        assert await bench.database.save([Save(a_task(f"t{n}")) for n in range(10)]) == [True] * 10

    place.runner.run(scenario())


def test_those_under_way_when_it_is_found_silent_need_not_wait_for_their_own_time_to_be_up(place: Place) -> None:
    bench = place.open()

    async def scenario() -> None:
        bench.http.rate, bench.http.faults = 1.0, SILENT
        asked = asyncio.Event()
        bench.http.hangs = lambda: for_ever(asked)
        hanging = asyncio.create_task(refused(bench.database.ping()))
        await asked.wait()
        bench.http.hangs = None
        await refused(bench.database.ping())
        async with asyncio.timeout(10):
            assert "does not answer" in await hanging

    place.runner.run(scenario())


def test_who_is_given_up_while_it_asks_leaves_the_asking_to_the_next(place: Place) -> None:
    bench = place.open()

    async def scenario() -> None:
        bench.http.rate, bench.http.faults = 1.0, SILENT
        await refused(bench.database.ping())
        bench.waits.time += REST_SECONDS
        asked = asyncio.Event()
        bench.http.hangs = lambda: for_ever(asked)
        asking = asyncio.create_task(bench.database.ping())
        await asked.wait()
        asking.cancel()
        await asyncio.gather(asking, return_exceptions=True)
        bench.http.hangs, bench.http.rate = None, 0.0
        await bench.database.ping()

    place.runner.run(scenario())


@pytest.mark.parametrize("fault", [*BUSY, lambda: Response(500, b"{}")])
def test_an_answer_that_refuses_is_no_silence(place: Place, fault: Fault) -> None:
    bench = place.open(seed=5)

    async def scenario() -> None:
        bench.http.rate, bench.http.faults = 1.0, (fault,)
        for _ in range(2):
            began = bench.waits.time
            await refused(bench.database.ping())
            assert GIVE_UP_SECONDS - LONGEST_SECONDS <= bench.waits.time - began <= GIVE_UP_SECONDS

    place.runner.run(scenario())
