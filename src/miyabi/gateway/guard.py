"""Who may speak to a service without a token: only pages of its own address, on this machine.

A site elsewhere can point its own name at 127.0.0.1 (DNS rebinding) or send a form to it (cross-site request); the
``Host`` and ``Origin`` headers, which a page can't forge, tell both.
"""

from __future__ import annotations

from collections.abc import Collection
from functools import lru_cache
from urllib.parse import urlsplit

from starlette.types import ASGIApp, Receive, Scope, Send

from miyabi.http import Problem

LOOPBACK = frozenset({"localhost", "127.0.0.1", "::1"})
SAFE = frozenset({"GET", "HEAD", "OPTIONS"})


class Guard:
    """Checks requests to a service that listens on ``host``; pages of ``origins`` may change things, too."""

    def __init__(self, host: str, origins: Collection[str] = ()) -> None:
        self._local = host in LOOPBACK
        self._origins = frozenset(origins)

    def check(self, method: str, headers: dict[bytes, bytes]) -> None:
        """Raise :class:`Problem` ``forbidden-host`` for a request that a page of another site made."""
        host = headers.get(b"host", b"").decode("latin-1")
        if self._local and _name(host) not in LOOPBACK:
            raise Problem("forbidden-host", f"Only localhost and 127.0.0.1 are served here, not `{host[:100]}`.")
        if method in SAFE or b"origin" not in headers:
            return
        origin = headers[b"origin"].decode("latin-1")
        if origin not in self._origins and _address(origin) != host:
            raise Problem("forbidden-host", "Pages of other sites may not change anything here.", parameter="Origin")


class Guarded:
    """ASGI: ``app`` behind a guard."""

    def __init__(self, app: ASGIApp, guard: Guard) -> None:
        self._app = app
        self._guard = guard

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Refuse what a page of another site sent, serve the rest."""
        if scope["type"] == "http":
            try:
                self._guard.check(scope["method"], dict(scope["headers"]))
            except Problem as problem:
                await problem.response()(scope, receive, send)
                return
        await self._app(scope, receive, send)


def name_of(headers: dict[bytes, bytes]) -> str:
    """The name of the site that was asked, as ``Host`` says; empty where it says none."""
    return _name(headers.get(b"host", b"").decode("latin-1"))


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
