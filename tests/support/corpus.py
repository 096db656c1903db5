"""Recorded logs with labels, and how far a reader agrees with them."""

from __future__ import annotations

import gzip
import json
import random
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

from miyabi.progress.lines import Splitter
from miyabi.progress.reader import Reader, Reading

DATA = Path(__file__).parents[1] / "data" / "corpus"
CAPTURES = Path(__file__).parents[1] / "data" / "captures"
CHUNK = 8192
STATE_BYTES = 4096
"""What a reader's state may take."""


class Case(NamedTuple):
    """A recorded log: ``checkpoints`` as the corpus's README tells."""

    name: str
    tool: str
    final_status: str
    checkpoints: list[dict[str, Any]]
    raw: bytes


def cases(data: Path = DATA) -> Iterator[Case]:
    """All recorded logs by name."""
    for line in gzip.decompress((data / "labels.jsonl.gz").read_bytes()).decode().splitlines():
        label = json.loads(line)
        raw = gzip.decompress((data / "cases" / f"{label['case']}.log.gz").read_bytes())
        yield Case(label["case"], label["tool"], label["final_status"], label["checkpoints"], raw)


def segments(raw: bytes, size: int = CHUNK) -> list[tuple[str, int]]:
    """The log's messages with the offset behind each."""
    splitter = Splitter()
    found = [segment for at in range(0, len(raw), size) for segment in splitter.feed(raw[at : at + size])]
    last = splitter.flush()
    return [*found, *([last] if last else [])]


def updates(raw: bytes) -> list[tuple[int, Reading]]:
    """Each change of the reading with the offset it came at."""
    parts = segments(raw)
    return [(parts[index][1], reading) for index, reading in Reader().read([message for message, _ in parts])]


def in_pieces(messages: list[str], rng: random.Random, most: int = 40) -> list[tuple[int, Reading]]:
    """Each change of the reading when the reader is saved and gone on from after every few messages."""
    found: list[tuple[int, Reading]] = []
    state: bytes | None = None
    at = 0
    while at < len(messages):
        size = rng.randint(1, most)
        reader = Reader(state)
        found += [(at + index, reading) for index, reading in reader.read(messages[at : at + size])]
        state = reader.save()
        assert len(state) <= STATE_BYTES
        at += size
    return found


def wrong(case: Case) -> list[str]:
    """The checkpoints at which the reader says something else than the label; ``unread`` ones are known to be."""
    found: list[str] = []
    changes = updates(case.raw)
    at = 0
    percentage: float | None = None
    for check in case.checkpoints:
        while at < len(changes) and changes[at][0] <= check["offset"]:
            percentage = changes[at][1].progress.percentage
            at += 1
        if check.get("unread"):
            continue
        wanted = [check["percentage"], *check.get("accept", [])]
        if not any(_same(percentage, value, check.get("tolerance", 1.0)) for value in wanted):
            found.append(f"{case.name}@{check['offset']}: want {wanted}, got {percentage}")
    return found


def _same(got: float | None, want: float | None, tolerance: float) -> bool:
    if want is None or got is None:
        return got is want
    return abs(got - want) <= tolerance + 1e-9
