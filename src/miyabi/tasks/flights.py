"""Sparing the database: what many ask at once is asked once, and "there is none" is remembered for a moment."""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from collections.abc import Awaitable, Callable
from typing import Generic, TypeVar

T = TypeVar("T")

UNKNOWN_SECONDS = 1.0
MOST_UNKNOWN = 10_000


class Flights(Generic[T]):
    """Questions under way, by key."""

    def __init__(self) -> None:
        self._under_way: dict[str, asyncio.Task[T]] = {}

    async def join(self, key: str, ask: Callable[[], Awaitable[T]]) -> T:
        """The answer to ``key``, of whoever asked first; one who gives up leaves the others theirs."""
        flight = self._under_way.get(key)
        if flight is None:
            flight = self._under_way[key] = asyncio.ensure_future(_asked(ask))
            flight.add_done_callback(lambda done: self._landed(key, done))
        return await asyncio.shield(flight)

    def leave(self, key: str) -> None:
        """Who asks for ``key`` from now on asks anew."""
        self._under_way.pop(key, None)

    def leave_all(self) -> None:
        """Who asks for anything from now on asks anew."""
        self._under_way.clear()

    def _landed(self, key: str, flight: asyncio.Task[T]) -> None:
        if self._under_way.get(key) is flight:
            del self._under_way[key]
        if not flight.cancelled():
            flight.exception()  # told to those who joined; nobody may be left to


async def _asked(ask: Callable[[], Awaitable[T]]) -> T:
    return await ask()


class Unknown:
    """Ids that the database did not know a moment ago. ``now`` gives seconds."""

    def __init__(self, now: Callable[[], float]) -> None:
        self._now = now
        self._until: OrderedDict[str, float] = OrderedDict()
        self.discarded = 0
        """How often one was taken out: an answer from before the last time may be out of date."""

    def __contains__(self, task_id: str) -> bool:
        until = self._until.get(task_id)
        return until is not None and self._now() < until

    def add(self, task_id: str, discarded: int) -> None:
        """It was not there when it was asked for, at so many ``discarded``."""
        if discarded != self.discarded:
            return
        self._until[task_id] = self._now() + UNKNOWN_SECONDS
        self._until.move_to_end(task_id)
        if len(self._until) > MOST_UNKNOWN:
            self._until.popitem(last=False)

    def discard(self, task_id: str) -> None:
        """It may be there by now."""
        self.discarded += 1
        self._until.pop(task_id, None)
