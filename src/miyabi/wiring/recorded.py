"""Where the gateway writes down what it has answered."""

from __future__ import annotations

import os
import sys
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

from starlette.types import ASGIApp

from miyabi.gateway.access import AccessLog
from miyabi.gateway.answered import peer
from miyabi.gateway.guard import LOOPBACK
from miyabi.settings import Settings
from miyabi.wiring.batches import Batches, aside
from miyabi.wiring.stores import now

Layer = Callable[[ASGIApp], ASGIApp]


@asynccontextmanager
async def recorded(settings: Settings) -> AsyncIterator[Layer]:
    """What is put around the gateway to have its answers written down; at the end all of it is."""
    if not writes_access(settings, terminal=sys.stderr.isatty()):
        yield lambda app: app
        return
    lines: Batches[bytes] = Batches("the access log", _to_stderr, failures=(OSError,))
    try:
        yield lambda app: AccessLog(app, lines.add, peer, now)
    finally:
        await lines.close()


def writes_access(settings: Settings, *, terminal: bool) -> bool:
    """Whether there is an access log: by itself only where others can ask, and nobody watches a terminal."""
    if settings.access_log == "auto":
        return settings.host not in LOOPBACK and not terminal
    return settings.access_log == "yes"


async def _to_stderr(lines: list[bytes]) -> None:
    """A reader that stands still holds up these lines and nothing else."""
    data = b"".join(lines)
    await aside(lambda: _write(data))


def _write(data: bytes) -> None:
    while data:
        data = data[os.write(sys.stderr.fileno(), data) :]
