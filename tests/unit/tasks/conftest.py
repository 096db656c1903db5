"""A task API over the embedded backends, on a clock of its own."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from tests.support.asgi import Answer, call
from tests.support.clock import Clock

from miyabi.settings import Settings
from miyabi.tasks.api import Api
from miyabi.tasks.app import TasksApp
from miyabi.tasks.hub import Hub
from miyabi.tasks.records import Records
from miyabi.tasks.service import TaskService
from miyabi.tasks.shapes import Collected, Reread
from miyabi.wiring.stores import Stores, open_stores


class Bench(NamedTuple):
    """A task API and what is behind it."""

    app: TasksApp
    stores: Stores
    clock: Clock

    async def ask(self, method: str, target: str, body: Any = b"", **headers: str) -> Answer:
        """One request."""
        return await call(self.app, method, target, body, {k.replace("_", "-"): v for k, v in headers.items()})

    async def made(self, task_id: str, **fields: Any) -> dict[str, Any]:
        """A task, made; the clock goes on so that each has its own time."""
        self.clock.forward(1000)
        answer = await self.ask("POST", "/api/tasks", {"task_name": task_id, "task_id": task_id, **fields})
        assert answer.status == 201, answer.body
        return dict(answer.json())


class Idle:
    """A collector that finds nothing."""

    async def collect(self) -> Collected:
        return Collected(0, 0)

    async def reread(self, task_id: str) -> Reread | None:
        return None


Story = Callable[[Bench], Awaitable[None]]


@pytest.fixture
def tell(tmp_path: Path) -> Callable[[Story], None]:
    """Runs a story against a fresh task API."""
    return lambda story: asyncio.run(run(story, tmp_path))


@pytest.fixture
def tell_anew(tmp_path_factory: pytest.TempPathFactory) -> Callable[[Story], None]:
    """Runs each story against a fresh task API: for tests that tell many."""
    return lambda story: asyncio.run(run(story, tmp_path_factory.mktemp("story")))


async def run(story: Story, data: Path) -> None:
    """Tell a story over the stores in the folder ``data``."""
    clock = Clock()
    async with open_stores(Settings(data=data)) as stores:
        service = TaskService(Records(stores.database, stores.cache), stores.database, stores.logs, clock)
        hub = Hub(stores.database, stores.logs, stores.cache)

        probes = {"database": stores.database.ping, "logs": stores.logs.ping}
        await hub.start()
        try:
            app = TasksApp(Api(service, stores.logs, hub, Idle(), probes), stores.database)
            await story(Bench(app, stores, clock))
        finally:
            await hub.stop()
