"""A terminal with somebody at it: a pty whose keys are pressed and whose screen is read."""

from __future__ import annotations

import contextlib
import fcntl
import os
import pty
import select
import signal
import struct
import termios
import time
from collections.abc import Iterator, Mapping, Sequence

SECONDS = 60.0


class Screen:
    """A process that leads the session of a terminal."""

    def __init__(self, command: Sequence[str], env: Mapping[str, str], rows: int = 24, columns: int = 80) -> None:
        self.text = b""
        self.pid, self.fd = pty.fork()
        if self.pid == 0:
            try:
                os.execvpe(command[0], list(command), dict(env))
            finally:
                os._exit(126)
        self.resize(rows, columns)

    def resize(self, rows: int, columns: int) -> None:
        """Give the window another size."""
        fcntl.ioctl(self.fd, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))

    def press(self, keys: bytes) -> None:
        """Type."""
        os.write(self.fd, keys)

    def expect(self, text: bytes, after: int = 0, seconds: float = SECONDS) -> int:
        """Wait until ``text`` is on the screen behind place ``after``; the place behind it."""
        end = time.monotonic() + seconds
        while (found := self.text.find(text, after)) < 0:
            assert self._more(end), f"{text!r} did not come; there is {self.text[after:]!r}"
        return found + len(text)

    def modes(self) -> list[object]:
        """The terminal's settings."""
        return termios.tcgetattr(self.fd)

    def end(self, seconds: float = SECONDS) -> int:
        """Read until the leader has ended; its wait status."""
        end = time.monotonic() + seconds
        while self._more(end):
            pass
        while time.monotonic() < end:
            pid, status = os.waitpid(self.pid, os.WNOHANG)
            if pid:
                self.pid = 0
                return status
            time.sleep(0.01)
        raise AssertionError(f"it did not end; there is {self.text[-2000:]!r}")

    def close(self) -> None:
        """End the session whatever its state."""
        os.close(self.fd)
        if self.pid:
            with contextlib.suppress(ProcessLookupError):
                os.kill(self.pid, signal.SIGKILL)
            os.waitpid(self.pid, 0)

    def _more(self, end: float) -> bool:
        """Read what comes next; ``False`` at the end of the session or of the time."""
        ready, _, _ = select.select([self.fd], [], [], max(0.0, end - time.monotonic()))
        if not ready:
            return False
        try:
            data = os.read(self.fd, 1 << 16)
        except OSError:
            return False
        self.text += data
        return bool(data)


@contextlib.contextmanager
def screen(command: Sequence[str], env: Mapping[str, str], **size: int) -> Iterator[Screen]:
    """A :class:`Screen`, gone at the end."""
    shown = Screen(command, env, **size)
    try:
        yield shown
    finally:
        shown.close()
