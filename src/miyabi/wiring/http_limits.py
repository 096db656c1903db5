"""How much one client may have of a service: bytes, seconds, connections."""

from __future__ import annotations

import resource
from collections import Counter
from collections.abc import Sequence
from ipaddress import ip_address

from msgspec import Struct

from miyabi.gateway.client import Network
from miyabi.settings import Settings
from miyabi.wiring.proxies import proxies_of

FILES_KEPT = 128
"""File descriptors for all that is no connection: stores, logs, the services behind."""
TURNED_AWAY = 64
"""Connections over the limit that are told so at the same time; more are ended without a word."""


class Limits(Struct, frozen=True, kw_only=True):
    """Defaults are those of :class:`miyabi.settings.Settings`; 0 connections are any number."""

    proxies: tuple[Network, ...] = ()
    """Behind these are many clients: the number for one address does not hold for them."""
    connections: int = 4096
    per_address: int = 256
    url_bytes: int = 8192
    head_bytes: int = 32_768
    head_seconds: float = 10.0
    body_seconds: float = 30.0
    idle_seconds: float = 75.0
    answer_seconds: float = 60.0


def limits_of(settings: Settings) -> Limits:
    """The settings' limits; connections no more than the process may have files."""
    return Limits(
        proxies=proxies_of(settings),
        connections=_affordable(settings.max_connections),
        per_address=settings.max_connections_per_address,
        url_bytes=settings.max_url_bytes,
        head_bytes=settings.max_header_bytes,
        head_seconds=settings.header_seconds,
        body_seconds=settings.body_seconds,
        idle_seconds=settings.idle_seconds,
        answer_seconds=settings.answer_seconds,
    )


def _affordable(wanted: int) -> int:
    """``wanted`` connections, or as many as the system lets this process have; its limit is raised where it may be."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    unlimited = hard == resource.RLIM_INFINITY
    needed = wanted + FILES_KEPT if unlimited or wanted else hard
    if soft != resource.RLIM_INFINITY and soft < needed:
        soft = needed if unlimited else min(needed, hard)
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
    if soft == resource.RLIM_INFINITY:
        return wanted
    affordable = max(1, soft - FILES_KEPT)
    return min(wanted, affordable) if wanted else affordable


class Crowd:
    """Who is connected. This machine and trusted proxies have no limit of their own: everybody may be behind them."""

    def __init__(self, limits: Limits) -> None:
        self._limits = limits
        self._by_address: Counter[str] = Counter()
        self._inside = self._outside = 0

    def enter(self, address: str) -> bool:
        """Count a connection from ``address``; ``False`` when there is no room inside."""
        limits = self._limits
        full = limits.connections and self._inside >= limits.connections
        many = limits.per_address and self._by_address[address] >= limits.per_address
        if full or (many and not _of_many(address, limits.proxies)):
            self._outside += 1
            return False
        self._by_address[address] += 1
        self._inside += 1
        return True

    def hears(self) -> bool:
        """Whether one who stands outside can be told why."""
        return self._outside <= TURNED_AWAY

    def leave(self, address: str, *, inside: bool) -> None:
        """One has gone who had (or had not) been let in."""
        if not inside:
            self._outside -= 1
            return
        self._inside -= 1
        self._by_address[address] -= 1
        if not self._by_address[address]:
            del self._by_address[address]


def _of_many(address: str, proxies: Sequence[Network]) -> bool:
    try:
        given = ip_address(address)
    except ValueError:
        return not address
    return given.is_loopback or any(given in network for network in proxies)
