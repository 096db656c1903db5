"""The terminal we were started on: its settings, its size, and whether it is ours now."""

from __future__ import annotations

import fcntl
import os
import termios
from typing import Any

Attributes = list[Any]
_NO_SIZE = bytes(8)


class Terminal:
    """A terminal's keyboard side, put in raw mode while we are in its foreground and restored whenever we are not."""

    def __init__(self, fd: int) -> None:
        self.fd = fd
        self.path = os.ttyname(fd)
        self.saved: Attributes = termios.tcgetattr(fd)
        self.raw = False

    def in_foreground(self) -> bool:
        """Whether this process may read the keyboard and change the settings."""
        try:
            return os.tcgetpgrp(self.fd) == os.getpgrp()
        except OSError:
            return False

    def take(self) -> bool:
        """Go into raw mode if we are in the foreground; says whether we are."""
        if self.in_foreground():
            self.saved = self.saved if self.raw else termios.tcgetattr(self.fd)
            attributes = [list(part) if isinstance(part, list) else part for part in self.saved]
            _make_raw(attributes)
            termios.tcsetattr(self.fd, termios.TCSANOW, attributes)
            self.raw = True
            return True
        return False

    def give_back(self) -> None:
        """Put the settings back as they were."""
        if self.raw:
            self.raw = False
            restore(self.fd, self.saved)


def restore(fd: int, attributes: Attributes) -> None:
    """Set a terminal as it was; one that is gone needs nothing."""
    try:
        termios.tcsetattr(fd, termios.TCSANOW, attributes)
    except (termios.error, OSError):
        return


def copy_size(source: int, target: int) -> None:
    """Give the terminal ``target`` the window size of ``source``; a size that is the same already sends no signal."""
    try:
        size = fcntl.ioctl(source, termios.TIOCGWINSZ, _NO_SIZE)
        fcntl.ioctl(target, termios.TIOCSWINSZ, size)
    except OSError:
        return


def open_pty(like: int, *, translate: bool) -> tuple[int, int]:
    """A new pty (master, slave) with the settings and size of the terminal ``like``.

    Without ``translate`` what is written to it comes out byte for byte, as when ``like`` itself still does the
    translating of line ends.
    """
    master, slave = os.openpty()
    attributes = termios.tcgetattr(like)
    if not translate:
        attributes[1] &= ~termios.OPOST
    termios.tcsetattr(slave, termios.TCSANOW, attributes)
    copy_size(like, slave)
    os.set_blocking(master, False)
    return master, slave


def _make_raw(attributes: Attributes) -> None:
    attributes[0] &= ~(
        termios.BRKINT | termios.IGNBRK | termios.PARMRK | termios.ISTRIP | termios.INLCR | termios.IGNCR
        | termios.ICRNL | termios.IXON | termios.INPCK
    )  # fmt: skip
    attributes[1] &= ~termios.OPOST
    attributes[2] = attributes[2] & ~(termios.CSIZE | termios.PARENB) | termios.CS8
    attributes[3] &= ~(termios.ECHO | termios.ECHONL | termios.ICANON | termios.ISIG | termios.IEXTEN)
    attributes[6][termios.VMIN] = 1
    attributes[6][termios.VTIME] = 0
