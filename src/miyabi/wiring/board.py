"""Where the board of a data folder listens: a small file that it keeps there while it runs."""

from __future__ import annotations

import os
from pathlib import Path

import msgspec
from msgspec import Struct

FILE = "board.json"


class Board(Struct, frozen=True):
    """A running board: its address, and the process that serves it."""

    url: str
    pid: int


def read_board(data: Path) -> str | None:
    """The address of the board that runs on the folder ``data``; ``None`` when none does."""
    try:
        board = msgspec.json.decode((data / FILE).read_bytes(), type=Board)
    except (OSError, msgspec.MsgspecError):
        return None
    return board.url if _alive(board.pid) else None


def write_board(data: Path, url: str) -> None:
    """Say that this process serves the folder at ``url``."""
    draft = data / f".{FILE}.{os.getpid()}"
    draft.write_bytes(msgspec.json.encode(Board(url, os.getpid())))
    draft.replace(data / FILE)


def remove_board(data: Path) -> None:
    """Take back what :func:`write_board` said, unless another process has said something since."""
    path = data / FILE
    try:
        if msgspec.json.decode(path.read_bytes(), type=Board).pid == os.getpid():
            path.unlink()
    except (OSError, msgspec.MsgspecError):
        return


def _alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True
