"""Which news go to whom, and when. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from fnmatch import fnmatchcase

from msgspec import Struct

from miyabi.model import Task
from miyabi.notices import Kind, Language
from miyabi.notices.news import kind_of, ran_seconds
from miyabi.notices.quiet import Quiet

GIVE_UP_MILLIS = 24 * 3600 * 1000
"""So long is a notice tried from when it was due."""


class Rule(Struct, frozen=True, kw_only=True):
    """``to``: keys of targets. A list that is empty does not limit; in lists of names ``*`` stands for any text."""

    to: Sequence[str]
    on: frozenset[Kind]
    projects: Sequence[str] = ()
    types: Sequence[str] = ()
    names: Sequence[str] = ()
    longer_than: float = 0.0
    """Seconds that the task must have run."""
    quiet: Quiet | None = None
    urgent: bool = False
    """Told at once, even in quiet hours."""
    language: Language = "en"


class Parcel(Struct, frozen=True, array_like=True):
    """One news on its way to one target.

    ``due``: when to try (ms); ``until``: when to give up; ``held``: it waits for the end of quiet hours and goes
    together with others; ``batch``: the id that it went out under.
    """

    to: str
    language: Language
    due: int
    until: int
    held: bool = False
    tries: int = 0
    batch: str = ""


def matches(rule: Rule, task: Task, now: int) -> bool:
    """Whether a rule wants to hear of a task in its state."""
    return (
        kind_of(task) in rule.on
        and _in(task.project_id, rule.projects)
        and _in(task.task_type, rule.types)
        and _in(task.task_name, rule.names)
        and (not rule.longer_than or ran_seconds(task, now) > rule.longer_than)
    )


def parcels(rules: Sequence[Rule], task: Task, now: int) -> list[Parcel]:
    """One for each target that hears of a task in its state; of several rules the one that tells it soonest counts."""
    found: dict[str, Parcel] = {}
    for rule in rules:
        if matches(rule, task, now):
            for to in rule.to:
                parcel = _parcel(rule, to, now)
                if to not in found or parcel.due < found[to].due:
                    found[to] = parcel
    return list(found.values())


def _parcel(rule: Rule, to: str, now: int) -> Parcel:
    until = rule.quiet.until(now) if rule.quiet and not rule.urgent else None
    due = now if until is None else until
    return Parcel(to, rule.language, due, due + GIVE_UP_MILLIS, held=until is not None)


def _in(text: str, patterns: Sequence[str]) -> bool:
    return not patterns or any(fnmatchcase(text, pattern) for pattern in patterns)
