"""How soon after a job printed a line does a browser show it?"""

from __future__ import annotations

import statistics
import subprocess
import sys
from pathlib import Path

from playwright.sync_api import Browser
from tests.support.browser import Window, chromium

from benchmarks.boards import ROOT, board, folder
from benchmarks.table import Row

SAMPLES = 1200
RAW_SAMPLES = 600
GOAL = 150.0
TASK = "latency"
JOB = """
import random, sys, time
count, path = int(sys.argv[1]), sys.argv[2]
random.seed(1)
with open(path, "w", buffering=1) as times:
    for number in range(1, count + 1):
        time.sleep(random.uniform(0.01, 0.05))
        times.write(f"{time.time() * 1000:.3f}\\n")
        print(f"step {number}/{count}", flush=True)
"""
WATCH = """
window.shown = {bar: [], log: []};
const number = (text) => Number(/(\\d[\\d,]*)\\/\\d[\\d,]*/.exec(text ?? '')?.[1].replaceAll(',', '') ?? 0);
const note = (kind, value) => {
  const list = window.shown[kind];
  if (value > (list.at(-1)?.[0] ?? 0)) list.push([value, performance.timeOrigin + performance.now()]);
};
new MutationObserver(() => {
  note('bar', number(document.querySelector('[role=progressbar]')?.getAttribute('aria-valuetext')));
  const rows = document.querySelectorAll('[role=log] [data-index]');
  note('log', Math.max(0, ...Array.from(rows, (row) => number(row.textContent))));
}).observe(document, {subtree: true, childList: true, attributes: true, characterData: true});
"""
Delays = dict[str, list[float]]
"""``bar`` and ``log`` → for each line, ms from its print to the change of the page."""


def measure() -> list[Row]:
    """A job that prints at odd moments, its page open; the same job on a page that does nothing but show the line."""
    with folder() as place, chromium() as browser:
        shown = through_board(browser, place / "board")
        raw = through_raw(browser, place / "raw")
    return [row(kind, shown[kind], raw[kind]) for kind in shown]


def through_board(browser: Browser, times: Path) -> Delays:
    """By ``miyabi run`` to the task's page."""
    with board(prefix=()) as running:
        running.api.post("/api/tasks", {"task_id": TASK, "task_name": "Latency"})
        window = watching(browser, f"{running.url}/tasks/{TASK}")
        running.run(*job(SAMPLES, times), options=["--task-id", TASK]).check_returncode()
        return delays(window, times, SAMPLES)


def through_raw(browser: Browser, times: Path) -> Delays:
    """By a pipe to the bare page."""
    server_words = [sys.executable, "-m", "benchmarks.raw_events"]
    with subprocess.Popen(server_words, stdin=subprocess.PIPE, stdout=subprocess.PIPE, cwd=ROOT) as server:
        assert server.stdin is not None
        assert server.stdout is not None
        try:
            window = watching(browser, server.stdout.readline().decode().strip())
            subprocess.run(job(RAW_SAMPLES, times), stdout=server.stdin, check=True)
            return delays(window, times, RAW_SAMPLES)
        finally:
            server.terminate()


def job(samples: int, times: Path) -> list[str]:
    """The command that prints, and writes down when."""
    return [sys.executable, "-c", JOB, str(samples), str(times)]


def watching(browser: Browser, url: str) -> Window:
    """A window that notes when each number is shown."""
    window = Window(browser, url)
    window.page.add_init_script(WATCH)
    window.page.goto(url)
    window.page.get_by_role("log").wait_for()
    return window


def delays(window: Window, times: Path, samples: int) -> Delays:
    """Wait for the last line; of lines that come faster than frames a later one shows the earlier ones too."""
    window.page.wait_for_function(
        "count => Object.values(shown).every((list) => list.at(-1)?.[0] >= count)", arg=samples
    )
    shown: dict[str, list[tuple[int, float]]] = window.page.evaluate("window.shown")
    window.close()
    printed = [float(line) for line in times.read_text().split()]
    return {kind: _until_shown(printed, changes) for kind, changes in shown.items()}


def _until_shown(printed: list[float], shown: list[tuple[int, float]]) -> list[float]:
    changes = iter(shown)
    number, at = next(changes)
    found: list[float] = []
    for line, time in enumerate(printed, 1):
        while number < line:
            number, at = next(changes)
        found.append(at - time)
    return found


def row(kind: str, found: list[float], raw: list[float]) -> Row:
    """The answer: the middle and the 99th of a hundred."""
    p99, raw_p99 = percentile(found, 99), percentile(raw, 99)
    what = f"line printed → {kind} changed ({len(found):,} samples)"
    return Row(what, said(found), f"p99 < {GOAL:g} ms", p99 < GOAL, f"a pipe to a bare page {said(raw)}", p99 / raw_p99)


def said(found: list[float]) -> str:
    """Delays in a line, ms."""
    return f"p50 {percentile(found, 50):.0f}  p99 {percentile(found, 99):.0f}  max {max(found):.0f} ms"


def percentile(found: list[float], percent: int) -> float:
    """So many of a hundred are not over it."""
    return statistics.quantiles(found, n=100)[percent - 1]
