"""Service 3, the task API. It imports no other service: in a process of its own it starts with what it needs."""

from __future__ import annotations

import time
from collections.abc import Mapping

from miyabi.cache.breaker import Breaker
from miyabi.settings import Settings
from miyabi.tasks.api import Api, Collecting, Probe
from miyabi.tasks.app import TasksApp
from miyabi.tasks.hub import Hub
from miyabi.tasks.keeper import Keeper
from miyabi.tasks.records import Records
from miyabi.tasks.service import TaskService
from miyabi.wiring import database_name
from miyabi.wiring.stores import Stores, now


def make_tasks(
    settings: Settings, stores: Stores, collector: Collecting, probes: Mapping[str, Probe], *, follows: bool = True
) -> TasksApp:
    """The task API over ``stores``; ``collector`` is asked to collect, ``probes`` how other services are.

    ``follows``: whether the process runs on between requests, and can follow the changes for its viewers.
    """
    records = Records(stores.database, stores.cache, database_name(settings))
    service = TaskService(records, stores.database, stores.logs, now)
    asked: dict[str, Probe] = {
        "tasks": fine,
        "cache": stores.cache.ping,
        "database": stores.database.ping,
        "logs": stores.logs.ping,
    }
    keeper = Keeper(stores.database, stores.cache, time.monotonic) if isinstance(stores.cache, Breaker) else None
    hub = Hub(stores.database, stores.logs, stores.cache, keeper, records.seen)
    api = Api(service, stores.logs, hub, collector, asked | dict(probes))
    return TasksApp(api, stores.database, follows=follows)


async def fine() -> None:
    """The probe of what answers it."""
