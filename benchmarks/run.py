"""What does `miyabi run` cost the command that it runs?"""

from __future__ import annotations

import os
import pty
import subprocess
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from subprocess import DEVNULL, PIPE

from tests.support.board import environment, run_line
from tests.support.until import until

from benchmarks.boards import board, folder
from benchmarks.table import Row

ROUNDS = 5
STARTS = 10
MEGABYTES = 100
GOAL = 1.1
START_GOAL = 150.0
LINE = "2026-11-23T21:07:31Z worker 7: a line of a job that talks more than anybody wants to read"
FLOOD = f"yes '{LINE}' | head -c {MEGABYTES}000000"
DRAIN_SECONDS = 180.0
Env = Mapping[str, str]
Way = Callable[[Sequence[str], Env], None]
"""Runs a command with an environment."""


def measure() -> list[Row]:
    """A flood in a terminal and through a pipe, in turns with script; then a command that does nothing."""
    rows = []
    with folder() as place, board(prefix=()) as running:
        recorded = ["script", "-qc", FLOOD, str(place / "typescript")]
        for how, run in (("in a terminal", in_terminal), ("through a pipe", through_pipe)):
            ours, peer = in_turns(run, run_line("sh", "-c", FLOOD), recorded, running.env(), ROUNDS, running.data)
            rows.append(flood_row(f"{MEGABYTES} MB of output {how}", ours, peer))
        for way, data in (("board running", running.data), ("no board", place / "data")):
            ours, peer = in_turns(through_pipe, run_line("true"), ["true"], environment(data), STARTS, data)
            rows.append(start_row(f"miyabi run -- true, {way}", ours, peer))
    return rows


def flood_row(what: str, ours: float, peer: float) -> Row:
    """The answer for a flood, in seconds."""
    ratio = ours / peer
    return Row(what, f"{ours:.2f} s", f"≤ {GOAL:g}× script", ratio <= GOAL, f"script -qc {peer:.2f} s", ratio)


def start_row(what: str, ours: float, peer: float) -> Row:
    """The answer for a command that does nothing, in ms."""
    ms = ours * 1000
    return Row(what, f"{ms:.0f} ms", f"< {START_GOAL:g} ms", ms < START_GOAL, f"true {peer * 1000:.1f} ms", ours / peer)


def in_turns(
    run: Way, ours: Sequence[str], peer: Sequence[str], env: Env, rounds: int, data: Path
) -> tuple[float, float]:
    """Seconds of each, the best of some rounds in turns; what the runs have left to send is sent in between."""
    spool = data / "spool"
    seen = []
    for _ in range(rounds):
        first = seconds(run, ours, env)
        until(lambda: not spool.exists() or not any(spool.iterdir()), "all lines are sent", DRAIN_SECONDS)
        seen.append((first, seconds(run, peer, env)))
    return min(first for first, _ in seen), min(second for _, second in seen)


def seconds(run: Way, words: Sequence[str], env: Env) -> float:
    """From the start to the end of a command."""
    began = time.perf_counter()
    run(words, env)
    return time.perf_counter() - began


def through_pipe(words: Sequence[str], env: Env) -> None:
    """Run it with its output read by another process."""
    with subprocess.Popen(["cat"], stdin=PIPE, stdout=DEVNULL) as reader:
        subprocess.run(words, env=env, stdin=DEVNULL, stdout=reader.stdin, stderr=DEVNULL, check=True)


def in_terminal(words: Sequence[str], env: Env) -> None:
    """Run it in the foreground of a terminal of its own, whose screen another process reads."""
    screen, terminal = pty.openpty()
    with subprocess.Popen(["cat"], stdin=screen, stdout=DEVNULL, stderr=DEVNULL):
        os.close(screen)
        try:
            in_front = ["setsid", "--ctty", "--wait", *words]
            subprocess.run(in_front, env=env, stdin=terminal, stdout=terminal, stderr=terminal, check=True)
        finally:
            os.close(terminal)
