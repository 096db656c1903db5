"""``miyabi flush``: send the lines that wait on disk."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

import click
import msgspec

from miyabi.cli.run.delivery import Delivery, NobodyWrites
from miyabi.cli.run.senders import Unsent, open_sender
from miyabi.cli.run.shelf import Header, locked, remove, spools
from miyabi.settings import Settings, SettingsError, from_environment


class Flushed(NamedTuple):
    """How many runs' lines were sent, and why the others still wait."""

    sent: int
    waiting: list[str]


@click.command()
def flush() -> None:
    """Send the lines of earlier runs that could not be sent then."""
    try:
        settings = from_environment()
    except SettingsError as error:
        raise click.UsageError(str(error)) from None
    result = flush_all(settings)
    if result.sent:
        click.echo(f"The lines of {result.sent} {'run' if result.sent == 1 else 'runs'} were sent.")
    for why in result.waiting:
        click.echo(f"Still waiting: {why}", err=True)
    if not result.sent and not result.waiting:
        click.echo("Nothing waits to be sent.")
    if result.waiting:
        raise SystemExit(1)


def flush_all(settings: Settings) -> Flushed:
    """Send what every spool that nobody works on still holds."""
    outcomes = [_flush(base, settings) for base in spools(settings.data)]
    return Flushed(outcomes.count(""), [why for why in outcomes if why])


def _flush(base: Path, settings: Settings) -> str | None:
    """Send one spool: ``""`` when it was sent, why not, or ``None`` when it is not ours to send."""
    with locked(base) as text:
        if not text:
            return None
        trouble = ""

        def changed(_acknowledged: int, problem: str) -> None:
            nonlocal trouble
            trouble = problem

        try:
            header = msgspec.json.decode(text, type=Header)
            sender = open_sender(header.url, settings)
            try:
                done = Delivery(base, header, sender, NobodyWrites(), changed).run()
            finally:
                sender.close()
        except FileNotFoundError:
            remove(base)
            return None
        except (msgspec.MsgspecError, Unsent, OSError) as error:
            return f"{base}: {error}"
        return "" if done else f"{header.start.name}: {trouble}"
