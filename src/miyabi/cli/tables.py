"""``miyabi tables``: the DynamoDB tables, for who runs the board on AWS without our CDK app."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from typing import TYPE_CHECKING, Any, TypeVar

import click

from miyabi.cli.service import settings_of
from miyabi.settings import SettingsError

if TYPE_CHECKING:
    from miyabi.database.dynamodb_client import Options
    from miyabi.database.dynamodb_tables import Admin, Capacity, Row

T = TypeVar("T")
Command = Callable[..., None]


@click.group()
def tables() -> None:
    """Make and look at the DynamoDB tables.

    Which ones, and where: from MIYABI_DATABASE when that is `dynamodb:…`, else from the options.
    """


def _options(command: Command) -> Command:
    for option in reversed(
        (
            click.option("--region", help="AWS region.  [default: AWS_REGION]"),
            click.option("--endpoint", help="Address of something that stands in for AWS."),
            click.option("--prefix", help="What the tables' names begin with.  [default: miyabi]"),
            click.option("--read-capacity", type=click.IntRange(1), default=5, show_default=True, help="Read units."),
            click.option("--write-capacity", type=click.IntRange(1), default=5, show_default=True, help="Write units."),
            click.option("--on-demand", is_flag=True, help="Pay per request instead."),
        )
    ):
        command = option(command)
    return command


@tables.command()
@_options
def create(
    region: str | None,
    endpoint: str | None,
    prefix: str | None,
    read_capacity: int,
    write_capacity: int,
    on_demand: bool,
) -> None:
    """Make the tables that are missing, with their indexes, expiry and point-in-time recovery.

    What is there stays as it is. The units are those of each table and of each index.
    """
    from miyabi.database.dynamodb_tables import Capacity

    options = _which(region, prefix, endpoint)
    said = _run(options, Capacity(read_capacity, write_capacity, on_demand), lambda admin: admin.create())
    for line in said:
        click.echo(line)
    if options.endpoint is None and any(": NO " in line for line in said):
        raise click.ClickException("Not all could be done. Give these credentials the right, and run it again.")


@tables.command()
@_options
def describe(
    region: str | None,
    endpoint: str | None,
    prefix: str | None,
    read_capacity: int,
    write_capacity: int,
    on_demand: bool,
) -> None:
    """Print how the tables should be and how they are; exit with 1 when that differs."""
    from miyabi.database.dynamodb_tables import Capacity

    options = _which(region, prefix, endpoint)
    rows = _run(options, Capacity(read_capacity, write_capacity, on_demand), lambda admin: admin.describe())
    _print(rows)
    if not all(row.same for row in rows):
        raise SystemExit(1)


def _which(region: str | None, prefix: str | None, endpoint: str | None) -> Options:
    try:
        from miyabi.wiring.dynamodb import make_options, read_url, with_given
    except ModuleNotFoundError as error:
        raise click.ClickException(f"{error.name} is not installed. Install `miyabi[aws]`.") from None
    url = settings_of().database
    try:
        if not url.startswith("dynamodb:"):
            return make_options(region, prefix, endpoint)
        return with_given(read_url(url), region, prefix, endpoint)
    except SettingsError as error:
        raise click.ClickException(str(error)) from None


def _run(options: Options, capacity: Capacity, use: Callable[[Admin], Coroutine[Any, Any, T]]) -> T:
    from miyabi.database import DatabaseUnavailable
    from miyabi.wiring.dynamodb_admin import open_admin

    async def run() -> T:
        async with open_admin(options, capacity) as admin:
            return await use(admin)

    try:
        return asyncio.run(run())
    except DatabaseUnavailable as error:
        raise click.ClickException(str(error)) from None


def _print(rows: list[Row]) -> None:
    from rich.console import Console
    from rich.table import Table

    table = Table("table", "what", "should be", "is", "")
    for row in rows:
        table.add_row(row.table, row.what, row.wanted, row.found, "" if row.same else "differs")
    Console(width=None if Console().is_terminal else 160).print(table)
