"""Many requests at once, of all kinds, each answer checked against what its client has seen before."""

from __future__ import annotations

import asyncio
import random
import time
from collections import Counter
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import Any

import aiohttp

CLIENTS = 8
TASKS = 40


class Load:
    """Clients that read and write tasks through ``urls``, each at its own pace, until they are stopped.

    A failed request, or an answer that is older than one a client has had for that task, is a fault. While
    ``excused`` is set, those that need the database (writes, and the ``beyond`` share of requests, which no cache
    answers) may be refused as they should be.
    """

    def __init__(
        self, urls: Sequence[str], session: aiohttp.ClientSession, pause: float = 0.005, beyond: float = 0.0
    ) -> None:
        self._urls = urls
        self._session = session
        self._pause = pause
        self._beyond = beyond
        self.excused = False
        self.refused: Counter[str] = Counter()
        """How often each method was refused."""
        self.stored = 0
        """How many writes were acknowledged."""
        self.told: dict[str, list[str]] = {}
        """Of each task the description that was acknowledged last, and behind it those that were refused since."""
        self._done = 0
        self._moved = asyncio.Condition()
        self.ended = False
        self.faults: list[str] = []
        self.seconds: list[float] = []
        """How long each request took."""
        self.written: dict[str, int] = {}
        """The newest version of each task that a write was answered with."""

    async def more(self, requests: int) -> None:
        """Return when so many more have been answered."""
        goal = self._done + requests
        async with self._moved, asyncio.timeout(60):
            await self._moved.wait_for(lambda: self._done >= goal)

    async def run(self, number: int) -> None:
        """One client."""
        rng, seen, url = random.Random(number), dict[str, int](), self._urls[number % len(self._urls)]
        mine = [f"task-{number}-{n}" for n in range(TASKS // CLIENTS)]
        for task_id in mine:
            body = {"task_id": task_id, "task_name": task_id, "task_type": "build", "project_id": "load"}
            await self._ask("POST", f"{url}/api/tasks", seen, json=body)
        while not self.ended:
            task_id = rng.choice(mine)
            kind = rng.random()
            if rng.random() < self._beyond:
                await self._ask("GET", f"{url}/api/tasks/{task_id}/history?limit=3", {}, needs=True)
            elif kind < 0.2:
                text = str(rng.random())
                self.told.setdefault(task_id, [""]).append(text)
                if await self._ask("PATCH", f"{url}/api/tasks/{task_id}", seen, needs=True, json={"description": text}):
                    self.told[task_id] = [text]
                    self.stored += 1
            elif kind < 0.8:
                await self._ask("GET", f"{url}/api/tasks/{task_id}", seen)
            else:
                await self._ask("GET", f"{url}/api/tasks?limit=50", seen)
            await asyncio.sleep(self._pause)

    async def _ask(self, method: str, url: str, seen: dict[str, int], *, needs: bool = False, **options: Any) -> bool:
        """Whether it was answered; ``needs`` the database."""
        began = time.perf_counter()
        try:
            async with self._session.request(method, url, **options) as answer:
                body = await answer.json()
                if needs and self.excused and answer.status == 503 and answer.headers.get("Retry-After", "").isdigit():
                    self.refused[method] += 1
                    return False
                if answer.status >= 400:
                    self.faults.append(f"{method} {url}: {answer.status} {body}")
                    return False
        except (aiohttp.ClientError, TimeoutError) as error:
            self.faults.append(f"{method} {url}: {error!r}")
            return False
        finally:
            self.seconds.append(time.perf_counter() - began)
            async with self._moved:
                self._done += 1
                self._moved.notify_all()
        tasks = body["tasks"] if "tasks" in body else [body.get("task", body)]
        self._compare(method, tasks, seen)
        return True

    def _compare(self, method: str, tasks: Sequence[dict[str, Any]], seen: dict[str, int]) -> None:
        for task in tasks:
            task_id, version = task["task_id"], task["timestamp"]
            if version < seen.get(task_id, 0):
                self.faults.append(f"{method}: {task_id} went back from {seen[task_id]} to {version}")
            if method != "GET":
                self.written[task_id] = version
            if method != "GET" or task_id in seen:
                seen[task_id] = max(version, seen.get(task_id, 0))


@asynccontextmanager
async def load(*urls: str, **options: float) -> AsyncIterator[Load]:
    """A load on the services at ``urls`` while the block runs."""
    async with aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(20)) as session:
        one = Load(urls, session, **options)
        clients = [asyncio.create_task(one.run(number)) for number in range(CLIENTS)]
        try:
            await one.more(CLIENTS * TASKS // CLIENTS)
            yield one
        finally:
            one.ended = True
            await asyncio.gather(*clients)
