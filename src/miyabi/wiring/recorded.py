"""Where the gateway writes down what it has answered."""

from __future__ import annotations

import os
import sys
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager

from starlette.types import ASGIApp

from miyabi.gateway.access import AccessLog, Seen, line
from miyabi.gateway.answered import AddressOf
from miyabi.gateway.audit import Audit
from miyabi.gateway.client import Clients
from miyabi.gateway.guard import LOOPBACK
from miyabi.logs import Logs
from miyabi.settings import Settings
from miyabi.wiring import open_logs
from miyabi.wiring.batches import Batches, aside
from miyabi.wiring.lazily import lazily
from miyabi.wiring.proxies import proxies_of
from miyabi.wiring.stores import now
from miyabi.wiring.trail import Line, Trail

Layer = Callable[[ASGIApp], ASGIApp]


@asynccontextmanager
async def recorded(settings: Settings, logs: Logs | None = None) -> AsyncIterator[Layer]:
    """What is put around the gateway to have its answers and the changes written down; at the end all of it is.

    ``logs`` keep the audit trail; without, those that the settings name, opened when there is something to keep.
    """
    async with AsyncExitStack() as stack:
        if logs is None:
            logs = lazily(lambda: _opened(settings))
            stack.push_async_callback(logs.close)
        trail = Trail(logs)
        changes: Batches[Line] = Batches("the audit trail", trail.write, failures=(Exception,), pause=0.5)
        stack.push_async_callback(changes.close)
        address, access = Clients(proxies_of(settings)).address, writes_access(settings, terminal=sys.stderr.isatty())
        answers: Batches[Seen] = Batches("the access log", _to_stderr(address), failures=(OSError,))
        stack.push_async_callback(answers.close)

        def layer(app: ASGIApp) -> ASGIApp:
            app = Audit(app, lambda when, text: changes.add(trail.line(when, text)), address, now)
            return AccessLog(app, answers.add, now) if access else app

        yield layer


async def _opened(settings: Settings) -> Logs:
    """A gateway by itself needs no data folder until something is changed."""
    settings.data.mkdir(parents=True, exist_ok=True)
    return await open_logs(settings)


def writes_access(settings: Settings, *, terminal: bool) -> bool:
    """Whether there is an access log: by itself only where others can ask, and nobody watches a terminal."""
    if settings.access_log == "auto":
        return settings.host not in LOOPBACK and not terminal
    return settings.access_log == "yes"


def _to_stderr(address: AddressOf) -> Callable[[list[Seen]], Awaitable[None]]:
    """Writes lines. A reader that stands still holds up these and nothing else."""

    async def write(answers: list[Seen]) -> None:
        data = b"".join(line(seen, address) for seen in answers)
        await aside(lambda: _write(data))

    return write


def _write(data: bytes) -> None:
    while data:
        data = data[os.write(sys.stderr.fileno(), data) :]
