"""How fast a run goes, as kept from line to line."""

from __future__ import annotations

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from miyabi.progress.forecast import Earlier, Forecast, Run, forecast, ran, reached_at, remember, stages_ran
from miyabi.progress.pace import GRID, MARKS, Mark, Pace
from miyabi.progress.stops import SHORTEST_STOP, UNSETTLED_STOP, patience

T0 = 1_795_000_000_000
LARGEST = 1500
"""Bytes that a pace may add to each bookmark."""


def going(*points: tuple[float, float], pace: Pace | None = None) -> Pace:
    """The pace of a run that was at each percentage after so many seconds."""
    pace = pace or Pace()
    for seconds, percentage in ((0, None), *points):
        time = T0 + round(seconds * 1000)
        pace.heard([time])
        if percentage is not None:
            pace.at(percentage / 100)
    return pace


def even(seconds: float, upto: float = 100, *, start: float = 0) -> list[tuple[float, float]]:
    """A run that takes ``seconds`` at the same pace all along, up to a percentage."""
    return [(start + seconds * p / 100, p) for p in range(0, int(upto) + 1, 2)]


def left(pace: Pace, *runs: Run) -> Forecast:
    found = forecast(pace, Earlier(runs))
    assert found is not None
    return found


def finished(*points: tuple[float, float], took: float, run_id: str = "r") -> Run:
    return ran(run_id, going(*points), round(took * 1000))


def test_an_even_pace_is_carried_on() -> None:
    found = left(going(*even(100, 40)))
    assert found.likely == pytest.approx(60_000, rel=0.1)
    assert found.low < found.likely < found.high
    assert (found.basis, found.whole) == ("pace", True)


def test_a_slow_start_before_the_first_progress_is_not_part_of_the_pace() -> None:
    found = left(going(*even(100, 40, start=300)))
    assert found.likely == pytest.approx(60_000, rel=0.1)


def test_what_came_last_counts_most() -> None:
    slower = [*even(20, 50), *((10 + (p - 50), p) for p in range(52, 81, 2))]
    found = left(going(*slower))
    assert found.likely > 14_000, "20 % at 1 s a point, not at the mean of 0.5 s"


def test_one_stall_is_left_out_of_the_pace_and_two_are_the_way_it_works() -> None:
    first = even(100, 40)
    stalled = [(seconds + 60, p) for seconds, p in even(100, 50)[21:]]
    once = going(*first, *stalled)
    assert left(once).likely == pytest.approx(50_000, rel=0.1)
    assert once.stalled == pytest.approx(60_000, rel=0.1)
    again = going(*((s + 120, p) for s, p in even(100, 60)[26:]), pace=once)
    assert again.stalled == 0
    assert left(again).likely > 60_000


def test_nothing_is_said_before_the_second_figure_nor_at_the_end() -> None:
    assert forecast(Pace()) is None
    assert forecast(going((1, 10))) is None
    assert forecast(going(*even(100))) is None


def test_progress_that_begins_anew_tells_of_its_stage_only() -> None:
    found = left(going(*even(10), *even(50, 50, start=10)))
    assert not found.whole
    assert found.likely == pytest.approx(25_000, rel=0.02)


def test_a_total_that_grows_is_no_new_lap() -> None:
    pace = going((0, 0), (10, 20), (20, 40), (20, 35), (30, 50))
    assert pace.lap == 0
    assert pace.moves == 3


def test_a_clock_that_is_set_back_or_leaps_goes_on_from_where_it_was() -> None:
    first, rest = even(1000, 50), even(1000, 80)[26:]
    plain = going(*first, *rest)
    back = going(*first, *((seconds - 3600, p) for seconds, p in rest))
    assert left(back).likely == pytest.approx(left(plain).likely, rel=0.05)
    wild = going(*first)
    wild.heard([T0 + 10**12, T0 + 501_000])
    assert (wild.quiet, wild.spoke) == (20_000, T0 + 500_000)


def test_the_more_was_seen_the_narrower_the_range() -> None:
    widths = [left(going(*even(100, upto))) for upto in (4, 20, 50, 90)]
    ratios = [found.high / found.low for found in widths]
    assert ratios == sorted(ratios, reverse=True)


def test_history_knows_the_slow_tail_that_the_pace_can_not() -> None:
    slow_tail = [*even(20, 90), (18 + 60, 100)]
    run = finished(*slow_tail, took=78)
    found = left(going(*even(20, 50)), run)
    assert left(going(*even(20, 50))).likely == pytest.approx(10_000, rel=0.05)
    assert 30_000 < found.likely < 75_000
    assert (found.basis, found.runs) == ("both", 1)


def test_a_run_that_goes_slower_than_before_is_expected_to_go_on_so() -> None:
    run = finished(*even(100), took=100)
    assert left(going(*even(200, 50)), run).likely == pytest.approx(90_000, rel=0.2)


