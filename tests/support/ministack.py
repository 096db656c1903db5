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

from miyabi.database.dynamodb import DynamoDatabase, Timing
from miyabi.database.dynamodb_aiohttp import client_of, new_session, open_database
from miyabi.database.dynamodb_calls import Calls, Patience
from miyabi.database.dynamodb_client import Options
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
    with closing(Ministack(SERVICES="dynamodb")) as one:
        yield one.url


@contextmanager
def emulator(folder: Path, **settings: str) -> Iterator[str]:
    """The address of a ministack of our own that keeps its files in ``folder`` and ends with the block."""
    with closing(Ministack(folder, **settings)) as one:
        yield one.url


class Ministack:
    """A process on a port of 127.0.0.1, with its files in ``folder`` or one that goes with it.

    With ``PERSIST_STATE="1"`` what it holds outlives :meth:`stop` and :meth:`restart`.
    """

    def __init__(self, folder: Path | None = None, **settings: str) -> None:
        self._port = free_port()
        self._own = tempfile.TemporaryDirectory(prefix="miyabi-ministack-")
        self._folder = folder or Path(self._own.name)
        self._env = {**os.environ, "GATEWAY_PORT": str(self._port), "BIND_HOST": "127.0.0.1", **settings}
        self._env |= {"TMPDIR": str(self._folder), "STATE_DIR": str(self._folder / "state"), "LOG_LEVEL": "WARNING"}
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
        """End it whatever its state; gracefully where it can, for it ends processes of its own then."""
        self.thaw()
        try:
            self.stop()
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._own.cleanup()

    def _launch(self) -> subprocess.Popen[bytes]:
        log = self._folder / "log"
        with log.open("ab") as file:
            command = [str(Path(sys.executable).parent / "ministack")]
            process = subprocess.Popen(command, env=self._env, stdout=file, stderr=file, cwd=self._folder)
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
