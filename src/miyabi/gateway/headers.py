"""What a careful site says with every answer. Its page says what a page needs itself (:mod:`miyabi.webui.app`)."""

from __future__ import annotations

from collections.abc import Iterable

from starlette.types import Scope

from miyabi.gateway.guard import name_of
from miyabi.principal import BADGE

Header = tuple[bytes, bytes]

API = ("/api/", "/health", "/metrics")
"""Below these is the API; all else is the page."""
OPEN = "/health"
"""What is told without a token, too, and beyond any limit: a load balancer has none. The page's files are no secret
either, and cost too little to count them."""

_ANY = [(b"x-content-type-options", b"nosniff"), (b"referrer-policy", b"no-referrer")]
_RECORD = [
    *_ANY,
    (b"content-security-policy", b"default-src 'none'; frame-ancestors 'none'"),
    (b"cross-origin-resource-policy", b"same-origin"),
]
"""An answer of the API is no document: shown as one, it may do nothing; no other site may include it."""
_PICTURE = [
    *_ANY,
    (b"content-security-policy", b"default-src 'none'; sandbox"),
    (b"cross-origin-resource-policy", b"cross-origin"),
]
_HSTS = [(b"strict-transport-security", b"max-age=31536000")]
_NOT_KEPT, _ASKED_AGAIN = (b"cache-control", b"no-store"), (b"cache-control", b"no-cache")


def careful(scope: Scope, headers: dict[bytes, bytes]) -> list[Header]:
    """What is added to the answer to a request with ``headers``."""
    secure = _HSTS if scope.get("scheme") == "https" and _has_own_name(headers) else []
    if not scope["path"].startswith(API):
        return secure
    record = _PICTURE if scope["path"].endswith(BADGE) else _RECORD
    return [*record, *secure]


def _has_own_name(headers: dict[bytes, bytes]) -> bool:
    """Whether the site was asked by a name of its own.

    A browser that was once answered by TLS shall never ask without. That is said of a site's own name only: browsers
    do not take it for an address, and ``localhost`` is every other program's name, too.
    """
    return name_of(headers) not in ("", "localhost")


def kept(scope: Scope, status: int, headers: Iterable[Header]) -> tuple[Header, ...]:
    """How long an answer of the API may be kept, where it does not say so itself: errors, above all, not at all."""
    if not scope["path"].startswith(API):
        return ()
    for name, _ in headers:
        if name == b"cache-control":
            return ()
    return (_ASKED_AGAIN if status == 304 else _NOT_KEPT,)