def test_history_alone_tells_of_a_job_that_shows_no_progress() -> None:
    runs = [Run(str(n), 100_000, 0, 0, []) for n in range(3)]
    pace = Pace()
    pace.heard([T0, T0 + 30_000])
    found = left(pace, *runs)
    assert (found.basis, found.whole) == ("history", True)
    assert found.likely == pytest.approx(100_000, rel=0.01), "counted from the newest move, here the first line"


def test_the_stages_of_a_run_are_runs_of_their_own() -> None:
    pace = Pace()
    for second in range(31):
        pace.heard([T0 + 5000 + second * 1000])
        pace.at(second % 10 / 10, "Orders" if second < 10 else "Billing" if second < 20 else "")
    stages = stages_ran("r", pace, 40_000)
    assert list(stages) == ["Orders", "Billing"]
    assert (stages["Orders"].took, stages["Billing"].took) == (10_000, 10_000)
    assert stages["Billing"].marks[0] == Mark(0, 0)
    assert reached_at(stages["Billing"].marks, 0.5) == pytest.approx(5000, rel=0.1)


def test_a_stage_is_told_from_earlier_runs_of_it_where_the_job_is_new() -> None:
    tail = [*even(10, 90), (60, 100)]
    known = stages_ran("r", staged("Orders", *tail), 60_000)["Orders"]
    first = forecast(staged("Orders", *even(10, 50)), Earlier(stage=[known]))
    assert first is not None
    assert (first.basis, first.runs, first.whole) == ("both", 1, True)
    assert first.low < 55_000 < first.high
    second = forecast(going(*even(10, 50, start=20), pace=going(*even(20))), Earlier(stage=[known]))
    assert second is not None
    assert not second.whole
    assert second.likely == pytest.approx(first.likely, rel=0.3), "its own beginning counts, not the job's"


def staged(stage: str, *points: tuple[float, float]) -> Pace:
    pace = Pace()
    for seconds, percentage in points:
        pace.heard([T0 + round(seconds * 1000)])
        pace.at(percentage / 100, stage)
    return pace


def test_a_run_told_of_twice_counts_once_and_old_ones_are_forgotten() -> None:
    runs: list[Run] = []
    for number in range(20):
        for _ in range(2):
            runs = remember(runs, ran(str(number), going(*even(10)), 10_000))
    assert [run.run_id for run in runs] == [str(n) for n in range(14, 20)]


@pytest.mark.parametrize(
    ("position", "at"), [(0, 0), (0.5, 500), (1, 1000), (1.5, 2500), (2, 4000), (9, 4000), (0.25, 250)]
)
def test_times_between_marks_are_interpolated(position: float, at: float) -> None:
    marks = [Mark(0, 0), Mark(GRID, 1000), Mark(2 * GRID, 4000)]
    assert reached_at(marks, position) == pytest.approx(at)


def test_places_passed_at_once_are_marked_at_their_ends() -> None:
    pace = going((0, 0), (10, 10), (20, 90))
    assert reached_at(pace.marks, 0.5) == pytest.approx(20_000, abs=1)


def test_how_long_a_rest_may_be_follows_from_this_run_and_earlier_ones() -> None:
    assert patience(going((0, 0), (1, 2)), []) == (UNSETTLED_STOP, UNSETTLED_STOP)
    quick = going(*even(10, 50))
    assert patience(quick, []) == (SHORTEST_STOP, SHORTEST_STOP)
    coarse = going(*((s * 20, p) for s, p in enumerate(range(0, 80, 10))))
    assert patience(coarse, []) == (80_000, 80_000)
    patient = Run("r", 900_000, 2_000, 300_000, [])
    assert patience(quick, [patient]) == (450_000, SHORTEST_STOP)


@given(
    st.lists(st.tuples(st.integers(-50, 10**6), st.floats(0, 1) | st.none()), max_size=400),
    st.integers(1, 5),
)
def test_any_story_in_any_pieces_comes_to_the_same(story: list[tuple[int, float | None]], size: int) -> None:
    whole, pieces = Pace(), Pace()
    now = T0
    for number, (step, share) in enumerate(story):
        now += step
        for pace in (whole, pieces):
            pace.heard([now])
            if share is not None:
                pace.at(share, "段" * 48)
        if number % size == 0:
            pieces = msgspec.msgpack.decode(msgspec.msgpack.encode(pieces), type=Pace)
    assert pieces == whole
    assert len(msgspec.msgpack.encode(whole)) < LARGEST
    assert len(whole.marks) <= MARKS
    assert [m.place for m in whole.marks] == sorted({m.place for m in whole.marks})
    found = forecast(whole, Earlier([Run("r", 50_000, 0, 0, whole.marks)]))
    stages = stages_ran("r", whole, whole.spoke - whole.began)
    assert all(run.took >= 0 and run.marks[0].at == 0 for run in stages.values())
    assert found is None or 0 < found.low <= found.likely <= found.high
