"""How many requests a second does the board answer on one core, and how soon?"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager

from tests.support.board import Board

from benchmarks.boards import Server, board, raw, sample
from benchmarks.load import Load, load
from benchmarks.table import Row

ROUNDS = 5
SECONDS = 1.0
LIST_GOAL = 5000
DETAIL_GOAL = 0.5
GROWTH_GOAL = 1.2
SMALL, LARGE = 1_000, 100_000
DETAIL = f"/api/tasks/{sample(500).task_id}"
LIST = "/api/tasks?limit=50"
CHANGES_A_SECOND = 100

Asked = dict[str, tuple[Server | Board, list[str]]]
"""Name of a question → the server, and the addresses it is asked for in turn."""


def measure() -> list[Row]:
    """List and detail through the gateway, in turns with the bare server that sends the same bytes."""
    with ExitStack() as stack:
        small, large = (stack.enter_context(board(count)) for count in (SMALL, LARGE))
        raw_list = stack.enter_context(raw(small.api.request("GET", LIST).body))
        raw_detail = stack.enter_context(raw(small.api.request("GET", DETAIL).body))
        asked: Asked = {
            "list, 1 k stored": (small, [LIST]),
            "list, 100 k stored": (large, [LIST]),
            "list, any page of 100 k": (large, cursors(large)),
            "raw list": (raw_list, ["/"]),
            "detail": (small, [DETAIL]),
            "raw detail": (raw_detail, ["/"]),
        }
        found = rounds(asked)
        with changing(small):
            found |= rounds({f"list, {CHANGES_A_SECOND} changes a second": (small, [LIST])})
    return list(rows(found))


def rounds(asked: Asked) -> dict[str, Load]:
    """Each in turn, several times; the best of each figure."""
    seen: dict[str, list[Load]] = {name: [] for name in asked}
    for _ in range(ROUNDS):
        for name, (server, paths) in asked.items():
            seen[name].append(load(server.url, server.pid, paths, SECONDS))
    return {name: best_of(loads) for name, loads in seen.items()}


def best_of(loads: list[Load]) -> Load:
    """The best of each figure: others on the machine only make it worse."""
    rates, p50s, p99s, cpu_rates = zip(*loads, strict=True)
    return Load(max(rates), min(p50s), min(p99s), max(cpu_rates))


def rows(found: dict[str, Load]) -> Iterator[Row]:
    """The answers."""
    limit = found.pop("raw list")
    detail, detail_limit = found.pop("detail"), found.pop("raw detail")
    for name, one in found.items():
        goal, met = (f"≥ {LIST_GOAL:,}/s", one.rate >= LIST_GOAL) if "stored" in name else ("", None)
        yield Row(name, said(one), goal, met, f"raw ASGI {said(limit)}", one.rate / limit.rate)
    growth = found["list, 100 k stored"].p50 / found["list, 1 k stored"].p50
    yield Row("list, p50 of 100 k to 1 k", f"{growth:.2f}", f"≤ {GROWTH_GOAL}", growth <= GROWTH_GOAL)
    ratio = detail.rate / detail_limit.rate
    goal = f"≥ {DETAIL_GOAL} of raw"
    yield Row("detail", said(detail), goal, ratio >= DETAIL_GOAL, f"raw ASGI {said(detail_limit)}", ratio)


def said(one: Load) -> str:
    """A load in a line: a second of the clock, a second of the server's CPU time, answer times in ms."""
    return f"{one.rate:,.0f}/s (CPU {one.cpu_rate:,.0f}/s) p50 {one.p50:.2f} p99 {one.p99:.2f}"


def cursors(running: Board) -> list[str]:
    """Addresses of pages all over the list."""
    found: list[str] = []
    cursor = ""
    while True:
        page = running.api.get(f"/api/tasks?limit=200{cursor}")
        if page["next_cursor"] is None:
            return found
        cursor = f"&cursor={page['next_cursor']}"
        found.append(LIST + cursor)


@contextmanager
def changing(running: Board) -> Iterator[None]:
    """While it lasts, tasks change as often as :data:`CHANGES_A_SECOND` says."""
    over = threading.Event()

    def change() -> None:
        number = 0
        while not over.wait(1 / CHANGES_A_SECOND):
            number += 1
            name = {"task_name": f"cdk deploy, attempt {number}"}
            running.api.request("PATCH", f"/api/tasks/{sample(SMALL - 1 - number % 50).task_id}", name)

    thread = threading.Thread(target=change)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join()
