"""The cache that several processes share."""

from __future__ import annotations

import random
import time

from miyabi.cache.breaker import Breaker
from miyabi.settings import SettingsError

INSTALL = "pip install 'miyabi[redis]'"


def shared_cache(url: str, *, kept: bool) -> Breaker:
    """The Redis at ``url``, behind a circuit breaker that is (or is not) told when it was put right again.

    Raises ``SettingsError``.
    """
    try:
        from miyabi.cache.redis import connect
    except ModuleNotFoundError as error:
        raise SettingsError(f"MIYABI_CACHE: the client of Redis is not installed ({error}); {INSTALL}.") from None
    try:
        cache = connect(url)
    except ValueError as error:
        raise SettingsError(f"MIYABI_CACHE: {error}. Write `redis://[user:password@]host:6379/0`.") from None
    return Breaker(cache, time.monotonic, random.random, kept=kept)
