"""A real board in a process of its own, and the command line beside it."""

from __future__ import annotations

import os
import re
import select
import signal
import ssl
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import IO, Any

from .client import Client

MIYABI = str(Path(sys.executable).with_name("miyabi"))
"""The command as it was installed beside this Python."""
ADDRESS = re.compile(r"(https?)://([a-z0-9.-]+):(\d+)")
READY_SECONDS = 60.0
STOP_SECONDS = 10.0


def environment(data: Path, **more: str) -> dict[str, str]:
    """The environment of a user whose data folder is ``data`` and who has set nothing else of Miyabi's."""
    clean = {name: value for name, value in os.environ.items() if not name.startswith(("MIYABI_", "PYTEST_"))}
    return clean | {"MIYABI_DATA": str(data), "NO_COLOR": "1", "PYTHONUNBUFFERED": "1"} | more


class Service:
    """A process of ``miyabi`` that serves on a port; its word that it is ready is its first line."""

    def __init__(
        self, *command: str, env: Mapping[str, str], prefix: Sequence[str] = (), errors: int | None = None
    ) -> None:
        """``errors`` is a file that stderr goes to instead of :meth:`errors`."""
        self._command = [*prefix, MIYABI, *command]
        self._env = dict(env)
        self._errors: IO[bytes] = tempfile.TemporaryFile()  # noqa: SIM115 - closed by close()
        self._stderr = self._errors.fileno() if errors is None else errors
        self.port = 0
        self.trust: ssl.SSLContext | None = None
        self._scheme, self._host = "http", "127.0.0.1"
        self.process = self._launch()

    @property
    def url(self) -> str:
        """Where it listens."""
        return f"{self._scheme}://{self._host}:{self.port}"

    @property
    def pid(self) -> int:
        """Its process."""
        return self.process.pid

    @property
    def api(self) -> Client:
        """Requests to it."""
        return Client(self.url, self.trust)

    def errors(self) -> str:
        """What it has written to stderr, over all its starts."""
        return os.pread(self._errors.fileno(), 1 << 20, 0).decode()

    def metric(self, name: str) -> float:
        """What ``/metrics`` says of ``name``, labels included."""
        text = self.api.request("GET", "/metrics").body.decode()
        values = [line.rpartition(" ")[2] for line in text.splitlines() if line.rpartition(" ")[0] == name]
        assert len(values) == 1, text
        return float(values[0])

    def hits(self, kind: str = "task") -> float:
        """How many reads of a ``task`` or a ``list`` its cache has answered."""
        return self.metric(f'miyabi_cache_hits_total{{kind="{kind}"}}')

    def kill9(self) -> None:
        """End it as a crash of the machine would."""
        self.process.send_signal(signal.SIGKILL)
        self._wait()

    def restart(self) -> None:
        """Start it again on the same port."""
        self.process = self._launch()

    def stop(self, number: int = signal.SIGTERM) -> int:
        """Ask it to end, as a service manager does; its exit code."""
        if self.process.poll() is None:
            self.process.send_signal(number)
        return self._wait()

    def close(self) -> None:
        """End it whatever its state."""
        if self.process.poll() is None:
            self.process.kill()
        self._wait()
        self._errors.close()

    def _launch(self) -> subprocess.Popen[bytes]:
        process = subprocess.Popen(
            [*self._command, "--port", str(self.port)], env=self._env, stdout=subprocess.PIPE, stderr=self._stderr
        )
        try:
            found = ADDRESS.search(self._first_line(process))
            assert found, "it says where it listens"
            self._scheme, self._host, self.port = found[1], found[2], int(found[3])
        except BaseException:
            process.kill()
            process.communicate()
            self._errors.close()
            raise
        return process

    def _first_line(self, process: subprocess.Popen[bytes]) -> str:
        assert process.stdout is not None
        end, line = time.monotonic() + READY_SECONDS, b""
        while not line.endswith(b"\n"):
            ready, _, _ = select.select([process.stdout], [], [], max(0.0, end - time.monotonic()))
            piece = os.read(process.stdout.fileno(), 4096) if ready else b""
            assert piece, f"{self._command} did not start: {self.errors()}"
            line += piece
        return line.decode()

    def _wait(self) -> int:
        code = self.process.wait(STOP_SECONDS)
        if self.process.stdout is not None:
            self.process.stdout.close()
        return code


class Board(Service):
    """``miyabi up`` on a data folder."""

    def __init__(self, data: Path, prefix: Sequence[str] = (), **settings: str) -> None:
        self.data = data
        super().__init__("up", env=environment(data, **settings), prefix=prefix)

    def env(self, **more: str) -> dict[str, str]:
        """The environment of a user of this board."""
        return environment(self.data, **more)

    def run(self, *command: str, options: Sequence[str] = (), **given: Any) -> subprocess.CompletedProcess[bytes]:
        """``miyabi run`` of a command, to its end."""
        return subprocess.run(run_line(*command, options=options), env=self.env(), check=False, **_pipes(given))

    def begin(self, *command: str, options: Sequence[str] = (), **given: Any) -> subprocess.Popen[bytes]:
        """``miyabi run`` of a command, under way."""
        return subprocess.Popen(run_line(*command, options=options), env=self.env(), **_pipes(given))


def run_line(*command: str, options: Sequence[str] = ()) -> list[str]:
    """The words of a ``miyabi run``."""
    return [MIYABI, "run", *options, "--", *command]


def _pipes(given: dict[str, Any]) -> dict[str, Any]:
    quiet = {"stdin": subprocess.DEVNULL, "stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
    return quiet | given
