"""What a reader tells: how far the job is, and how it goes."""

from __future__ import annotations

from typing import Literal

from msgspec import Struct

from miyabi.model import Progress, Source

ReadStatus = Literal["running", "succeeded", "failed", "blocked"]


class Reading(Struct, frozen=True, array_like=True):
    """``progress`` and where it was read (``source``); ``status`` by the tool's own words.

    ``phase`` is the stage of the whole, ``step`` what is being done now, ``error`` the one line that says why it
    failed. All texts are bounded to 300 bytes.
    """

    progress: Progress = Progress()
    status: ReadStatus = "running"
    phase: str | None = None
    step: str | None = None
    error: str | None = None
    source: Source | None = None
