"""How fast are mixed logs read? Beside a bare loop with one ``re.search`` a line and ``grep -cE``, on one core."""

from __future__ import annotations

import random
import re
import resource
import subprocess
import tempfile
import time
import timeit
from collections.abc import Callable, Sequence

from tests.support.corpus import cases, segments

from benchmarks.table import Row
from miyabi.progress.reader import Reader

LINES = 60_000
PROGRESS_EVERY = 50
"""One line in so many comes from a tool that shows progress; the others are access logs, application logs, prose."""
WORDS = (
    "quick brown lazy order customer cache stage worker service user session token value list page query index table "
    "column render module package source target object archive static dynamic kernel driver socket stream buffer"
).split()
ROUNDS = 5
PIECES = (
    *("a", "1", "/", "1/2 ", "[1/2] ", "1% ", "=", "[", "(", ".", ":", "\x1b[", "\x1b[1m", " ", "\t", "█", "#", "-"),
    *("foo/bar ", "x: y ", "a-", "a.b ", '{"', '{"a":1,', "=>", "|", "失敗 ", "error: ", "done ", "complete ", "job "),
    *("completed in ", "failed at ", "0: No space left on device", "a ERROR ", "all files ", "Downloading 1", "ok, "),
)
ENDS = ("", " done", " failed", " completed", "No space left on device", " 5/7", " 52%", "!")
GREP = r"[0-9]+\s*/\s*[0-9]+"
SEARCH = re.compile(r"(\d+)\s*/\s*(\d+)")


def measure() -> list[Row]:
    """CPU time, the best of :data:`ROUNDS`: lines/s of the reader and its part of the bare loop's."""
    lines = _mixed()
    reader = _rate(lambda: _read(lines), len(lines))
    loop = _rate(lambda: _search(lines), len(lines))
    grep = len(lines) / _grep(lines)
    beside = f"bare loop with one re.search a line {loop:,.0f}/s; grep -cE {grep:,.0f}/s"
    return [
        Row(
            "mixed logs read",
            f"{reader:,.0f} lines/s",
            "≥ 300 k, ≥ 0.33 of the loop",
            _met(reader, loop),
            beside,
            reader / loop,
        ),
        _nasty_row(),
    ]


def _nasty_row() -> Row:
    """The slowest of lines made to run away with a careless pattern: 1 MB long, and as long as is looked at."""
    shapes = ((piece, end, size) for piece in PIECES for end in ENDS for size in (1_000_000, 3_990))
    slowest = max((_seconds(piece * (size // len(piece)) + end), piece, end, size) for piece, end, size in shapes)
    beside = f"{slowest[3]:,} characters of {slowest[1]!r}, then {slowest[2]!r}"
    return Row("slowest line of up to 1 MB", f"{1000 * slowest[0]:.1f} ms", "< 50 ms", slowest[0] < 0.05, beside)


def _seconds(line: str) -> float:
    """The best of two: a machine's hiccup is no runaway."""
    return min(timeit.repeat(lambda: Reader().read([line]), number=1, repeat=2))


def _met(reader: float, loop: float) -> bool:
    return reader >= 300_000 and reader / loop >= 0.33


def _mixed() -> list[str]:
    tools = [message for case in cases() for message, _ in segments(case.raw)]
    return [_other(n, random.Random(n)) if n % PROGRESS_EVERY else tools[n * 7 % len(tools)] for n in range(LINES)]


def _other(number: int, rng: random.Random) -> str:
    """A line of a log without progress; half of the kinds hold something that comes only once, as real ones do."""
    word, other, token = rng.choice(WORDS), rng.choice(WORDS), f"{rng.getrandbits(48):x}"
    kinds = (
        f'10.0.0.{number % 250} - - [15/Nov/2025:10:15:30 +0000] "GET /api/{word}/{number} HTTP/1.1" 200 {number * 3}',
        f'10.0.0.{number % 250} - - [15/Nov/2025:10:15:30 +0000] "GET /{word}/?q={token} HTTP/1.1" 200 "Mozilla/5.0"',
        f"2025-11-15 10:15:30,152 INFO  app.{word} - handled request for {other} in {number % 97} ms",
        f"2025-11-15 10:15:30,152 DEBUG app.{word} - span {token} of {other} closed",
        f"   Compiling {word}-{other} v{number % 7}.{number % 13}.0",
        " ".join(rng.choices(WORDS, k=12)),
    )
    return kinds[number % len(kinds)]


def _read(lines: Sequence[str]) -> None:
    Reader().read(lines)


def _search(lines: Sequence[str]) -> None:
    search = SEARCH.search
    for line in lines:
        search(line)


def _grep(lines: Sequence[str]) -> float:
    """CPU seconds of ``grep -cE`` with the same pattern over the same lines in a file."""
    with tempfile.NamedTemporaryFile("w", suffix=".log", errors="replace") as file:
        file.write("\n".join(lines) + "\n")
        file.flush()
        taken = []
        for _ in range(ROUNDS):
            before = resource.getrusage(resource.RUSAGE_CHILDREN)
            subprocess.run(["grep", "-acE", GREP, file.name], check=False, stdout=subprocess.DEVNULL)
            after = resource.getrusage(resource.RUSAGE_CHILDREN)
            taken.append(after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime)
        return min(taken)


def _rate(run: Callable[[], None], lines: int) -> float:
    taken = []
    for _ in range(ROUNDS):
        start = time.process_time()
        run()
        taken.append(time.process_time() - start)
    return lines / min(taken)
