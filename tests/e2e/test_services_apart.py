"""The gateway, the task API and the collector as three processes on one data folder."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing
from pathlib import Path
from subprocess import Popen
from typing import NamedTuple

import pytest
from playwright.sync_api import expect
from tests.support.board import Service, environment
from tests.support.browser import Window
from tests.support.steps import step, stepping
from tests.support.until import until


class Apart(NamedTuple):
    """Three services, and the environment of who uses them."""

    gateway: Service
    tasks: Service
    collector: Service
    env: dict[str, str]


@pytest.fixture
def apart(tmp_path: Path) -> Iterator[Apart]:
    """All three, running."""
    env = environment(tmp_path / "data")
    with ExitStack() as stack:

        def start(name: str, **settings: str) -> Service:
            return stack.enter_context(closing(Service("serve", name, env=env | settings)))

        collector = start("collector")
        tasks = start("tasks", MIYABI_COLLECTOR=collector.url)
        gateway = start("gateway", MIYABI_TASKS=tasks.url)
        yield Apart(gateway, tasks, collector, env | {"MIYABI_URL": gateway.url})


@pytest.fixture
def job(apart: Apart) -> Iterator[Popen[bytes]]:
    with stepping(apart.env) as process:
        yield process


def test_a_job_is_watched_through_three_processes(
    apart: Apart, job: Popen[bytes], look: Callable[[str], Window]
) -> None:
    window = look(apart.gateway.url)
    bar = window.bar("Steps")
    for number in range(1, 10):
        step(job)
        expect(bar).to_have_attribute("aria-valuenow", str(number * 10))
    step(job)
    assert job.wait(20) == 0
    ended = window.row("Just ended", "Steps")
    expect(ended).to_contain_text("Completed")
    expect(ended).to_contain_text("10/10")
    services = apart.gateway.api.get("/health")["services"]
    assert {each["status"] for each in services.values()} == {"ok"}


def test_while_the_collector_is_gone_lines_wait_and_it_goes_on_where_it_was(apart: Apart, job: Popen[bytes]) -> None:
    step(job)
    until(lambda: current(apart) == 1, "the first step is known")
    apart.collector.kill9()
    for _ in range(9):
        step(job)
    assert job.wait(20) == 0
    assert apart.gateway.api.request("POST", "/api/collect").status == 503
    assert apart.gateway.api.get("/health")["services"]["collector"]["status"] != "ok"
    apart.collector.restart()
    until(lambda: current(apart) == 10, "the last step is known")
    assert apart.gateway.api.lines("steps") == [f"step {number}/10" for number in range(1, 11)]


def test_while_the_task_api_is_gone_the_gateway_says_so_and_no_line_is_lost(apart: Apart, job: Popen[bytes]) -> None:
    step(job)
    until(lambda: current(apart) == 1, "the first step is known")
    apart.tasks.kill9()
    answer = apart.gateway.api.request("GET", "/api/tasks")
    assert answer.status == 503
    assert "retry-after" in answer.headers
    for _ in range(9):
        step(job)
    apart.tasks.restart()
    assert job.wait(20) == 0
    until(lambda: current(apart) == 10, "the last step is known")
    assert apart.gateway.api.lines("steps") == [f"step {number}/10" for number in range(1, 11)]


def current(apart: Apart) -> object:
    """What the job's bar stands at."""
    task = apart.gateway.api.task("steps")
    return task and task["progress"].get("current")
