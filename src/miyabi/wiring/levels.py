"""Service levels: the gateway's account of them, kept in the data folder, and what looks how the services are."""

from __future__ import annotations

import time

from starlette.types import ASGIApp

from miyabi.gateway.slo.ledger import Ledger
from miyabi.gateway.slo.look import Looker
from miyabi.gateway.slo.shown import publish
from miyabi.gateway.slo.watch import Watch, read
from miyabi.settings import Settings
from miyabi.wiring.gateway import page_is_there


def make_watch(settings: Settings, tasks: ASGIApp, name: str | None = "slo") -> Watch:
    """Watches the services behind the gateway before ``tasks``, once in a process.

    ``name`` is that of the account's file; without one it ends with the process.
    """
    file = settings.data / f"{name}.json" if name else None
    ledger = Ledger(time.time, read(file) if file else None)
    publish(ledger)
    return Watch(ledger, Looker(tasks, page_is_there), file)
