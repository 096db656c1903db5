"""A command in a terminal window, as a person has it."""

from __future__ import annotations

import fcntl
import os
import pty
import struct
import subprocess
import termios
import threading
from collections.abc import Mapping, Sequence


class Terminal:
    """Runs ``command`` in a pty of its own and keeps what it shows; nobody has to read for it to go on."""

    def __init__(self, command: Sequence[str], env: Mapping[str, str], columns: int = 160, rows: int = 50) -> None:
        self._ours, theirs = pty.openpty()
        fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))
        self.process = subprocess.Popen(
            command,
            env={**env, "TERM": "xterm-256color"},
            stdin=theirs,
            stdout=theirs,
            stderr=theirs,
            start_new_session=True,
            preexec_fn=_take_terminal,
        )
        os.close(theirs)
        self.shown = b""
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def wait(self, seconds: float = 60.0) -> int:
        """The exit code, when it has ended and all it showed is in :attr:`shown`."""
        code = self.process.wait(seconds)
        self._reader.join(seconds)
        return code

    def type(self, keys: bytes) -> None:
        """Press keys: ``b"\\x03"`` is Ctrl-C."""
        os.write(self._ours, keys)

    def close(self) -> None:
        """End it, whatever its state."""
        if self.process.poll() is None:
            self.process.kill()
        self.wait()
        os.close(self._ours)

    def _read(self) -> None:
        while True:
            try:
                piece = os.read(self._ours, 65536)
            except OSError:  # Linux's word for the end of a pty
                return
            if not piece:
                return
            self.shown += piece


def _take_terminal() -> None:
    fcntl.ioctl(0, termios.TIOCSCTTY, 0)
