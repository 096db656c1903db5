"""``miyabi up``: all seven services in one process."""

from __future__ import annotations

import socket
from pathlib import Path

import click

from miyabi.cli.service import folders_lock, run_service, settings_of
from miyabi.settings import DEFAULT_PORT, Settings


@click.command(short_help="Start the board, until Ctrl-C.")
@click.option("--host", help="Address to listen on.  [default: 127.0.0.1]")
@click.option(
    "--port",
    type=click.IntRange(0, 65535),
    metavar="PORT",
    help=f"Port; 0 takes a free one.  [default: {DEFAULT_PORT}]",
)
@click.option("--data", type=click.Path(path_type=Path, file_okay=False), help="Folder for logs and tasks.")
def up(host: str | None, port: int | None, data: Path | None) -> None:
    """Start the board: all seven services in one process, until Ctrl-C."""
    settings = settings_of(host=host, port=port, data=data)
    with folders_lock(settings):
        run_service(settings, settings.port, _serve)


async def _serve(settings: Settings, sock: socket.socket) -> None:
    from miyabi.collector.app import running
    from miyabi.wiring import services
    from miyabi.wiring.board import remove_board, write_board
    from miyabi.wiring.server import address, serve

    url = address(sock)

    def ready() -> None:
        write_board(settings.data, url)
        click.echo(f"Miyabi is on {click.style(url, bold=True)}   (data in {settings.data}; Ctrl-C stops it)")

    async with services.open_stores(settings) as stores:
        loop = services.make_loop(settings, stores)
        probes = {"webui": services.page_is_there, "gateway": services.fine, "collector": loop.ping}
        tasks = services.make_tasks(settings, stores, loop, probes)
        try:
            async with running(loop):
                await serve(services.make_gateway(settings, tasks), sock, ready=ready, stopping=tasks.api.hub.close)
        finally:
            remove_board(settings.data)
