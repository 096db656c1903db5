"""The table of formats: what the general layer cannot know. Its rows are tried in order, most specific first."""

from __future__ import annotations

from miyabi.progress.formats.builds import FORMATS as BUILDS
from miyabi.progress.formats.cloud import FORMATS as CLOUD
from miyabi.progress.formats.conventions import FORMATS as CONVENTIONS
from miyabi.progress.formats.row import Format
from miyabi.progress.formats.training import FORMATS as TRAINING
from miyabi.progress.formats.transfers import FORMATS as TRANSFERS

FORMATS: tuple[Format, ...] = (*CONVENTIONS, *CLOUD, *TRAINING, *BUILDS, *TRANSFERS)

HINTED: tuple[tuple[str, int], ...] = tuple((hint, place) for place, row in enumerate(FORMATS) for hint in row.hints)
"""Each hint with the place of its row in the table."""


def rows(text: str) -> list[Format]:
    """The rows that may know ``text``, most specific first."""
    return [FORMATS[place] for hint, place in HINTED if hint in text]
