"""Recorded runs with their times: what was known of each at any moment, and what was left."""

from __future__ import annotations

import gzip
import json
from bisect import bisect_left
from collections.abc import Iterator
from itertools import accumulate
from pathlib import Path
from typing import Any, NamedTuple

from tests.support.corpus import DATA, segments

from miyabi.progress.pace import Pace
from miyabi.progress.reader import Reader

RUNS = Path(__file__).parents[1] / "data" / "runs"
START = 1_000_000
"""Ms: when each run is said to have begun."""
STALLED_RUN = 5


class Moment(NamedTuple):
    """A line came ``at`` ms into the run; progress stood at ``share`` (0 to 1) then."""

    at: int
    share: float | None


class Recorded(NamedTuple):
    """One run: ``job`` names those of the same command; ``took`` in ms; ``stalled`` while it was stopped (ms)."""

    job: str
    run: int
    took: int
    stalled: tuple[int, int] | None
    moments: list[Moment]

    def pace(self, until: float = float("inf")) -> Pace:
        """What was known of the pace ``until`` ms into the run."""
        pace = Pace()
        pace.heard([START])
        for moment in self.moments:
            if moment.at > until:
                break
            pace.heard([START + moment.at])
            if moment.share is not None:
                pace.at(moment.share)
        return pace


def repeated() -> Iterator[Recorded]:
    """Runs of commands that were run several times."""
    for row in _rows(RUNS / "runs.jsonl.gz"):
        raw = gzip.decompress((RUNS / "logs" / f"{row['job']}-{row['run']}.log.gz").read_bytes())
        stall = row["stall"]
        stalled = (round(stall["at"] * 1000), round((stall["at"] + stall["seconds"]) * 1000)) if stall else None
        yield Recorded(row["job"], row["run"], round(row["seconds"] * 1000), stalled, _moments(raw, row["reads"]))


def single() -> Iterator[Recorded]:
    """Runs of the corpus."""
    for row in _rows(DATA / "times.jsonl.gz"):
        raw = gzip.decompress((DATA / "cases" / f"{row['case']}.log.gz").read_bytes())
        yield Recorded(row["case"], 1, row["reads"][-1][0], None, _moments(raw, row["reads"]))


def _rows(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in gzip.decompress(path.read_bytes()).decode().splitlines()]


def _moments(raw: bytes, reads: list[list[int]]) -> list[Moment]:
    """A line came with the read that brought its last byte."""
    ends = list(accumulate(size for _, size in reads))
    reader, found = Reader(), []
    for message, end in segments(raw):
        reader.read([message])
        percentage = reader.reading.progress.percentage
        read = min(bisect_left(ends, end), len(reads) - 1)
        found.append(Moment(reads[read][0], None if percentage is None else percentage / 100))
    return found
