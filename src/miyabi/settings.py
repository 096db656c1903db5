"""The only reader of the environment: every setting of every service, with its default."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Literal, NamedTuple

from msgspec import Meta, Struct, ValidationError, convert

Count = Annotated[int, Meta(ge=0)]
Bytes = Annotated[int, Meta(ge=256)]
Seconds = Annotated[float, Meta(gt=0)]

DEFAULT_PORT = 8420
PREFIX = "MIYABI_"


class SettingsError(ValueError):
    """A setting that can't be used; the message says what to write instead."""


class Secret:
    """A value that must not be shown: not in a log, not in a traceback."""

    __slots__ = ("value",)

    def __init__(self, value: str) -> None:
        self.value = value

    def __repr__(self) -> str:
        return "Secret(…)"


class Settings(Struct, frozen=True, kw_only=True):
    """Each field is read from ``MIYABI_`` and its name in capitals.

    The backends are URLs: ``logs``, ``database`` and ``cache`` name where that service is. ``local:`` (lines in an
    SQLite file in ``data``), ``sqlite:`` (records in another) and ``memory:`` are the embedded ones;
    ``http://host:8423`` is a log service that runs by itself (``miyabi serve logs``).
    """

    data: Path
    """Folder of the embedded stores, and of lines that wait to be sent."""
    host: str = "127.0.0.1"
    port: int = DEFAULT_PORT
    logs: str = "local:"
    database: str = "sqlite:"
    """``sqlite:`` in ``data``, ``sqlite:FOLDER`` in another folder (of a restored one), or ``dynamodb:``."""
    cache: str = "memory:"
    tasks: str = "local:"
    """Where the gateway finds the task API: ``local:`` in its own process, or ``http://`` addresses, spaces between."""
    collector: str = "local:"
    """Where the task API finds the collector: ``local:`` in its own process, or an ``http://`` address."""
    url: str | None = None
    """Board that ``miyabi run`` sends to; unset: the one running on this data folder, else the folder itself."""
    token: str | None = None
    """Sent as ``Authorization: Bearer`` by the command line, and by a service that runs by itself to others."""
    auth_secret: Secret | None = None
    """Signs and verifies this deployment's own tokens (HS256): 32 bytes or more, or ``ssm:NAME`` of a SecureString.

    Several with spaces or lines between while one takes another's place: the first signs, each verifies.
    """
    auth_secret_file: Path | None = None
    """A file that holds it instead."""
    auth_issuer: str | None = None
    """The OIDC issuer whose tokens are taken, e.g. ``https://cognito-idp.eu-west-1.amazonaws.com/eu-west-1_abc``."""
    auth_audience: str | None = None
    """Whom tokens must be made for: with an issuer, the id of the client that is registered there."""
    auth_audience_claim: Literal["aud", "client_id"] = "aud"
    """Where an issuer's tokens say so: ``client_id`` in Cognito's access tokens."""
    auth_client: str | None = None
    """The id of the page's client at the issuer (public, with PKCE): people sign in there. Unset: by token only."""
    auth_scopes: str = "openid email profile"
    """What the page asks the issuer for, with spaces between; some give a refresh token for ``offline_access`` only."""
    auth_origins: str = ""
    """Where else than at its own address the issuer answers the page, with spaces between: Cognito's domain."""
    tls_cert: Path | None = None
    """PEM file of the certificate and its chain that a service shows; unset: it speaks plain HTTP."""
    tls_key: Path | None = None
    """PEM file of its key, without a passphrase; unset: in the same file."""
    tls_ca: Path | None = None
    """PEM file of authorities that the clients of services trust besides the system's."""
    origins: str = ""
    """Origins whose pages may ask the gateway (CORS), with spaces between: ``https://board.example.org``."""
    access_log: Literal["auto", "yes", "no"] = "auto"
    """A line of JSON on stderr for each request: ``auto`` where others can ask, and stderr is no terminal."""
    rate_limit: Annotated[float, Meta(ge=0, le=1e9)] = 1000.0
    """Requests a second that all gateways on one Redis, or each without one, let through; 0 is no limit."""
    rate_burst: Annotated[int, Meta(ge=1)] = 2000
    """So many at once, after a pause."""
    rate_share: Annotated[float, Meta(gt=0, le=1)] = 0.1
    """The part of both that each client has for itself, whatever others ask for; beyond it it borrows what is left."""
    trusted_proxies: str = ""
    """Whose ``X-Forwarded-For`` is believed: addresses and networks (``10.0.0.0/8``), with spaces between."""
    max_connections: Count = 4096
    """Connections a service holds at a time; 0 is as many as the system allows."""
    max_connections_per_address: Count = 256
    """Of them from one address; 0 is no limit. This machine's own have none."""
    max_url_bytes: Bytes = 8192
    max_header_bytes: Bytes = 32_768
    """Of a request's head: its target and all headers."""
    header_seconds: Seconds = 10.0
    """A request's head must be whole so soon after its first byte, or after the connection."""
    body_seconds: Seconds = 30.0
    """The next byte of a body must come so soon."""
    idle_seconds: Seconds = 75.0
    """A connection without a request is kept so long."""
    answer_seconds: Seconds = 60.0
    """A client that takes nothing of its answer is let go after so long."""
    sweep_seconds: float = 5.0
    """How often the collector looks for lines that no signal told it of."""

    notify: Secret | None = None
    """Addresses that notices go to, with spaces between, or ``ssm:NAME`` of a SecureString with them or with rules."""
    notify_file: Path | None = None
    """A file of TOML that says who is told what, instead."""
    notify_secret: Secret | None = None
    """Signs webhooks: ``whsec_`` and Base64, or ``ssm:NAME`` of a SecureString with it.

    Several with spaces between while one takes another's place.
    """
    notify_language: Literal["en", "ja"] = "en"
    """Of notices whose rule names none."""
    public_url: str | None = None
    """Where people open the board, for links in notices, e.g. ``https://board.example.org``."""

    @property
    def signs_in(self) -> bool:
        """Whether the gateway lets only tokens in."""
        return bool(self.auth_secret or self.auth_secret_file or self.auth_issuer)


