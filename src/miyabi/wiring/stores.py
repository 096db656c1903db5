"""Services 5 to 7, opened as the settings name them."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import NamedTuple

from miyabi.cache import Cache
from miyabi.database import Database
from miyabi.logs import Logs
from miyabi.settings import Settings
from miyabi.wiring import open_cache, open_database, open_logs


class Stores(NamedTuple):
    """Services 5 to 7, open."""

    logs: Logs
    database: Database
    cache: Cache


@asynccontextmanager
async def open_stores(settings: Settings) -> AsyncIterator[Stores]:
    """The stores that the settings name, closed at the end in the reverse of the flow.

    The database must answer now: ``DatabaseUnavailable`` says what is missing.
    """
    logs = await open_logs(settings)
    try:
        database = await open_database(settings)
        try:
            await database.ping()
            cache = await open_cache(settings)
            try:
                yield Stores(logs, database, cache)
            finally:
                await cache.close()
        finally:
            await database.close()
    finally:
        await logs.close()


async def open_stores_for_ever(settings: Settings) -> Stores:
    """The same, for a process that nobody tells when it ends, and that does nothing unless it is asked."""
    return Stores(await open_logs(settings), await open_database(settings), await open_cache(settings, kept=False))


def now() -> int:
    """The time in milliseconds."""
    return time.time_ns() // 1_000_000
