"""A thousand open pages and a thousand requests a second: memory, times, and whether each page gets everything."""

from __future__ import annotations

import asyncio
import json
import multiprocessing
import statistics
import time
from collections.abc import Iterator
from multiprocessing.connection import Connection
from pathlib import Path
from typing import NamedTuple
from urllib.parse import urlsplit

import uvloop

from benchmarks.boards import board, sample
from benchmarks.table import Row

VIEWERS, DEAF = 1000, 50
"""``DEAF`` more open a page and read nothing of it."""
RATE, SECONDS = 1000, 10.0
TASKS, CHANGING = 1000, 20
CHANGES_A_SECOND = 10
ASKERS = 16
MEMORY_GOAL, P99_GOAL = 250, 50.0
"""MB, ms."""
LAST = "the last change"
PATIENCE_SECONDS = 30.0


class Told(NamedTuple):
    """What the clients saw: times of lists in ms, their count a second, and how many viewers got every last change."""

    times: list[float]
    rate: float
    whole: int


def measure() -> list[Row]:
    """From another process, on the other core."""
    settings = {"MIYABI_MAX_CONNECTIONS_PER_ADDRESS": "4000"}
    with board(TASKS, **settings) as running:
        here, there = multiprocessing.Pipe()
        client = multiprocessing.get_context("spawn").Process(target=_clients, args=(running.url, there))
        client.start()
        told: Told = here.recv()
        client.join()
        return list(rows(told, peak_mb(running.pid)))


def rows(told: Told, memory: float) -> Iterator[Row]:
    """The answers."""
    p50, p99 = statistics.median(told.times), statistics.quantiles(told.times, n=100)[98]
    beside = f"{VIEWERS} viewers, {DEAF} that read nothing, {told.rate:,.0f} lists/s"
    yield Row("memory of the board, peak", f"{memory:.0f} MB", f"< {MEMORY_GOAL} MB", memory < MEMORY_GOAL, beside)
    measured = f"p50 {p50:.1f} ms, p99 {p99:.1f} ms"
    yield Row("list of 50", measured, f"p99 < {P99_GOAL:.0f} ms", p99 < P99_GOAL, f"{CHANGES_A_SECOND} changes/s")
    yield Row("viewers that got every last change", f"{told.whole:,}", f"{VIEWERS:,}", told.whole == VIEWERS)


def peak_mb(pid: int) -> float:
    """The most memory that a process has had."""
    line = next(line for line in Path(f"/proc/{pid}/status").read_text().splitlines() if line.startswith("VmHWM"))
    return int(line.split()[1]) / 1024


def _clients(url: str, end: Connection) -> None:
    end.send(uvloop.run(_crowd(url)))


async def _crowd(url: str) -> Told:
    parts = urlsplit(url)
    address = (str(parts.hostname), parts.port or 80)
    goal = {sample(number).task_id for number in range(CHANGING)}
    viewers = [Viewer(goal) for _ in range(VIEWERS)]
    for viewer in viewers:
        await viewer.open(*address)
    deaf = [await asyncio.open_connection(*address, limit=1024) for _ in range(DEAF)]
    for _, writer in deaf:
        writer.write(_request("GET", "/api/events"))
    end = time.perf_counter() + SECONDS
    times: list[float] = []
    began = time.perf_counter()
    await asyncio.gather(_change(address, end), *(_lists(address, number, end, times) for number in range(ASKERS)))
    rate = len(times) / (time.perf_counter() - began)
    await asyncio.wait([asyncio.ensure_future(viewer.done) for viewer in viewers], timeout=PATIENCE_SECONDS)
    whole = sum(viewer.done.done() for viewer in viewers)
    for _, writer in deaf:
        writer.close()
    for viewer in viewers:
        viewer.close()
    return Told(times, rate, whole)


class Viewer(asyncio.Protocol):
    """An open page: done when it was told of the last change of every task in ``goal``."""

    def __init__(self, goal: set[str]) -> None:
        self._left = set(goal)
        self._tail = b""
        self.done: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._greeted = asyncio.Event()

    async def open(self, host: str, port: int) -> None:
        """Begin to watch; returns with the first event."""
        transport, _ = await asyncio.get_running_loop().create_connection(lambda: self, host, port)
        self._transport = transport
        transport.write(_request("GET", "/api/events"))
        await self._greeted.wait()

    def data_received(self, data: bytes) -> None:
        self._greeted.set()
        *lines, self._tail = (self._tail + data).split(b"\n")
        for line in lines:
            if LAST.encode() in line:
                self._left.discard(json.loads(line.partition(b"data:")[2])["task_id"])
        if not self._left and not self.done.done():
            self.done.set_result(None)

    def close(self) -> None:
        """Leave."""
        self._transport.close()


async def _change(address: tuple[str, int], end: float) -> None:
    """Change the tasks in turn, at an even pace, and each once more at the end."""
    reader, writer = await asyncio.open_connection(*address)
    number = 0
    while time.perf_counter() < end:
        await _ask(reader, writer, "PATCH", f"/api/tasks/{sample(number % CHANGING).task_id}", f"change {number}")
        number += 1
        await asyncio.sleep(1 / CHANGES_A_SECOND)
    for last in range(CHANGING):
        await _ask(reader, writer, "PATCH", f"/api/tasks/{sample(last).task_id}", LAST)
    writer.close()


async def _lists(address: tuple[str, int], number: int, end: float, times: list[float]) -> None:
    """Ask for the list at an even pace; a time is counted from when it should have been asked for."""
    reader, writer = await asyncio.open_connection(*address, limit=1 << 20)
    due = time.perf_counter() + number / RATE
    while due < end:
        await asyncio.sleep(max(0.0, due - time.perf_counter()))
        await _ask(reader, writer, "GET", "/api/tasks?limit=50")
        times.append((time.perf_counter() - due) * 1000)
        due += ASKERS / RATE
    writer.close()


async def _ask(
    reader: asyncio.StreamReader, writer: asyncio.StreamWriter, method: str, target: str, description: str = ""
) -> None:
    body = json.dumps({"description": description}).encode() if description else b""
    writer.write(_request(method, target, body))
    head = (await reader.readuntil(b"\r\n\r\n")).lower()
    assert head.startswith(b"http/1.1 200"), head
    await reader.readexactly(int(head.partition(b"content-length: ")[2].split(b"\r\n")[0]))


def _request(method: str, target: str, body: bytes = b"") -> bytes:
    kind = f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n" if body else ""
    return f"{method} {target} HTTP/1.1\r\nHost: 127.0.0.1\r\n{kind}\r\n".encode() + body
