"""From the claims of a token whose signature is good to who asks: dates, issuer, audience, role."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Literal, NamedTuple

import msgspec
from msgspec import Struct, field

from miyabi.principal import ROLES, Principal, Role, group_name

SKEW_SECONDS = 30
"""So far may the clocks of who makes tokens and who reads them be apart."""
MOST_NAMES = 200
"""Projects or groups in one token."""

AudienceClaim = Literal["aud", "client_id"]


class TokenRefused(Exception):
    """A token that is not let in. The message is for the log, not for who sent it."""


class KeysUnavailable(Exception):
    """No token can be verified: the issuer does not answer, and no keys of it are known (any more)."""


class Claims(Struct, frozen=True):
    """What is read of a token (RFC 7519, 4.1); a claim of another type refuses the token."""

    exp: float
    iss: str
    sub: str
    nbf: float | None = None
    aud: str | list[str] | None = None
    client_id: str | None = None
    role: str | None = None
    cognito_groups: list[str] | None = field(default=None, name="cognito:groups")
    projects: str | list[str] | None = None
    groups: object = None


class Expected(Struct, frozen=True):
    """Whose tokens are taken, and for whom they must be made.

    ``audience_claim`` says where it stands: Cognito's access tokens have ``client_id`` and no ``aud``.
    """

    issuer: str
    audience: str
    audience_claim: AudienceClaim = "aud"
    roles: frozenset[Role] = frozenset(ROLES)


class Claimed(NamedTuple):
    """Who a token stands for, and when: between two epoch seconds, give or take the skew of clocks."""

    principal: Principal
    not_before: float
    expires: float

    def at(self, now: float) -> Principal:
        """The principal at ``now``. Raises :class:`TokenRefused`."""
        if self.expires <= now - SKEW_SECONDS:
            raise TokenRefused("it has expired")
        if self.not_before > now + SKEW_SECONDS:
            raise TokenRefused("it is not valid yet")
        return self.principal


def claimed(payload: bytes, expected: Expected) -> Claimed:
    """Who the claims ``payload`` (JSON) stand for, and when. Raises :class:`TokenRefused`."""
    try:
        claims = _DECODER.decode(payload)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        raise TokenRefused(f"its claims can't be used: {error}") from None
    _check_origin(claims, expected)
    role = _role(claims, expected)
    groups = _groups(claims) if role == "ingest" else ()
    principal = Principal(claims.sub, role, _projects(claims), groups, claims.exp + SKEW_SECONDS)
    return Claimed(principal, claims.nbf or 0.0, claims.exp)


_DECODER = msgspec.json.Decoder(Claims)


def _check_origin(claims: Claims, expected: Expected) -> None:
    if claims.iss != expected.issuer:
        raise TokenRefused("another issuer made it")
    given = claims.aud if expected.audience_claim == "aud" else claims.client_id
    audiences = [given] if isinstance(given, str) else given or []
    if expected.audience not in audiences:
        raise TokenRefused("it was made for another audience")
    if not claims.sub:
        raise TokenRefused("it names no subject")


def _role(claims: Claims, expected: Expected) -> Role:
    """The role it names; of several groups that are roles, the one that may most. Other groups mean nothing here."""
    named: Iterable[str] = claims.cognito_groups or () if claims.role is None else [claims.role]
    roles = [role for role in ROLES if role in named and role in expected.roles]
    people = [role for role in roles if role != "ingest"]
    if not roles:
        raise TokenRefused("it names no role")
    return people[-1] if people else roles[-1]


def _projects(claims: Claims) -> tuple[str, ...] | None:
    """A list, or names with spaces between: some issuers can only write strings. An empty one is no project."""
    if claims.projects is None:
        return None
    return _few(claims.projects.split() if isinstance(claims.projects, str) else claims.projects)


def _groups(claims: Claims) -> tuple[str, ...]:
    try:
        given = msgspec.convert(claims.groups, list[str])
    except msgspec.ValidationError:
        raise TokenRefused("its groups are no list of names") from None
    names = _few([group_name(name) for name in given])
    if not names or "/" in names:
        raise TokenRefused("it names no group to append to")
    return names


def _few(names: list[str]) -> tuple[str, ...]:
    if len(names) > MOST_NAMES:
        raise TokenRefused(f"it names more than {MOST_NAMES} projects or groups")
    return tuple(names)
