"""Which news go to whom, as tables."""

from __future__ import annotations

from datetime import time
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from tests.support.tasks import START, a_task

from miyabi.model import Details, Stopped, Task, iso
from miyabi.notices.quiet import Quiet
from miyabi.notices.rules import Rule, matches, parcels

NOW = START + 600_000
STOPPED = Details(stopped=Stopped("output", iso(START), 60.0))
ALWAYS = Quiet(time(0, 0), time(23, 59), ZoneInfo("UTC"))


def a_rule(*to: str, on: str = "failed", **more: Any) -> Rule:
    return Rule(to=to or ("t",), on=frozenset(on.split()), **more)  # type: ignore[arg-type]


FAILED = a_task("a", status="failed", task_name="deploy prod", task_type="cdk_deploy", project_id="house")
TABLE: list[tuple[Rule, Task, bool]] = [
    (a_rule(), FAILED, True),
    (a_rule(on="completed blocked"), FAILED, False),
    (a_rule(on="stopped"), a_task("a", details=STOPPED), True),
    (a_rule(on="running"), a_task("a", details=STOPPED), False),
    (a_rule(on="stopped"), a_task("a"), False),
    (a_rule(on="stopped"), a_task("a", status="failed", details=STOPPED), False),
    (a_rule(projects=["house"]), FAILED, True),
    (a_rule(projects=["garden", "ho*"]), FAILED, True),
    (a_rule(projects=["garden"]), FAILED, False),
    (a_rule(types=["cdk_deploy"]), FAILED, True),
    (a_rule(types=["build"]), FAILED, False),
    (a_rule(names=["deploy*"]), FAILED, True),
    (a_rule(names=["DEPLOY*"]), FAILED, False),
    (a_rule(names=["test*", "*prod"]), FAILED, True),
    (a_rule(projects=["house"], names=["test*"]), FAILED, False),
    (a_rule(on="completed", longer_than=300), a_task("a", status="completed", duration_seconds=301), True),
    (a_rule(on="completed", longer_than=300), a_task("a", status="completed", duration_seconds=300), False),
    (a_rule(on="blocked", longer_than=599), a_task("a", status="blocked"), True),
    (a_rule(on="blocked", longer_than=601), a_task("a", status="blocked"), False),
    (a_rule(on="blocked", longer_than=300), a_task("a", status="blocked", details=Details(started_at=iso(NOW))), False),
]


@pytest.mark.parametrize(("rule", "task", "told"), TABLE)
def test_a_rule_says_whether_it_wants_to_hear_of_a_task(rule: Rule, task: Task, told: bool) -> None:
    assert matches(rule, task, NOW) is told


def test_a_target_that_several_rules_name_is_told_once() -> None:
    rules = [a_rule("a", "b"), a_rule("b", "c", language="ja"), a_rule("d", on="completed")]
    found = {parcel.to: parcel.language for parcel in parcels(rules, FAILED, NOW)}
    assert found == {"a": "en", "b": "en", "c": "ja"}


def test_of_several_rules_the_one_that_tells_it_soonest_counts() -> None:
    rules = [a_rule("a", quiet=ALWAYS), a_rule("a", quiet=ALWAYS, urgent=True, language="ja")]
    (parcel,) = parcels(rules, FAILED, NOW)
    assert (parcel.held, parcel.due, parcel.language) == (False, NOW, "ja")
    (held,) = parcels(rules[:1], FAILED, NOW)
    assert held.held
    assert held.due > NOW
