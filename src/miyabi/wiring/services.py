"""The services, put together from settings and stores."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from starlette.types import ASGIApp

import miyabi.webui
from miyabi.cache import Cache
from miyabi.cache.breaker import Breaker
from miyabi.collector.app import CollectorApp
from miyabi.collector.collect import Collector
from miyabi.collector.deliveries import Deliveries
from miyabi.collector.loop import Loop
from miyabi.collector.push import Known, unknown
from miyabi.database import Database
from miyabi.gateway.app import Gateway
from miyabi.gateway.guard import Guard, Guarded
from miyabi.gateway.limit import Bucket
from miyabi.logs import Logs
from miyabi.logs.app import LogsApp
from miyabi.settings import Settings, SettingsError
from miyabi.tasks.api import Api, Collecting, Probe
from miyabi.tasks.app import TasksApp
from miyabi.tasks.hub import Hub
from miyabi.tasks.keeper import Keeper
from miyabi.tasks.records import Records
from miyabi.tasks.service import TaskService
from miyabi.tasks.shapes import Collected, Reread
from miyabi.webui.app import page
from miyabi.wiring import database_name, open_cache, open_database, open_logs

if TYPE_CHECKING:
    from miyabi.gateway.upstream import Upstream

DIST = Path(miyabi.webui.__file__).parent / "dist"


class Stores(NamedTuple):
    """Services 5 to 7, open."""

    logs: Logs
    database: Database
    cache: Cache


@asynccontextmanager
async def open_stores(settings: Settings) -> AsyncIterator[Stores]:
    """The stores that the settings name, closed at the end in the reverse of the flow."""
    logs = await open_logs(settings)
    try:
        database = await open_database(settings)
        try:
            cache = await open_cache(settings)
            try:
                yield Stores(logs, database, cache)
            finally:
                await cache.close()
        finally:
            await database.close()
    finally:
        await logs.close()


def now() -> int:
    """The time in milliseconds."""
    return time.time_ns() // 1_000_000


@asynccontextmanager
async def open_log_service(settings: Settings) -> AsyncIterator[tuple[LogsApp, ASGIApp]]:
    """Service 7 by itself: the application, and the same behind its guard, over the store that the settings name."""
    if settings.logs.startswith(("http:", "https:")):
        hint = "leave it out there, or write `local:` or `cloudwatch:`"
        raise SettingsError(f"MIYABI_LOGS: the log service keeps the lines, it does not fetch them elsewhere; {hint}.")
    logs = await open_logs(settings)
    try:
        app = LogsApp(logs)
        yield app, Guarded(app, Guard(settings.host))
    finally:
        await logs.close()


def make_loop(settings: Settings, stores: Stores) -> Loop:
    """Service 4, the collector."""
    collector = Collector(stores.logs, stores.database, stores.cache, now)
    return Loop(collector, stores.logs, stores.database, settings.sweep_seconds)


def make_collector(settings: Settings, stores: Stores) -> ASGIApp:
    """Service 4 by itself, behind its guard. Of a log service that can tell, it takes what is pushed as a page."""
    loop = make_loop(settings, stores)
    known: Known = getattr(stores.logs, "pushed", unknown)
    return Guarded(CollectorApp(loop, Deliveries(loop, known, now)), Guard(settings.host))


def make_tasks(settings: Settings, stores: Stores, loop: Loop, probes: Mapping[str, Probe]) -> TasksApp:
    """Service 3, the task API. ``loop`` is asked to collect, unless the settings name a collector elsewhere."""
    records = Records(stores.database, stores.cache, database_name(settings))
    service = TaskService(records, stores.database, stores.logs, now)
    collector, probe = _collector(settings, loop)
    asked: dict[str, Probe] = {
        "tasks": fine,
        "cache": stores.cache.ping,
        "database": stores.database.ping,
        "logs": stores.logs.ping,
    }
    if probe:
        asked["collector"] = probe
    keeper = Keeper(stores.database, stores.cache, time.monotonic) if isinstance(stores.cache, Breaker) else None
    hub = Hub(stores.database, stores.logs, stores.cache, keeper, records.seen)
    return TasksApp(Api(service, stores.logs, hub, collector, asked | dict(probes)), stores.database)


def make_gateway(settings: Settings, tasks: ASGIApp) -> Gateway:
    """Service 2, with the page (service 1) that it hands out, before the task API ``tasks``."""
    bucket = Bucket(settings.rate_limit, settings.rate_burst, time.monotonic)
    return Gateway(tasks, page(DIST), Guard(settings.host), bucket)


def make_upstream(settings: Settings) -> Upstream:
    """The way to the task API in another process."""
    if not settings.tasks.startswith(("http://", "https://")):
        raise SettingsError(f"MIYABI_TASKS: `{settings.tasks}` is no address; write `http://127.0.0.1:8421`.")
    from miyabi.gateway.upstream import Upstream

    return Upstream(settings.tasks)


async def page_is_there() -> None:
    """Service 1's probe: the built page is in the package."""
    if not (DIST / "index.html").is_file():
        raise RuntimeError("the page is not built; run `make setup`")


async def fine() -> None:
    """The probe of what answers it."""


class _LocalCollector:
    """The collector of this process."""

    def __init__(self, loop: Loop) -> None:
        self._loop = loop

    async def collect(self) -> Collected:
        result = await self._loop.collect()
        return Collected(result.streams, result.lines)

    async def reread(self, task_id: str) -> Reread | None:
        result = await self._loop.reread(task_id)
        return Reread(result.task, result.lines, result.changed) if result else None


def _collector(settings: Settings, loop: Loop) -> tuple[Collecting, Probe | None]:
    if settings.collector != "local:":
        from miyabi.wiring.remote import RemoteCollector

        remote = RemoteCollector(settings.collector)
        return remote, remote.ping
    return _LocalCollector(loop), None
