"""Follows and sends, beside a collector for as long as it runs, or once at a time where no process lives on."""

from __future__ import annotations

import asyncio
import logging
import random
from collections.abc import Awaitable, Callable, Mapping, Sequence

from miyabi.counters import Counter
from miyabi.database import Database, DatabaseUnavailable
from miyabi.notices import Target
from miyabi.notices.follower import Follower
from miyabi.notices.ledger import Ledger
from miyabi.notices.rules import Rule
from miyabi.notices.sender import Sender

log = logging.getLogger("miyabi.notices")

HELD = Counter("miyabi_notices_held", "Notices that wait for the end of quiet hours")

PAUSE_SECONDS = 1.0
"""Between two looks at the feed: however much changes, looking costs little."""
WAIT_SECONDS = 10.0
"""So often is looked for what another collector took and never handed over."""
RETRY_SECONDS = 5.0


class Notifier:
    """Tells ``targets`` (by their keys) what ``rules`` say. ``now`` gives milliseconds, ``chance`` 0 to 1."""

    def __init__(
        self,
        database: Database,
        rules: Sequence[Rule],
        targets: Mapping[str, Target],
        now: Callable[[], int],
        chance: Callable[[], float] = random.random,
    ) -> None:
        self._database, self._now = database, now
        self._ledger = Ledger(database, now)
        self._follower = Follower(database, self._ledger, rules, now)
        self._senders = [Sender(key, target, self._ledger, now, chance) for key, target in targets.items()]
        self._news = [asyncio.Event() for _ in self._senders]

    async def once(self) -> None:
        """Read what has changed, and hand over what is due. Raises ``DatabaseUnavailable``."""
        await self._ledger.read()
        HELD.inc(await self._follower.look())
        await asyncio.gather(*(sender.send() for sender in self._senders))
        await self._follower.remember()

    async def run(self) -> None:
        """Do so for ever. A target that is slow or away holds up no other."""
        async with asyncio.TaskGroup() as jobs:
            jobs.create_task(self._again(self._follow))
            for sender, news in zip(self._senders, self._news, strict=True):
                jobs.create_task(self._again(lambda sender=sender, news=news: self._send(sender, news)))  # type: ignore[misc]

    async def stop(self) -> None:
        """Remember the place, so that the next start reads little."""
        await self._follower.remember()

    async def _follow(self) -> None:
        await self._ledger.read()
        HELD.inc(await self._follower.look())
        for news in self._news:
            news.set()
        await asyncio.sleep(PAUSE_SECONDS)
        await self._database.wait(self._follower.place or "", WAIT_SECONDS)

    async def _send(self, sender: Sender, news: asyncio.Event) -> None:
        news.clear()
        due = await sender.send()
        wait = WAIT_SECONDS if due is None else max(0.0, (due - self._now()) / 1000)
        try:
            await asyncio.wait_for(news.wait(), min(wait, WAIT_SECONDS))
        except TimeoutError:
            return

    async def _again(self, job: Callable[[], Awaitable[None]]) -> None:
        trouble = ""
        while True:
            try:
                await job()
                trouble = ""
            except DatabaseUnavailable as error:
                if str(error) != trouble:
                    log.warning("notices wait: %s", error)
                trouble = str(error)
                await asyncio.sleep(RETRY_SECONDS)
            except Exception:
                log.exception("notices wait %s s", RETRY_SECONDS)
                await asyncio.sleep(RETRY_SECONDS)
