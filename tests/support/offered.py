"""Requests offered to gateways by several clients at once, and what became of them."""

from __future__ import annotations

import asyncio
import time
from collections import Counter
from collections.abc import Awaitable, Callable, Sequence
from typing import NamedTuple

import aiohttp

PATH = "/api/sign-in"
"""What a gateway answers by itself."""
CLIENTS = 8
"""Clients of each gateway: each sends its next request when the last was answered."""


class Offered(NamedTuple):
    """Requests by the status of their answers; the last that passed was sent after so many seconds."""

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
    began = last = time.monotonic()

    async def client(url: str, session: aiohttp.ClientSession) -> None:
        nonlocal last
        while (now := time.monotonic()) < began + seconds:
            async with session.get(f"{url}{PATH}", headers=headers) as answer:
                statuses[answer.status] += 1
                last = last if answer.status == 429 else max(last, now)
                await answer.read()

    async with aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(20)) as session:
        clients = [client(url, session) for url in urls for _ in range(CLIENTS)]
        await asyncio.gather(*clients, *([meanwhile()] if meanwhile else []))
    return Offered(statuses, last - began)
