"""The rate limit: of this process alone, or shared through the Redis that the cache is in."""

from __future__ import annotations

from collections.abc import Sequence
from hashlib import blake2b

from miyabi.cache.redis import RedisCache
from miyabi.gateway.limit import Rates
from miyabi.gateway.shared_limit import Answered, Asked

ANSWER_SECONDS = 0.25
"""A call is ended after this; who waits for it is answered sooner (:mod:`miyabi.gateway.shared_limit`)."""


class RedisLimit:
    """:class:`miyabi.gateway.shared_limit.Shared` in ``redis``. ``now`` is for tests; else Redis' clock counts."""

    def __init__(self, redis: RedisCache, rates: Rates, now: str = "") -> None:
        self._redis = redis
        self._rates = rates.rate, rates.burst, rates.own_rate, rates.own_burst, rates.reserve
        self.now = now

    async def take(self, asked: Sequence[Asked], spent: int = 0, lacks: float = 0.0) -> tuple[list[Answered], float]:
        counts = [number for one in asked for number in (one.requests, int(one.own_only), one.lacks)]
        clients = [_name(one.client) for one in asked]
        *answers, common = await self._redis.tokens(clients, *self._rates, spent, lacks, self.now, *counts)
        four = [answers[place : place + 4] for place in range(0, len(answers), 4)]
        made = [Answered(int(passed), float(wait), int(left), float(own)) for passed, wait, left, own in four]
        return made, float(common)

    async def close(self) -> None:
        await self._redis.close()


def _name(client: str) -> str:
    """Short, and no secret: subjects and addresses are people's."""
    return blake2b(client.encode(), digest_size=16).hexdigest()
