"""Waiting for a commit: woken at once by one of this process, soon by one of another."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from contextlib import suppress

POLL_SECONDS = 0.015
"""How often the file is looked at for what other processes wrote, and only while somebody waits."""


class Bell:
    """May be rung from any thread and waited for on any loop."""

    def __init__(self) -> None:
        self._gate = threading.Lock()
        self._waiting: set[asyncio.Future[None]] = set()

    def ring(self) -> None:
        """Wake everybody."""
        with self._gate:
            waiting, self._waiting = self._waiting, set()
        for future in waiting:
            with suppress(RuntimeError):  # the loop was closed: nobody waits there any more
                future.get_loop().call_soon_threadsafe(_wake, future)

    async def until(self, check: Callable[[], bool], timeout: float) -> bool:
        """``True`` as soon as ``check`` (cheap: asked at every poll) holds, ``False`` after ``timeout`` seconds."""
        loop = asyncio.get_running_loop()
        deadline = loop.time() + timeout
        while True:
            future = loop.create_future()
            with self._gate:
                self._waiting.add(future)
            try:
                if check():
                    return True
                left = deadline - loop.time()
                if left <= 0:
                    return False
                timer = loop.call_later(min(POLL_SECONDS, left), _wake, future)
                try:
                    await future
                finally:
                    timer.cancel()
            finally:
                with self._gate:
                    self._waiting.discard(future)


def _wake(future: asyncio.Future[None]) -> None:
    if not future.done():
        future.set_result(None)
