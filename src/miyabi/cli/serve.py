"""``miyabi serve``: one service by itself, talking to the others by their settings."""

from __future__ import annotations

import socket
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import click

from miyabi.cli.service import (
    Main,
    folder_lock,
    folders_lock,
    refuse_strangers,
    run_service,
    service_options,
    settings_of,
)
from miyabi.settings import Settings

if TYPE_CHECKING:
    from starlette.types import ASGIApp

    from miyabi.tasks.api import Collecting, Probe
    from miyabi.wiring.stores import Stores

PORTS = {"gateway": 8420, "tasks": 8421, "collector": 8422, "logs": 8423}


@click.command(context_settings={"max_content_width": 100})
@click.argument("service", type=click.Choice(list(PORTS)))
@service_options("8420, 8421, 8422, 8423 in the order above")
def serve(
    service: str,
    host: str | None,
    port: int | None,
    data: Path | None,
    tls_cert: Path | None,
    tls_key: Path | None,
    insecure: bool,
) -> None:
    """Start one service by itself.

    The gateway finds the task API by MIYABI_TASKS, the task API the collector by MIYABI_COLLECTOR. Task API and
    collector work on the same stores: they find the logs by MIYABI_LOGS, the database by MIYABI_DATABASE, and the
    cache by MIYABI_CACHE; unless it is one that they share, they keep none. The log service keeps lines in the data
    folder; the three others find it by MIYABI_LOGS=http://host:8423 (the gateway writes the audit trail there).
    With sign-in configured each asks for tokens; MIYABI_TOKEN is what the task API and the collector send to others.
    """
    settings = settings_of(
        host=host,
        data=data,
        cache=_shared_cache(),
        tasks=_tasks_elsewhere(service),
        tls_cert=tls_cert,
        tls_key=tls_key,
    )
    refuse_strangers(settings, insecure=insecure)
    port = PORTS[service] if port is None else port
    mains: dict[str, Main] = {
        "gateway": partial(_gateway, port=port),
        "tasks": _tasks,
        "collector": _collector,
        "logs": _logs,
    }
    with _folders(settings, service):
        run_service(settings, port, mains[service])


def _folders(settings: Settings, service: str) -> AbstractContextManager[None]:
    """Hold the folders that the service writes into: the gateway only where the audit trail is kept in one."""
    if service != "gateway":
        return folders_lock(settings, shared=True)
    return folder_lock(settings.data, shared=True) if settings.logs.startswith("local:") else nullcontext()


def _shared_cache() -> str | None:
    """A cache in this process's memory would miss what the other services write."""
    return "none:" if settings_of().cache == "memory:" else None


def _tasks_elsewhere(service: str) -> str | None:
    if service == "gateway" and settings_of().tasks == "local:":
        return f"http://127.0.0.1:{PORTS['tasks']}"
    return None


async def _gateway(settings: Settings, sock: socket.socket, *, port: int) -> None:
    """``port`` is the one that was asked for: 0 names no gateway that could go on with an account."""
    from miyabi.wiring.gateway import make_gateway, make_upstream
    from miyabi.wiring.levels import make_watch
    from miyabi.wiring.recorded import recorded

    tasks = make_upstream(settings)
    watch = make_watch(settings, tasks, f"slo-gateway-{port}" if port else None)
    async with recorded(settings) as layer, watch.running():
        await _run(layer(make_gateway(settings, tasks, watch.ledger)), settings, sock, "The gateway", tasks.close)


async def _tasks(settings: Settings, sock: socket.socket) -> None:
    from miyabi.wiring.guarded import guarded
    from miyabi.wiring.stores import open_stores
    from miyabi.wiring.tasks import make_tasks

    async with open_stores(settings) as stores:
        collector, probes = _collector_of(settings, stores)
        app = make_tasks(settings, stores, collector, probes)
        door = guarded(app, settings, "The task API", whole=False)
        await _run(door, settings, sock, "The task API", app.api.hub.close)


async def _collector(settings: Settings, sock: socket.socket) -> None:
    from miyabi.wiring.apart import make_collector
    from miyabi.wiring.notices import notifying
    from miyabi.wiring.stores import open_stores

    async with open_stores(settings) as stores, notifying(settings, stores.database):
        await _run(make_collector(settings, stores), settings, sock, "The collector")


async def _logs(settings: Settings, sock: socket.socket) -> None:
    from miyabi.wiring.apart import open_log_service

    async with open_log_service(settings) as (app, guarded):
        await _run(guarded, settings, sock, "The log service", app.close)


def _collector_of(settings: Settings, stores: Stores) -> tuple[Collecting, dict[str, Probe]]:
    """The collector that the settings name, and how to ask whether it is well."""
    if settings.collector == "local:":
        from miyabi.wiring.collector import LocalCollector, make_loop

        return LocalCollector(make_loop(settings, stores)), {}
    from miyabi.wiring.remote import make_remote

    remote = make_remote(settings)
    return remote, {"collector": remote.ping}


async def _run(
    app: ASGIApp, settings: Settings, sock: socket.socket, what: str, stopping: Callable[[], None] = lambda: None
) -> None:
    from miyabi.wiring.http_limits import limits_of
    from miyabi.wiring.server import address, serve
    from miyabi.wiring.tls import certificate_of

    certificate = certificate_of(settings)

    def ready() -> None:
        click.echo(f"{what} is on {address(sock, certificate)}")

    await serve(app, sock, ready=ready, stopping=stopping, limits=limits_of(settings), certificate=certificate)
