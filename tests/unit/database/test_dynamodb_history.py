"""A task's history, read while the task changes."""

from __future__ import annotations

import json

import pytest
from aiodynamo.http.types import Request, Response
from tests.support.tasks import a_task, later

from miyabi.database import Current, Save

from .conftest import Place


@pytest.mark.parametrize("steps", [1, 2, 9])
def test_a_version_that_was_there_all_along_is_in_the_history_though_others_follow(place: Place, steps: int) -> None:
    bench, other = place.open(), place.open()
    first = a_task("a")
    second = later(first)
    to_network = bench.http.inner

    async def a_change_between(request: Request) -> Response:
        if len(bench.http.seen) == 2:
            newest = second
            for _ in range(steps):
                place.clock.forward(5)
                assert await other.database.save([Save(later(newest), Current(newest))]) == [True]
                newest = later(newest)
        return await to_network(request)

    async def scenario() -> None:
        await other.database.save([Save(first), Save(second, Current(first))])
        bench.http.inner = a_change_between
        page = await bench.database.history("a", limit=2)
        assert page.tasks[-2:] == [second, first]
        assert page.next is None

    place.runner.run(scenario())


def test_a_history_is_replaced_by_what_is_there_and_not_by_what_was_a_moment_ago(place: Place) -> None:
    bench = place.open()
    to_network = bench.http.inner
    consistent: list[bool] = []

    async def noted(request: Request) -> Response:
        body = json.loads(request.body or b"")
        if "KeyConditionExpression" in body:
            consistent.append(body.get("ConsistentRead", False))
        return await to_network(request)

    async def scenario() -> None:
        task = a_task("a")
        await bench.database.save([Save(task)])
        bench.http.inner = noted
        assert await bench.database.save([Save(later(task), Current(task), history=[])]) == [True]

    place.runner.run(scenario())
    assert consistent == [True]
