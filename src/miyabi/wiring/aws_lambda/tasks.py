"""The task API as a Lambda function behind API Gateway.

A read that the cache answers needs nothing else: the clients of the database and of the log service are imported when
they are asked. Events are told by visits (:mod:`miyabi.tasks.visit`), and the API that runs the collector is a function
of its own.
"""

from __future__ import annotations

from typing import Any

from mangum import Mangum

from miyabi.http import Problem
from miyabi.settings import Settings
from miyabi.tasks.shapes import Collected, Reread
from miyabi.wiring import open_cache, open_database, open_logs
from miyabi.wiring.aws_lambda.runtime import Event, Process, adapter
from miyabi.wiring.lazily import lazily
from miyabi.wiring.stores import Stores
from miyabi.wiring.tasks import make_tasks


class Elsewhere:
    """The collector as seen from here: API Gateway hands such requests to the collector's own function."""

    async def collect(self) -> Collected:
        """Raise :class:`Problem` ``unavailable``."""
        raise Problem("unavailable", "The collector is a function of its own: route POST /api/collect to it.")

    async def reread(self, task_id: str) -> Reread | None:
        """Raise :class:`Problem` ``unavailable``."""
        raise Problem("unavailable", "The collector is a function of its own: route this path to it.")


async def _make(settings: Settings) -> Mangum:
    logs, database = lazily(lambda: open_logs(settings)), lazily(lambda: open_database(settings, light=True))
    stores = Stores(logs, database, await open_cache(settings, kept=False))
    return adapter(make_tasks(settings, stores, Elsewhere(), {}, follows=False), "The task API")


_process = Process("tasks", _make)


def handler(event: Event, context: Any) -> Any:
    """Answer a request."""
    return _process.serve(event, context, lambda app: app(event, context))
