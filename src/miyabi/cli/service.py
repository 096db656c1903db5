"""What every command that starts a service does: settings, the folder, the address, the event loop, clear errors."""

from __future__ import annotations

import fcntl
import logging
import os
import socket
import sys
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
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
def folder_lock(folder: Path) -> Iterator[None]:
    """Hold the data folder, made when missing: two boards on one folder would not see each other's changes."""
    from miyabi.wiring.board import read_board

    try:
        folder.mkdir(parents=True, exist_ok=True)
        handle = os.open(folder / "board.lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    except OSError as error:
        raise click.ClickException(
            f"The data folder {folder} can't be written: {error.strerror}. Choose another with --data or MIYABI_DATA."
        ) from None
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        where = read_board(folder) or "another address"
        raise click.ClickException(
            f"A board runs on the folder {folder} already: {where}. Open that, or choose another folder with --data."
        ) from None
    try:
        yield
    finally:
        os.close(handle)


def run_service(settings: Settings, port: int, main: Main) -> None:
    """Listen, then run ``main`` on uvloop until it ends; what the user can mend is said in a line."""
    logging.basicConfig(stream=sys.stderr, level=logging.WARNING, format="%(levelname)s %(name)s: %(message)s")
    import uvloop

    from miyabi.database import DatabaseUnavailable
    from miyabi.logs import LogsUnavailable
    from miyabi.wiring.server import listen

    try:
        sock = listen(settings.host, port)
        with sock:
            uvloop.run(main(settings, sock))  # type: ignore[arg-type]
    except (SettingsError, DatabaseUnavailable, LogsUnavailable) as error:
        raise click.ClickException(str(error)) from None
