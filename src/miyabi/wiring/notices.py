"""Notices: from the settings to what follows the changes and tells people."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

from miyabi.database import Database, DatabaseUnavailable
from miyabi.masked import kind_of
from miyabi.notices import Target
from miyabi.notices.config import Plan, of_addresses, of_file
from miyabi.notices.notifier import Notifier
from miyabi.settings import Settings, SettingsError
from miyabi.wiring.files import shown, why_unread
from miyabi.wiring.parameter import SSM, read_parameter

log = logging.getLogger("miyabi.notices")

ONCE_SECONDS = 25.0
"""A function's call tells for so long at most; its own limit is a minute."""
INSTALL = "pip install 'miyabi[notify]'"


def read_plan(settings: Settings) -> Plan | None:
    """Who is told what; ``None`` when nobody is. Raises ``SettingsError`` saying what to write instead."""
    try:
        return _plan(settings)
    except ValueError as error:
        if isinstance(error, SettingsError):
            raise
        raise SettingsError(f"{error}.") from None


def make_targets(settings: Settings, plan: Plan) -> dict[str, Target]:
    """The targets by their keys. Raises ``SettingsError`` naming the address that can't be used, and not what it is."""
    if settings.public_url is not None and not settings.public_url.startswith(("http://", "https://")):
        raise SettingsError("MIYABI_PUBLIC_URL: write the board's address, e.g. `https://board.example.org`.")
    targets = {}
    for key, address in plan.addresses.items():
        try:
            targets[key] = _target(settings, address)
        except ValueError as error:
            if isinstance(error, SettingsError):
                raise
            raise SettingsError(f"{plan.where[key]} (`{kind_of(address)}`): {error}.") from None
    return targets


def make_notifier(settings: Settings, database: Database) -> Notifier | None:
    """What tells people of the database's tasks; ``None`` when nobody is told. Raises ``SettingsError``."""
    plan = read_plan(settings)
    if plan is None:
        return None
    return Notifier(database, plan.rules, make_targets(settings, plan), _now)


Notices = Callable[[], Awaitable[None]]
"""Tells what has become due."""


def open_notices(settings: Settings, database: Database) -> Notices:
    """What a function calls each time that it is woken; what it can't tell now waits. Raises ``SettingsError``."""
    notifier = make_notifier(settings, database)
    if notifier is None:
        raise SettingsError("MIYABI_NOTIFY: nobody is named who is to be told; write `ssm:NAME` of a parameter.")

    async def tell() -> None:
        try:
            async with asyncio.timeout(ONCE_SECONDS):
                await notifier.once()
        except DatabaseUnavailable as error:
            log.warning("notices wait: %s", error)
        except TimeoutError:
            log.warning("notices took longer than %.0f s; the next call goes on", ONCE_SECONDS)
        except Exception:
            log.exception("notices wait for the next call")

    return tell


@asynccontextmanager
async def notifying(settings: Settings, database: Database) -> AsyncIterator[None]:
    """People are told within; settings that can't be used are refused before. Raises ``SettingsError``."""
    notifier = make_notifier(settings, database)
    if notifier is None:
        yield
        return
    from miyabi.collector.app import running  # late: `miyabi notify` serves nothing

    async with running(notifier, "notices"):
        yield


def _plan(settings: Settings) -> Plan | None:
    if settings.notify and settings.notify_file:
        raise SettingsError("MIYABI_NOTIFY and MIYABI_NOTIFY_FILE are both set. Unset one.")
    language = settings.notify_language
    if settings.notify_file:
        path = settings.notify_file.expanduser()
        try:
            return of_file(path.read_text(), language, str(path))
        except (OSError, UnicodeDecodeError) as error:
            raise SettingsError(f"MIYABI_NOTIFY_FILE: {shown(path)} can't be read: {why_unread(error)}.") from None
    if not settings.notify:
        return None
    value = settings.notify.value.strip()
    if not value.startswith(SSM):
        return of_addresses(value, language, "MIYABI_NOTIFY")
    name = value.removeprefix(SSM).strip()
    value = read_parameter("MIYABI_NOTIFY", name)
    read = of_file if "[[rule]]" in value else of_addresses
    return read(value, language, f"MIYABI_NOTIFY, parameter {name}")


def _target(settings: Settings, address: str) -> Target:
    if address.startswith("webhook"):
        return _webhook(settings, address)
    try:
        from miyabi.notices.through_apprise import AppriseTarget
    except ModuleNotFoundError as error:
        raise ValueError(f"this needs {error.name}; {INSTALL}") from None
    return AppriseTarget(address, settings.public_url)


def _webhook(settings: Settings, address: str) -> Target:
    from miyabi.notices.signing import MAKE_ONE, read_secrets
    from miyabi.notices.webhook import SCHEMES, Webhook

    if address.partition("://")[0] not in SCHEMES:
        raise ValueError("write it as `webhook+https://host/path`")
    given = settings.notify_secret.value.strip() if settings.notify_secret else ""
    if given.startswith(SSM):
        given = read_parameter("MIYABI_NOTIFY_SECRET", given.removeprefix(SSM).strip())
    try:
        secrets = read_secrets(given)
    except ValueError as error:
        raise SettingsError(f"MIYABI_NOTIFY_SECRET: {error}.") from None
    if not secrets:
        raise SettingsError(f"MIYABI_NOTIFY_SECRET: webhooks are signed with it. {MAKE_ONE}.")
    return Webhook(address, secrets, settings.public_url, _now)


def _now() -> int:
    return time.time_ns() // 1_000_000
