"""Which of several task APIs gets a request: the least busy one that is well."""

from __future__ import annotations

import asyncio
import itertools
import logging
from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from miyabi.counters import Counter

log = logging.getLogger("miyabi.gateway")

FIRST_REST, LONGEST_REST = 0.5, 15.0
"""Seconds that one which failed is put aside: twice as long after each failure, up to half of it less at random."""
PUT_ASIDE = Counter("miyabi_gateway_upstreams_put_aside", "Times that a task API was put aside because it failed")


class Member:
    """One task API, at ``url``."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.busy = 0
        """Requests that it has now; a stream of events is one, too."""
        self.failures = 0
        """In a row."""
        self.failed_at = self.rests_until = 0.0
        self.picked = 0
        self._retriable: set[asyncio.Task[Any]] = set()

    @contextmanager
    def serving(self) -> Iterator[None]:
        """It has one request more while the block takes."""
        self.busy += 1
        try:
            yield
        finally:
            self.busy -= 1

    @contextmanager
    def retriable(self, task: asyncio.Task[Any]) -> Iterator[None]:
        """``task`` waits for an answer that another could give as well: it is cancelled when this one fails."""
        self._retriable.add(task)
        try:
            yield
        finally:
            self._retriable.discard(task)

    def give_up(self) -> None:
        """Cancel what another can do."""
        for task in self._retriable:
            task.cancel()


class Pool:
    """Task APIs that do the same. ``now`` gives seconds that only grow, ``random`` 0 to 1."""

    def __init__(self, urls: Sequence[str], now: Callable[[], float], random: Callable[[], float]) -> None:
        self.members = [Member(url.rstrip("/")) for url in urls]
        self._now, self._random = now, random
        self._turns = itertools.count(1)

    def now(self) -> float:
        """Seconds that only grow."""
        return self._now()

    def pick(self, but: Collection[Member] = ()) -> Member | None:
        """The least busy that is well, of equals the one that was picked longest ago.

        When none is well, the one whose rest ends first: it may be back. ``None`` when all are in ``but``.
        """
        left = [member for member in self.members if member not in but]
        if not left:
            return None
        well = [member for member in left if member.rests_until <= self._now()]
        found = (
            min(well, key=lambda one: (one.busy, one.picked)) if well else min(left, key=lambda one: one.rests_until)
        )
        found.picked = next(self._turns)
        return found

    def failed(self, member: Member, why: str) -> None:
        """Put it aside. Those that failed together count as one failure."""
        if member.failures and self._now() < member.rests_until:
            return
        if not member.failures:
            log.warning("the task API at %s is put aside: %s", member.url, why)
        PUT_ASIDE.inc()
        rest = min(LONGEST_REST, FIRST_REST * 2**member.failures)
        member.failures += 1
        member.failed_at = self._now()
        member.rests_until = self._now() + rest * (1 - self._random() / 2)
        member.give_up()

    def answered(self, member: Member, asked_at: float) -> None:
        """It is well, if it was asked after it failed."""
        if not member.failures or asked_at <= member.failed_at:
            return
        log.warning("the task API at %s is back", member.url)
        member.failures, member.rests_until = 0, 0.0
