"""Several things counted at once: bars on a screen, outputs of several commands, names with numbers in them."""

from __future__ import annotations

import pytest

from miyabi.progress.lines import Splitter
from miyabi.progress.reader import Reader


def shown(*lines: str) -> list[float | None]:
    """The percentage after each line."""
    reader = Reader()
    found = []
    for line in lines:
        reader.read([line])
        found.append(reader.reading.progress.percentage)
    return found


def shown_of(raw: bytes) -> list[float | None]:
    splitter = Splitter()
    return shown(*(segment.message for segment in splitter.feed(raw)))


def test_a_bar_further_down_the_screen_is_a_part_of_the_one_above() -> None:
    stages = b"\x1b[5;1H\r\x1b[KStages  %d%%|##   | %d/5 [00:01<00:05]"
    part = b"\x1b[6;1H\r\x1b[KPart one  %d%%|###  | %d/60 [00:01<00:01]"
    raw = b"".join((stages % (20, 1), part % (50, 30), part % (100, 60), stages % (40, 2), part % (10, 6), b"\n"))
    assert shown_of(raw) == [20.0, 20.0, 20.0, 40.0, 40.0]


def test_a_place_on_the_screen_stays_known_wherever_the_bytes_are_cut() -> None:
    raw = b"\x1b[40;1H\x1b[Kone 1/5\x1b[38;1Hmore\r\nplain\n"
    whole = Splitter().feed(raw)
    for cut in range(len(raw)):
        splitter = Splitter()
        assert [*splitter.feed(raw[:cut]), *splitter.feed(raw[cut:])] == whole
    assert [segment.message for segment in whole] == ["\x1b[40;1H\x1b[Kone 1/5\r", "\x1b[38;1Hmore", "plain"]


def test_a_counter_at_the_right_edge_counts_and_the_numbers_of_a_title_do_not() -> None:
    assert shown("   addition 1/10\x1b[K\x1b[117G3/8\x1b[2G\r") == [37.5]
    assert shown("   list is 3 of 7                        3/8") == [37.5]


def test_a_percentage_behind_a_stage_is_that_of_the_stage() -> None:
    assert shown("shred: a.bin: pass 2/3 (random)...1.0GiB/3.0GiB 34%") == [44.7]
    assert shown("Step 3/10: 30%") == [30.0]


def test_outputs_of_several_commands_are_not_within_each_other() -> None:
    lines = ("[test] case 1/5 ok", "[build] bundling 10%", "[test] case 2/5 ok", "[build] bundling 20%")
    assert shown(*lines) == [20.0, 10.0, 40.0, 20.0]


def test_counts_that_jump_about_are_names_and_no_longer_believed() -> None:
    lines = [f"checks case {n} of 45" for n in (20, 9, 33, 12, 40, 7)]
    assert shown(*lines)[-3:] == [None, None, None]
    assert shown(*(f"checks case {n} of 4" for n in (1, 2, 3, 4, 1, 2, 3, 4, 1, 2)))[-1] == 50.0


@pytest.mark.parametrize(
    "line",
    [
        "pg_basebackup: write-ahead log start point: 0/18000028 on timeline 1",
        "  99%      9",
        " 100%     12 (longest request)",
        "  1) test 1/2 broken (BadTest)",
        "  * test case 20 of 45 (32.9ms) [L#83]",
        "   3) suite step 2/5 returns early:",
    ],
)
def test_these_numbers_are_no_progress(line: str) -> None:
    assert shown(line, line.replace("9", "10").replace("1", "2")) == [None, None]


def test_a_percentage_without_its_sign_stands_before_its_bar() -> None:
    assert shown("installing:   22.46 [============>                        ]\r") == [22.5]


def cdk(stack: str, done: int, status: str = "CREATE_COMPLETE") -> str:
    return f"{stack} | {done:>2}/16 | 10:15:30 AM | {status:<20} | AWS::SQS::Queue | Queue{done} (Queue{done})"


def test_cdk_stacks_that_are_deployed_at_once_are_one_whole() -> None:
    reader = Reader()
    reader.read(["Shop: deploying... [1/2]", "Cart: deploying... [2/2]", cdk("Shop", 4), cdk("Cart", 1)])
    reader.read([cdk("Shop", 5), cdk("Cart", 2)])
    progress = reader.reading.progress
    assert (progress.current, progress.total, progress.percentage) == (7, 32, 21.9)
    assert reader.reading.phase == "Cart: create (0 of 2 stacks done)"
    reader.read([cdk("Shop", 16)])
    assert reader.reading.phase == "Shop: create (1 of 2 stacks done)"
    assert reader.reading.progress.percentage == 56.2


def test_cdk_stacks_that_come_one_after_the_other_show_their_place() -> None:
    reader = Reader()
    reader.read(
        ["Shop: deploying... [1/2]", cdk("Shop", 15), cdk("Shop", 16), "Cart: deploying... [2/2]", cdk("Cart", 4)]
    )
    assert (reader.reading.progress.percentage, reader.reading.phase) == (25.0, "Cart: create (stack 2 of 2)")


def test_a_count_that_begins_again_at_any_place_is_still_believed() -> None:
    assert shown(*(f"Processed {n}/100 images" for _ in range(5) for n in (20, 40, 60, 80, 100)))[-2:] == [80.0, 100.0]


def test_a_count_that_is_no_longer_believed_takes_nothing_from_another_one() -> None:
    lines = ["Total [=====>      ] 50%", *(f"Evaluated {n} of 100 samples" for n in (80, 20, 80, 20, 80, 20))]
    assert shown(*lines)[-1] == 50.0


@pytest.mark.parametrize(
    "line",
    ["2 files out of 2 had errors", "we restored 3 items out of 10 in the cart", "10 objects out of 10 skipped"],
)
def test_things_out_of_things_need_a_word_of_doing(line: str) -> None:
    assert shown(line) == [None]


@pytest.mark.parametrize("line", ["Download failed.", "Failed: none", "ERROR 1: retrying"])
def test_an_error_that_a_job_survives_does_not_decide(line: str) -> None:
    reader = Reader()
    reader.read(["Downloading 10/100 files", line, "Downloading 50/100 files", "Done."])
    assert reader.reading.status == "succeeded"


def test_numbers_in_the_names_of_tests_are_no_stages() -> None:
    ids = ("[[1/2] a]", "[Step 1/3: 30%]", "[- [x] done]", "[Progress 7/9: wick]", "[plain]")
    lines = [f"tests/test_a.py::test_b{name} PASSED                 [{20 * n:3}%]" for n, name in enumerate(ids, 1)]
    assert shown(*lines) == [20.0, 40.0, 60.0, 80.0, 100.0]
