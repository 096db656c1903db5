"""Turns at CloudWatch Logs that all processes on one Redis share."""

from __future__ import annotations

import time
from collections.abc import Callable

from miyabi.cache import CacheUnavailable
from miyabi.logs.cloudwatch_limits import PERIOD
from miyabi.wiring.shared import redis_at

REST_SECONDS = 2.0
"""So long nobody asks a Redis that did not answer."""


class Turns:
    """Asks the Redis at ``url`` for turns, ``calls`` in a ``period`` among all who ask for ``name``.

    ``now`` gives seconds that only grow.
    """

    def __init__(
        self, url: str, name: str, calls: float, now: Callable[[], float] = time.monotonic, period: float = PERIOD
    ) -> None:
        self._redis = redis_at(url)
        self._name = name
        self._calls = max(1, int(calls))
        self._period = period * self._calls / calls
        self._now = now
        self._rests_until = 0.0

    async def ask(self) -> float | None:
        """Seconds until it is the caller's turn; ``None`` while Redis does not answer."""
        if self._now() < self._rests_until:
            return None
        try:
            return await self._redis.turn(self._name, self._calls, self._period)
        except CacheUnavailable:
            self._rests_until = self._now() + REST_SECONDS
            return None

    async def close(self) -> None:
        """Let go of the connections."""
        await self._redis.close()
