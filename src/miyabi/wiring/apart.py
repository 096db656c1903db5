"""Services 4 and 7 in processes of their own."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from starlette.types import ASGIApp

from miyabi.collector.app import CollectorApp
from miyabi.collector.deliveries import Deliveries
from miyabi.logs.app import LogsApp
from miyabi.settings import Settings, SettingsError
from miyabi.wiring import open_logs
from miyabi.wiring.collector import known_of, make_loop
from miyabi.wiring.guarded import guarded
from miyabi.wiring.stores import Stores, now


def make_collector(settings: Settings, stores: Stores) -> ASGIApp:
    """The collector. It takes what a subscription pushes, too."""
    loop = make_loop(settings, stores)
    return guarded(CollectorApp(loop, Deliveries(loop, known_of(stores), now)), settings, "The collector")


@asynccontextmanager
async def open_log_service(settings: Settings) -> AsyncIterator[tuple[LogsApp, ASGIApp]]:
    """The log service, and the same behind its guard, over the store that the settings name."""
    if settings.logs.startswith(("http:", "https:")):
        hint = "leave it out there, or write `local:` or `cloudwatch:`"
        raise SettingsError(f"MIYABI_LOGS: the log service keeps the lines, it does not fetch them elsewhere; {hint}.")
    logs = await open_logs(settings)
    try:
        app = LogsApp(logs)
        yield app, guarded(app, settings, "The log service")
    finally:
        await logs.close()
