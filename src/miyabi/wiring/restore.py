"""``miyabi restore``: which database, from where, into what."""

from __future__ import annotations

import asyncio
import shlex
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlencode

from msgspec import Struct
from msgspec.structs import replace

from miyabi.database.restore import Restored, Told
from miyabi.model import iso
from miyabi.settings import Settings, SettingsError
from miyabi.wiring import database_folder

if TYPE_CHECKING:
    from miyabi.database.dynamodb_client import Options


CACHE_NOTE = (
    "The cache in Redis holds newer states and never goes back to older ones: when you switch, empty it (`flushdb`), "
    "or name another one in MIYABI_CACHE."
)


class Wanted(Struct, frozen=True, kw_only=True):
    """What to restore. ``at``: the moment, ms. ``into``: a folder or a prefix of tables; ``None`` is one made of it.

    ``resume`` and ``full`` are for DynamoDB: go on with what was begun, check every task and not a sample.
    """

    at: int
    into: str | None = None
    resume: bool = False
    full: bool = False


def restore(settings: Settings, wanted: Wanted, now: Callable[[], int], told: Told) -> Restored:
    """Make the database that the settings name again as it was, beside it; ``now`` in ms.

    Raises ``SettingsError``, ``NotRestored`` and ``DatabaseUnavailable``.
    """
    restored = _restored(settings, wanted, now, told)
    if settings.cache.startswith("redis"):
        return replace(restored, notes=[*restored.notes, CACHE_NOTE])
    return restored


def _restored(settings: Settings, wanted: Wanted, now: Callable[[], int], told: Told) -> Restored:
    match settings.database.partition(":")[0]:
        case "sqlite":
            return _sqlite(settings, wanted, now(), told)
        case "dynamodb":
            return asyncio.run(_dynamodb(settings.database, wanted, now, told))
    raise SettingsError(
        f"MIYABI_DATABASE: `{settings.database}` names no database; write `sqlite:` or `dynamodb:?region=eu-west-1`."
    )


def _sqlite(settings: Settings, wanted: Wanted, now: int, told: Told) -> Restored:
    from miyabi.database.sqlite_restore import restore as restore_file

    source = database_folder(settings)
    folder = Path(wanted.into).expanduser().absolute() if wanted.into else source / f"restored-{_stamp(wanted.at)}"
    restored = restore_file(source, folder, wanted.at, now, told)
    return replace(restored, setting=f"sqlite:{folder}", drop=[shlex.join(["rm", "-r", str(folder)])])


async def _dynamodb(url: str, wanted: Wanted, now: Callable[[], int], told: Told) -> Restored:
    try:
        from miyabi.database.dynamodb_restore import Asked
        from miyabi.wiring.dynamodb import make_options, read_url
        from miyabi.wiring.dynamodb_admin import open_restorer
    except ModuleNotFoundError as error:
        raise SettingsError(f"MIYABI_DATABASE: `dynamodb:` needs {error.name}; install `miyabi[aws]`.") from None
    options = read_url(url)
    prefix = wanted.into or f"{options.prefix}-restored-{_stamp(wanted.at)}"
    into = make_options(options.region, prefix, options.endpoint)
    async with open_restorer(options, into, now, told) as restorer:
        restored = await restorer.restore(Asked(wanted.at, wanted.resume, wanted.full))
    return replace(restored, setting=_setting(into), drop=_drops(into))


def _stamp(at: int) -> str:
    """``20261124T210000Z``: fit for a folder's and a table's name."""
    return iso(at)[:19].replace("-", "").replace(":", "") + "Z"


def _setting(options: Options) -> str:
    parts = {"region": options.region, "prefix": options.prefix}
    if options.endpoint:
        parts["endpoint"] = options.endpoint
    return f"dynamodb:?{urlencode(parts, safe=':/')}"


def _drops(options: Options) -> list[str]:
    from miyabi.database.dynamodb_items import Tables

    where = ["--region", options.region, *(["--endpoint-url", options.endpoint] if options.endpoint else [])]
    return [
        shlex.join(["aws", "dynamodb", "delete-table", "--table-name", name, *where])
        for name in Tables.of(options.prefix)
    ]
