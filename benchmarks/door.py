"""The task API of a board in a process of its own: bare, as ``serve tasks`` has it, or behind the gateway."""

from __future__ import annotations

import sys
from collections.abc import Callable

import uvloop
from starlette.types import ASGIApp

from miyabi.settings import Settings, from_environment
from miyabi.wiring.collector import LocalCollector, make_loop
from miyabi.wiring.gateway import make_gateway
from miyabi.wiring.guarded import guarded
from miyabi.wiring.http_limits import limits_of
from miyabi.wiring.recorded import recorded
from miyabi.wiring.server import address, listen, serve
from miyabi.wiring.stores import open_stores
from miyabi.wiring.tasks import make_tasks


async def run(settings: Settings, kind: str) -> None:
    """Serve until a signal."""
    with listen("127.0.0.1", 0) as sock:
        async with open_stores(settings) as stores, recorded(settings, stores.logs) as layer:
            tasks = make_tasks(settings, stores, LocalCollector(make_loop(settings, stores)), {})
            apps: dict[str, Callable[[], ASGIApp]] = {
                "bare": lambda: tasks,
                "tasks": lambda: guarded(tasks, settings, "The task API", whole=False),
                "gateway": lambda: layer(make_gateway(settings, tasks)),
            }
            app = apps[kind]()
            said = address(sock)
            await serve(app, sock, ready=lambda: print(said, flush=True), limits=limits_of(settings))


if __name__ == "__main__":
    uvloop.run(run(from_environment(), sys.argv[1]))
