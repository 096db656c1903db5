"""``python -m benchmarks [NAME…]``: run the named files (all when none is) and print one table."""

from __future__ import annotations

import importlib
import sys

from benchmarks.table import Row, show

NAMES = tuple("http lines stores cache limit gateway crowd dynamodb latency run start cold reader eta".split())
"""Every benchmark, in the order they are run: a module of this package with ``measure() -> list[Row]``."""


def main(names: list[str]) -> int:
    """Run, print; 1 when a goal was missed, 2 for a name that is none."""
    unknown = [name for name in names if name not in NAMES]
    if unknown:
        print(f"No benchmark is called {', '.join(unknown)}; there are: {', '.join(NAMES)}.", file=sys.stderr)
        return 2
    rows: list[tuple[str, Row]] = []
    for name in names or NAMES:
        print(f"measuring {name} …", file=sys.stderr, flush=True)
        rows += [(name, row) for row in importlib.import_module(f"benchmarks.{name}").measure()]
    show(rows)
    return int(any(row.met is False for _, row in rows))


sys.exit(main(sys.argv[1:]))
