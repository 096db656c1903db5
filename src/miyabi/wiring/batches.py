"""Things written down a little later, many at once: whoever hands one over is never held up and never fails."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable
from contextlib import suppress
from threading import Thread
from typing import Generic, TypeVar

T = TypeVar("T")

log = logging.getLogger("miyabi.wiring")

MOST_AT_ONCE = 1000
STOP_SECONDS = 2.0
"""So long is waited at the end for what is still to be written."""


class Batches(Generic[T]):
    """Hands what was added to ``write``, which may fail with one of ``failures``: then it is handed over again.

    ``most`` wait in memory; what comes beyond them is counted in :attr:`lost`. Between two batches are ``pause``
    seconds, behind failures more and more of them, up to ``longest``.
    """

    def __init__(
        self,
        what: str,
        write: Callable[[list[T]], Awaitable[None]],
        *,
        failures: tuple[type[Exception], ...],
        most: int = 10_000,
        pause: float = 0.2,
        longest: float = 30.0,
    ) -> None:
        self._what, self._write, self._failures, self._most = what, write, failures, most
        self._pause, self._longest = pause, longest
        self._waiting: list[T] = []
        self._writer: asyncio.Task[None] | None = None
        self._ending = asyncio.Event()
        self._troubled = False
        self.lost = 0

    def add(self, thing: T) -> None:
        """Have it written. Within the event loop only."""
        if len(self._waiting) >= self._most:
            self.lost += 1
            return
        self._waiting.append(thing)
        if self._writer is None:
            self._writer = asyncio.get_running_loop().create_task(self._run(), name=self._what)

    async def close(self, seconds: float = STOP_SECONDS) -> None:
        """Write what still waits, if that takes no more than ``seconds``."""
        self._ending.set()
        if self._writer is not None:
            with suppress(TimeoutError):
                async with asyncio.timeout(seconds):
                    await self._writer
        if missing := len(self._waiting) + self.lost:
            log.warning("%s: %d lines were not written", self._what, missing)

    async def _run(self) -> None:
        pause = self._pause
        while self._waiting:
            if self._troubled or len(self._waiting) < MOST_AT_ONCE:
                await self._rest(pause)
            batch = self._waiting[:MOST_AT_ONCE]
            try:
                await self._write(batch)
            except self._failures as error:
                if self._ending.is_set():
                    return
                pause = min(2 * pause, self._longest)
                self._say_once(error)
            else:
                del self._waiting[: len(batch)]
                pause, self._troubled = self._pause, False
        self._writer = None

    async def _rest(self, seconds: float) -> None:
        with suppress(TimeoutError):
            await asyncio.wait_for(self._ending.wait(), seconds)

    def _say_once(self, error: Exception) -> None:
        if not self._troubled:
            log.warning("%s can't be written: %s. Up to %d lines wait meanwhile", self._what, error, self._most)
        self._troubled = True


async def aside(work: Callable[[], None]) -> None:
    """``work`` in a thread that nobody waits for at the end of the process, should it never end."""
    loop = asyncio.get_running_loop()
    done: asyncio.Future[None] = loop.create_future()

    def settle(error: BaseException | None) -> None:
        if not done.done():
            done.set_exception(error) if error else done.set_result(None)

    def run() -> None:
        error: BaseException | None = None
        try:
            work()
        except BaseException as raised:
            error = raised
        with suppress(RuntimeError):  # the loop has ended
            loop.call_soon_threadsafe(settle, error)

    Thread(target=run, daemon=True).start()
    await done
