"""DynamoDB by aiohttp: for a process that runs on and asks much at once."""

from __future__ import annotations

import aiohttp
from aiodynamo.http.aiohttp import AIOHTTP

from miyabi.database import dynamodb_client
from miyabi.database.dynamodb import DynamoDatabase, Timing
from miyabi.database.dynamodb_client import POOL, TIMEOUT_SECONDS, Client, Options
from miyabi.database.dynamodb_items import Tables
from miyabi.database.dynamodb_pulse import TRY_SECONDS


def new_session() -> aiohttp.ClientSession:
    """Connections for one client, on the running loop."""
    timeout = aiohttp.ClientTimeout(total=TIMEOUT_SECONDS, sock_connect=TRY_SECONDS, sock_read=TRY_SECONDS)
    return aiohttp.ClientSession(timeout=timeout, connector=aiohttp.TCPConnector(limit=POOL))


def client_of(options: Options, session: aiohttp.ClientSession) -> Client:
    """A client whose credentials come from where AWS's own tools find them."""
    return dynamodb_client.client_of(options, AIOHTTP(session))


async def open_database(options: Options, timing: Timing = Timing()) -> DynamoDatabase:  # noqa: B008
    """The database of these tables. Nothing is sent yet: :meth:`DynamoDatabase.ping` tells whether it answers."""
    session = new_session()
    return DynamoDatabase(client_of(options, session), Tables.of(options.prefix), timing, session)
