"""The table of formats: what the general layer cannot know. Its rows are tried in order, most specific first."""

from __future__ import annotations

from miyabi.progress.formats import builds, cloud, conventions, training, transfers
from miyabi.progress.formats.row import Format

FORMATS: tuple[Format, ...] = (
    *conventions.FORMATS,
    *cloud.FORMATS,
    *training.FORMATS,
    *builds.FORMATS,
    *transfers.FORMATS,
)
