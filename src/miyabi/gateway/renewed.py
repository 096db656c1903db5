"""The deployment's own secrets, read again now and then: who changes them need not start anything anew."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Sequence

from miyabi.gateway.keys import Key

log = logging.getLogger("miyabi.gateway")

EVERY_SECONDS = 300.0


class Renewed:
    """The keys that ``read`` gives (in a thread: it may ask a network), not older than ``every`` seconds or so.

    ``keys`` are the first ones; ``now`` gives seconds that only grow. While they can't be read the known ones stay.
    """

    def __init__(
        self,
        keys: Sequence[Key],
        read: Callable[[], Sequence[Key]],
        now: Callable[[], float],
        every: float = EVERY_SECONDS,
    ) -> None:
        self._keys, self._read, self._now, self._every = keys, read, now, every
        self._at = now()

    async def keys(self) -> Sequence[Key]:
        """The first signs, each verifies. One caller waits for new ones, the others get those that are known."""
        if self._now() - self._at >= self._every:
            self._at = self._now()
            try:
                self._keys = _same(await asyncio.to_thread(self._read), self._keys)
            except ValueError as error:
                log.warning("the secret can't be read again, the known one stays: %s", error)
        return self._keys


def _same(new: Sequence[Key], known: Sequence[Key]) -> Sequence[Key]:
    """``new``, with the known key in place of an equal one: signatures found good with it are remembered."""
    return [next((old for old in known if old == key), key) for key in new]
