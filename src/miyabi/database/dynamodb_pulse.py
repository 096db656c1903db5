"""Whether DynamoDB answers at all. Busy is an answer; silence is none, and whoever waits for it is told so soon.

A page must not hang for as long as a throttled write may: when nothing has answered for some seconds, calls end at
once, and one at a time finds out whether it is back.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import TypeVar

T = TypeVar("T")

SILENT_SECONDS = 3.0
"""Longer than one try may take (:data:`TRY_SECONDS`), so that a connection that went dead unseen costs no call."""
TRY_SECONDS = 2.0
"""Without a byte for so long, a request is made again."""
REST_SECONDS = 0.25
"""Least time between two tries while it is silent."""
SILENCE = (TimeoutError, OSError)


class Silent(Exception):
    """It was not asked: it has not answered for a while."""


class Pulse:
    """Counts the time since the last answer. ``clock`` gives seconds that only grow."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._heard = clock()
        self._since: float | None = None
        self._next = 0.0
        self._probing = False
        self._under_way: set[asyncio.Timeout] = set()

    @property
    def gone(self) -> bool:
        """Whether nothing has answered for too long."""
        return self._since is not None and self._clock() - self._since >= SILENT_SECONDS

    async def ask(self, call: Callable[[], Awaitable[T]]) -> T:
        """Its answer, or what it raises. Raises :class:`Silent` where another is to find out whether it answers."""
        began, probe = self._clock(), self.gone
        if probe and (self._probing or began < self._next):
            raise Silent
        self._probing = self._probing or probe
        try:
            answer = await self._limited(call)
        except SILENCE:
            self._silent_since(began)
            raise
        except Exception:
            self._answered()
            raise
        finally:
            self._probing = self._probing and not probe
        self._answered()
        return answer

    async def _limited(self, call: Callable[[], Awaitable[T]]) -> T:
        """Let it take until it answers or is found gone."""
        async with asyncio.timeout(None) as limit:
            self._under_way.add(limit)
            try:
                return await call()
            finally:
                self._under_way.discard(limit)

    def _answered(self) -> None:
        self._heard, self._since = self._clock(), None

    def _silent_since(self, began: float) -> None:
        """A request that began then has failed."""
        if self._since is None:
            self._since = max(began, self._heard)
        if self.gone:
            self._next = self._clock() + REST_SECONDS
            while self._under_way:
                self._under_way.pop().reschedule(0)
