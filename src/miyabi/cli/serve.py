"""``miyabi serve``: one service by itself, talking to the others by their settings."""

from __future__ import annotations

import socket
from collections.abc import Callable
from pathlib import Path

import click

from miyabi.cli.service import Main, folders_lock, run_service, settings_of
from miyabi.settings import Settings

PORTS = {"gateway": 8420, "tasks": 8421, "collector": 8422}


@click.command(context_settings={"max_content_width": 100})
@click.argument("service", type=click.Choice(list(PORTS)))
@click.option("--host", help="Address to listen on.  [default: 127.0.0.1]")
@click.option(
    "--port",
    type=click.IntRange(0, 65535),
    metavar="PORT",
    help="Port.  [default: 8420, 8421, 8422 in the order above]",
)
@click.option("--data", type=click.Path(path_type=Path, file_okay=False), help="Folder of the embedded stores.")
def serve(service: str, host: str | None, port: int | None, data: Path | None) -> None:
    """Start one service by itself.

    The gateway finds the task API by MIYABI_TASKS, the task API the collector by MIYABI_COLLECTOR; both find logs,
    database and cache by MIYABI_LOGS, MIYABI_DATABASE and MIYABI_CACHE. Unless they share a cache, they keep none.
    """
    settings = settings_of(host=host, data=data, cache=_shared_cache(), tasks=_tasks_elsewhere(service))
    port = PORTS[service] if port is None else port
    if service == "gateway":
        run_service(settings, port, _gateway)
        return
    mains: dict[str, Main] = {"tasks": _tasks, "collector": _collector}
    with folders_lock(settings, shared=True):
        run_service(settings, port, mains[service])


def _shared_cache() -> str | None:
    """A cache in this process's memory would miss what the other services write."""
    return "none:" if settings_of().cache == "memory:" else None


def _tasks_elsewhere(service: str) -> str | None:
    if service == "gateway" and settings_of().tasks == "local:":
        return f"http://127.0.0.1:{PORTS['tasks']}"
    return None


async def _gateway(settings: Settings, sock: socket.socket) -> None:
    from miyabi.wiring.server import serve as run
    from miyabi.wiring.services import make_gateway, make_upstream

    tasks = make_upstream(settings)
    await run(make_gateway(settings, tasks), sock, ready=_say("The gateway", sock), stopping=tasks.close)


async def _tasks(settings: Settings, sock: socket.socket) -> None:
    from miyabi.wiring import services
    from miyabi.wiring.server import serve as run

    async with services.open_stores(settings) as stores:
        app = services.make_tasks(settings, stores, services.make_loop(settings, stores), {})
        await run(app, sock, ready=_say("The task API", sock), stopping=app.api.hub.close)


async def _collector(settings: Settings, sock: socket.socket) -> None:
    from miyabi.collector.app import CollectorApp
    from miyabi.wiring import services
    from miyabi.wiring.server import serve as run

    async with services.open_stores(settings) as stores:
        app = CollectorApp(services.make_loop(settings, stores))
        await run(app, sock, ready=_say("The collector", sock))


def _say(what: str, sock: socket.socket) -> Callable[[], None]:
    from miyabi.wiring.server import address

    return lambda: click.echo(f"{what} is on {address(sock)}")
