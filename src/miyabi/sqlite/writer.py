"""Group commit: one thread writes, and all calls that came while it wrote share the next commit."""

from __future__ import annotations

import asyncio
import sqlite3
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from queue import Empty, SimpleQueue
from typing import Any, NamedTuple, TypeVar

from miyabi.sqlite.connection import begin

T = TypeVar("T")
GROUP_SECONDS = 0.05
"""A commit is not held back longer than this for calls that still come."""


class _Call(NamedTuple):
    job: Callable[[sqlite3.Connection], Any]
    loop: asyncio.AbstractEventLoop
    future: asyncio.Future[Any]


class _Answer(NamedTuple):
    call: _Call
    result: Any
    error: BaseException | None


class Writer:
    """Runs jobs on ``connection`` in a thread.

    There ``committed`` is called after each commit, and ``check`` before each: what it raises refuses all calls.
    """

    def __init__(
        self,
        connection: sqlite3.Connection,
        lock_seconds: float,
        committed: Callable[[], None],
        check: Callable[[], None] = lambda: None,
    ) -> None:
        self._connection = connection
        self._lock_seconds = lock_seconds
        self._committed = committed
        self._check = check
        self._calls: SimpleQueue[_Call | None] = SimpleQueue()
        self._open = True
        self._gate = threading.Lock()
        self._thread = threading.Thread(target=self._serve, name="miyabi-writer", daemon=True)
        self._thread.start()

    async def run(self, job: Callable[[sqlite3.Connection], T]) -> T:
        """What ``job`` returns, once it is on disk. A job that raises leaves no trace and disturbs no other.

        ``job`` may be run a second time, after what it did first was taken back. Raises what ``job`` raises, and
        ``sqlite3.Error`` when the commit fails.
        """
        loop = asyncio.get_running_loop()
        future: asyncio.Future[T] = loop.create_future()
        with self._gate:
            if not self._open:
                raise sqlite3.ProgrammingError("closed")
            self._calls.put(_Call(job, loop, future))
        return await future

    def close(self) -> None:
        """Finish what was called and close the connection."""
        with self._gate:
            if self._open:
                self._open = False
                self._calls.put(None)
        self._thread.join()

    def _serve(self) -> None:
        while (call := self._calls.get()) is not None:
            answers = self._group(call)
            _hand_out(answers)
            if any(answer.error is None for answer in answers):
                self._committed()
        self._connection.close()

    def _group(self, first: _Call) -> list[_Answer]:
        """Run ``first`` and what comes meanwhile in one transaction."""
        calls = [first]
        try:
            self._check()
            begin(self._connection, self._lock_seconds)
        except Exception as error:
            return [_Answer(call, None, error) for call in [first, *iter(self._next, None)]]
        try:
            return self._together(calls)
        except Exception:
            self._roll_back()
            return self._apart(calls)

    def _together(self, calls: list[_Call]) -> list[_Answer]:
        """Run ``calls``, which grows by what comes meanwhile, on the expectation that none fails."""
        answers: list[_Answer] = []
        end = time.monotonic() + GROUP_SECONDS
        for call in calls:
            answers.append(_Answer(call, call.job(self._connection), None))
            if time.monotonic() < end and (following := self._next()) is not None:
                calls.append(following)
        self._connection.execute("COMMIT")
        return answers

    def _apart(self, calls: list[_Call]) -> list[_Answer]:
        """Run ``calls`` so that one which fails takes back nothing but its own work."""
        try:
            begin(self._connection, self._lock_seconds)
            answers = [self._attempt(call) for call in calls]
            self._connection.execute("COMMIT")
        except sqlite3.Error as error:
            self._roll_back()
            answers = [_Answer(call, None, error) for call in calls]
        return answers

    def _attempt(self, call: _Call) -> _Answer:
        """Run one job. Where SQLite then gave up the whole transaction (a full disk), its error is everybody's."""
        execute = self._connection.execute
        try:
            execute("SAVEPOINT job")
            result = call.job(self._connection)
            execute("RELEASE job")
        except Exception as error:
            if self._connection.in_transaction:
                execute("ROLLBACK TO job")
                execute("RELEASE job")
            elif isinstance(error, sqlite3.Error):
                raise
            return _Answer(call, None, error)
        return _Answer(call, result, None)

    def _roll_back(self) -> None:
        with suppress(sqlite3.Error):  # what can't be rolled back fails the next call too, and that one says so
            if self._connection.in_transaction:
                self._connection.execute("ROLLBACK")

    def _next(self) -> _Call | None:
        """The next call if one waits."""
        try:
            call = self._calls.get_nowait()
        except Empty:
            return None
        if call is None:
            self._calls.put(None)
        return call


def _hand_out(answers: list[_Answer]) -> None:
    for loop in {answer.call.loop for answer in answers}:
        mine = [answer for answer in answers if answer.call.loop is loop]
        with suppress(RuntimeError):  # the loop was closed: nobody waits there any more
            loop.call_soon_threadsafe(_settle, mine)


def _settle(answers: list[_Answer]) -> None:
    for (_, _, future), result, error in answers:
        if future.done():
            continue
        if error is None:
            future.set_result(result)
        else:
            future.set_exception(error)
