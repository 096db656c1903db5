"""What the pump asks of whoever keeps a copy of the command's output."""

from __future__ import annotations

from typing import Protocol

from miyabi.cli.run.spool import Kind


class Recorder(Protocol):
    """Takes a copy of the output; never raises, never blocks."""

    @property
    def unsettled(self) -> bool:
        """Whether some of it is only in memory yet."""

    def output(self, kind: Kind, data: bytes) -> None:
        """Keep a copy."""

    def settle(self) -> None:
        """Nothing more comes just now: put what is in memory where it is safe."""


class NoRecorder:
    """Keeps nothing."""

    unsettled = False

    def output(self, kind: Kind, data: bytes) -> None:
        """Drop it."""

    def settle(self) -> None:
        """There is nothing."""
