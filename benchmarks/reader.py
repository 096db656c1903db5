"""How fast are mixed logs read? Beside a bare loop with one ``re.search`` a line, on one core."""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Sequence

from tests.support.corpus import cases, segments

from benchmarks.table import Row
from miyabi.progress.reader import Reader

LINES = 60_000
PROGRESS_EVERY = 50
"""One line in so many comes from a tool that shows progress; the others are access logs, application logs, prose."""
ROUNDS = 5
SEARCH = re.compile(r"(\d+)\s*/\s*(\d+)")


def measure() -> list[Row]:
    """CPU time, the best of :data:`ROUNDS`: lines/s of the reader and its part of the bare loop's."""
    lines = _mixed()
    reader = _rate(lambda: _read(lines), len(lines))
    loop = _rate(lambda: _search(lines), len(lines))
    beside = f"bare loop with one re.search a line: {loop:,.0f}/s"
    return [
        Row(
            "mixed logs read",
            f"{reader:,.0f} lines/s",
            "≥ 300 k, ≥ 0.33 of the loop",
            _met(reader, loop),
            beside,
            reader / loop,
        )
    ]


def _met(reader: float, loop: float) -> bool:
    return reader >= 300_000 and reader / loop >= 0.33


def _mixed() -> list[str]:
    tools = [message for case in cases() for message, _ in segments(case.raw)]
    others = (
        '10.0.0.{a} - - [15/Nov/2025:10:15:30 +0000] "GET /api/v1/items/{n} HTTP/1.1" 200 {n} "-" "Mozilla/5.0 (X11)"',
        "2025-11-15 10:15:30,152 INFO  app.service.worker - handled request for customer order id={n} in {a} ms",
        "copying the quick brown fox over the lazy dog without any number at all",
    )
    return [
        others[n % 3].format(a=n % 250, n=n) if n % PROGRESS_EVERY else tools[n * 7 % len(tools)] for n in range(LINES)
    ]


def _read(lines: Sequence[str]) -> None:
    Reader().read(lines)


def _search(lines: Sequence[str]) -> None:
    search = SEARCH.search
    for line in lines:
        search(line)


def _rate(run: Callable[[], None], lines: int) -> float:
    taken = []
    for _ in range(ROUNDS):
        start = time.process_time()
        run()
        taken.append(time.process_time() - start)
    return lines / min(taken)
