"""Who may speak to a board without a token: only pages of its own address, on this machine.

A site elsewhere can point its own name at 127.0.0.1 (DNS rebinding) or send a form to it (cross-site request); the
``Host`` and ``Origin`` headers, which a page can't forge, tell both.
"""

from __future__ import annotations

from functools import lru_cache
from urllib.parse import urlsplit

from miyabi.http import Problem

LOOPBACK = frozenset({"localhost", "127.0.0.1", "::1"})
SAFE = frozenset({"GET", "HEAD", "OPTIONS"})


class Guard:
    """Checks requests to a board that listens on ``host``."""

    def __init__(self, host: str) -> None:
        self._local = host in LOOPBACK

    def check(self, method: str, headers: dict[bytes, bytes]) -> None:
        """Raise :class:`Problem` ``forbidden-host`` for a request that a page of another site made."""
        host = headers.get(b"host", b"").decode("latin-1")
        if self._local and _name(host) not in LOOPBACK:
            raise Problem("forbidden-host", f"This board answers to localhost and 127.0.0.1, not to `{host[:100]}`.")
        origin = headers.get(b"origin")
        if origin is not None and method not in SAFE and _address(origin.decode("latin-1")) != host:
            raise Problem("forbidden-host", "Pages of other sites may not change anything here.", parameter="Origin")


@lru_cache(maxsize=256)
def _name(host: str) -> str:
    """The host's name without its port; brackets of an IPv6 address removed."""
    try:
        return urlsplit(f"//{host}").hostname or ""
    except ValueError:
        return ""


def _address(origin: str) -> str | None:
    """The name and port of an origin; ``None`` when it has none."""
    try:
        return urlsplit(origin).netloc or None
    except ValueError:
        return None
