"""The address that a request comes from: of the peer, or what the proxies say that are trusted to."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network

from starlette.types import Scope

UNKNOWN = "unknown"
"""All whose address can't be told, such as those on a Unix socket, are one client."""
MOST_HOPS = 32
PREFIX = 64
"""Of an IPv6 address: a site has at least so much for itself, and could change the rest with each request."""

Network = IPv4Network | IPv6Network


def networks(text: str) -> tuple[Network, ...]:
    """Addresses and networks (``10.0.0.0/8``) with spaces between. Raises ``ValueError``."""
    return tuple(ip_network(word) for word in text.split())


class Clients:
    """Tells requests' clients apart; ``proxies`` are trusted to say where theirs come from."""

    def __init__(self, proxies: Sequence[Network] = ()) -> None:
        self._proxies = proxies
        self._look = lru_cache(maxsize=4096)(self._looked_at)

    def address(self, scope: Scope) -> str:
        """An IPv4 address, or the /64 of an IPv6 one.

        ``X-Forwarded-For`` is read only when the peer is trusted: from the right, where each proxy adds whom it
        heard, to the first that is not trusted. What is no address ends that: what stands left of it may be a lie.
        """
        peer = scope.get("client")
        client, trusted = self._look(peer[0] if peer else "") or (UNKNOWN, False)
        for hop in self._forwarded(scope) if trusted else ():
            known = self._look(hop)
            if known is None:
                break
            client, trusted = known
            if not trusted:
                break
        return client

    def _forwarded(self, scope: Scope) -> list[str]:
        """Who was heard, the last first."""
        lines = [value.decode("latin-1") for name, value in scope["headers"] if name == b"x-forwarded-for"]
        hops = ",".join(lines).rsplit(",", MOST_HOPS)[-MOST_HOPS:] if lines else []
        return hops[::-1]

    def _looked_at(self, text: str) -> tuple[str, bool] | None:
        """The client that an address stands for, and whether it is a trusted proxy; ``None`` for what is none."""
        address = _address(text.strip())
        if address is None:
            return None
        trusted = any(address in network for network in self._proxies)
        if isinstance(address, IPv4Address):
            return str(address), trusted
        return str(IPv6Network((int(address) >> (128 - PREFIX) << (128 - PREFIX), PREFIX))), trusted


def _address(text: str) -> IPv4Address | IPv6Address | None:
    """An address with or without its port; an IPv4 one within IPv6 is that."""
    if text.startswith("["):
        text = text[1:].partition("]")[0]
    elif text.count(":") == 1:
        text = text.partition(":")[0]
    try:
        address = ip_address(text.partition("%")[0])
    except ValueError:
        return None
    return getattr(address, "ipv4_mapped", None) or address
