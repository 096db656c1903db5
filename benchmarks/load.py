"""Requests as fast as a server answers them, from another core: by wrk where it is installed, else by asyncio."""

from __future__ import annotations

import asyncio
import json
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping
from functools import partial
from pathlib import Path
from types import MappingProxyType
from typing import NamedTuple, cast
from urllib.parse import urlsplit

import uvloop

SERVER_CORE = ("taskset", "-c", "0")
CLIENT_CORE = ("taskset", "-c", "1")
CONNECTIONS = 16
Headers = Mapping[str, str]
_SCRIPT = """
local paths = {%s}
wrk.headers = {%s}
local at = 0
request = function()
  at = at %% #paths + 1
  return wrk.format("GET", paths[at])
end
done = function(summary, latency, requests)
  io.stderr:write(string.format('{"count": %%d, "rate": %%f, "p50": %%f, "p99": %%f, "bad": %%d}',
    summary.requests, summary.requests * 1e6 / summary.duration,
    latency:percentile(50) / 1e3, latency:percentile(99) / 1e3,
    summary.errors.status + summary.errors.read + summary.errors.timeout))
end
"""


class Load(NamedTuple):
    """Requests a second, the time to an answer in ms, and requests a second of the server's CPU time."""

    rate: float
    p50: float
    p99: float
    cpu_rate: float


def load(
    url: str,
    pid: int,
    paths: list[str],
    seconds: float = 2.0,
    connections: int = CONNECTIONS,
    headers: Headers = MappingProxyType({}),
) -> Load:
    """Ask the server ``pid`` for ``paths`` in turn over ``connections``. Raises when an answer is not 200."""
    measure = _wrk if shutil.which("wrk") else _asyncio
    before = cpu_seconds(pid)
    told = measure(url, paths, seconds, connections, headers)
    used = cpu_seconds(pid) - before
    if told["bad"]:
        raise RuntimeError(f"{url}{paths[0]}: not every answer was 200")
    return Load(told["rate"], told["p50"], told["p99"], told["count"] / used)


def cpu_seconds(pid: int) -> float:
    """CPU time that a process has used, with its threads."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def _wrk(url: str, paths: list[str], seconds: float, connections: int, headers: Headers) -> dict[str, float]:
    given = ", ".join(f'["{name}"] = "{value}"' for name, value in headers.items())
    with tempfile.NamedTemporaryFile("w", suffix=".lua") as script:
        script.write(_SCRIPT % (", ".join(f'"{path}"' for path in paths), given))
        script.flush()
        words = [*CLIENT_CORE, "wrk", "-t1", f"-c{connections}", f"-d{max(1, round(seconds))}s", "-s", script.name, url]
        done = subprocess.run(words, check=True, capture_output=True, text=True)
    told: dict[str, float] = json.loads(done.stderr)
    return told


def _asyncio(url: str, paths: list[str], seconds: float, connections: int, headers: Headers) -> dict[str, float]:
    words = [*CLIENT_CORE, sys.executable, "-m", "benchmarks.load", url, str(seconds), str(connections)]
    root = Path(__file__).parents[1]
    asked = json.dumps({"paths": paths, "headers": dict(headers)})
    done = subprocess.run(words, check=True, capture_output=True, text=True, input=asked, cwd=root)
    told: dict[str, float] = json.loads(done.stdout)
    return told


class _Asker(asyncio.Protocol):
    """One connection: the next request when the last answer is whole."""

    def __init__(self, requests: list[bytes], at: int, end: float, took: list[float]) -> None:
        self._requests, self._at, self._end, self._took = requests, at, end, took
        self._head = b""
        self._missing = 0
        self.done: asyncio.Future[int] = asyncio.get_running_loop().create_future()
        self._bad = 0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)  # uvloop's own class is a transport by its methods only
        self._ask()

    def data_received(self, data: bytes) -> None:
        if not self._missing:
            self._head += data
            head, found, body = self._head.partition(b"\r\n\r\n")
            if not found:
                return
            self._bad += not head.startswith(b"HTTP/1.1 200")
            self._missing = int(head.lower().partition(b"content-length: ")[2].split(b"\r\n")[0])
            self._head, data = b"", body
        self._missing -= len(data)
        if not self._missing:
            self._answered()

    def connection_lost(self, error: Exception | None) -> None:
        if not self.done.done():
            self.done.set_result(self._bad + 1)

    def _ask(self) -> None:
        self._began = time.perf_counter()
        self._transport.write(self._requests[self._at % len(self._requests)])
        self._at += 1

    def _answered(self) -> None:
        now = time.perf_counter()
        self._took.append(now - self._began)
        if now < self._end:
            self._ask()
        else:
            self.done.set_result(self._bad)
            self._transport.close()


def _same(asker: _Asker) -> _Asker:
    return asker


async def _ask_all(url: str, paths: list[str], headers: Headers, seconds: float, connections: int) -> dict[str, float]:
    parts = urlsplit(url)
    given = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
    requests = [f"GET {path} HTTP/1.1\r\nHost: {parts.netloc}\r\n{given}\r\n".encode() for path in paths]
    took: list[float] = []
    began = time.perf_counter()
    askers = [_Asker(requests, at * len(requests) // connections, began + seconds, took) for at in range(connections)]
    for asker in askers:
        await asyncio.get_running_loop().create_connection(partial(_same, asker), str(parts.hostname), parts.port or 80)
    bad = sum([await asker.done for asker in askers])
    marks = statistics.quantiles(took, n=100)
    return {
        "count": len(took),
        "rate": len(took) / (time.perf_counter() - began),
        "p50": marks[49] * 1e3,
        "p99": marks[98] * 1e3,
        "bad": bad,
    }


if __name__ == "__main__":
    given = json.load(sys.stdin)
    told = uvloop.run(_ask_all(sys.argv[1], given["paths"], given["headers"], float(sys.argv[2]), int(sys.argv[3])))
    print(json.dumps(told))
