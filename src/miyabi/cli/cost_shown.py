"""How ``miyabi cost`` looks in a terminal."""

from __future__ import annotations

from collections.abc import Sequence

from rich import box
from rich.console import Console
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from miyabi.cli.cost import short
from miyabi.cost import specified
from miyabi.cost.bill import BEYOND, SERVICES
from miyabi.cost.report import EXCLUDED, Column, Design, Found, Region, Step, View

WIDEST = 100
AWS = {
    "Web UI": "S3, CloudFront",
    "API gateway": "API Gateway, REST",
    "Task API": "Lambda, arm64",
    "Progress collector": "Lambda, arm64",
    "Cache": "ElastiCache, Redis 7",
    "Database": "DynamoDB",
    "Logging": "CloudWatch Logs",
    "Network": "VPC",
    "Operations": "dashboard, alarms, traces",
}


def show(view: View, found: Found, design: Design | None = None) -> None:
    """Print ``found``: with ``design``, the items of that one."""
    console = Console(highlight=False)
    console = Console(highlight=False, width=min(console.width, WIDEST) if console.is_terminal else WIDEST)
    console.print(_title(view))
    for part in _parts(view, found, design):
        console.print(part)
    console.print(_foot(view))


def _parts(view: View, found: Found, design: Design | None) -> list[Table | Padding]:
    if isinstance(found, dict):
        return _items(found[design], view) if design else _both(found, view)
    steps = [one for one in found if isinstance(one, Step)]
    if steps:
        return [_steps(steps), *_changes(steps)]
    return [_regions([one for one in found if isinstance(one, Region)])]


def _title(view: View) -> Text:
    load, prices = view.load, view.prices
    about = (
        f"{short(load.requests)} requests ({short(load.polls)} of open pages), {short(load.runs)} collector runs, "
        f"{load.log_gb:g} GB of logs a month"
    )
    return Text.assemble((f"Miyabi on AWS, {prices.region} ({prices.place})", "bold"), "\n", about, "\n")


def _both(found: dict[Design, Column], view: View) -> list[Table | Padding]:
    theirs, mine = found["specified"], found["ours"]
    table = _table(("service", {}), ("on AWS", {"style": "dim"}), ("specified", _RIGHT), ("ours", _RIGHT))
    for service in SERVICES:
        if service != BEYOND:
            table.add_row(service, AWS[service], money(theirs.services[service]), money(mine.services[service]))
    table.add_section()
    same = ("seven services and network", "the same load", money(theirs.comparable), money(mine.comparable))
    table.add_row(*same, style="bold")
    table.add_section()
    table.add_row(BEYOND, AWS[BEYOND], "none", money(mine.services[BEYOND]))
    table.add_row("all", "", money(theirs.total), money(mine.total))
    if not view.free_tier:
        free = (money(theirs.total_with_free_tier), money(mine.total_with_free_tier))
        table.add_row("all, with the always-free tier", "", *free)
    return [table]


def _items(column: Column, view: View) -> list[Table | Padding]:
    table = _table(("service", {}), ("item", {}), ("amount", _RIGHT), ("price", _RIGHT), ("a month", _RIGHT))
    for service in SERVICES:
        lines = [line for line in column.items if line.service == service]
        for number, line in enumerate(lines):
            name = "" if number else service
            amount = f"{line.amount:,.4g}" if line.amount < 1000 else short(line.amount)
            table.add_row(name, line.what, f"{amount} {line.unit}".strip(), _price(line.price), money(line.dollars))
        table.add_section()
    table.add_row("all", "", "", "", money(column.total), style="bold")
    if not view.free_tier:
        table.add_row("with the free tier", "", "", "", money(column.total_with_free_tier))
    return [table, *(_notes(specified.ASSUMED) if column.design == "specified" else [])]


def _steps(steps: Sequence[Step]) -> Table:
    table = _table(
        ("load", _RIGHT), ("requests", _RIGHT), ("peak", _RIGHT), ("a month", _RIGHT), ("per 1M", _RIGHT),
        ("settings to change", {}),
    )  # fmt: skip
    for step in steps:
        changed = "\n".join(f"{change.setting} = {_toml(change.after)}" for change in step.changes) or "none"
        peak = f"{step.peak_requests:,.0f}/s"
        row = (f"{step.factor}×", short(step.requests), peak, money(step.total), money(step.per_million), changed)
        table.add_row(*row)
    return table


def _changes(steps: Sequence[Step]) -> list[Padding]:
    """Why each setting changes, and what AWS must be asked for first."""
    notes = []
    for step in steps:
        reasons = [(change.setting, change.why) for change in step.changes]
        notes += [f"{step.factor}×  {setting}: {why}." for setting, why in reasons]
        notes += [f"{step.factor}×  Ask AWS to raise {quota}." for quota in step.quotas]
    notes += [
        "More memory makes each answer faster; it is concurrency that carries more of them.",
        "Every open page is told every update: reads for that grow with the square of the load.",
    ]
    return _notes(notes)


def _regions(regions: Sequence[Region]) -> Table:
    table = _table(
        ("region", {}), ("", {"style": "dim"}), ("specified", _RIGHT), ("ours", _RIGHT), ("with operations", _RIGHT),
        ("known to a few percent only", {"style": "dim"}),
    )  # fmt: skip
    for one in regions:
        figures = (money(one.specified), money(one.ours), money(one.total))
        table.add_row(one.region, one.place, *figures, ", ".join(one.rough))
    return table


def _foot(view: View) -> Padding:
    prices = view.prices
    tier = "less the always-free tier" if view.free_tier else "without any free tier"
    return _notes(
        (
            f"List prices in US dollars as known on {prices.date}, from {prices.source}; {tier}.",
            f"Not in it: {', '.join(EXCLUDED)}.",
            *((f"Known to a few percent only in {prices.region}: {', '.join(prices.rough)}.",) if prices.rough else ()),
        )
    )[0]


_RIGHT: dict[str, object] = {"justify": "right", "no_wrap": True}


def _table(*columns: tuple[str, dict[str, object]]) -> Table:
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, header_style="bold", show_edge=False, padding=(0, 1, 0, 0))
    for name, how in columns:
        table.add_column(name, **how)  # type: ignore[arg-type]  # mypy can't tell the options apart
    return table


def _notes(notes: Sequence[str]) -> list[Padding]:
    grid = Table.grid(padding=(0, 1))
    for note in notes:
        grid.add_row("·", note, style="dim")
    return [Padding(grid, (1, 0, 0, 0))]


def money(dollars: float) -> str:
    """``$0.00`` only for nothing: less than a cent is told as such."""
    return "< $0.01" if 0 < dollars < 0.005 else f"${dollars:,.2f}"


def _price(price: float) -> str:
    """A price below a hundredth of a cent is told by the million."""
    if 0 < price < 0.0001:
        return f"${price * 1e6:.4g}/M"
    return f"${price:.4g}"


def _toml(value: object) -> str:
    return f'"{value}"' if isinstance(value, str) else str(value)
