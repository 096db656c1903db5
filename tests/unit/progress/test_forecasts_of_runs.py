"""Forecasts of recorded runs: how far off they are. Same bytes, same times: the same figures each time."""

from __future__ import annotations

from benchmarks.eta import measure


def test_the_goals_for_the_time_left_are_met_on_the_recorded_runs() -> None:
    rows = measure()
    assert [row.what for row in rows if row.met is False] == []
    assert sum(row.met is True for row in rows) == 2


def test_ranges_hold_about_as_often_as_they_say() -> None:
    held = [int(row.measured.split()[0]) for row in measure() if row.what.startswith("ranges that held")]
    assert all(65 <= percent <= 90 for percent in held), held
