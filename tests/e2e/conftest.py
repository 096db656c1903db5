from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing
from pathlib import Path

import pytest
from playwright.sync_api import Browser
from tests.support.board import Board
from tests.support.browser import Window, chromium


@pytest.fixture
def board(tmp_path: Path) -> Iterator[Board]:
    """A board on a folder of its own; its process is gone when the test ends, however it ends."""
    with closing(Board(tmp_path / "data")) as board:
        yield board


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """One Chromium for a module's tests; each :class:`Window` has a profile of its own.

    Not for the whole session: while it runs, its own event loop does, and other tests could run none of theirs.
    """
    with chromium() as browser:
        yield browser


@pytest.fixture
def look(browser: Browser) -> Iterator[Callable[[str], Window]]:
    """Opens a window at an address; at the end it is closed, and what its console said fails the test."""
    with ExitStack() as windows:

        def look(url: str) -> Window:
            window = Window(browser, url)
            windows.callback(window.close)
            window.page.goto(url)
            return window

        yield look
