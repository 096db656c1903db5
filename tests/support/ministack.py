"""ministack, which stands in for DynamoDB, and tables in it."""

from __future__ import annotations

import contextlib
import os
import socket
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from miyabi.database.dynamodb import DynamoDatabase, Options, Timing, client_of, new_session, open_database
from miyabi.database.dynamodb_calls import Calls, Patience
from miyabi.database.dynamodb_feed import Pace
from miyabi.database.dynamodb_items import Tables
from miyabi.database.dynamodb_tables import Admin, Capacity

REGION = "eu-west-1"
QUICK = Timing(pace=Pace(poll=0.03, rest=0.0))
"""Looks for other processes' changes often, so that tests are fast."""
READY_SECONDS = 60.0
KEYS = {"AWS_ACCESS_KEY_ID": "test", "AWS_SECRET_ACCESS_KEY": "test"}


@contextmanager
def dynamodb_endpoint() -> Iterator[str]:
    """The address of a DynamoDB: ``MIYABI_TEST_DYNAMODB``, or a ministack of our own that ends with the block."""
    given = os.environ.get("MIYABI_TEST_DYNAMODB")
    if given:
        yield given
        return
    with (
        tempfile.TemporaryDirectory(prefix="miyabi-ministack-") as folder,
        emulator(Path(folder), SERVICES="dynamodb") as url,
    ):
        yield url


@contextmanager
def emulator(folder: Path, **settings: str) -> Iterator[str]:
    """The address of a ministack of our own that keeps its files in ``folder`` and ends with the block."""
    port = free_port()
    url = f"http://127.0.0.1:{port}"
    env = {**os.environ, "GATEWAY_PORT": str(port), "BIND_HOST": "127.0.0.1", **settings}
    env |= {"TMPDIR": str(folder), "LOG_LEVEL": "WARNING"}
    with (folder / "log").open("wb") as log:
        command = [str(Path(sys.executable).parent / "ministack")]
        process = subprocess.Popen(command, env=env, stdout=log, stderr=log, cwd=folder)
    try:
        _until_ready(process, url, folder / "log")
        yield url
    finally:
        process.terminate()
        try:
            process.wait(10)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def free_port() -> int:
    """A port nobody listens on."""
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        port: int = sock.getsockname()[1]
        return port


def _until_ready(process: subprocess.Popen[bytes], url: str, log: Path) -> None:
    end = time.monotonic() + READY_SECONDS
    while time.monotonic() < end and process.poll() is None:
        with contextlib.suppress(OSError), urllib.request.urlopen(f"{url}/_ministack/health", timeout=2):
            return
        time.sleep(0.1)
    raise AssertionError(f"ministack does not answer at {url}: {log.read_text()[-2000:]}")


async def make_tables(endpoint: str, prefix: str) -> None:
    """Both tables, without expiry: it would come between tests whose tasks are old."""
    async with new_session() as session:
        calls = Calls(client_of(options(endpoint, prefix), session), Patience())
        await Admin(calls, Tables.of(prefix), Capacity()).create(ttl=False, recovery=False)


async def open_dynamodb(endpoint: str, prefix: str, timing: Timing = QUICK) -> DynamoDatabase:
    """The database of these tables."""
    return await open_database(options(endpoint, prefix), timing)


def options(endpoint: str, prefix: str) -> Options:
    """Where tests find tables."""
    return Options(region=REGION, prefix=prefix, endpoint=endpoint)
