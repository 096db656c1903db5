"""What does the gateway cost a request: alone, in the task API's process, and over HTTP, beside nginx?"""

from __future__ import annotations

import asyncio
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager
from pathlib import Path

from tests.support.board import Service, environment
from tests.support.redis import free_port
from tests.support.until import until

from benchmarks.boards import ROOT, Server, fill, folder, sample
from benchmarks.load import SERVER_CORE, Load, load
from benchmarks.table import Row, best
from miyabi.principal import Principal
from miyabi.settings import from_environment
from miyabi.wiring.auth import own_tokens, secret_keys

ROUNDS, SECONDS = 9, 1.0
TASKS = 1000
GOAL = 1.5
SECRET = "a-secret-of-this-benchmark-that-is-long-enough"
ALL_ON = {
    "MIYABI_AUTH_SECRET": SECRET,
    "MIYABI_RATE_LIMIT": "1e9",
    "MIYABI_RATE_BURST": "1000000000",
    "MIYABI_ORIGINS": "https://wall.example.org",
    "MIYABI_ACCESS_LOG": "yes",
}
PATHS = {"task": f"/api/tasks/{sample(500).task_id}", "list": "/api/tasks?limit=50"}
NGINX = """
daemon off; master_process off; pid {place}/pid; error_log stderr crit;
events {{ worker_connections 1024; }}
http {{
  access_log off; client_body_temp_path {place}/b; proxy_temp_path {place}/p;
  fastcgi_temp_path {place}/f; uwsgi_temp_path {place}/u; scgi_temp_path {place}/s;
  upstream tasks {{ server {upstream}; keepalive 64; }}
  server {{
    listen 127.0.0.1:{port}; keepalive_requests 1000000;
    location / {{ proxy_pass http://tasks; proxy_http_version 1.1; proxy_set_header Connection ""; }}
  }}
}}
"""
Figures = dict[str, list[Load]]


def measure() -> list[Row]:
    """CPU time of the server for a request, with and without the gateway; requests a second through two proxies."""
    with folder() as data:
        asyncio.run(fill(data, TASKS))
        return [*alone(data), *over_http(data)]


def alone(data: Path) -> Iterator[Row]:
    """In one process, everything on: limit, tokens, CORS, access log.

    Beside it the same request to the task API as ``miyabi serve tasks`` has it, which checks tokens, too; and to the
    bare one, which nobody can reach.
    """
    kinds = ("bare", "tasks", "gateway")
    headers = {"Authorization": f"Bearer {token()}", "Origin": ALL_ON["MIYABI_ORIGINS"]}
    with ExitStack() as stack:
        doors = {kind: stack.enter_context(door(data, kind, **ALL_ON)) for kind in kinds}
        for name, path in PATHS.items():
            found: Figures = {kind: [] for kind in kinds}
            for _ in range(ROUNDS):
                for kind, server in doors.items():
                    found[kind].append(load(server.url, server.pid, [path], SECONDS, headers=headers))
            bare, direct, through = (1e6 / best(one.cpu_rate for one in found[kind]) for kind in kinds)
            ratio = through / direct
            beside = f"task API directly {direct:.0f} µs, without its door {bare:.0f} µs"
            yield Row(f"{name}, in process", f"{through:.0f} µs of CPU", f"≤ {GOAL}", ratio <= GOAL, beside, ratio)


def over_http(data: Path) -> Iterator[Row]:
    """In a process of its own before a task API in another."""
    with ExitStack() as stack:
        tasks = stack.enter_context(door(data, "bare"))
        env = environment(data / "gateway", MIYABI_TASKS=tasks.url, MIYABI_RATE_LIMIT="0")
        ours = stack.enter_context(closing(Service("serve", "gateway", env=env, prefix=SERVER_CORE)))
        proxies = {"gateway": Server(ours.url, ours.pid)}
        if shutil.which("nginx", path=f"{os.environ['PATH']}:/usr/sbin"):
            proxies["nginx"] = stack.enter_context(nginx(tasks.url))
        for name, path in PATHS.items():
            found: Figures = {proxy: [] for proxy in proxies}
            for _ in range(ROUNDS):
                for proxy, server in proxies.items():
                    found[proxy].append(load(server.url, server.pid, [path], SECONDS))
            costs = {proxy: 1e6 / best(one.cpu_rate for one in loads) for proxy, loads in found.items()}
            rates = {proxy: best(one.rate for one in loads) for proxy, loads in found.items()}
            said = {proxy: f"{rates[proxy]:,.0f}/s, {costs[proxy]:.0f} µs of CPU" for proxy in proxies}
            beside = f"nginx {said['nginx']}" if "nginx" in said else "nginx is not installed"
            ratio = rates["gateway"] / rates["nginx"] if "nginx" in rates else None
            yield Row(f"{name}, over HTTP", said["gateway"], "", None, beside, ratio)


@contextmanager
def door(data: Path, kind: str, **settings: str) -> Iterator[Server]:
    """:mod:`benchmarks.door` on a core of its own."""
    words = [*SERVER_CORE, sys.executable, "-m", "benchmarks.door", kind]
    env = environment(data, **{"MIYABI_RATE_LIMIT": "0", **settings})
    with (
        tempfile.TemporaryFile() as errors,
        subprocess.Popen(words, stdout=subprocess.PIPE, stderr=errors, text=True, cwd=ROOT, env=env) as process,
    ):
        assert process.stdout is not None
        try:
            yield Server(process.stdout.readline().strip(), process.pid)
        finally:
            process.terminate()


@contextmanager
def nginx(upstream: str) -> Iterator[Server]:
    """A plain reverse proxy before ``upstream``, one process on the server's core."""
    with tempfile.TemporaryDirectory() as place:
        config, port = Path(place) / "nginx.conf", free_port()
        config.write_text(NGINX.format(place=place, port=port, upstream=upstream.removeprefix("http://")))
        with subprocess.Popen([*SERVER_CORE, "/usr/sbin/nginx", "-p", place, "-c", str(config)]) as process:
            try:
                until(lambda: Path(place, "pid").exists(), "nginx is up")
                yield Server(f"http://127.0.0.1:{port}", process.pid)
            finally:
                process.terminate()


def token() -> str:
    """A viewer's."""
    from miyabi.gateway.mint import make_token

    settings = from_environment({"MIYABI_AUTH_SECRET": SECRET})
    return make_token(
        secret_keys(settings)[0], Principal("ann", "viewer"), own_tokens(settings), int(time.time()), 3600
    )
