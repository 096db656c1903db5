"""One look at the feeds for all viewers: what changed last, kept for a while, and a signal that more has come.

A viewer is only a place in the feed. It asks what changed since, gets each task once in its newest state, and comes
back when it has sent that: a slow viewer gets fewer, newer states and holds no memory here. Changes are handed on in
beats, so that viewers who keep up all get the same bytes; the more there is to send to all of them, the slower.
"""

from __future__ import annotations

import asyncio
import logging
from collections import OrderedDict
from collections.abc import Awaitable, Callable, Sequence
from contextlib import aclosing
from typing import NamedTuple, TypeVar

import msgspec

from miyabi.cache import Cache, CacheUnavailable
from miyabi.database import LINES_READ, Database, DatabaseUnavailable
from miyabi.logs import Logs, LogsUnavailable
from miyabi.model import Task
from miyabi.principal import Sight
from miyabi.tasks.keeper import Keeper

K = TypeVar("K")

log = logging.getLogger("miyabi.tasks")

KEPT = 4096
"""Tasks whose last change is kept in memory; who is further behind reads the database."""
WAIT_SECONDS = 30.0
RETRY_SECONDS = 1.0
BEAT_SECONDS = 0.02
"""Least time between two beats: many changes of a task in it are one event."""
SLOWEST_BEAT_SECONDS = 2.0
AT_ONCE = 16
"""Viewers woken together; requests have their turn before the next ones."""
BYTES_PER_SECOND = 50_000_000
"""What all viewers together are sent at most, by beating slower: more would leave no time for anything else."""


class Change(NamedTuple):
    """The ``number`` of a task's last change within this process, the task as an ``event`` without its end."""

    number: int
    event: bytes
    timestamp: int
    project_id: str


class Signal:
    """What a viewer waits for: ``event`` is set when something is new for it, ``lines`` when its stream has more."""

    def __init__(self) -> None:
        self.event = asyncio.Event()
        self.lines = True

    def ring(self, lines: bool = False) -> None:
        """Something is new."""
        self.lines = self.lines or lines
        self.event.set()


