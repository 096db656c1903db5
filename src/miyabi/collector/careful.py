"""A step that a line can't stop: one at which the reader fails is left out, so that those behind it are read."""

from __future__ import annotations

import logging
from collections.abc import Sequence

from miyabi.collector.step import Runs, advance
from miyabi.counters import Counter
from miyabi.database import Bookmark, Current, Save
from miyabi.model import LogEvent, Task

log = logging.getLogger("miyabi.collector")

UNREADABLE = Counter("miyabi_collector_unreadable_lines", "Lines left out because the reader failed at them")


def careful(
    current: Current | None, fresh: Task, events: Sequence[LogEvent], position: str, now: int, runs: Runs
) -> Save:
    """:func:`miyabi.collector.step.advance`, line by line where it fails."""
    try:
        return advance(current, fresh, events, position, now, runs)
    except Exception:
        return _line_by_line(current, fresh, events, position, now, runs)


def _line_by_line(
    current: Current | None, fresh: Task, events: Sequence[LogEvent], position: str, now: int, runs: Runs
) -> Save:
    state, kept = current, False
    for event in events:
        try:
            save = advance(state, fresh, [event], event.position, now, runs)
        except Exception:
            UNREADABLE.inc()
            log.exception("line %s of %s can't be read", event.position, fresh.task_id)
        else:
            state, kept = Current(save.task, save.bookmark), kept or save.kept
    reader = state.bookmark.reader if state and state.bookmark else b""
    return Save(state.task if state else fresh, current, Bookmark(position, reader), kept=kept or current is None)
