"""Tokens verified: HS256 by a secret of this deployment, RS256, ES256 and EdDSA by the keys of an OIDC issuer.

What a token says of itself only chooses where to look: each key has one algorithm, and each source its issuer,
audience and roles. Addresses and keys in a token's header (``jku``, ``jwk``, ``x5u``) are never followed.
"""

from __future__ import annotations

import binascii
from base64 import urlsafe_b64decode
from collections.abc import Callable
from typing import NamedTuple

import msgspec
from msgspec import Struct

from miyabi.gateway.claims import Claimed, Expected, TokenRefused, claimed
from miyabi.gateway.issuer import IssuerKeys
from miyabi.gateway.keys import Key
from miyabi.gateway.renewed import Renewed
from miyabi.principal import Principal

TOKEN_BYTES = 8192
KID_BYTES = 256
MOST_KNOWN = 512
"""Good tokens that are remembered: checking one costs more than the rest of a request."""
SURE_SECONDS = 1.0
"""So long a key that was one is not looked for again: keys are fetched every few minutes at most."""


class Header(Struct, frozen=True):
    """What is read of a token's header."""

    alg: str
    kid: str | None = None


class Secrets(Struct, frozen=True):
    """The deployment's own secrets, and what their tokens must say."""

    keys: Renewed
    expected: Expected


class Issuer(Struct, frozen=True):
    """An OIDC issuer: its keys, and what its tokens must say."""

    keys: IssuerKeys
    expected: Expected


class Verifier:
    """Tells who a token stands for. ``now`` gives epoch seconds. At least one of the sources is there."""

    def __init__(self, secrets: Secrets | None, issuer: Issuer | None, now: Callable[[], float]) -> None:
        self._secrets = secrets
        self._issuer = issuer
        self._now = now
        self._known: dict[str, _Known] = {}

    async def principal(self, token: str) -> Principal:
        """Raise ``TokenRefused``, or ``KeysUnavailable`` while the issuer's keys were never had."""
        now, remembered = self._now(), self._known.get(token)
        if remembered and remembered.checked <= now < remembered.checked + SURE_SECONDS:
            return remembered.claimed.at(now)
        known = remembered if remembered and await self._holds(remembered) else await self._verified(token)
        if len(self._known) >= MOST_KNOWN:
            self._known.clear()
        self._known[token] = known._replace(checked=now)
        return known.claimed.at(self._now())

    async def _holds(self, known: _Known) -> bool:
        """Whether the very key that a token was found good with is still one."""
        if known.own and self._secrets:
            return known.key in await self._secrets.keys.keys()
        return self._issuer is not None and await self._issuer.keys.find(known.kid) is known.key

    async def _verified(self, token: str) -> _Known:
        if len(token) > TOKEN_BYTES:
            raise TokenRefused(f"it is longer than {TOKEN_BYTES} bytes")
        header = _header(token)
        if header.alg == "HS256" and self._secrets:
            return await _own(token, header, self._secrets)
        if self._issuer:
            return await _issued(token, header, self._issuer)
        raise TokenRefused(f"its algorithm is {header.alg[:20]!r}")


class _Known(NamedTuple):
    """A token whose signature was found good: by which key, named how; ``own`` is a secret of the deployment.

    ``checked``: the epoch second at which that key was last seen to be one still.
    """

    key: Key
    kid: str | None
    own: bool
    claimed: Claimed
    checked: float = 0.0


async def _own(token: str, header: Header, secrets: Secrets) -> _Known:
    for key in await secrets.keys.keys():
        payload = key.payload(token)
        if payload is not None:
            return _Known(key, header.kid, True, claimed(payload, secrets.expected))
    raise TokenRefused("its signature is wrong")


async def _issued(token: str, header: Header, issuer: Issuer) -> _Known:
    key = await issuer.keys.find(header.kid)
    if key is None:
        raise TokenRefused(f"the issuer has no key {(header.kid or '')[:40]!r}")
    if header.alg != key.algorithm:
        raise TokenRefused(f"its algorithm is {header.alg[:20]!r}, its key's {key.algorithm}")
    payload = key.payload(token)
    if payload is None:
        raise TokenRefused("its signature is wrong")
    return _Known(key, header.kid, False, claimed(payload, issuer.expected))


def bearer(values: list[str]) -> str:
    """The token in the values of a request's ``Authorization`` headers. Raises ``TokenRefused``."""
    if len(values) != 1:
        raise TokenRefused(f"there are {len(values)} Authorization headers")
    scheme, _, token = values[0].strip(" \t").partition(" ")
    if scheme.lower() != "bearer":
        raise TokenRefused("the Authorization header names another scheme than Bearer")
    return token.strip(" ")


def _header(token: str) -> Header:
    """The header of ``token``, which nobody has vouched for yet."""
    segment, *others = token.split(".")
    if len(others) != 2 or not token.isascii():
        raise TokenRefused("it is no token")
    try:
        header = msgspec.json.decode(urlsafe_b64decode(segment + "=" * (-len(segment) % 4)), type=Header)
    except (binascii.Error, ValueError, RecursionError):
        raise TokenRefused("it is no token") from None
    if header.kid is not None and len(header.kid) > KID_BYTES:
        raise TokenRefused("its key's name is too long")
    return header
