"""Tokens made with the deployment's own secret: for people without an OIDC issuer, for scripts, for CI."""

from __future__ import annotations

from typing import Any

import jwt
import msgspec

from miyabi.gateway.claims import Expected
from miyabi.gateway.keys import Key
from miyabi.principal import Principal

OWN_ISSUER = "miyabi"
"""``iss`` of tokens that a deployment makes for itself."""
OWN_AUDIENCE = "miyabi"
"""``aud`` of them, where the settings name none."""


def make_token(key: Key, principal: Principal, expected: Expected, now: int, seconds: int) -> str:
    """A token for ``principal``, good for ``seconds`` from ``now`` (epoch seconds)."""
    claims: dict[str, Any] = {
        "iss": expected.issuer,
        "aud": expected.audience,
        "sub": principal.subject,
        "role": principal.role,
        "iat": now,
        "nbf": now,
        "exp": now + seconds,
    }
    if principal.projects is not None:
        claims["projects"] = list(principal.projects)
    if principal.groups:
        claims["groups"] = list(principal.groups)
    return jwt.PyJWS().encode(msgspec.json.encode(claims), key.material, key.algorithm, {"typ": "JWT"})
