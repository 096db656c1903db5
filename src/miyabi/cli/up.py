"""``miyabi up``: all seven services in one process."""

from __future__ import annotations

import socket
from pathlib import Path

import click

from miyabi.cli.service import folders_lock, refuse_strangers, run_service, service_options, settings_of
from miyabi.settings import DEFAULT_PORT, Settings


@click.command(short_help="Start the board, until Ctrl-C.")
@service_options(str(DEFAULT_PORT))
def up(
    host: str | None,
    port: int | None,
    data: Path | None,
    tls_cert: Path | None,
    tls_key: Path | None,
    insecure: bool,
) -> None:
    """Start the board: all seven services in one process, until Ctrl-C."""
    settings = settings_of(host=host, port=port, data=data, tls_cert=tls_cert, tls_key=tls_key)
    refuse_strangers(settings, insecure=insecure)
    with folders_lock(settings):
        run_service(settings, settings.port, _serve)


async def _serve(settings: Settings, sock: socket.socket) -> None:
    from miyabi.collector.app import running
    from miyabi.wiring.board import remove_board, write_board
    from miyabi.wiring.collector import LocalCollector, make_loop
    from miyabi.wiring.gateway import make_gateway, page_is_there
    from miyabi.wiring.http_limits import limits_of
    from miyabi.wiring.levels import make_watch
    from miyabi.wiring.notices import notifying
    from miyabi.wiring.recorded import recorded
    from miyabi.wiring.server import address, serve
    from miyabi.wiring.stores import open_stores
    from miyabi.wiring.tasks import fine, make_tasks
    from miyabi.wiring.tls import certificate_of

    certificate = certificate_of(settings)
    url = address(sock, certificate)

    def ready() -> None:
        write_board(settings.data, url)
        click.echo(f"Miyabi is on {click.style(url, bold=True)}   (data in {settings.data}; Ctrl-C stops it)")

    async with open_stores(settings) as stores:
        loop = make_loop(settings, stores)
        probes = {"webui": page_is_there, "gateway": fine, "collector": loop.ping}
        tasks = make_tasks(settings, stores, LocalCollector(loop), probes)
        watch = make_watch(settings, tasks)
        try:
            async with (
                running(loop),
                watch.running(),
                notifying(settings, stores.database),
                recorded(settings, stores.logs) as layer,
            ):
                app, limits = layer(make_gateway(settings, tasks, watch.ledger)), limits_of(settings)
                await serve(
                    app, sock, ready=ready, stopping=tasks.api.hub.close, limits=limits, certificate=certificate
                )
        finally:
            remove_board(settings.data)
