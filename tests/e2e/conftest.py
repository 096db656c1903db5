from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from tests.support.board import Board


@pytest.fixture
def board(tmp_path: Path) -> Iterator[Board]:
    """A board on a folder of its own; its process is gone when the test ends, however it ends."""
    with closing(Board(tmp_path / "data")) as board:
        yield board
