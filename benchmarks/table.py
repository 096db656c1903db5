"""What a benchmark answers, and the table of all answers."""

from __future__ import annotations

import os
import platform
from collections.abc import Iterable
from datetime import datetime
from pathlib import Path
from typing import NamedTuple

from rich import box
from rich.console import Console
from rich.table import Table


class Row(NamedTuple):
    """One measured figure.

    ``measured`` with its unit; ``goal`` as text, empty where there is none, and whether it is ``met``; ``beside``: the
    limit or peer of the same run, with its figure; ``ratio``: measured to that.
    """

    what: str
    measured: str
    goal: str = ""
    met: bool | None = None
    beside: str = ""
    ratio: float | None = None


def show(rows: Iterable[tuple[str, Row]]) -> None:
    """Print the table, with the day and the machine."""
    table = Table(box=box.SIMPLE_HEAD, title=f"{datetime.now():%Y-%m-%d} · {machine()}", title_justify="left")
    for name in ("", "what", "measured", "goal", "", "beside", "ratio"):
        table.add_column(name, justify="right" if name in ("measured", "ratio") else "left")
    last = ""
    for name, row in rows:
        mark = {True: "✓", False: "✗ missed", None: ""}[row.met]
        ratio = "" if row.ratio is None else f"{row.ratio:.2f}"
        shown = "" if name == last else name
        table.add_row(shown, row.what, row.measured, row.goal, mark, row.beside, ratio)
        last = name
    Console(width=170, soft_wrap=False).print(table)


def machine() -> str:
    """The machine in a line: processor, cores, Python."""
    name = platform.processor() or platform.machine()
    try:
        with Path("/proc/cpuinfo").open() as lines:
            name = next(line.split(":")[1].strip() for line in lines if line.startswith("model name"))
    except (OSError, StopIteration):
        pass
    return f"{name}, {os.cpu_count()} cores, Python {platform.python_version()}"


def best(figures: Iterable[float], *, least: bool = False) -> float:
    """The best of some rounds: others on the machine only make it slower."""
    return min(figures) if least else max(figures)
