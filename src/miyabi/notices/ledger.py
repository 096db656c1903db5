"""The book in the database: one memo that every collector reads and swaps, so that each change is made once."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from typing import TypeVar

import msgspec

from miyabi.database import Database
from miyabi.notices.book import Book

log = logging.getLogger("miyabi.notices")

T = TypeVar("T")
NAME = "notices"
"""Name of the memo."""
_DECODER = msgspec.json.Decoder(Book)


class Ledger:
    """The book, kept in memory between changes. ``now`` gives milliseconds."""

    def __init__(self, database: Database, now: Callable[[], int]) -> None:
        self._database, self._now = database, now
        self._stored: str | None = None
        self._turn = asyncio.Lock()
        self.book = Book(since=now())
        """As it was last seen: another collector may have changed it since."""

    async def read(self) -> Book:
        """The book as it is now; a new one, in which all that was is past, where there is none."""
        async with self._turn:
            return await self._read()

    async def change(self, step: Callable[[Book], tuple[Book, T]]) -> T:
        """Make ``step`` on the book as it is, and say what it answered. It may be made several times, but counts once.

        Nothing is written where it gives the book that it took.
        """
        async with self._turn:
            if self._stored is None:
                await self._read()
            while True:
                after, answer = step(self.book)
                if after is self.book or await self._swap(after):
                    return answer
                await self._read()

    async def _read(self) -> Book:
        while not (text := await self._database.memo(NAME)):
            self._stored = ""
            await self._swap(Book(since=self._now()))
        if text != self._stored:
            self._stored, self.book = text, self._decoded(text)
        return self.book

    async def _swap(self, book: Book) -> bool:
        text, was = msgspec.json.encode(book).decode(), self._stored or ""
        try:
            swapped = await self._database.swap_memo(NAME, was, text)
        except BaseException:
            self._stored = None  # whether it was stored, the next look tells
            raise
        if swapped:
            self._stored, self.book = text, book
        return swapped

    def _decoded(self, text: str) -> Book:
        try:
            return _DECODER.decode(text)
        except msgspec.MsgspecError:
            log.warning("what was told and what waits can't be read (another version wrote it); beginning anew")
            return Book(since=self._now())
