"""What every command that starts a service does: settings, the folder, the address, the event loop, clear errors."""

from __future__ import annotations

import fcntl
import logging
import os
import socket
import sys
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
    logging.basicConfig(stream=sys.stderr, level=logging.WARNING, format="%(levelname)s %(name)s: %(message)s")
    import uvloop

    from miyabi.database import DatabaseUnavailable
    from miyabi.logs import LogsUnavailable
    from miyabi.wiring.server import listen

    try:
        sock = listen(settings.host, port)
        _warn_of_strangers(settings.host)
        with sock:
            uvloop.run(main(settings, sock))  # type: ignore[arg-type]
    except (SettingsError, DatabaseUnavailable, LogsUnavailable) as error:
        raise click.ClickException(str(error)) from None


def _warn_of_strangers(host: str) -> None:
    from miyabi.gateway.guard import LOOPBACK

    if host not in LOOPBACK:
        click.echo(
            f"Warning: there is no sign-in yet. Whoever can reach {host} sees every job's output and can change tasks. "
            "Leave out --host, unless only people you trust can.",
            err=True,
        )