class Hub:
    """Follows the database's change feed (and, while somebody looks at lines, the logs') for every viewer.

    What others put into ``cache`` it hears at once, which spares the wait for a feed that has to be asked; ``keeper``
    is told what the feed says. ``seen`` is called with tasks that have changed.
    """

    def __init__(
        self,
        database: Database,
        logs: Logs,
        cache: Cache,
        keeper: Keeper | None = None,
        seen: Callable[[Sequence[Task]], None] = lambda tasks: None,
    ) -> None:
        self._database = database
        self._logs = logs
        self._cache = cache
        self._keeper = keeper
        self._seen = seen
        self._heard: dict[str, Task] = {}
        self._hearing = asyncio.Event()
        self._latest: OrderedDict[str, Change] = OrderedDict()
        self._number = 0
        self._forgotten = 0
        self._feed = ""
        self._bursts: dict[tuple[int, Sight], bytes] = {}
        self._everybody: set[Signal] = set()
        self._of_all: set[Signal] = set()
        self._of_task: dict[str, set[Signal]] = {}
        self._of_stream: dict[tuple[str, str], set[Signal]] = {}
        self._jobs: list[asyncio.Task[None]] = []
        self._lines_wanted = asyncio.Event()
        self.closed = False

    @property
    def feed(self) -> str:
        """Where the database's feed stands for what has been handed on."""
        return self._feed

    @property
    def number(self) -> int:
        """The number of the newest change."""
        return self._number

    async def start(self) -> None:
        """Find the feed's end, then follow it."""
        self._feed = (await self._database.changed(limit=0)).next
        steps = [self._follow_tasks, self._follow_lines, self._hear, self._hand_on_heard]
        if self._keeper is not None:
            steps.append(self._keeper.mend)
        self._jobs = [asyncio.create_task(self._forever(step)) for step in steps]

    async def stop(self) -> None:
        """Wake every viewer for the last time."""
        self.close()
        for job in self._jobs:
            job.cancel()
        await asyncio.gather(*self._jobs, return_exceptions=True)

    def close(self) -> None:
        """Tell viewers to end their streams; may be called from a signal handler's thread of control."""
        self.closed = True
        for signal in self._everybody:
            signal.ring()

    def since(self, number: int, sight: Sight) -> bytes | None:
        """Events of the tasks changed after ``number``, oldest change first; ``None`` when that is not kept any more.

        The last event is left open, for its id. Who asks from the same place with the same sight gets the same bytes.
        """
        if number < self._forgotten:
            return None
        burst = self._bursts.get((number, sight))
        if burst is None:
            burst = self._bursts[number, sight] = self._burst(number, sight)
        return burst

    def since_of(self, task_id: str, number: int) -> bytes | None:
        """The same as :meth:`since` for one task."""
        last = self._latest.get(task_id)
        if last is None:
            return None if self._forgotten > number else b""
        return last.event if last.number > number else b""

    def may_see(self, task_id: str, sight: Sight) -> bool:
        """Whether a task is in sight, as far as its last change tells: a new run may be of another project."""
        last = self._latest.get(task_id)
        return last is None or sight.holds(last.project_id)

    def watch(self, task_id: str | None = None, stream: tuple[str, str] | None = None) -> Signal:
        """A signal that rings whenever a task changed (or the one of ``task_id``), and for new lines in ``stream``."""
        signal = Signal()
        self._everybody.add(signal)
        if task_id is None:
            self._of_all.add(signal)
        else:
            self._of_task.setdefault(task_id, set()).add(signal)
        if stream is not None:
            self._of_stream.setdefault(stream, set()).add(signal)
            self._lines_wanted.set()
        return signal

    def unwatch(self, signal: Signal, task_id: str | None = None, stream: tuple[str, str] | None = None) -> None:
        """Let go of :meth:`watch`'s signal."""
        self._everybody.discard(signal)
        self._of_all.discard(signal)
        if task_id is not None:
            _discard(self._of_task, task_id, signal)
        if stream is not None:
            _discard(self._of_stream, stream, signal)

    def _burst(self, number: int, sight: Sight) -> bytes:
        newest: list[bytes] = []
        for change in reversed(self._latest.values()):
            if change.number <= number:
                break
            if sight.holds(change.project_id):
                newest.append(change.event)
        return b"\n".join(reversed(newest))

    async def _forever(self, step: Callable[[], Awaitable[None]]) -> None:
        while True:
            try:
                await step()
            except (DatabaseUnavailable, LogsUnavailable, CacheUnavailable):
                await asyncio.sleep(RETRY_SECONDS)
            except Exception:
                log.exception("following the changes again in %s s", RETRY_SECONDS)
                await asyncio.sleep(RETRY_SECONDS)

    async def _follow_tasks(self) -> None:
        if not await self._database.wait(self._feed, WAIT_SECONDS):
            return
        before, changes = self._feed, await self._database.changed(self._feed)
        self._feed = changes.next
        if self._keeper is not None:
            await self._keeper.took(changes.tasks, before)
        await self._hand_on(changes.tasks)

    async def _hear(self) -> None:
        """Keep what the cache is told until it is handed on; of a task that is told often, the newest."""
        async with aclosing(self._cache.heard()) as tasks:
            async for task in tasks:
                known = self._heard.get(task.task_id)
                if known is None or known.timestamp < task.timestamp:
                    self._heard[task.task_id] = task
                self._hearing.set()
        await asyncio.Event().wait()  # there are no others to be heard

    async def _hand_on_heard(self) -> None:
        await self._hearing.wait()
        self._hearing.clear()
        tasks, self._heard = list(self._heard.values()), {}
        await self._hand_on(tasks)

    async def _hand_on(self, tasks: Sequence[Task]) -> None:
        """Tell viewers of what they do not know yet, then rest for a beat."""
        self._seen(tasks)
        tasks = [task for task in tasks if self._is_news(task)]
        if not tasks:
            return
        size = self._take_in(tasks)
        for task in tasks:
            for signal in self._of_task.get(task.task_id, ()):
                signal.ring()
        for place, signal in enumerate(list(self._of_all)):
            signal.ring()
            if place % AT_ONCE == AT_ONCE - 1:
                await asyncio.sleep(0)
        beat = size * len(self._of_all) / BYTES_PER_SECOND
        await asyncio.sleep(min(max(BEAT_SECONDS, beat), SLOWEST_BEAT_SECONDS))

    def _is_news(self, task: Task) -> bool:
        last = self._latest.get(task.task_id)
        return last is None or last.timestamp < task.timestamp

    def _take_in(self, tasks: Sequence[Task]) -> int:
        """Keep the newest change of each; how many bytes their events are."""
        size = 0
        for task in tasks:
            self._number += 1
            event = task_event(task)
            size += len(event)
            self._latest[task.task_id] = Change(self._number, event, task.timestamp, task.project_id)
            self._latest.move_to_end(task.task_id)
        while len(self._latest) > KEPT:
            self._forgotten = self._latest.popitem(last=False)[1].number
        self._bursts.clear()
        return size

    async def _follow_lines(self) -> None:
        await self._lines_wanted.wait()
        touched = await self._newest_touch(await self._database.memo(LINES_READ))
        while self._of_stream:
            if await self._logs.wait(touched, WAIT_SECONDS):
                touched = await self._newest_touch(touched)
        self._lines_wanted.clear()

    async def _newest_touch(self, touched: str) -> str:
        while streams := await self._logs.changed(touched):
            touched = streams[-1].touched
            for stream in streams:
                for signal in self._of_stream.get((stream.group, stream.name), ()):
                    signal.ring(lines=True)
        return touched


def task_event(task: Task) -> bytes:
    """A task as an event without its end, where an id may follow."""
    return b"event: task\ndata: " + msgspec.json.encode(task) + b"\n"


def _discard(signals: dict[K, set[Signal]], key: K, signal: Signal) -> None:
    """Take ``signal`` out, and its key with the last one."""
    left = signals.get(key, set())
    left.discard(signal)
    if not left:
        signals.pop(key, None)
