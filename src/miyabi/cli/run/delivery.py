"""Bringing a spool to its destination: batch after batch, each kept until it is acknowledged."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from pathlib import Path
from typing import Protocol

import msgspec

from miyabi.cli.run.lines import Lines, Sent
from miyabi.cli.run.senders import Sender, Unsent
from miyabi.cli.run.shelf import Header, remove, state
from miyabi.cli.run.spool import now_ms
from miyabi.model import Writer

FIRST_PAUSE = 0.05
LONGEST_PAUSE = 2.0
PATIENCE_SECONDS = 3.0
"""How long a destination that does not answer is tried once the command has ended."""

BURST = 1000
"""A batch of so many events is part of a burst."""
BURST_REST = 15.0
"""How long sending rests after each batch of a burst, in times of what the batch took: the processor is the
command's, and what waits on disk is sent when it has calmed down or ended."""
LONGEST_REST = 1.0


class Waiter(Protocol):
    """How a delivery waits for what it delivers."""

    gone: bool
    """Nobody writes the spool any more."""

    def wait(self, more: Callable[[], bool], seconds: float | None) -> None:
        """Return when there is more, when the writer is gone or after ``seconds``."""

    def pause(self, seconds: float) -> None:
        """Return after ``seconds``, or as soon as the writer goes."""


class NobodyWrites:
    """The waiter of a spool that was left behind."""

    gone = True

    def wait(self, more: Callable[[], bool], seconds: float | None) -> None:
        """There is nothing to wait for."""

    def pause(self, seconds: float) -> None:
        """Just wait."""
        time.sleep(seconds)


class Delivery:
    """One spool on its way. ``changed`` is called after each try with the bytes of output that are
    acknowledged, and with what is wrong, or ``""``."""

    def __init__(
        self, base: Path, header: Header, sender: Sender, waiter: Waiter, changed: Callable[[int, str], None]
    ) -> None:
        self._base = base
        self._header = header
        self._sender = sender
        self._waiter = waiter
        self._changed = changed
        self._state = os.open(state(base), os.O_RDWR | os.O_CREAT, 0o600)
        self._lines = Lines(base, header, _read_state(self._state), now_ms)

    def run(self) -> bool:
        """Deliver until the end of the stream is stored (``True``) or the destination is given up for now."""
        lines, waiter = self._lines, self._waiter
        try:
            while not lines.finished:
                gone = waiter.gone
                began = time.monotonic()
                if events := len(lines.batch(gone)):
                    if not self._send():
                        return False
                    if events >= BURST and not waiter.gone:
                        waiter.pause(min(BURST_REST * (time.monotonic() - began), LONGEST_REST))
                elif not gone:
                    waiter.wait(lambda: bool(lines.batch(waiter.gone)), lines.partial_due())
            remove(self._base)
            return True
        finally:
            self._write_state()
            os.close(self._state)
            lines.close()

    def _send(self) -> bool:
        self._write_state()
        pause, until = FIRST_PAUSE, None
        while True:
            try:
                self._once()
            except Unsent as error:
                self._changed(self._lines.acknowledged, str(error))
                if self._waiter.gone:
                    until = until or time.monotonic() + (0 if error.final else PATIENCE_SECONDS)
                    if time.monotonic() >= until:
                        return False
                pause = LONGEST_PAUSE if error.final else min(2 * pause, LONGEST_PAUSE)
                self._waiter.pause(min(pause, 0.25) if self._waiter.gone else pause)
            else:
                return True

    def _once(self) -> None:
        lines, header = self._lines, self._header
        events = lines.batch(self._waiter.gone)
        self._sender.send(header.group, header.stream, events, Writer(header.writer, lines.sent.sequence))
        lines.acknowledge()
        self._changed(lines.acknowledged, "")

    def _write_state(self) -> None:
        os.pwrite(self._state, msgspec.json.encode(self._lines.sent).ljust(256), 0)


def _read_state(fd: int) -> Sent:
    try:
        return msgspec.json.decode(os.pread(fd, 4096, 0), type=Sent)
    except msgspec.MsgspecError:
        return Sent()
