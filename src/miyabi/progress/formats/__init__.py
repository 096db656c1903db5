"""The table of formats: what the general layer cannot know. Its rows are tried in order, most specific first."""

from __future__ import annotations

from miyabi.progress.formats.builds import FORMATS as BUILDS
from miyabi.progress.formats.cloud import FORMATS as CLOUD
from miyabi.progress.formats.conventions import FORMATS as CONVENTIONS
from miyabi.progress.formats.row import Format
from miyabi.progress.formats.training import FORMATS as TRAINING
from miyabi.progress.formats.transfers import FORMATS as TRANSFERS

FORMATS: tuple[Format, ...] = (*CONVENTIONS, *CLOUD, *TRAINING, *BUILDS, *TRANSFERS)
