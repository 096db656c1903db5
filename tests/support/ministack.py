"""ministack, which stands in for DynamoDB, and tables in it."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from unittest.mock import patch

from miyabi.database.dynamodb import DynamoDatabase, Options, Timing, client_of, new_session, open_database
from miyabi.database.dynamodb_calls import Calls, Patience
from miyabi.database.dynamodb_feed import Pace
from miyabi.database.dynamodb_items import Tables
from miyabi.database.dynamodb_tables import Admin, Capacity

REGION = "eu-west-1"
QUICK = Timing(pace=Pace(poll=0.03, rest=0.0))
"""Looks for other processes' changes often, so that tests are fast."""
READY_SECONDS = 60.0
STOP_SECONDS = 20.0
KEYS = {"AWS_ACCESS_KEY_ID": "test", "AWS_SECRET_ACCESS_KEY": "test"}


@contextmanager
def dynamodb_endpoint() -> Iterator[str]:
    """The address of a DynamoDB: ``MIYABI_TEST_DYNAMODB``, or a ministack of our own that ends with the block."""
    given = os.environ.get("MIYABI_TEST_DYNAMODB")
    if given:
        yield given
        return
    with closing(Ministack()) as one:
        yield one.url


class Ministack:
    """A process on a port of 127.0.0.1. With ``kept`` what it holds outlives :meth:`stop` and :meth:`restart`."""

    def __init__(self, *, kept: bool = False) -> None:
        self._port = free_port()
        self._folder = tempfile.TemporaryDirectory(prefix="miyabi-ministack-")
        self._env = {**os.environ, "GATEWAY_PORT": str(self._port), "BIND_HOST": "127.0.0.1", "SERVICES": "dynamodb"}
        self._env |= {"TMPDIR": self._folder.name, "LOG_LEVEL": "WARNING"}
        if kept:
            self._env |= {"PERSIST_STATE": "1", "STATE_DIR": str(Path(self._folder.name) / "state")}
        self._process = self._launch()

    @property
    def url(self) -> str:
        """Its address."""
        return f"http://127.0.0.1:{self._port}"

    def stop(self) -> None:
        """End it gracefully: only then does it keep anything."""
        self._process.terminate()
        self._process.wait(STOP_SECONDS)

    def restart(self) -> None:
        """Start it again on the same port."""
        self._process = self._launch()

    def freeze(self) -> None:
        """It answers nothing any more, and its connections stay."""
        self._process.send_signal(signal.SIGSTOP)

    def thaw(self) -> None:
        """It goes on where it was."""
        self._process.send_signal(signal.SIGCONT)

    def close(self) -> None:
        """End it whatever its state."""
        self._process.kill()
        self._process.wait()
        self._folder.cleanup()

    def _launch(self) -> subprocess.Popen[bytes]:
        log = Path(self._folder.name) / "log"
        with log.open("ab") as file:
            command = [str(Path(sys.executable).parent / "ministack")]
            process = subprocess.Popen(command, env=self._env, stdout=file, stderr=file, cwd=self._folder.name)
        try:
            _until_ready(process, self.url, log)
        except BaseException:
            process.kill()
            process.wait()
            raise
        return process


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
        time.sleep(0.05)
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


def setting(endpoint: str, prefix: str) -> dict[str, str]:
    """The environment by which a process finds tables here, which are made for it."""
    with patch.dict(os.environ, KEYS):
        asyncio.run(make_tables(endpoint, prefix))
    return {**KEYS, "MIYABI_DATABASE": f"dynamodb:?region={REGION}&prefix={prefix}&endpoint={endpoint}"}
