"""Settings in, services out: the only place that names a backend."""

from __future__ import annotations

from pathlib import Path

from miyabi.cache import Cache
from miyabi.database import Database
from miyabi.logs import Logs
from miyabi.masked import kind_of
from miyabi.settings import Settings, SettingsError, aws_region

DATABASE_NAMES = {"sqlite": "SQLite", "dynamodb": "DynamoDB"}


async def open_logs(settings: Settings) -> Logs:
    """The log service that ``MIYABI_LOGS`` names.

    ``local:`` is SQLite in the data folder; ``http://host:8423`` (or ``https:``) is a log service that runs by itself;
    ``cloudwatch:`` is CloudWatch Logs, with options as in a URL (``cloudwatch:?region=eu-west-1``); processes
    that share a Redis share the account's calls.
    """
    match settings.logs.partition(":")[0]:
        case "local":
            from miyabi.logs import local

            return await local.open_logs(settings.data)
        case "http" | "https":
            return _http(settings)
        case "cloudwatch":
            return await _cloudwatch(settings)
    raise SettingsError(
        f"MIYABI_LOGS: `{kind_of(settings.logs)}` names no log service; "
        "write `local:`, `http://127.0.0.1:8423` or `cloudwatch:?region=eu-west-1`."
    )


def _http(settings: Settings) -> Logs:
    """It need not answer yet: services are started in any order."""
    from miyabi.logs.http import HttpLogs
    from miyabi.wiring.trust import trusting

    trust = trusting(settings)
    try:
        return HttpLogs(settings.logs, token=settings.token, trust=trust)
    except ValueError as error:
        raise SettingsError(f"MIYABI_LOGS: {error}.") from None


async def _cloudwatch(settings: Settings) -> Logs:
    try:
        from miyabi.logs import cloudwatch
    except ModuleNotFoundError as error:
        raise SettingsError(f"MIYABI_LOGS: CloudWatch Logs needs {error.name}; install `miyabi[aws]`.") from None
    try:
        options = cloudwatch.parse_options(settings.logs)
    except ValueError as error:
        raise SettingsError(f"MIYABI_LOGS: {error}") from None
    turns = None
    if settings.cache.startswith(("redis:", "rediss:")):
        from miyabi.wiring.turns import Turns

        turns = Turns(settings.cache, f"cloudwatch-logs:{options.region or aws_region() or ''}", options.calls)
    return await cloudwatch.open_logs(options, database_name(settings), turns)


def database_name(settings: Settings) -> str:
    """What the database is called by people, as it stands in warnings."""
    return DATABASE_NAMES.get(settings.database.partition(":")[0], "the database")


async def open_database(settings: Settings, *, light: bool = False) -> Database:
    """The database that ``MIYABI_DATABASE`` names: ``sqlite:`` is a file in the data folder.

    ``sqlite:FOLDER`` is one in another folder; ``dynamodb:`` are two tables
    (:func:`miyabi.wiring.dynamodb.read_url`), of which nothing is asked yet; ``light``: by what is soon imported, for a
    process that wakes up to answer one request.
    """
    match settings.database.partition(":")[0]:
        case "sqlite":
            from miyabi.database import sqlite

            return await sqlite.open_database(database_folder(settings))
        case "dynamodb":
            return await _open_dynamodb(settings.database, light)
    raise SettingsError(
        f"MIYABI_DATABASE: `{kind_of(settings.database)}` names no database; "
        "write `sqlite:` or `dynamodb:?region=eu-west-1`."
    )


def database_folder(settings: Settings) -> Path:
    """The folder of the embedded database. One that is named must be there: a slip must not begin an empty board."""
    named = settings.database.removeprefix("sqlite:")
    if not named or named == settings.database:
        return settings.data
    folder = Path(named).expanduser().absolute()
    if not folder.is_dir():
        where = "such folder" if "@" in named else f"folder {folder}"  # an address by mistake may hold a password
        raise SettingsError(f"MIYABI_DATABASE: there is no {where}; write `sqlite:` or `sqlite:FOLDER`.")
    return folder


async def _open_dynamodb(url: str, light: bool) -> Database:
    try:
        if light:
            from miyabi.wiring.dynamodb_light import open_light as open_tables
        else:
            from miyabi.database.dynamodb_aiohttp import open_database as open_tables
        from miyabi.wiring.dynamodb import read_url
    except ModuleNotFoundError as error:
        raise SettingsError(f"MIYABI_DATABASE: `dynamodb:` needs {error.name}; install `miyabi[aws]`.") from None
    return await open_tables(read_url(url))


async def open_cache(settings: Settings, *, kept: bool = True) -> Cache:
    """The cache that ``MIYABI_CACHE`` names; ``kept``: a ``Keeper`` of this process puts it right after an outage.

    ``memory:`` is right where one process does all the writing (``miyabi up``); ``none:`` keeps nothing.
    """
    match settings.cache.partition(":")[0]:
        case "memory":
            from miyabi.cache.memory import MemoryCache

            return MemoryCache()
        case "none":
            from miyabi.cache.none import NoCache

            return NoCache()
        case "redis" | "rediss":
            from miyabi.wiring.shared import shared_cache

            return shared_cache(settings.cache, kept=kept)
    raise SettingsError(
        f"MIYABI_CACHE: `{kind_of(settings.cache)}` names no cache; "
        "write `memory:`, `none:` or `redis://127.0.0.1:6379`."
    )
