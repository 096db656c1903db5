"""DynamoDB behind Miyabi: what our client costs beside bare ones, the units of each operation, each way of a read.

No DynamoDB is here, so nothing says how fast that is. Canned answers show what a client costs; the emulator shows that
the real requests work, at the emulator's own speed.
"""

from __future__ import annotations

import asyncio
import os
import statistics
import time
from collections.abc import Iterator
from contextlib import closing
from unittest.mock import patch

import uvloop
from tests.support.ministack import KEYS, dynamodb_endpoint, make_tables, options
from tests.support.redis import RedisServer

from benchmarks.boards import sample
from benchmarks.dynamodb_bill import PROVISIONED, carried, month
from benchmarks.dynamodb_operations import Measured, operations
from benchmarks.dynamodb_reads import GET, ID, fill, reads
from benchmarks.dynamodb_tap import PREFIX, bare
from benchmarks.dynamodb_units import in_words
from benchmarks.table import Row
from benchmarks.ways import ways
from miyabi.cache.none import NoCache
from miyabi.database.dynamodb_aiohttp import open_database
from miyabi.tasks.records import Records

WAYS = 100
"""Reads by each way: the emulator is slow."""
TASKS = [sample(number) for number in range(60)]
BILL_GOAL = 2.0
"""Dollars a month on demand: what makes it the default."""


def measure() -> list[Row]:
    """Each part with an emulator of its own, that ends with it."""
    with patch.dict(os.environ, KEYS):
        return [*_reads(), *_units(), *_ways()]


def _reads() -> list[Row]:
    with dynamodb_endpoint() as endpoint:
        asyncio.run(make_tables(endpoint, PREFIX))
        return list(reads(endpoint, uvloop.run(fill(endpoint))))


def _units() -> Iterator[Row]:
    with dynamodb_endpoint() as endpoint:
        asyncio.run(make_tables(endpoint, PREFIX))
        measured = uvloop.run(operations(endpoint))
    yield from _operations(measured)
    yield from _load(measured)


def _operations(measured: Measured) -> Iterator[Row]:
    for kind, size in measured.bytes.items():
        yield Row(f"median size of a {kind}", f"{size:,.0f} bytes")
    for name, units in measured.units.items():
        kind = "read" if name == "get" or name.startswith("50 ") else "write"
        yield Row(f"{kind} units: {name}", f"{sum(units.values()):g}", beside=in_words(units))
    same = measured.same == measured.writes
    told = f"{measured.same} of {measured.writes}"
    yield Row("writes the emulator counts as we do", told, "all", same, "its own reckoning of the same rules")


def _load(measured: Measured) -> Iterator[Row]:
    units = measured.units
    for what, name in (("progress", "progress, the version before kept"), ("lists of 50", "50 of all tasks")):
        rate = carried(units[name])
        yield Row(f"{what} a second that {PROVISIONED} units carry", f"{rate:.2f}/s", beside="the scarcest decides")
    month_ = month(units)
    asked = f"{month_.writes / 1e6:.2f} M writes, {month_.reads / 1e6:.2f} M reads"
    dollars, fixed = month_.on_demand, month_.provisioned
    met = dollars < BILL_GOAL
    beside = f"provisioned, before the free tier ${fixed:.2f}"
    yield Row(f"a month on demand, {asked}", f"${dollars:.2f}", f"< ${BILL_GOAL:g}", met, beside, dollars / fixed)


def _ways() -> list[Row]:
    with dynamodb_endpoint() as endpoint, closing(RedisServer()) as server:
        server.admin.ping()
        asyncio.run(make_tables(endpoint, PREFIX))
        return uvloop.run(_each_way(endpoint, server))


async def _each_way(endpoint: str, server: RedisServer) -> list[Row]:
    database = await open_database(options(endpoint, PREFIX))
    rows = await ways(server, database, "emulator", TASKS, WAYS)
    rows.append(await _beside_bare(endpoint, Records(database, NoCache())))
    await database.close()
    return rows


async def _beside_bare(endpoint: str, records: Records) -> Row:
    """A miss in turns with a bare GetItem of the same task: so much of it is the emulator's and the client's."""
    misses, gets = [], []
    async with bare(endpoint) as client:
        for _ in range(WAYS):
            began = time.perf_counter()
            await client.send_request(action="GetItem", payload=GET)
            middle = time.perf_counter()
            assert await records.task(ID)
            gets.append(1000 * (middle - began))
            misses.append(1000 * (time.perf_counter() - middle))
    miss, get = statistics.median(misses), statistics.median(gets)
    return Row(
        "a task, miss, in turns with it", f"p50 {miss:.3f} ms", "", None, f"bare GetItem p50 {get:.3f} ms", miss / get
    )
