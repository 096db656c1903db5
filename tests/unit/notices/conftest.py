"""A database, a clock, and targets that write down what they are told."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest
from tests.support.clock import Clock
from tests.support.receiver import Receiver
from tests.support.tasks import a_task, later

from miyabi.database import Current, Database, Save
from miyabi.database.sqlite import open_database
from miyabi.model import Details, Task, iso
from miyabi.notices import KINDS, Notice, NotTold
from miyabi.notices.notifier import Notifier
from miyabi.notices.rules import Rule

Story = Callable[["Bench"], Awaitable[None]]


class Heard:
    """A target that takes what it is told, unless it is to ``refuse``."""

    name = "heard://…"

    def __init__(self) -> None:
        self.notices: list[Notice] = []
        self.refuse: NotTold | None = None
        self.before: Callable[[], Awaitable[None]] | None = None

    async def tell(self, notice: Notice) -> str:
        self.notices.append(notice)
        if self.before:
            await self.before()
        if self.refuse:
            raise self.refuse
        return "taken"

    def told(self) -> list[str]:
        """Each news: kind and task."""
        return [f"{news.kind} {news.task.task_id}" for notice in self.notices for news in notice.news]


class Bench:
    """Notifiers over one database, of which each stands for a collector's process."""

    def __init__(self, database: Database, clock: Clock) -> None:
        self.database, self.clock = database, clock
        self.heard, self.other = Heard(), Heard()
        self.rules: Sequence[Rule] = [Rule(to=["heard"], on=frozenset(KINDS) - {"running", "pending"})]

    def notifier(self) -> Notifier:
        """A new process."""
        targets = {"heard": self.heard, "other": self.other}
        return Notifier(self.database, self.rules, targets, self.clock, lambda: 0.5)

    async def begun(self) -> Notifier:
        """One that has begun to follow."""
        notifier = self.notifier()
        await notifier.once()
        self.clock.forward(1000)
        return notifier

    async def saved(self, task_id: str, **fields: Any) -> Task:
        """A task, made or changed now; ``began`` names its run, ``details`` are fields of its details."""
        (was,) = await self.database.get([task_id])
        details = fields.pop("details", {})
        now = self.clock.forward(1000)
        if was is None:
            made: dict[str, Any] = {"timestamp": now, "created_at": iso(now), "updated_at": iso(now)}
            task = a_task(task_id, **made, details=Details(**{"started_at": iso(now)} | details), **fields)
        else:
            given = {"details": Details(**{"started_at": was.task.details.started_at} | details)} | fields
            task = later(was.task, by=now - was.task.timestamp, **given)
        assert await self.database.save([Save(task, was and Current(was.task, was.bookmark))]) == [True]
        return task


@pytest.fixture
def tell(tmp_path: Path) -> Callable[[Story], None]:
    """Plays a story."""

    async def play(story: Story) -> None:
        database = await open_database(tmp_path)
        try:
            await story(Bench(database, Clock()))
        finally:
            await database.close()

    return lambda story: asyncio.run(play(story))


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    receiver = Receiver()
    yield receiver
    receiver.close()
