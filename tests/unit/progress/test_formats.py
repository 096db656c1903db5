"""The table of formats: each row's examples are its tests."""

from __future__ import annotations

import pytest

from miyabi.progress.formats import FORMATS
from miyabi.progress.formats.row import Example, Format
from miyabi.progress.reader import Reader

EXAMPLES = [
    pytest.param(row, example, id=f"{row.name}-{n}") for row in FORMATS for n, example in enumerate(row.examples)
]


@pytest.mark.parametrize(("row", "example"), EXAMPLES)
def test_a_row_reads_its_examples(row: Format, example: Example) -> None:
    line, current, total, percentage = example
    match = row.pattern.match(line)
    assert match, "the row's pattern does not match its own example"
    found = row.read(row.name, match, {})
    assert any(hint in line for hint in row.hints), "the row's hints would keep its own example away"
    if total is None and percentage is None:
        assert found is None
        return
    assert found is not None
    assert (found.current, found.total) == (current, total)
    if percentage is not None:
        share = found.percentage if found.percentage is not None else 100 * (found.current or 0) / (found.total or 1)
        assert share == pytest.approx(percentage, abs=0.06)


@pytest.mark.parametrize(("row", "example"), EXAMPLES)
def test_the_reader_gives_a_line_to_the_row_that_knows_it(row: Format, example: Example) -> None:
    line, _, total, percentage = example
    reader = Reader()
    reader.read([line])
    if total is None and percentage is None:
        assert reader.reading.source is None
    else:
        assert reader.reading.source is not None
        assert reader.reading.source.format == row.name


def test_every_row_says_what_it_is_and_shows_it() -> None:
    assert all(row.about and row.examples for row in FORMATS)
    assert len({row.name for row in FORMATS}) == len(FORMATS)
