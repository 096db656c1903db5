"""Lines of real tools in any order, damaged: nothing breaks the reader, and where it is saved makes no difference."""

from __future__ import annotations

import random

import pytest
from tests.support.corpus import CAPTURES, DATA, cases, in_pieces, segments

from miyabi.progress.reader import Reader

RUNS = 250
DAMAGE = ("1", "/", "%", "[", "(", "9" * 20, "\r", "\x1b[A", " of ", "漢", "0", "件中", '{"')


@pytest.fixture(scope="module")
def lines() -> list[str]:
    logs = [case.raw for data in (DATA, CAPTURES) for case in cases(data)]
    return [message for raw in logs for message, _ in segments(raw)]


def damaged(message: str, rng: random.Random) -> str:
    letters = list(message)
    for _ in range(rng.randint(1, 4)):
        at = rng.randrange(len(letters) + 1)
        letters[at : at + rng.randint(0, 3)] = rng.choice(DAMAGE)
    return "".join(letters).replace("\n", " ")


@pytest.mark.parametrize("seed", range(4))
def test_damaged_lines_of_any_tools_break_nothing(seed: int, lines: list[str]) -> None:
    rng = random.Random(seed)
    for _ in range(RUNS):
        messages = [rng.choice(lines) for _ in range(rng.randint(1, 60))]
        messages = [damaged(message, rng) if rng.random() < 0.4 else message for message in messages]
        whole = Reader().read(messages)
        assert in_pieces(messages, rng) == whole
        for _, reading in whole:
            progress = reading.progress
            assert progress.percentage is None or 0 <= progress.percentage <= 100
            assert progress.percentage != 100 or progress.total is None or progress.current == progress.total
