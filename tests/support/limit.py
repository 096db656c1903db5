"""A rate limit of one process, with the clock of a test."""

from __future__ import annotations

from collections.abc import Sequence

from tests.support.clock import Clock

from miyabi.gateway.client import Clients, Network
from miyabi.gateway.limit import LocalLimit, Rates
from miyabi.gateway.limited import RateLimit


def a_limit(
    rate: float = 0, burst: int = 1, clock: Clock | None = None, share: float = 0.1, proxies: Sequence[Network] = ()
) -> RateLimit:
    """``rate`` 0 is none."""
    rates = Rates(rate, burst, share)
    return RateLimit(LocalLimit(rates, (clock or Clock()).seconds), rates, Clients(proxies))
