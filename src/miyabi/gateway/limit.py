"""The rate limit: a token bucket, as API Gateway has it (a steady rate and a burst)."""

from __future__ import annotations

import math
from collections.abc import Callable


class Bucket:
    """Holds up to ``burst`` tokens and gets ``rate`` new ones a second; a rate of 0 is no limit.

    ``clock`` gives seconds that only grow.
    """

    def __init__(self, rate: float, burst: int, clock: Callable[[], float]) -> None:
        self._rate = rate
        self._burst = burst
        self._clock = clock
        self._tokens = float(burst)
        self._at = clock()

    def take(self) -> float:
        """Take a token: 0 when there was one, else the seconds until there is."""
        if not self._rate:
            return 0.0
        now = self._clock()
        self._tokens = min(self._burst, self._tokens + (now - self._at) * self._rate)
        self._at = now
        if self._tokens >= 1:
            self._tokens -= 1
            return 0.0
        return (1 - self._tokens) / self._rate

    def retry_after(self, wait: float) -> str:
        """``wait`` as the header wants it: whole seconds, at least one."""
        return str(max(1, math.ceil(wait)))
