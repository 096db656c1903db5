"""The tables of DynamoDB made, described and restored."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

from miyabi.database.dynamodb_aiohttp import client_of, new_session
from miyabi.database.dynamodb_calls import Calls, Patience
from miyabi.database.dynamodb_client import Options
from miyabi.database.dynamodb_items import Tables
from miyabi.database.dynamodb_restore import Restorer
from miyabi.database.dynamodb_tables import Admin, Capacity
from miyabi.database.restore import Told

ADMIN_SECONDS = 60.0
"""So long is a call repeated: AWS needs a while for a new table."""


@asynccontextmanager
async def open_admin(options: Options, capacity: Capacity) -> AsyncIterator[Admin]:
    """What makes and describes the tables."""
    async with new_session() as session:
        calls = Calls(client_of(options, session), Patience(seconds=ADMIN_SECONDS))
        yield Admin(calls, Tables.of(options.prefix), capacity)


@asynccontextmanager
async def open_restorer(options: Options, into: Options, now: Callable[[], int], told: Told) -> AsyncIterator[Restorer]:
    """What restores the tables of ``options`` into those of ``into``."""
    async with new_session() as session:
        calls = Calls(client_of(options, session), Patience(seconds=ADMIN_SECONDS))
        source, target = Tables.of(options.prefix), Tables.of(into.prefix)
        yield Restorer(calls, source, target, Admin(calls, target, Capacity()), now, told)
