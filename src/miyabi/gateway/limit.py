"""The rate limit: one token bucket for the deployment, and in front of it a small one for each client, its share.

A request passes when its client's bucket and the common one have a token each. A client beyond its share borrows from
the common one alone, but leaves the reserve: so who is alone gets the whole rate, and who stays within its share finds
a token however much others ask for, as long as the shares in use are no more than the whole.

Buckets are kept as the tokens that they lack: a full one lacks 0 and need not be kept at all.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable
from itertools import islice
from typing import NamedTuple, Protocol

MOST_CLIENTS = 10_000
"""Clients whose buckets are kept; of more, who was silent longest is forgotten and has a full share again."""
RESERVE = 0.02
"""Of the burst: what those beyond their share leave to others. The limit is exact to as much from the first moment."""


class Rates:
    """``rate`` tokens a second up to ``burst``, of which ``share`` (0 to 1) is each client's own; rate 0: no limit.

    A client's own burst is no more than the reserve: with more it could take at once what others count on.
    """

    __slots__ = ("burst", "own_burst", "own_rate", "rate", "reserve")

    def __init__(self, rate: float, burst: float, share: float = 0.1) -> None:
        self.rate = float(rate)
        self.burst = float(burst)
        self.own_rate = self.rate * share
        self.reserve = max(1.0, self.burst * RESERVE) if burst >= 10 else 0.0
        self.own_burst = max(1.0, min(self.burst * share, self.reserve))


class Decision(NamedTuple):
    """``wait``: 0 when the request passes, else seconds until it would; ``left``: requests that would pass at once."""

    wait: float
    left: int


class Limit(Protocol):
    """Decides on one request after another."""

    async def take(self, client: str, own_only: bool = False) -> Decision:
        """Decide on a request of ``client``. With ``own_only`` it costs a token of the client's share and no other."""

    async def close(self) -> None:
        """Let go of connections."""


Levels = tuple[float, float]
"""The tokens that the common bucket and the client's own one lack."""


def decide(rates: Rates, lacks: Levels, own_only: bool) -> tuple[float, Levels]:
    """A request at these levels: how long it would have to wait (0: it passes), and the levels after it."""
    common_lacks, own_lacks = lacks
    common, own = rates.burst - common_lacks, rates.own_burst - own_lacks
    if own_only:
        if own >= 1:
            return 0.0, (common_lacks, own_lacks + 1)
        return (1 - own) / rates.own_rate, lacks
    if common >= 1 and own >= 1:
        return 0.0, (common_lacks + 1, own_lacks + 1)
    if common >= 1 + rates.reserve:
        return 0.0, (common_lacks + 1, own_lacks)
    within = max((1 - common) / rates.rate, (1 - own) / rates.own_rate)
    return min(within, (1 + rates.reserve - common) / rates.rate), lacks


def left(rates: Rates, lacks: Levels, own_only: bool) -> int:
    """So many requests of the client would pass at once."""
    common, own = rates.burst - lacks[0], rates.own_burst - lacks[1]
    return int(max(0.0, own if own_only else max(min(own, common), common - rates.reserve)))


def refilled(lacks: float, seconds: float, rate: float) -> float:
    """What a bucket still lacks ``seconds`` later; a clock that went back gives nothing."""
    return max(0.0, lacks - max(0.0, seconds) * rate)


class LocalLimit:
    """:class:`Limit` of this process alone. ``clock`` gives seconds that only grow."""

    def __init__(self, rates: Rates, clock: Callable[[], float], most: int = MOST_CLIENTS) -> None:
        self.rates = rates
        self._clock = clock
        self._most = most
        self._common, self._at = 0.0, clock()
        self._own: OrderedDict[str, tuple[float, float]] = OrderedDict()
        """Clients, who was silent longest first: what their buckets lacked, and when."""
        self._full_after = rates.own_burst / rates.own_rate if rates.rate else 0.0

    def __len__(self) -> int:
        """How many clients' buckets are kept."""
        return len(self._own)

    def own(self, most: int) -> list[tuple[str, float]]:
        """Clients and what their buckets lack now; of more than ``most`` those that came last."""
        now, rate = self._clock(), self.rates.own_rate
        return [
            (client, refilled(lacks, now - at, rate))
            for client, (lacks, at) in islice(reversed(self._own.items()), most)
        ]

    def learn(self, client: str, lacks: float) -> None:
        """A client's bucket lacks so much now."""
        now = self._clock()
        self._note(client, lacks, now)

    @property
    def lacks(self) -> float:
        """Tokens that the common bucket lacks now."""
        return refilled(self._common, self._clock() - self._at, self.rates.rate)

    @lacks.setter
    def lacks(self, tokens: float) -> None:
        self._common, self._at = tokens, self._clock()

    def decide(self, client: str, own_only: bool = False) -> Decision:
        """As :meth:`take`, at once."""
        rates, now = self.rates, self._clock()
        common = refilled(self._common, now - self._at, rates.rate)
        known, at = self._own.get(client, (0.0, now))
        wait, lacks = decide(rates, (common, refilled(known, now - at, rates.own_rate)), own_only)
        self._common, self._at = lacks[0], now
        self._note(client, lacks[1], now)
        return Decision(wait, left(rates, lacks, own_only))

    def _note(self, client: str, lacks: float, now: float) -> None:
        """It came last. At most two others are forgotten for it: those that are full by now, or of too many."""
        self._own[client] = lacks, now
        self._own.move_to_end(client)
        for _ in range(2):
            oldest = next(iter(self._own))
            if now - self._own[oldest][1] < self._full_after and len(self._own) <= self._most:
                return
            del self._own[oldest]

    async def take(self, client: str, own_only: bool = False) -> Decision:
        return self.decide(client, own_only)

    async def close(self) -> None:
        return None
