"""Requests offered to gateways by several clients at once, and what became of them."""

from __future__ import annotations

import asyncio
import time
from collections import Counter
from collections.abc import Awaitable, Callable, Sequence
from typing import NamedTuple

import aiohttp

CLIENTS = 8
"""Clients of each gateway: each sends its next request when the last was answered."""


class Offered(NamedTuple):
    """Requests by the status of their answers, over so many seconds."""

    statuses: Counter[int]
    seconds: float

    @property
    def passed(self) -> int:
        """Not refused for the rate."""
        return self.statuses.total() - self.statuses[429]


async def offer(
    urls: Sequence[str], seconds: float, meanwhile: Callable[[], Awaitable[None]] | None = None, **headers: str
) -> Offered:
    """As many requests as go for ``seconds``. No request may end without an answer."""
    statuses: Counter[int] = Counter()
    began = time.monotonic()

    async def client(url: str, session: aiohttp.ClientSession) -> None:
        while time.monotonic() < began + seconds:
            async with session.get(f"{url}/api/tasks", headers=headers) as answer:
                statuses[answer.status] += 1
                await answer.read()

    async with aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(20)) as session:
        clients = [client(url, session) for url in urls for _ in range(CLIENTS)]
        await asyncio.gather(*clients, *([meanwhile()] if meanwhile else []))
    return Offered(statuses, time.monotonic() - began)
