"""What a reader tells of a stream, sentence by sentence."""

from __future__ import annotations

import pytest

from miyabi.progress.lines import Splitter
from miyabi.progress.reader import Reader, Reading


def read(*messages: str) -> Reading:
    reader = Reader()
    reader.read(messages)
    return reader.reading


def percentage(*messages: str) -> float | None:
    return read(*messages).progress.percentage


def test_a_list_of_boxes_counts_once_it_is_whole() -> None:
    first = ["Plan:", "- [x] read the test", "- [ ] find the bug", "- [ ] fix it", "", "Working."]
    assert percentage(*first[:3]) is None
    assert read(*first).progress.total == 3
    assert percentage(*first) == 33.3
    again = ["☒ read the test", "☒ find the bug", "☐ fix it"]
    assert percentage(*first, *again) == 66.7


def test_a_callout_blocks_with_its_questions_until_progress_goes_on() -> None:
    asked = ["Step 3 of 7: deploy", "[CALLOUT]", "Which region?", "May I delete the table?", "[/CALLOUT]", "waiting"]
    reading = read(*asked)
    assert reading.status == "blocked"
    assert reading.step == "Which region? · May I delete the table?"
    assert read(*asked, "Step 4 of 7: verify").status == "running"


def test_an_agents_todo_event_counts_what_is_completed() -> None:
    line = (
        '{"type":"assistant","message":{"content":[{"type":"tool_use","name":"TodoWrite","input":{"todos":['
        '{"content":"a","status":"completed"},{"content":"b","status":"in_progress"},{"content":"c","status":"pending"}]}}]}}'
    )
    reading = read(line)
    assert (reading.progress.current, reading.progress.total, reading.step) == (1, 3, "b")


def test_our_own_json_lines_are_read() -> None:
    reading = read('{"task_id": "t", "message": "copying", "phase": "copy", "progress": {"current": 15, "total": 29}}')
    assert (reading.progress.current, reading.progress.total) == (15, 29)
    assert reading.phase == "copy" or reading.step is not None


def test_the_taskbar_sequence_is_read() -> None:
    assert percentage("\x1b]9;4;1;52\x07working") == 52


def test_an_inner_bar_does_not_hide_the_outer_one() -> None:
    outer = "epochs:  14%|█▍        | 1/7 [00:00<00:05,  1.18it/s]\r"
    inner = "batches:  50%|█████     | 20/40 [00:00<00:00, 48.3it/s]\x1b[A\r"
    assert percentage(outer, "", inner) == 14.3


def test_an_epochs_batches_are_a_part_of_the_whole() -> None:
    assert percentage("Epoch 2/4", "27/27 - 1s - 26ms/step - loss: 0.6897") == 50


def test_a_count_past_its_total_stays_at_the_total() -> None:
    reading = read("OrdersStack | 7/6 | 5:02:16 PM | UPDATE_COMPLETE | AWS::SQS::Queue | Queue6 (Queue63)")
    assert (reading.progress.current, reading.progress.total) == (6, 6)


def test_a_percentage_of_100_is_not_success() -> None:
    reading = read("Progress: 100%")
    assert (reading.progress.percentage, reading.status) == (100, "running")


def test_a_rollback_is_a_phase_and_ends_in_failure() -> None:
    lines = [
        'Shop |  5/12 | 3:12:51 PM | CREATE_FAILED | AWS::Lambda::Function | Fn "Code size 300/250 MB too large"',
        "Shop |  5/12 | 3:13:00 PM | ROLLBACK_IN_PROGRESS | AWS::CloudFormation::Stack | Shop",
    ]
    assert read(*lines).phase == "Shop: rollback"
    ended = read(*lines, "❌ Deployment failed: Error: The stack named Shop failed creation: ROLLBACK_COMPLETE")
    assert ended.status == "failed"
    assert ended.error is not None
    assert "CREATE_FAILED" in ended.error


def test_what_follows_a_rollback_belongs_to_it_and_several_stacks_are_numbered() -> None:
    lines = [
        "Shop: deploying... [2/3]",
        "Shop |  5/12 | 3:13:00 PM | ROLLBACK_IN_PROGRESS | AWS::CloudFormation::Stack | Shop",
        "Shop |  4/12 | 3:13:09 PM | DELETE_COMPLETE | AWS::SQS::Queue | Queue",
    ]
    assert read(*lines).phase == "Shop: rollback (stack 2 of 3)"


def test_a_number_without_a_word_counts_once_it_has_grown_twice() -> None:
    lines = [f"alpha bravo 1{n}/29 charlie" for n in range(4)]
    assert percentage(*lines[:2]) is None
    assert percentage(*lines[:3]) == pytest.approx(41.4)


def test_an_uncaught_exception_is_a_failure_and_the_reason() -> None:
    reading = read(
        "15/29 files done", "Traceback (most recent call last):", '  File "a.py", line 3', "KeyError: 'x/1/2'"
    )
    assert (reading.status, reading.error) == ("failed", "KeyError: 'x/1/2'")
    assert reading.progress.percentage == 51.7


def test_every_progress_names_its_format_line_and_confidence() -> None:
    source = read("start", "Step 3/7: migrate schema").source
    assert source is not None
    assert (source.line, source.text) == (2, "Step 3/7: migrate schema")
    assert 0 < source.confidence <= 1


def test_the_state_stays_small_whatever_the_script() -> None:
    reader = Reader()
    for n in range(60):
        long = f"漢字{n}" * 200
        reader.read(
            [
                f"Stack{n} |  5/12 | 3:13:00 PM | ROLLBACK_FAILED | AWS::X | {long}",
                f"error: {long}",
                f"Step {n}/60: {long}",
            ]
        )
        reader.read(["[CALLOUT]", *[long] * 9, "", f"failed: {long}", f"{long} {n}/99 {long}", "\ud800 failed"])
        assert len(reader.save()) <= 4096


def test_a_state_that_is_none_of_ours_begins_anew() -> None:
    assert Reader(b"nonsense").reading == Reading()


def test_a_line_that_is_not_whole_yet_is_shown_without_being_consumed() -> None:
    splitter = Splitter()
    assert splitter.feed(b"one\ntwo") == [("one", 4)]
    assert splitter.partial() == ("two\r", 7)
    assert splitter.feed(b" and a half\r\n") == [("two and a half", 20)]
    assert splitter.partial() is None
    assert splitter.flush() is None


def test_what_is_redrawn_ends_in_a_carriage_return() -> None:
    splitter = Splitter()
    parts = splitter.feed(b" 5%\r 6%\x08\x08\x08 7%\x1b[1G 8%\x1b[2K\r 9%\n")
    assert [part.message for part in parts] == [" 5%\r", " 6%\r", " 7%\r", " 8%\r", " 9%"]
