"""Waiting for what another process does."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TypeVar

T = TypeVar("T")
PAUSE = 0.02


def until(check: Callable[[], T | None], what: str, seconds: float = 30.0, pause: float = PAUSE) -> T:
    """What ``check`` returns as soon as it is true; ``AssertionError`` naming ``what`` after ``seconds``."""
    end = time.monotonic() + seconds
    while not (found := check()):
        assert time.monotonic() < end, f"after {seconds:g} s still not: {what} (last seen: {found!r})"
        time.sleep(pause)
    return found
