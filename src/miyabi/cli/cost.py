"""``miyabi cost``: what a deployment on AWS costs in a month."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import click
from msgspec import json

from miyabi.cost import ours
from miyabi.cost.load import Load, LoadError
from miyabi.cost.prices import UnknownPrice, prices_of
from miyabi.cost.report import Design, Found, Step, View, by_region, columns, steps
from miyabi.deployment import DeploymentError, load

SETTINGS = Path("infra/deployment.toml")
_AMOUNT = re.compile(r"([0-9]+(?:\.[0-9]+)?)([kMG]?)")
_TIMES = {"": 1, "k": 1e3, "M": 1e6, "G": 1e9}
MOST = 1e12


class Amount(click.ParamType[float]):
    """A number above 0 (or from 0 on), written ``1000000``, ``1M``, ``100k`` or ``1.5k``."""

    name = "amount"

    def __init__(self, *, zero: bool = False, most: float = MOST) -> None:
        self.zero, self.most = zero, most

    def convert(self, value: object, param: click.Parameter | None, ctx: click.Context | None) -> float:
        if isinstance(value, float):
            return value
        found = _AMOUNT.fullmatch(str(value))
        if found is None:
            self.fail(f"`{value}` is no amount. Write one like 250, 1.5k, 100k or 1M.", param, ctx)
        amount = float(found[1]) * _TIMES[found[2]]
        if (amount == 0 and not self.zero) or amount > self.most:
            least = "0 or more" if self.zero else "more than 0"
            self.fail(f"`{value}` must be {least}, and at most {self.most:,.0f}.", param, ctx)
        return amount


def short(amount: float) -> str:
    """``1M``, ``192k``, ``1.05M``: as :class:`Amount` reads it, to four figures."""
    for size, letter in ((1e9, "G"), (1e6, "M"), (1e3, "k")):
        if amount >= size:
            return f"{amount / size:.4g}{letter}"
    return f"{amount:.4g}"


_DEFAULT = Load()
_SHARE = click.FloatRange(0, 1)
_LOAD = (
    ("requests", Amount(), "Requests to the API, those of open pages among them."),
    ("runs", Amount(), "Collector runs: pushes of lines, and a schedule's 43,800."),
    ("updates", Amount(), "Saves of progress."),
    ("tasks", Amount(), "New tasks."),
    ("log-gb", Amount(), "Lines of all log groups, GB."),
    ("viewers", Amount(zero=True), "Pages open side by side; each asks every 3 s,"),
    ("viewer-hours", Amount(most=730), "for so many hours each."),
    ("page-loads", Amount(zero=True), "First visits to the page."),
    ("response-kb", Amount(), "Mean answer of the API, compressed."),
    ("task-ms", Amount(most=30_000), "Billed duration of a request."),
    ("run-ms", Amount(most=60_000), "Billed duration of a collector run."),
    ("hits", _SHARE, "Share of reads that the cache answers."),
    ("users", Amount(zero=True), "Who sign in with Cognito."),
    ("traced", _SHARE, "Share of requests that X-Ray records."),
    ("peak", Amount(most=1e4), "The busiest second is so many times the mean one."),
)
_WATCH = (
    ("dashboards", "CloudWatch dashboards."),
    ("alarm-metrics", "Metrics that alarms read; each window of a burn rate reads two."),
    ("composites", "Composite alarms."),
    ("metrics", "Custom metrics, besides RedisConnectionFailures."),
)


def _with_load(command: Callable[..., None]) -> Callable[..., None]:
    for name, help_text in reversed(_WATCH):
        default = getattr(ours.Watch(), name.replace("-", "_"))
        command = click.option(f"--{name}", type=click.IntRange(0, 10_000), default=default, help=help_text)(command)
    for name, kind, help_text in reversed(_LOAD):
        default = None if name == "updates" else short(getattr(_DEFAULT, name.replace("-", "_")))
        shown = True if default else "as many as runs"
        command = click.option(f"--{name}", type=kind, default=default, show_default=shown, help=help_text)(command)
    return command


@click.command(short_help="Print what a deployment on AWS costs in a month.", context_settings={"show_default": True})
@_with_load
@click.option("--region", help="AWS region.  [default: the deployment's]")
@click.option(
    "--settings",
    "path",
    type=click.Path(path_type=Path),
    help="The deployment's settings.  [default: infra/deployment.toml]",
)
@click.option("--design", type=click.Choice(["ours", "specified"]), help="Print each item of one design.")
@click.option("--free-tier", is_flag=True, help="Take off what each account has for nothing.")
@click.option("--at-scale", is_flag=True, help="10, 100, 1000 times the load, and the settings for it.")
@click.option("--regions", "each_region", is_flag=True, help="The totals in each region that has prices.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def cost(
    region: str | None,
    path: Path | None,
    design: Design | None,
    free_tier: bool,
    at_scale: bool,
    each_region: bool,
    as_json: bool,
    **given: Any,
) -> None:
    """Print what a deployment on AWS costs in a month, by service.

    From AWS's list prices, without tax and support, beside the design that the project set out from: the same seven
    services behind a NAT gateway. Amounts are of a month; 1M, 100k and 1.5k are understood.
    """
    if at_scale + each_region + (design is not None) > 1:
        raise click.UsageError("Give one of --design, --at-scale and --regions.")
    try:
        view = _view(region, path, free_tier, given)
        found = steps(view) if at_scale else by_region(view) if each_region else columns(view)
    except (DeploymentError, LoadError, UnknownPrice) as error:
        raise click.ClickException(str(error)) from None
    if as_json:
        click.echo(json.format(json.encode(_document(view, found, design))))
        return
    from miyabi.cli import cost_shown

    cost_shown.show(view, found, design)


def _view(region: str | None, path: Path | None, free_tier: bool, given: dict[str, Any]) -> View:
    if path is not None and not path.is_file():
        raise click.BadParameter(f"there is no file {path}.", param_hint="--settings")
    settings = load(path or SETTINGS, region=region)
    watch = ours.Watch(**{name: given.pop(name) for name in ours.Watch.__struct_fields__})
    given["updates"] = given["updates"] or given["runs"]
    prices = prices_of(settings.region)
    return View(load=Load(**given), settings=settings, prices=prices, watch=watch, free_tier=free_tier)


def _document(view: View, found: Found, design: Design | None) -> dict[str, object]:
    name = "designs" if isinstance(found, dict) else "scale" if isinstance(found[0], Step) else "regions"
    shown = {design: found[design]} if design and isinstance(found, dict) else found
    return {
        "region": view.prices.region,
        "prices_as_of": view.prices.date,
        "free_tier": view.free_tier,
        "load": view.load,
        name: shown,
    }
