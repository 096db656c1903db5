"""How people sign in, and who a token stands for: what the page asks before it shows anything.

It is told to everyone, so it says nothing that is secret. Imports no HTTP server: on AWS the authorizer answers it.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from typing import TYPE_CHECKING

from msgspec import Struct

from miyabi.gateway.claims import TokenRefused
from miyabi.principal import Role

if TYPE_CHECKING:
    from miyabi.gateway.tokens import Verifier

log = logging.getLogger("miyabi.gateway")

PATH = "/api/sign-in"
"""``GET`` without a token, or with one to learn whether it is let in."""


class Oidc(Struct, frozen=True):
    """The page's client at an OIDC issuer: public, with PKCE and no secret. ``scopes`` have spaces between."""

    issuer: str
    client_id: str
    scopes: str


class Ways(Struct, frozen=True):
    """How people sign in: at an issuer, with a token that they have, both, or (neither) not at all."""

    oidc: Oidc | None = None
    token: bool = False


class User(Struct, frozen=True):
    """Whom a token stands for."""

    subject: str
    role: Role


class SignIn(Struct, frozen=True):
    """The answer. ``user`` is ``None`` without a token and with one that is not let in: why, only the log says."""

    oidc: Oidc | None
    token: bool
    user: User | None


async def answer(ways: Ways, verifier: Verifier | None, given: Sequence[str]) -> SignIn:
    """The ways, and who sends the ``Authorization`` headers ``given``. Raises ``KeysUnavailable``."""
    return SignIn(ways.oidc, ways.token, await _user(verifier, given) if verifier and given else None)


async def _user(verifier: Verifier, given: Sequence[str]) -> User | None:
    from miyabi.gateway.tokens import bearer  # late: a board without sign-in imports no cryptography

    try:
        principal = await verifier.principal(bearer(list(given)))
    except TokenRefused as error:
        log.warning("a token was refused: %s", error)
        return None
    return User(principal.subject, principal.role)
