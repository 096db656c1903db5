"""How DynamoDB is read by many at the same time."""

from __future__ import annotations

import asyncio

from aiodynamo.http.types import Request, Response

from .conftest import Place

READERS = 12


def test_reads_of_many_callers_do_not_wait_for_each_other(place: Place) -> None:
    bench = place.open()
    send, all_there = bench.http.inner, asyncio.Barrier(READERS)

    async def together(request: Request) -> Response:
        await all_there.wait()
        return await send(request)

    async def scenario() -> None:
        bench.http.inner = together
        async with asyncio.timeout(30):
            found = await asyncio.gather(*(bench.database.get([f"t{n}"]) for n in range(READERS)))
        assert found == [[None]] * READERS

    place.runner.run(scenario())
