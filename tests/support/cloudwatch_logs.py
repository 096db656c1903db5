"""CloudWatch Logs as a process opens it, over a client of the test's."""

from __future__ import annotations

from collections.abc import Callable

from miyabi.logs.cloudwatch import CloudWatchLogs, Options
from miyabi.logs.cloudwatch_limits import Limiter
from miyabi.logs.cloudwatch_retry import Caller

from .clock import Clock


class Waits:
    """What was waited for, in seconds; nobody really waits. ``clock`` goes on meanwhile."""

    def __init__(self, clock: Clock | None = None) -> None:
        self.seconds: list[float] = []
        self._clock = clock

    async def __call__(self, seconds: float) -> None:
        """Wait."""
        self.seconds.append(seconds)
        if self._clock:
            self._clock.forward(round(seconds * 1000))


def process(
    client: object,
    clock: Clock,
    *,
    waits: Waits | None = None,
    chance: Callable[[], float] = lambda: 0.5,
    limiter: Limiter | None = None,
    options: Options | None = None,
    fallback: str = "DynamoDB",
) -> CloudWatchLogs:
    """One process's logs, whose groups are made with its first append. By default nothing is kept between reads."""
    limiter = limiter or Limiter(1_000_000)
    call = Caller(client, limiter, fallback, sleep=waits or Waits(), chance=chance)
    return CloudWatchLogs(call, options or Options(fresh=0, poll=1), now=clock, clock=clock.seconds)
