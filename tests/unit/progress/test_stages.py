"""Counts within counts: a line that counts stages, and what is counted between such lines."""

from __future__ import annotations

import pytest

from miyabi.progress.reader import Reader

Shown = list[float | None]


def shown(*messages: str) -> Shown:
    """The percentage after each message."""
    reader = Reader()
    seen: Shown = []
    for message in messages:
        reader.read([message])
        seen.append(reader.reading.progress.percentage)
    return seen


def test_a_percentage_between_lines_that_count_stages_is_of_the_stage() -> None:
    lines = "[1/4] Fetching", "50%", "100%", "[2/4] Linking", "20%", "100%", "[3/4] Building"
    assert shown(*lines)[1:] == [12.5, 25.0, 25.0, 30.0, 50.0, 50.0]


def test_a_bar_of_each_file_is_a_part_of_all_files() -> None:
    lines = (
        "Processing file 1/4: a.bin",
        " 50%|█████     | 5/10 [00:01<00:01,  5.00it/s]\r",
        "100%|██████████| 10/10 [00:02<00:00,  5.00it/s]",
        "Processing file 2/4: b.bin",
        " 50%|█████     | 4/8 [00:01<00:01,  5.00it/s]\r",
        "100%|██████████| 8/8 [00:02<00:00,  5.00it/s]",
    )
    assert shown(*lines)[1:] == [12.5, 25.0, 25.0, 37.5, 50.0]


def test_a_playlist_is_not_done_when_its_first_item_is() -> None:
    lines = (
        "[download] Downloading item 1 of 5",
        "[download] 100% of 10.00MiB in 00:10",
        "[download] Downloading item 2 of 5",
        "[download]  50.0% of 10.00MiB at 1MiB/s ETA 00:05\r",
    )
    assert shown(*lines)[1:] == [20.0, 20.0, 30.0]


def test_epochs_of_each_fold_are_parts_of_all_folds() -> None:
    lines = "Fold 1/5", "Epoch 1/2", "Epoch 2/2", "Fold 2/5", "Epoch 1/2", "Epoch 2/2"
    assert shown(*lines)[1:] == [0.0, 10.0, 20.0, 20.0, 30.0]


def test_a_percentage_that_goes_on_from_stage_to_stage_is_of_the_whole() -> None:
    assert shown("Step 1/3: a", "10%", "Step 2/3: b", "40%", "70%", "Step 3/3: c", "90%")[3:5] == [40.0, 70.0]


def test_a_percentage_that_says_the_same_as_the_count_is_no_part_of_it() -> None:
    assert shown("Item 1/4", "25%", "Item 2/4", "50%", "Item 3/4", "75%") == [25.0, 25.0, 50.0, 50.0, 75.0, 75.0]


def test_a_count_that_begins_when_another_is_full_is_a_matter_of_its_own() -> None:
    assert shown("[1/2] Compiling a", "[2/2] Linking a", " 1/4 test one   OK", " 2/4 test two   OK")[2:] == [25.0, 50.0]


def test_a_total_that_grows_makes_no_stage() -> None:
    lines = "crawled 1/20 pages", "crawled 2/20 pages", "found more links", "crawled 3/50 pages", "crawled 30/60 pages"
    assert shown(*lines) == [5.0, 10.0, 10.0, 6.0, 50.0]


def test_the_overall_bar_is_the_jobs_and_not_those_beside_it() -> None:
    lines = (
        "overall   ━━━━━━━━━━━━━━━━━━━━   0% 0/4",
        "alpha.bin ━━━━╺━━━━━━━━━━━━━━━  20%  2/10",
        "overall   ━━━━━━━━━━━━━━━━━━━━  25% 1/4",
        "beta.bin  ━━━━╺━━━━━━━━━━━━━━━ 100% 25/25",
    )
    assert shown(*lines) == [0.0, 0.0, 25.0, 25.0]


def test_a_list_of_what_is_to_do_is_the_whole_whatever_is_counted_in_between() -> None:
    boxes = "☒ a", "☒ b", "☐ c", "☐ d", "Next."
    assert shown("[1/2] Fetching", "40%", *boxes)[-1] == 50.0


@pytest.mark.parametrize("first", ["3/7 nodes are ready", "Attempt 1/3", "[2/9] b"])
def test_what_does_not_begin_at_one_counts_no_stages(first: str) -> None:
    assert shown(first, "10%", "60%")[1:] == [10.0, 60.0]
