"""A clock that goes when it is told to."""

from __future__ import annotations

from collections.abc import Callable


class Clock:
    """Milliseconds by :meth:`__call__`, moved by :meth:`forward`."""

    def __init__(self, ms: int = 1_795_000_000_000) -> None:
        self.ms = ms
        self.moved: Callable[[int], None] = lambda ms: None
        """Told how many ms passed: for what has a clock of its own."""

    def __call__(self) -> int:
        return self.ms

    def seconds(self) -> float:
        """The same time in seconds."""
        return self.ms / 1000

    def forward(self, ms: int) -> int:
        """Let ``ms`` pass."""
        self.ms += ms
        self.moved(ms)
        return self.ms
