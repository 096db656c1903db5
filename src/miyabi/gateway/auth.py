"""Who may pass the gateway: a request needs a token, and its role must allow what it asks for.

Why one is refused stands in the log. The answer tells no more than that it is (RFC 6750, 3).
"""

from __future__ import annotations

import logging
from contextlib import suppress

from starlette.types import ASGIApp, Receive, Scope, Send

from miyabi.gateway.claims import KeysUnavailable, TokenRefused
from miyabi.gateway.discreet import Discreet
from miyabi.gateway.headers import OPEN
from miyabi.gateway.tokens import Verifier, bearer
from miyabi.http import Problem
from miyabi.principal import NEEDS_ALL, Principal, attach, is_badge, role_for

log = logging.getLogger("miyabi.gateway")

CHALLENGE = 'Bearer realm="miyabi"'
SIGN_IN = "Send a token that is good here: `Authorization: Bearer TOKEN`. `miyabi token` makes and explains them."
IN_ADDRESS = "Only a token of the role `viewer` may stand in an address, where logs and histories keep it."


class Auth:
    """Checks requests' tokens: in the header, or for a badge, which is an image, in ``?token=``."""

    def __init__(self, verifier: Verifier) -> None:
        self.verifier = verifier

    async def check(self, scope: Scope) -> Principal:
        """Who asks. Raises :class:`Problem` ``unauthorized``, ``forbidden`` or ``unavailable``."""
        principal = await self.identify(scope)
        self.allow(principal, scope)
        return principal

    def allow(self, principal: Principal, scope: Scope) -> None:
        """Raise :class:`Problem` ``forbidden`` unless its role allows the request."""
        if not principal.may(scope["method"], scope["raw_path"]):
            detail = _needed(principal, scope["method"])
            challenge = f'{CHALLENGE}, error="insufficient_scope"'
            raise Problem("forbidden", detail, WWW_Authenticate=challenge)

    async def identify(self, scope: Scope) -> Principal:
        """Who asks, attached to ``scope`` from here on, whether or not it is let in.

        Raises :class:`Problem` ``unauthorized`` or ``unavailable``.
        """
        in_address = _out_of_address(scope)
        principal = await self._principal(scope)
        if in_address and principal.role != "viewer":
            raise Problem("unauthorized", IN_ADDRESS, WWW_Authenticate=CHALLENGE)
        attach(scope, principal)
        return principal

    async def recognise(self, scope: Scope) -> None:
        """Attach who asks, where a good token tells. Who sends none, or a bad one, is let in here all the same."""
        if any(name == b"authorization" for name, _ in scope["headers"]):
            with suppress(Problem):
                await self.identify(scope)

    async def _principal(self, scope: Scope) -> Principal:
        given = [value for name, value in scope["headers"] if name == b"authorization"]
        if not given:
            raise Problem("unauthorized", SIGN_IN, WWW_Authenticate=CHALLENGE)
        try:
            return await self.verifier.principal(bearer([value.decode("latin-1") for value in given]))
        except TokenRefused as error:
            log.warning("a token was refused: %s", error)
            raise Problem("unauthorized", SIGN_IN, WWW_Authenticate=f'{CHALLENGE}, error="invalid_token"') from None
        except KeysUnavailable as error:
            log.warning("no token can be verified: %s", error)
            detail = "Who signs people in does not answer, so no token can be verified. Try again."
            raise Problem("unavailable", detail, Retry_After="5") from None


class Verified:
    """ASGI: ``app`` for those whom ``auth`` lets in; ``/health`` for everyone, without what strangers may not know.

    ``whole``: the service can't tell projects apart, so it is for tokens that are good for all of them.
    """

    def __init__(self, app: ASGIApp, auth: Auth, service: str = "This service", *, whole: bool = False) -> None:
        self._app = Discreet(app, service, auth)
        self._auth = auth
        self._whole = whole

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Refuse a request without a good token, tell who asks with any other."""
        if scope["type"] == "http" and scope["path"] != OPEN:
            try:
                principal = await self._auth.check(scope)
                if self._whole and principal.projects is not None:
                    raise Problem("forbidden", NEEDS_ALL)
            except Problem as problem:
                await problem.response()(scope, receive, send)
                return
        await self._app(scope, receive, send)


def _out_of_address(scope: Scope) -> bool:
    """Move the token of a badge's address into the header, out of the reach of logs. Whether it was there.

    One beside a header is dropped. The services behind verify it where a client would have put it.
    """
    if not is_badge(scope["method"], scope["path"]) or b"token" not in scope["query_string"]:
        return False
    pairs = [pair.partition(b"=") for pair in scope["query_string"].split(b"&")]
    given = [value for name, _, value in pairs if name == b"token"]
    scope["query_string"] = b"&".join(name + sign + value for name, sign, value in pairs if name != b"token")
    if any(name == b"authorization" for name, _ in scope["headers"]):
        return False
    scope["headers"] = [*scope["headers"], *((b"authorization", b"Bearer " + value) for value in given)]
    return bool(given)


def _needed(principal: Principal, method: str) -> str:
    """What to ask for instead."""
    needed = role_for(method)
    if principal.role == "ingest" or needed is None:
        return f"The role `{principal.role}` may not {method} this. Ask for a token with another role."
    return f"The role `{principal.role}` may not {method} this; `{needed}` may. Ask for a token with that role."
