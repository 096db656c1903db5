"""What every command that starts a service does: settings, the folder, the address, the event loop, clear errors."""

from __future__ import annotations

import fcntl
import os
import socket
from collections.abc import Awaitable, Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import click

from miyabi.settings import Settings, SettingsError, from_environment

Main = Callable[[Settings, socket.socket], Awaitable[None]]


def settings_of(**given: object) -> Settings:
    """Settings from options and the environment; a bad one is a usage error."""
    try:
        return from_environment(None, **given)
    except SettingsError as error:
        raise click.ClickException(str(error)) from None


@contextmanager
def folder_lock(folder: Path, *, shared: bool = False) -> Iterator[None]:
    """Hold the data folder, made when missing.

    A board holds it alone: what others write would not reach its cache. Services that keep no cache may share it.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
        handle = os.open(folder / "board.lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    except OSError as error:
        raise click.ClickException(
            f"The data folder {folder} can't be written: {error.strerror}. Choose another with --data or MIYABI_DATA."
        ) from None
    try:
        _lock(handle, folder, fcntl.LOCK_SH if shared else fcntl.LOCK_EX)
        yield
    finally:
        os.close(handle)


@contextmanager
def folders_lock(settings: Settings, *, shared: bool = False) -> Iterator[None]:
    """Hold the data folder, and that of the embedded database where it is another one."""
    from miyabi.wiring import database_folder

    try:
        folders = dict.fromkeys((settings.data, database_folder(settings)))
    except SettingsError as error:
        raise click.ClickException(str(error)) from None
    with ExitStack() as locks:
        for folder in folders:
            locks.enter_context(folder_lock(folder, shared=shared))
        yield


def _lock(handle: int, folder: Path, kind: int) -> None:
    from miyabi.wiring.board import read_board

    try:
        fcntl.flock(handle, kind | fcntl.LOCK_NB)
    except OSError:
        where = read_board(folder) or "another address"
        raise click.ClickException(
            f"A board runs on the folder {folder} already: {where}. Open that, or choose another folder with --data."
        ) from None


def run_service(settings: Settings, port: int, main: Main) -> None:
    """Listen, then run ``main`` on uvloop until it ends; what the user can mend is said in a line."""
    import uvloop

    from miyabi.database import DatabaseUnavailable
    from miyabi.logs import LogsUnavailable
    from miyabi.wiring.json_log import log_as_text
    from miyabi.wiring.server import listen

    log_as_text()
    try:
        sock = listen(settings.host, port)
        with sock:
            uvloop.run(main(settings, sock))  # type: ignore[arg-type]
    except (SettingsError, DatabaseUnavailable, LogsUnavailable) as error:
        raise click.ClickException(str(error)) from None


def service_options(ports: str) -> Callable[[Callable[..., None]], Callable[..., None]]:
    """Where a command listens and what it works on; ``ports`` are its default ones."""
    folder, file = (click.Path(path_type=Path, file_okay=one, dir_okay=not one) for one in (False, True))
    options = (
        click.option("--host", help="Address to listen on.  [default: 127.0.0.1]"),
        click.option(
            "--port",
            type=click.IntRange(0, 65535),
            metavar="PORT",
            help=f"Port; 0 takes a free one.  [default: {ports}]",
        ),
        click.option("--data", type=folder, help="Folder of the embedded stores: lines and tasks."),
        click.option("--tls-cert", type=file, help="Speak HTTPS: the certificate and its chain, in PEM."),
        click.option("--tls-key", type=file, help="Its key, without a passphrase.  [default: in the same file]"),
        click.option("--insecure", is_flag=True, help="Serve whoever can reach the address, without a token."),
    )

    def given(command: Callable[..., None]) -> Callable[..., None]:
        for option in reversed(options):
            command = option(command)
        return command

    return given


def refuse_strangers(settings: Settings, *, insecure: bool) -> None:
    """Start nothing that strangers could reach and use, unless the user insists. Sign-in keeps them out."""
    from miyabi.gateway.guard import LOOPBACK

    if insecure or settings.host in LOOPBACK or settings.signs_in:
        return
    raise click.ClickException(
        f"Whoever can reach {settings.host} would see every job's output and could change tasks. "
        "Leave out --host, or have tokens asked for: set MIYABI_AUTH_SECRET or MIYABI_AUTH_ISSUER "
        "(see docs/tokens.md). If only people you trust can reach it, insist: --insecure."
    )
