"""The rate limit as requests meet it: who pays, what the answer's headers say, and the refusal.

The headers are those of the IETF's draft-ietf-httpapi-ratelimit-headers-11.
"""

from __future__ import annotations

import math

from starlette.types import Scope

from miyabi.counters import Counter
from miyabi.gateway.client import Clients
from miyabi.gateway.headers import Header
from miyabi.gateway.limit import Decision, Limit, Rates
from miyabi.http import Problem

REFUSED = Counter("miyabi_rate_limited", "Requests that were answered with 429")
WAIT = "Wait {} s, then send the same again; `RateLimit` in each answer says how many you may send at once."
FORGED = "Too many requests without a good token came from your address. Wait {} s, then send one that is good here."


class RateLimit:
    """Takes requests' tokens out of ``limit``'s buckets. ``clients`` tells addresses apart."""

    def __init__(self, limit: Limit, rates: Rates, clients: Clients) -> None:
        self._limit = limit
        self._clients = clients
        self._on = rates.rate > 0
        self._board = _Policy("board", rates.rate, rates.burst)
        self._address = _Policy("address", rates.own_rate, rates.own_burst)

    async def admit(self, scope: Scope, subject: str | None) -> list[Header]:
        """A request of a token's subject, or else of an address. The headers of its answer.

        Raises :class:`Problem` ``rate-limited``. A preflight carries no token and is always its address'.
        """
        if not self._on:
            return []
        of_address = subject is None or scope["method"] == "OPTIONS"
        client = f"address {self._clients.address(scope)}" if of_address else f"subject {subject}"
        return self._board.headers(await self._limit.take(client), WAIT)

    async def refuse(self, scope: Scope) -> list[Header]:
        """A request whose token is refused: it costs its address' own share, and nobody else anything.

        Neither the subject that it names, who may have nothing to do with it, nor the common bucket.
        """
        if not self._on:
            return []
        client = f"address {self._clients.address(scope)}"
        return self._address.headers(await self._limit.take(client, own_only=True), FORGED)

    async def close(self) -> None:
        """Let go of connections."""
        await self._limit.close()


class _Policy:
    """One of the draft's quota policies: ``burst`` requests in the time in which as many tokens come."""

    def __init__(self, name: str, rate: float, burst: float) -> None:
        self._rate = rate
        quota, window = int(burst), max(1, math.ceil(burst / rate)) if rate else 1
        self._policy = f'"{name}";q={quota};w={window}'
        self._limit = f'"{name}";r=%d;t=%d'
        self._policy_header = b"ratelimit-policy", self._policy.encode()
        self._limit_bytes = self._limit.encode()

    def headers(self, decision: Decision, detail: str) -> list[Header]:
        """For an answer. ``t`` is so long that ``r`` in it is no more than the rate.

        Raises :class:`Problem` ``rate-limited`` for a request that does not pass.
        """
        wait, left = decision
        if not wait:
            window = max(1, math.ceil(left / self._rate))
            return [self._policy_header, (b"ratelimit", self._limit_bytes % (left, window))]
        REFUSED.inc()
        seconds = math.ceil(wait)
        fields = {"RateLimit_Policy": self._policy, "RateLimit": self._limit % (0, seconds)}
        raise Problem("rate-limited", detail.format(seconds), Retry_After=str(seconds), **fields)
