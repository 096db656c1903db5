"""``miyabi token``: make tokens with the deployment's secret, and say what a token is and whether it is let in."""

from __future__ import annotations

import asyncio
import base64
import sys
import time
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import click
import msgspec

from miyabi.cli.service import settings_of
from miyabi.model import is_id
from miyabi.principal import ROLES, Principal, Role, group_name
from miyabi.settings import Settings, SettingsError

if TYPE_CHECKING:
    from miyabi.gateway.tokens import Verifier

DAYS = 30
MOST_DAYS = 366
DAY_SECONDS = 86_400
WITHOUT_ONE = "Set MIYABI_AUTH_SECRET, or MIYABI_AUTH_SECRET_FILE: the secret that tokens are signed with."


@click.group(short_help="Make tokens, and say what one is.")
def token() -> None:
    """Make tokens with the secret of MIYABI_AUTH_SECRET, and say what a token is and whether it is let in."""


@token.command()
@click.argument("subject")
@click.option("--role", type=click.Choice(ROLES), help="What it may do.  [default: viewer; with --group: ingest]")
@click.option("--project", "projects", multiple=True, metavar="ID", help="Only this project; may be given again.")
@click.option("--group", "groups", multiple=True, metavar="GROUP", help="Append to this log group, and nothing else.")
@click.option(
    "--days", type=click.FloatRange(0, MOST_DAYS, min_open=True), default=DAYS, show_default=True, help="Good for."
)
def make(subject: str, role: Role | None, projects: tuple[str, ...], groups: tuple[str, ...], days: float) -> None:
    """Print a token for SUBJECT: a person, or the name of what will use it.

    A viewer sees, a developer changes as well, an admin deletes, too; services that run by themselves ask one another
    as `service`. A token with --group only appends lines: the one to give to CI.
    """
    principal = _principal(subject, role, projects, groups)
    click.echo(_make(settings_of(), principal, round(days * DAY_SECONDS)))


@token.command()
@click.argument("text", metavar="[TOKEN]", default="-")
def show(text: str) -> None:
    """Print what TOKEN says, and whether this deployment's gateway lets it in.

    Left out, it is read from standard input, and so is in no shell's history. Exit code 1 when it is not let in.
    """
    given = (sys.stdin.read() if text == "-" else text).strip()
    why = _refusal(settings_of(), given)
    said = {"header": _part(given, 0), "claims": _part(given, 1), "let_in": why is None, "why_not": why}
    click.echo(msgspec.json.format(msgspec.json.encode(said | _dates(said["claims"])), indent=2).decode())
    sys.exit(why is not None)


def _principal(subject: str, role: Role | None, projects: tuple[str, ...], groups: tuple[str, ...]) -> Principal:
    role = role or ("ingest" if groups else "viewer")
    if (role == "ingest") != bool(groups):
        raise click.UsageError("The role `ingest` and --group belong together: it may append to these groups only.")
    if bad := [project for project in projects if not is_id(project)]:
        raise click.UsageError(f"`{bad[0]}` is no project's id.")
    if "/" in (names := tuple(group_name(group) for group in groups)):
        raise click.UsageError("A log group has a name, like /miyabi/jobs.")
    return Principal(subject, role, projects or None, names)


def _make(settings: Settings, principal: Principal, seconds: int) -> str:
    from miyabi.gateway.mint import make_token
    from miyabi.wiring.auth import own_tokens, secret_keys

    try:
        keys = secret_keys(settings)
    except SettingsError as error:
        raise click.ClickException(str(error)) from None
    if not keys:
        raise click.ClickException(WITHOUT_ONE)
    return make_token(keys[0], principal, own_tokens(settings), int(time.time()), seconds)


def _refusal(settings: Settings, text: str) -> str | None:
    """Why the gateway refuses it; ``None`` when it does not."""
    from miyabi.gateway.claims import KeysUnavailable, TokenRefused
    from miyabi.wiring.auth import make_verifier

    if not settings.signs_in:
        return "no sign-in is configured here: set MIYABI_AUTH_SECRET or MIYABI_AUTH_ISSUER"
    try:
        asyncio.run(_verified(make_verifier(settings), text))
    except SettingsError as error:
        raise click.ClickException(str(error)) from None
    except (TokenRefused, KeysUnavailable) as error:
        return str(error)
    return None


async def _verified(verifier: Verifier, text: str) -> Principal:
    return await verifier.principal(text)


def _part(text: str, number: int) -> Any:
    """The header or the claims, whoever has written them; ``None`` for what is none."""
    segments = text.split(".")
    if len(segments) != 3:
        return None
    try:
        return msgspec.json.decode(base64.urlsafe_b64decode(segments[number] + "=" * (-len(segments[number]) % 4)))
    except (ValueError, RecursionError):
        return None


def _dates(claims: Any) -> dict[str, str]:
    """The dates of the claims as people read them."""
    found = {name: claims.get(name) for name in ("nbf", "exp")} if isinstance(claims, dict) else {}
    return {
        {"nbf": "good_from", "exp": "good_until"}[name]: datetime.fromtimestamp(value, UTC).isoformat()
        for name, value in found.items()
        if isinstance(value, int | float) and 0 <= value < 1e11
    }