def from_environment(environ: Mapping[str, str] | None = None, **given: object) -> Settings:
    """Settings from the environment, with ``given`` (command line options; ``None`` is unset) before it.

    Raises :class:`SettingsError` naming the variable and what it may be.
    """
    env = os.environ if environ is None else environ
    values: dict[str, object] = {
        name: env[PREFIX + name.upper()] for name in Settings.__struct_fields__ if env.get(PREFIX + name.upper())
    }
    values |= {name: value for name, value in given.items() if value is not None}
    values["data"] = Path(str(values.get("data") or default_data())).expanduser().absolute()
    try:
        return convert(values, Settings, strict=False, dec_hook=_made)
    except ValidationError as error:
        raise SettingsError(_explain(str(error))) from None


def aws_region(environ: Mapping[str, str] | None = None) -> str | None:
    """The region that AWS's own tools would take from the environment; ``None`` when it names none."""
    env = os.environ if environ is None else environ
    return env.get("AWS_REGION") or env.get("AWS_DEFAULT_REGION") or None


class AwsKeys(NamedTuple):
    """Credentials of AWS; ``token`` is there when they are temporary ones, of a role."""

    id: str
    secret: str
    token: str | None


def aws_keys(environ: Mapping[str, str] | None = None) -> AwsKeys:
    """The credentials in the environment, where Lambda puts its role's. Raises :class:`SettingsError`."""
    env = os.environ if environ is None else environ
    access, secret = env.get("AWS_ACCESS_KEY_ID"), env.get("AWS_SECRET_ACCESS_KEY")
    if not access or not secret:
        raise SettingsError("AWS credentials are needed: set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY.")
    return AwsKeys(access, secret, env.get("AWS_SESSION_TOKEN") or None)


def default_data() -> Path:
    """The platform's folder for a user's data, e.g. ``~/.local/share/miyabi``."""
    from platformdirs import (
        user_data_path,
    )  # imported late: most starts name no folder themselves but tests do

    return user_data_path("miyabi", appauthor=False)


def _made(kind: type, value: object) -> object:
    if kind is Path:
        return Path(str(value)).expanduser().absolute()
    if kind is Secret:
        return Secret(str(value))
    raise NotImplementedError(kind)


def _explain(message: str) -> str:
    what, _, where = message.partition(" - at `$.")
    name = where.rstrip("`").upper()
    return f"{PREFIX}{name}: {what[0].lower()}{what[1:]}. Correct it, or unset it for the default."
