"""``miyabi notify``: try whether notices arrive."""

from __future__ import annotations

import asyncio
import sys
from typing import TYPE_CHECKING
from uuid import uuid4

import click

from miyabi.cli.service import settings_of
from miyabi.settings import Settings, SettingsError

if TYPE_CHECKING:
    from miyabi.notices import Language, Target

WITHOUT_ONE = (
    "Nobody is told anything yet: set MIYABI_NOTIFY to an address, e.g. `ntfy://topic` (see docs/notifications.md)."
)
Trial = tuple[str, "Language", "Target"]
"""The rules that name a target, the language of the first of them, and the target."""


@click.group(short_help="Try whether notices arrive.")
def notify() -> None:
    """Notices go to the addresses in MIYABI_NOTIFY, or by the rules in MIYABI_NOTIFY_FILE."""


@notify.command()
@click.option("--rule", "number", type=click.IntRange(1), metavar="N", help="Only the targets of this rule.")
def test(number: int | None) -> None:
    """Send a test notice to each target and print what it said.

    Exit code 1 when one did not take it. Quiet hours do not hold it.
    """
    try:
        trials = _trials(settings_of(), number)
    except SettingsError as error:
        raise click.ClickException(str(error)) from None
    sys.exit(not asyncio.run(_tried(trials)))


def _trials(settings: Settings, number: int | None) -> list[Trial]:
    from miyabi.wiring.notices import make_targets, read_plan

    plan = read_plan(settings)
    if plan is None:
        raise click.ClickException(WITHOUT_ONE)
    if number is not None and number > len(plan.rules):
        raise click.UsageError(f"There is no rule {number}, only {len(plan.rules)}.")
    rules = [(n, rule) for n, rule in enumerate(plan.rules, 1) if number in (None, n)]
    trials = []
    for key, target in make_targets(settings, plan).items():
        named = [(n, rule) for n, rule in rules if key in rule.to]
        if named:
            numbers = ", ".join(str(n) for n, _ in named)
            trials.append((f"rule{'s' if len(named) > 1 else ''} {numbers}", named[0][1].language, target))
    return trials


async def _tried(trials: list[Trial]) -> bool:
    """All at once, each answer printed as it comes; whether all took it."""
    width = max(len(f"{rules}  {target.name}") for rules, _, target in trials)
    jobs = [asyncio.ensure_future(_try(trial, width)) for trial in trials]
    return all([await job for job in asyncio.as_completed(jobs)])


async def _try(trial: Trial, width: int) -> bool:
    from miyabi.notices import Notice, NotTold
    from miyabi.notices.sender import TELL_SECONDS

    rules, language, target = trial
    label = f"{rules}  {target.name}".ljust(width)
    try:
        async with asyncio.timeout(TELL_SECONDS):
            said = await target.tell(Notice(f"msg_{uuid4().hex}", (), language, test=True))
    except TimeoutError:
        said, good = f"no answer within {TELL_SECONDS:.0f} s", False
    except NotTold as error:
        said, good = str(error), False
    else:
        good = True
    mark = click.style("✓ sent", fg="green") if good else click.style("✗ not sent", fg="red")
    click.echo(f"{label}  {mark}: {said}")
    return good
