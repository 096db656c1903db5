"""The keys of an OIDC issuer: found by its discovery document, kept, renewed, and held on to while it is down.

https://openid.net/specs/openid-connect-discovery-1_0.html (4, 7.3) and RFC 7517.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Mapping
from urllib.parse import urlsplit

import msgspec
from msgspec import Struct

from miyabi.gateway.claims import KeysUnavailable
from miyabi.gateway.keys import Key, public_keys
from miyabi.masked import kind_of

log = logging.getLogger("miyabi.gateway")

DISCOVERY = "/.well-known/openid-configuration"
FRESH_SECONDS = 600.0
"""After that they are fetched again, beside the requests: a key that the issuer has withdrawn goes out of use."""
AGAIN_SECONDS = 30.0
"""An unknown key's name, or a failure, makes it ask again, but no sooner than this after the last time."""
KEPT_SECONDS = 86_400.0
"""So long are keys used while the issuer does not answer."""
LOOPBACK = frozenset({"localhost", "127.0.0.1", "::1"})

Fetch = Callable[[str], Awaitable[bytes]]
"""GET of an address: the body of a 200. Raises ``OSError`` for everything else."""


class _Discovery(Struct, frozen=True):
    issuer: str
    jwks_uri: str


class IssuerKeys:
    """The keys of the issuer at the address ``url``. ``clock`` gives seconds that only grow."""

    def __init__(self, url: str, fetch: Fetch, clock: Callable[[], float]) -> None:
        check_address(url)
        self._url = url
        self._fetch = fetch
        self._clock = clock
        self._keys: Mapping[str, Key] = {}
        self._fetched_at = self._asked_at = float("-inf")
        self._asking: asyncio.Task[None] | None = None

    async def find(self, kid: str | None) -> Key | None:
        """The key of that name; without a name, the only key. Raises :class:`KeysUnavailable`."""
        age = self._clock() - self._fetched_at
        if age > KEPT_SECONDS:
            self._keys = {}
        found = self._known(kid)
        if found is None or age > FRESH_SECONDS:
            asking = self._ask()
            if asking and found is None:
                await asyncio.shield(asking)
                found = self._known(kid)
        if not self._keys:
            raise KeysUnavailable(f"the keys of {self._url} can't be had")
        return found

    def _known(self, kid: str | None) -> Key | None:
        if kid is None:
            return next(iter(self._keys.values())) if len(self._keys) == 1 else None
        return self._keys.get(kid)

    def _ask(self) -> asyncio.Task[None] | None:
        """The one fetch that is under way, or a new one unless the last is too short ago."""
        if self._asking is None and self._clock() - self._asked_at >= AGAIN_SECONDS:
            self._asked_at = self._clock()
            self._asking = asyncio.create_task(self._renew())
        return self._asking

    async def _renew(self) -> None:
        try:
            self._keys = await self._fetched()
            self._fetched_at = self._clock()
        except (OSError, ValueError) as error:
            log.warning("the keys of %s can't be renewed: %s", self._url, error)
        finally:
            self._asking = None

    async def _fetched(self) -> Mapping[str, Key]:
        document = await self._fetch(self._url.rstrip("/") + DISCOVERY)
        try:
            found = msgspec.json.decode(document, type=_Discovery)
        except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
            raise ValueError(f"no discovery document: {error}") from None
        if found.issuer != self._url:
            raise ValueError(f"its discovery document is of {found.issuer[:200]!r}")
        check_address(found.jwks_uri)
        return public_keys(await self._fetch(found.jwks_uri))


def check_address(url: str) -> None:
    """Refuse what others on the network could answer: only ``https``, or ``http`` on this machine. ``ValueError``."""
    if not _is_safe(url):
        raise ValueError(
            f"`{kind_of(url)}` is no address of an issuer; write it like https://issuer.example, without a user"
        )


def _is_safe(url: str) -> bool:
    try:
        parts = urlsplit(url)
        named = bool(parts.hostname) and parts.port != 0 and "@" not in parts.netloc
    except ValueError:
        return False
    return named and (parts.scheme == "https" or (parts.scheme == "http" and parts.hostname in LOOPBACK))
