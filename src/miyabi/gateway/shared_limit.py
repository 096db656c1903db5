"""The rate limit that all gateways of a deployment share, and what this one does while they can't.

One call is under way at a time; who comes meanwhile waits for the next one, in which all of them go together. When the
shared buckets don't answer, those of this process decide at once. They know how full the others were at last, and tell
them how full they are when these are back: an outage gives nobody a second burst.
"""

from __future__ import annotations

import asyncio
import logging
import random
from asyncio import Future, Task
from collections.abc import Awaitable, Callable, Iterable, Sequence
from contextlib import suppress
from typing import NamedTuple, Protocol

from miyabi.cache.breaker import FIRST_REST, LONGEST_REST
from miyabi.counters import Counter
from miyabi.gateway.limit import Decision, LocalLimit

log = logging.getLogger("miyabi.gateway")

PATIENCE_SECONDS = 0.02
"""A call that takes twice as long is not waited for: once it may be this process that was held up."""
AT_ONCE = 256
"""Requests in one call."""

ALONE = Counter("miyabi_rate_limit_alone", "Requests that this gateway limited by itself: Redis did not answer")


class Asked(NamedTuple):
    """So many requests of a client, whose own bucket lacks at least ``lacks``."""

    client: str
    own_only: bool
    requests: int
    lacks: float = 0.0


class Answered(NamedTuple):
    """The first ``passed`` of the requests asked for pass, the others would after ``wait`` seconds.

    ``left`` more would pass at once; the client's own bucket ``lacks`` so much now.
    """

    passed: int
    wait: float
    left: int
    lacks: float


class Shared(Protocol):
    """Buckets that several processes share. Errors: :class:`miyabi.cache.CacheUnavailable`."""

    async def take(self, asked: Sequence[Asked], spent: int = 0, lacks: float = 0.0) -> tuple[list[Answered], float]:
        """Decide on all of ``asked`` in one step. An answer to each, and what the common bucket lacks then.

        Before that ``spent`` tokens are taken from it, which the caller let pass by itself. If it is lost, or has been
        full since and so no longer tells, it is made to lack ``lacks``.
        """

    async def close(self) -> None:
        """Let go of connections."""


class _Waiting(NamedTuple):
    client: str
    own_only: bool
    answer: Future[Decision]


class SharedLimit:
    """:class:`miyabi.gateway.limit.Limit`. ``sleep`` waits some seconds, ``chance`` gives 0 to 1."""

    def __init__(
        self,
        shared: Shared,
        local: LocalLimit,
        patience: float = PATIENCE_SECONDS,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
        chance: Callable[[], float] = random.random,
    ) -> None:
        self._shared = shared
        self._local = local
        self._patience = patience
        self._sleep = sleep
        self._chance = chance
        self._spent = 0
        self._waiting: list[_Waiting] = []
        self._flight: Task[None] | None = None
        self._return: Task[None] | None = None

    async def take(self, client: str, own_only: bool = False) -> Decision:
        if self._return:
            return self._alone(client, own_only)
        answer: Future[Decision] = asyncio.get_running_loop().create_future()
        self._waiting.append(_Waiting(client, own_only, answer))
        if self._flight is None:
            self._flight = asyncio.create_task(self._fly())
        return await answer

    async def close(self) -> None:
        for task in (self._flight, self._return):
            if task:
                task.cancel()
                with suppress(asyncio.CancelledError):
                    await task
        await self._shared.close()

    async def _fly(self) -> None:
        """Until nobody waits."""
        try:
            while self._waiting:
                batch, self._waiting = self._waiting[:AT_ONCE], self._waiting[AT_ONCE:]
                await self._decide(batch)
        finally:
            self._flight = None

    async def _decide(self, batch: list[_Waiting]) -> None:
        if not self._return:
            groups = _grouped(batch)
            asked = [Asked(client, own_only, len(group)) for (client, own_only), group in groups.items()]
            spent, self._spent = self._spent, 0
            call = asyncio.ensure_future(self._shared.take(asked, spent))
            for _ in range(2):
                await asyncio.wait((call,), timeout=self._patience)
            if call.done() and not call.exception():
                answers, self._local.lacks = call.result()
                for one, answer in zip(asked, answers, strict=True):
                    self._local.learn(one.client, answer.lacks)
                _tell(groups.values(), answers)
                return
            self._spent += spent
            self._leave(call, asked)
        for client, own_only, future in batch:
            if not future.done():
                future.set_result(self._alone(client, own_only))

    def _alone(self, client: str, own_only: bool) -> Decision:
        ALONE.inc()
        decision = self._local.decide(client, own_only)
        self._spent += not (decision.wait or own_only)
        return decision

    def _leave(self, call: Future[tuple[list[Answered], float]], asked: Sequence[Asked]) -> None:
        why = call.exception() if call.done() else f"no answer within {2 * self._patience:g} s"
        log.warning("Redis unavailable, this gateway limits the rate by itself: %s", why)
        self._return = asyncio.create_task(self._come_back(call, asked))

    async def _come_back(self, call: Future[tuple[list[Answered], float]], asked: Sequence[Asked]) -> None:
        """Ask until there is an answer. Nobody waits for that.

        What is under way still has its time; what it takes after all was taken here, too.
        """
        with suppress(Exception):
            answers, _ = await call
            self._spent -= sum(answer.passed for one, answer in zip(asked, answers, strict=True) if not one.own_only)
        rest = FIRST_REST
        while not await self._asked():
            await self._sleep(rest * (1 - self._chance() / 2))
            rest = min(LONGEST_REST, 2 * rest)
        self._return = None

    async def _asked(self) -> bool:
        own = [Asked(client, False, 0, lacks) for client, lacks in self._local.own(AT_ONCE)]
        spent = self._spent
        try:
            _, self._local.lacks = await self._shared.take(own, spent, self._local.lacks)
        except Exception as error:  # whatever it is, the next attempt may find it gone
            log.debug("Redis is still unavailable: %s", error)
            return False
        self._spent -= spent
        return True


def _grouped(batch: list[_Waiting]) -> dict[tuple[str, bool], list[Future[Decision]]]:
    """The requests of each client in the order in which they came."""
    groups: dict[tuple[str, bool], list[Future[Decision]]] = {}
    for client, own_only, answer in batch:
        groups.setdefault((client, own_only), []).append(answer)
    return groups


def _tell(groups: Iterable[list[Future[Decision]]], answers: list[Answered]) -> None:
    for group, answer in zip(groups, answers, strict=True):
        for place, future in enumerate(group):
            if not future.done():
                future.set_result(Decision(0.0 if place < answer.passed else answer.wait, answer.left))
