"""``GET /api/sign-in`` as an ASGI application."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec
from starlette.types import Receive, Scope, Send

from miyabi.gateway.claims import KeysUnavailable
from miyabi.gateway.sign_in import Ways, answer
from miyabi.http import Problem, respond

if TYPE_CHECKING:
    from miyabi.gateway.tokens import Verifier

HEADERS = [(b"content-type", b"application/json"), (b"cache-control", b"no-store")]


class SignInApp:
    """ASGI. Without a ``verifier`` nobody needs to sign in."""

    def __init__(self, ways: Ways, verifier: Verifier | None) -> None:
        self._ways = ways
        self._verifier = verifier

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer GET and HEAD. Raises :class:`Problem` ``method-not-allowed`` or ``unavailable``."""
        if scope["method"] not in ("GET", "HEAD"):
            raise Problem("method-not-allowed", "Allowed here: GET, HEAD.", Allow="GET, HEAD")
        given = [value.decode("latin-1") for name, value in scope["headers"] if name == b"authorization"]
        try:
            found = await answer(self._ways, self._verifier, given)
        except KeysUnavailable:
            detail = "Who signs people in does not answer, so no token can be verified. Try again."
            raise Problem("unavailable", detail, Retry_After="5") from None
        await respond(send, 200, HEADERS, msgspec.json.encode(found))
