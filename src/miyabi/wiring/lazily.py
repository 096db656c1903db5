"""A store that is opened when it is first needed: most requests never need all of them."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any, Generic, TypeVar, cast

T = TypeVar("T")


def lazily(open_now: Callable[[], Awaitable[T]]) -> T:
    """The store that ``open_now`` opens at its first call. A failure to open it is the call's, and the next one tries
    again. Only for protocols all of whose methods are coroutines.
    """
    return cast(T, _Lazy(open_now))


class _Lazy(Generic[T]):
    def __init__(self, open_now: Callable[[], Awaitable[T]]) -> None:
        self._open_now = open_now
        self._opened: T | None = None
        self._turn = asyncio.Lock()

    def __getattr__(self, name: str) -> Callable[..., Awaitable[Any]]:
        async def call(*arguments: Any, **options: Any) -> Any:
            return await getattr(await self._store(), name)(*arguments, **options)

        return call

    async def _store(self) -> T:
        async with self._turn:
            if self._opened is None:
                self._opened = await self._open_now()
            return self._opened

    async def close(self) -> None:
        """Close what was opened."""
        if self._opened is not None:
            await cast(Any, self._opened).close()
