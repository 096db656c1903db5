"""What verifies and makes tokens, from the settings. Shared by the gateway, the authorizer on AWS and ``miyabi token``.

Imports no HTTP server: a Lambda function that only verifies tokens starts with this.
"""

from __future__ import annotations

import re
import time
from urllib.parse import urlsplit

from miyabi.gateway.claims import Expected
from miyabi.gateway.fetch import fetch
from miyabi.gateway.issuer import IssuerKeys, check_address
from miyabi.gateway.keys import Key, secret_key
from miyabi.gateway.mint import OWN_AUDIENCE, OWN_ISSUER
from miyabi.gateway.renewed import Renewed
from miyabi.gateway.sign_in import Oidc, Ways
from miyabi.gateway.tokens import Issuer, Secrets, Verifier
from miyabi.principal import ROLES
from miyabi.settings import Settings, SettingsError
from miyabi.wiring.files import why_unread
from miyabi.wiring.parameter import SSM, read_parameter

_HOST = re.compile(r"[a-z0-9.-]+")
MAKE_ONE = "Make one: python3 -c 'import secrets; print(secrets.token_urlsafe(32))'"


def make_verifier(settings: Settings) -> Verifier:
    """Verifies by the secret, by the issuer, or by either. Raises ``SettingsError`` saying what to write instead."""
    return Verifier(_own(settings), _issuer(settings), time.time)


def make_ways(settings: Settings) -> Ways:
    """How people sign in. Raises ``SettingsError``."""
    if settings.auth_client is None:
        return Ways(token=settings.signs_in)
    if settings.auth_issuer is None:
        raise SettingsError("MIYABI_AUTH_CLIENT: it is a client of an issuer; set MIYABI_AUTH_ISSUER, too.")
    return Ways(Oidc(settings.auth_issuer, settings.auth_client, settings.auth_scopes), token=True)


def sign_in_origins(settings: Settings) -> list[str]:
    """Where the page asks for tokens: the issuer's origin, and others that it answers at. Raises ``SettingsError``."""
    if settings.auth_client is None or settings.auth_issuer is None:
        return []
    return list(dict.fromkeys(_origin(each) for each in (settings.auth_issuer, *settings.auth_origins.split())))


def _origin(url: str) -> str:
    """Only the name and port: nothing else can come into the page's policy."""
    try:
        check_address(url)
        parts = urlsplit(url)
        port = f":{parts.port}" if parts.port else ""
    except ValueError as error:
        raise SettingsError(f"MIYABI_AUTH_ORIGINS: {error}.") from None
    host = parts.hostname or ""
    if not _HOST.fullmatch(host):
        raise SettingsError(f"MIYABI_AUTH_ORIGINS: `{host[:100]}` is no host; write `https://login.example.org`.")
    return f"{parts.scheme}://{host}{port}"


def secret_keys(settings: Settings) -> list[Key]:
    """The deployment's own keys, the one that signs first; none when the settings name no secret."""
    try:
        return [secret_key(secret) for secret in _secrets(settings)]
    except ValueError as error:
        raise SettingsError(f"MIYABI_AUTH_SECRET: {error}. {MAKE_ONE}") from None


def own_tokens(settings: Settings) -> Expected:
    """What the deployment's own tokens say."""
    return Expected(OWN_ISSUER, settings.auth_audience or OWN_AUDIENCE)


def _own(settings: Settings) -> Secrets | None:
    keys = secret_keys(settings)
    if not keys:
        return None
    return Secrets(Renewed(keys, lambda: secret_keys(settings), time.monotonic), own_tokens(settings))


def _issuer(settings: Settings) -> Issuer | None:
    """``ingest`` is a role of this deployment's own tokens only."""
    if settings.auth_issuer is None:
        return None
    if settings.auth_audience is None:
        raise SettingsError(
            "MIYABI_AUTH_AUDIENCE: an issuer makes tokens for many applications; write the id of this board's client."
        )
    people = frozenset(ROLES) - {"ingest"}
    expected = Expected(settings.auth_issuer, settings.auth_audience, settings.auth_audience_claim, people)
    try:
        return Issuer(IssuerKeys(settings.auth_issuer, fetch, time.monotonic), expected)
    except ValueError as error:
        raise SettingsError(f"MIYABI_AUTH_ISSUER: {error}.") from None


def _secrets(settings: Settings) -> list[str]:
    if settings.auth_secret and settings.auth_secret_file:
        raise SettingsError("MIYABI_AUTH_SECRET and MIYABI_AUTH_SECRET_FILE are both set. Unset one.")
    if not settings.auth_secret and not settings.auth_secret_file:
        return []
    value = settings.auth_secret.value if settings.auth_secret else _in_file(settings)
    if value.startswith(SSM):
        value = read_parameter("MIYABI_AUTH_SECRET", value.removeprefix(SSM).strip())
    if not value.split():
        raise SettingsError(f"MIYABI_AUTH_SECRET: there is nothing in it. {MAKE_ONE}")
    return value.split()


def _in_file(settings: Settings) -> str:
    assert settings.auth_secret_file
    try:
        return settings.auth_secret_file.expanduser().read_text()
    except (OSError, UnicodeDecodeError) as error:  # not which: it may be the secret itself by mistake
        raise SettingsError(f"MIYABI_AUTH_SECRET_FILE: the file can't be read: {why_unread(error)}.") from None
