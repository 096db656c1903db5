"""From the ledger to one target: what is due is taken, handed over, and taken off the ledger; or tried again later.

A process that dies between handing over and taking off leaves a notice that is handed over again, with the same id.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable

from miyabi.counters import Counter
from miyabi.notices import Notice, NotTold, Target
from miyabi.notices.book import Batch, claim, next_due, settle
from miyabi.notices.ledger import Ledger

log = logging.getLogger("miyabi.notices")

SENT = Counter("miyabi_notices_sent", "Notices that a target has taken")
FAILED = Counter("miyabi_notices_failed", "Notices that were given up: refused, or not taken for a day")
RETRIES = Counter("miyabi_notices_retries", "Notices that a target did not take and that are tried again")

TELL_SECONDS = 20.0
"""A target that takes longer has not taken it."""
LEASE_MILLIS = 30_000
"""So long nobody else takes what one process is handing over: it must not outlast :data:`TELL_SECONDS`."""
FIRST_MILLIS = 5_000
LONGEST_MILLIS = 2 * 3600 * 1000


class Sender:
    """Hands notices to ``target``. ``now`` gives milliseconds, ``chance`` a number from 0 to 1."""

    def __init__(
        self, key: str, target: Target, ledger: Ledger, now: Callable[[], int], chance: Callable[[], float]
    ) -> None:
        self._key, self._target, self._ledger, self._now, self._chance = key, target, ledger, now, chance
        self._failing = False

    async def send(self) -> int | None:
        """Hand over all that is due: when the next is (ms), if any waits. Raises ``DatabaseUnavailable``."""
        while True:
            batch = await self._ledger.change(lambda book: claim(book, self._key, self._now(), LEASE_MILLIS))
            if batch is None:
                return next_due(self._ledger.book, self._key)
            due = await self._told(batch)
            await self._ledger.change(lambda book, b=batch, due=due: (settle(book, self._key, b, due), None))  # type: ignore[misc]

    async def _told(self, batch: Batch) -> int | None:
        """When to try again (ms); ``None``: it was taken, or given up."""
        try:
            async with asyncio.timeout(TELL_SECONDS):
                await self._target.tell(Notice(batch.id, batch.news, batch.language, batch.more))
        except NotTold as error:
            return self._not_told(batch, error)
        except TimeoutError:
            return self._not_told(batch, NotTold(f"no answer within {TELL_SECONDS:.0f} s", again=True))
        except Exception as error:
            return self._not_told(batch, NotTold(f"{type(error).__name__}", again=True))
        SENT.inc()
        if self._failing:
            log.warning("notices reach %s again", self._target.name)
        self._failing = False
        return None

    def _not_told(self, batch: Batch, error: NotTold) -> int | None:
        due = self._now() + max(round(error.after * 1000), backoff(batch.tries, self._chance()))
        again = error.again and due <= batch.until
        if not self._failing:
            hint = "it is tried again for a day" if again else "correct its address"
            log.warning("a notice did not reach %s: %s; %s. Try it: miyabi notify test", self._target.name, error, hint)
        self._failing = True
        (RETRIES if again else FAILED).inc()
        return due if again else None


def backoff(tries: int, chance: float) -> int:
    """How long to wait (ms) after so many tries: growing threefold to two hours, each a half more or less."""
    return round(min(LONGEST_MILLIS, FIRST_MILLIS * 3.0 ** min(tries - 1, 20)) * (0.5 + chance))
