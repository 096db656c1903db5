"""Who may pass the gateway: a request needs a token, and its role must allow what it asks for.

Why one is refused stands in the log. The answer tells no more than that it is (RFC 6750, 3).
"""

from __future__ import annotations

import logging

from starlette.types import Scope

from miyabi.gateway.claims import KeysUnavailable, TokenRefused
from miyabi.gateway.tokens import Verifier, bearer
from miyabi.http import Problem
from miyabi.principal import Principal, role_for

log = logging.getLogger("miyabi.gateway")

CHALLENGE = 'Bearer realm="miyabi"'
SIGN_IN = "Send a token that is good here: `Authorization: Bearer TOKEN`. `miyabi token` makes and explains them."


class Auth:
    """Checks requests' tokens."""

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
        """Who asks. Raises :class:`Problem` ``unauthorized`` or ``unavailable``."""
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


def _needed(principal: Principal, method: str) -> str:
    """What to ask for instead."""
    needed = role_for(method)
    if principal.role == "ingest" or needed is None:
        return f"The role `{principal.role}` may not {method} this. Ask for a token with another role."
    return f"The role `{principal.role}` may not {method} this; `{needed}` may. Ask for a token with that role."
