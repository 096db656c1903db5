"""Lines that are JSON: structured logs, tools' ``--json`` modes, agents' event streams, our own lines."""

from __future__ import annotations

from typing import Any

import msgspec

from miyabi.progress.found import Found

KEYS = ("progress", "percent", "pct", "total", "todo", "plan", "steps")
"""A line with none of these words is not decoded."""
SHARES = ("percent_done", "percentdone", "fraction", "progress", "complete_fraction")
PERCENTS = ("percentage", "percent", "pct", "percent_complete", "progress_percent", "progresspercentage", "completion")
PAIRS = (
    ("current", "total"),
    ("completed", "total"),
    ("done", "total"),
    ("step", "total_steps"),
    ("step", "steps"),
    ("step", "max_steps"),
    ("index", "total"),
    ("n", "total"),
    ("processed", "total"),
    ("finished", "total"),
    ("files_done", "total_files"),
    ("bytes_done", "total_bytes"),
    ("downloaded", "total"),
    ("completed_steps", "total_steps"),
    ("current_step", "total_steps"),
    ("epoch", "epochs"),
)
LISTS = ("todos", "items", "plan", "tasks", "steps")
DEPTH = 7


def read(text: str) -> Found | None:
    """The progress that a JSON object tells, wherever it has it."""
    lower = text.lower()
    if not any(key in lower for key in KEYS):
        return None
    try:
        value = msgspec.json.decode(text[text.index("{") :])
    except (msgspec.DecodeError, ValueError, RecursionError):
        return None
    return _todos(value, 0) or _object(value, 0)


def _object(value: Any, depth: int) -> Found | None:
    if not isinstance(value, dict) or depth > DEPTH:
        return None
    fields = {str(key).lower(): item for key, item in value.items()}
    found = _share(fields) or _pair(fields)
    if found is not None:
        step = next(
            (fields[k] for k in ("message", "msg", "status", "phase", "step") if isinstance(fields.get(k), str)), None
        )
        phase = fields.get("phase")
        return found._replace(step=step or None, phase=phase if isinstance(phase, str) else None)
    for item in fields.values():
        found = _object(item, depth + 1)
        if found is not None:
            return found
    return None


def _share(fields: dict[str, Any]) -> Found | None:
    for key in SHARES:
        share = _number(fields.get(key))
        if share == 1 and isinstance(share, int):
            continue  # all of it or 1 %: nobody can tell
        if share is not None and 0 <= share <= 100:
            return Found("json", percentage=share if share > 1 else 100 * share, confidence=0.95)
    for key in PERCENTS:
        percent = _number(fields.get(key))
        if percent is not None and 0 <= percent <= 100 and _pair(fields) is None:
            return Found("json", percentage=percent, confidence=0.95)
    return None


def _pair(fields: dict[str, Any]) -> Found | None:
    for one, other in PAIRS:
        current, total = _number(fields.get(one)), _number(fields.get(other))
        if current is not None and total is not None and 0 <= current <= total and total > 0:
            return Found("json", current, total, label=one, confidence=0.9)
    return None


def _number(value: Any) -> float | None:
    return value if isinstance(value, int | float) and not isinstance(value, bool) else None


def _todos(value: Any, depth: int) -> Found | None:
    """A list of things to do, each with a status or a tick: agents print it whenever it changes."""
    if depth > DEPTH:
        return None
    if isinstance(value, list):
        return next((found for item in value if (found := _todos(item, depth + 1))), None)
    if not isinstance(value, dict):
        return None
    for key in LISTS:
        items = value.get(key)
        if isinstance(items, list) and items and all(_is_todo(item) for item in items):
            done = sum(_is_done(item) for item in items)
            doing = next(
                (_title(item) for item in items if item.get("status") in ("in_progress", "active", "doing")), None
            )
            return Found("todo list", done, len(items), label="todo", step=doing, confidence=0.95)
    return next((found for item in value.values() if (found := _todos(item, depth + 1))), None)


def _is_todo(item: Any) -> bool:
    return isinstance(item, dict) and (isinstance(item.get("status"), str) or isinstance(item.get("completed"), bool))


def _is_done(item: dict[str, Any]) -> bool:
    return item.get("completed") is True or item.get("status") in ("completed", "complete", "done", "cancelled")


def _title(item: dict[str, Any]) -> str | None:
    title = next(
        (item[k] for k in ("activeForm", "content", "text", "step", "title") if isinstance(item.get(k), str)), None
    )
    return title
