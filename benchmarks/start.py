"""How soon is the board ready, and how much memory does it take?"""

from __future__ import annotations

import http.client
import subprocess
import sys
import time
from pathlib import Path

import msgspec
from tests.support.board import Board

from benchmarks.boards import board, folder
from benchmarks.load import load
from benchmarks.table import Row

ROUNDS = 7
READY_GOAL = 1.0
MEMORY_GOAL = 80.0
LOAD_SECONDS = 5.0
BATCHES, BATCH = 50, 10_000


def measure() -> list[Row]:
    """Starts on an empty folder and on a full one; memory before and after work."""
    with folder() as data:
        empty = min(start_seconds(data / str(number)) for number in range(ROUNDS))
    bare = min(python_seconds() for _ in range(ROUNDS))
    with board(100_000, prefix=()) as running:
        full = min(restart_seconds(running) for _ in range(ROUNDS))
        idle = memory(running.pid)
        work(running)
        busy, peak = memory(running.pid), memory(running.pid, "VmHWM")
    return [
        Row("ready, empty folder", f"{empty:.2f} s", f"< {READY_GOAL:g} s", empty < READY_GOAL, *beside(empty, bare)),
        Row("ready, 100 k tasks", f"{full:.2f} s", f"< {READY_GOAL:g} s", full < READY_GOAL, *beside(full, bare)),
        Row("memory, idle", f"{idle:.0f} MB", f"< {MEMORY_GOAL:g} MB", idle < MEMORY_GOAL),
        Row("memory, after load", f"{busy:.0f} MB (peak {peak:.0f})", f"< {MEMORY_GOAL:g} MB", busy < MEMORY_GOAL),
    ]


def beside(seconds: float, bare: float) -> tuple[str, float]:
    """The peer and the ratio to it."""
    return f"python -c pass {bare:.2f} s", seconds / bare


def start_seconds(data: Path) -> float:
    """From the start of the process to its word that it serves."""
    began = time.perf_counter()
    running = Board(data)
    took = time.perf_counter() - began
    running.close()
    return took


def restart_seconds(running: Board) -> float:
    """The same for a board that was there before."""
    running.stop()
    began = time.perf_counter()
    running.restart()
    return time.perf_counter() - began


def python_seconds() -> float:
    """A Python that does nothing."""
    began = time.perf_counter()
    subprocess.run([sys.executable, "-c", "pass"], check=True)
    return time.perf_counter() - began


def memory(pid: int, what: str = "VmRSS") -> float:
    """Resident MB, shared pages of libraries included; ``VmHWM`` is the most there ever was."""
    status = Path(f"/proc/{pid}/status").read_text()
    return int(status.partition(f"{what}:")[2].split()[0]) / 1024


def work(running: Board) -> None:
    """Half a million lines, then lists, deep pages and log pages."""
    connection = http.client.HTTPConnection("127.0.0.1", running.port)
    for batch in range(BATCHES):
        events = [
            {"timestamp": 0, "message": f"compiling file {line} of many: src/part/of/it.c"} for line in range(BATCH)
        ]
        body = msgspec.json.encode({"events": events})
        target = f"/api/logs/miyabi/jobs/big-{batch % 10}"
        connection.request("POST", target, body, {"content-type": "application/json"})
        connection.getresponse().read()
    connection.close()
    running.api.post("/api/collect", {})
    load(running.url, running.pid, ["/api/tasks", "/api/tasks?active=true", "/api/tasks/big-1"], LOAD_SECONDS)
    load(running.url, running.pid, ["/api/tasks/big-1/logs?limit=10000"], LOAD_SECONDS, connections=4)
