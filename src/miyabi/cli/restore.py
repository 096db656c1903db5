"""``miyabi restore``: the database as it was, beside the one that goes on."""

from __future__ import annotations

import shlex
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import click

from miyabi.cli.moment import moment
from miyabi.cli.service import settings_of
from miyabi.settings import SettingsError

if TYPE_CHECKING:
    from miyabi.database.restore import Restored, Told

WRONG = 3
"""Exit code for what came back and is not right."""


@click.command(short_help="Make the database again as it was at a moment of the last 35 days.")
@click.option("--at", required=True, metavar="TIME", help="`2026-11-24T21:00:00Z`, `2026-11-24 21:00`, `2h ago`, …")
@click.option("--into", metavar="NAME", help="New folder, or prefix of new tables.  [default: made of TIME]")
@click.option("--data", type=click.Path(path_type=Path, file_okay=False), help="Folder of the embedded database.")
@click.option("--full", is_flag=True, help="DynamoDB: check every task and version, not a sample.")
@click.option("--resume", is_flag=True, help="DynamoDB: go on with a restore that was cut short.")
@click.option("--json", "as_json", is_flag=True, help="Print the report as JSON.")
def restore(at: str, into: str | None, data: Path | None, full: bool, resume: bool, as_json: bool) -> None:
    """Make the database again as it was at TIME, in a new place, and check what came back.

    The database is the one that MIYABI_DATABASE names; it stays as it is, and so does a board that runs on it. Nothing
    is overwritten. TIME without a zone is this machine's.

    Ends with 0 when all is right, with 3 when something came back wrong, with 1 when nothing came back.
    """
    with _shown() as told:
        restored = _restored(at, into, data, full, resume, told)
    if as_json:
        import msgspec

        click.echo(msgspec.json.encode({"right": restored.right} | msgspec.to_builtins(restored)).decode())
    else:
        _print(restored)
    if not restored.right:
        raise SystemExit(WRONG)


def _restored(at: str, into: str | None, data: Path | None, full: bool, resume: bool, told: Told) -> Restored:
    from miyabi.database import DatabaseUnavailable
    from miyabi.database.restore import NotRestored
    from miyabi.wiring.restore import Wanted
    from miyabi.wiring.restore import restore as run

    settings = settings_of(data=data)
    try:
        when = moment(at, datetime.now(UTC))
    except ValueError as error:
        raise click.BadParameter(str(error), param_hint="--at") from None
    try:
        wanted = Wanted(at=when, into=into, resume=resume, full=full)
        return run(settings, wanted, lambda: time.time_ns() // 1_000_000, told)
    except (SettingsError, NotRestored, DatabaseUnavailable) as error:
        raise click.ClickException(str(error)) from None


@contextmanager
def _shown() -> Iterator[Told]:
    """Progress on a terminal; elsewhere each step's name, once."""
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

    console = Console(stderr=True)
    if not console.is_terminal:
        yield _Named()
        return
    columns = (
        SpinnerColumn(),
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
    )
    with Progress(*columns, console=console, transient=True) as progress:
        steps = {"": progress.add_task("starting", total=None)}

        def told(what: str, done: int = 0, total: int | None = None) -> None:
            progress.update(steps[""], description=what, completed=done, total=total)

        yield told


class _Named:
    """Says each step once."""

    def __init__(self) -> None:
        self._last = ""

    def __call__(self, what: str, done: int = 0, total: int | None = None) -> None:
        if what != self._last:
            self._last = what
            click.echo(f"{what} …", err=True)


def _print(restored: Restored) -> None:
    from rich.console import Console
    from rich.markup import escape

    console = Console(width=None if sys.stdout.isatty() else 10_000, highlight=False)

    def say(text: str) -> None:
        console.print(text, soft_wrap=True)

    versions = "" if restored.versions is None else f", {_many(restored.versions, 'version')}"
    right = "[bold green]right[/]" if restored.right else "[bold red]WRONG[/]"
    say(f"The database as it was at [bold]{restored.at}[/] ({_local(restored.at)}) is in {escape(restored.where)}")
    say(f"  {_many(restored.tasks, 'task')}{versions}, {_many(restored.projects, 'project')}")
    say(f"  {_many(restored.checked, 'task')} checked: {right}")
    for line in restored.wrong:
        say(f"  [red]✗[/] {escape(line)}")
    for line in restored.notes:
        say(f"  · {escape(line)}")
    setting = shlex.quote(f"MIYABI_DATABASE={restored.setting}")
    say(f"To use it, stop the board, then start it with\n  {escape(f'env {setting} miyabi up')}")
    say("\n".join(["To drop it again", *(f"  {escape(line)}" for line in restored.drop)]))


def _many(number: int, what: str) -> str:
    return f"{number:,} {what}{'' if number == 1 else 's'}"


def _local(at: str) -> str:
    return f"{datetime.fromisoformat(at).astimezone():%Y-%m-%d %H:%M:%S %Z}"
