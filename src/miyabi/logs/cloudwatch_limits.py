"""Turns: FilterLogEvents may be called five times a second by an account in a region, whoever it is that asks.

The figure is the service's quota, which AWS does not raise (AWS Knowledge Center, "cloudwatch-logs-throttling").
A :class:`Limiter` counts one process. Where several read, they share one (:class:`SharedLimiter`), or each is given
its share (``calls=``).
"""

from __future__ import annotations

import asyncio
import threading
import time
from collections import deque
from collections.abc import Awaitable, Callable

CALLS = 5.0
PERIOD = 1.0
"""Seconds."""
Sleep = Callable[[float], Awaitable[None]]


class Limiter:
    """Lets at most ``calls`` through in any ``period`` seconds, in the order in which they came.

    A turn is a time given out at once, so nobody overtakes, and a reader, who asks for its next page only when it has
    the last, waits behind everybody else's. It may be shared by threads and event loops. ``clock`` gives seconds.
    """

    def __init__(
        self,
        calls: float = CALLS,
        period: float = PERIOD,
        clock: Callable[[], float] = time.monotonic,
        sleep: Sleep = asyncio.sleep,
    ) -> None:
        whole = max(1, int(calls))
        self._period = period * whole / calls
        self._given: deque[float] = deque(maxlen=whole)
        self._clock = clock
        self._sleep = sleep
        self._lock = threading.Lock()

    async def turn(self) -> None:
        """Return when it is the caller's turn."""
        now = self._clock()
        wait = self._take(now) - now
        if wait > 0:
            await self._sleep(wait)

    def _take(self, now: float) -> float:
        """The time of the next free turn, which is taken now."""
        with self._lock:
            full = len(self._given) == self._given.maxlen
            at = max(now, self._given[0] + self._period) if full else now
            self._given.append(at)
            return at


Ask = Callable[[], Awaitable[float | None]]
"""Seconds until it is the caller's turn among many processes; ``None`` while nobody can say."""


class SharedLimiter:
    """Turns that ``ask`` gives out to many processes; while nobody answers, those of ``alone``, this process's own."""

    def __init__(self, ask: Ask, alone: Limiter, sleep: Sleep = asyncio.sleep) -> None:
        self._ask, self._alone, self._sleep = ask, alone, sleep

    async def turn(self) -> None:
        """Return when it is the caller's turn."""
        wait = await self._ask()
        if wait is None:
            await self._alone.turn()
        elif wait > 0:
            await self._sleep(wait)


_SHARED: dict[tuple[str, float], Limiter] = {}
_SHARING = threading.Lock()


def limiter_of(service: str, calls: float) -> Limiter:
    """The one limiter of this process for a region or an endpoint."""
    with _SHARING:
        return _SHARED.setdefault((service, calls), Limiter(calls))
