"""How long a client is waited for: until its request is whole, and until its answer is taken."""

from __future__ import annotations

from collections.abc import Callable

from miyabi.wiring.http_limits import Limits

LEAST_RATE = 256
"""Bytes a second that a body must come at, and an answer be taken at, behind the first seconds."""
LINGER_SECONDS = 2.0
"""So long may a client go on sending a body whose answer it has, or read why it was turned away."""


class Patience:
    """With one connection. ``clock`` gives seconds that only grow."""

    def __init__(self, limits: Limits, clock: Callable[[], float]) -> None:
        self._limits, self._clock = limits, clock
        self._until: float | None = None
        self._idle = False
        self._body: tuple[float, int] | None = None
        self._owed: tuple[float, int] | None = None

    @property
    def in_body(self) -> bool:
        """Whether the rest of a body is awaited."""
        return self._body is not None

    def head(self) -> None:
        """A head is awaited from now on, or still."""
        if self._until is None or self._idle:
            self._idle = False
            self._until = self._clock() + self._limits.head_seconds

    def body(self) -> None:
        """A body is awaited."""
        now = self._clock()
        self._body, self._until = (now, 0), now + self._limits.body_seconds

    def came(self, size: int) -> None:
        """Some of the body: the rest may take as long again, if all of it comes at the least rate."""
        if self._body is None:
            return
        began, before = self._body
        self._body = (began, before + size)
        self._until = min(self._clock(), began + self._body[1] / LEAST_RATE) + self._limits.body_seconds

    def whole(self, *, idle: bool = False) -> None:
        """Nothing is awaited of the client any more. ``idle``: it has its answer already."""
        self._body, self._idle = None, idle
        self._until = self._clock() + self._limits.idle_seconds if idle else None

    def linger(self) -> None:
        """What it still sends is waited for a moment only."""
        self._body, self._until = None, self._clock() + LINGER_SECONDS

    def ends(self, now: float, *, paused: bool) -> bool:
        """Whether its time is over. ``paused``: it is us who do not read, and that is not held against it."""
        if self._until is None or now < self._until:
            return False
        if paused:
            self._until = now + self._limits.body_seconds
        return not paused

    def taken(self) -> None:
        """It takes its answer."""
        self._owed = None

    def stuck(self, now: float, size: int) -> bool:
        """Whether too little of the ``size`` bytes that wait in our memory was taken for too long."""
        if not size:
            self._owed = None
        elif self._owed is None:
            self._owed = (now, size)
        elif now - self._owed[0] >= self._limits.answer_seconds:
            slow = size > self._owed[1] - LEAST_RATE * self._limits.answer_seconds
            self._owed = (now, size)
            return slow
        return False
