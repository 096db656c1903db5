"""Four processes: only the log service touches the log file, the others reach it over HTTP."""

from __future__ import annotations

import subprocess
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing
from pathlib import Path
from subprocess import DEVNULL, Popen
from typing import NamedTuple

import pytest
from playwright.sync_api import expect
from tests.support.board import Service, environment, run_line
from tests.support.browser import Window
from tests.support.steps import STEPS, step, stepping
from tests.support.until import until


class Apart(NamedTuple):
    """The log service with its folder, the gateway, and the environment of who uses them."""

    logs: Service
    kept: Path
    gateway: Service
    env: dict[str, str]

    def current(self) -> object:
        """What the job's bar stands at."""
        task = self.gateway.api.task("steps")
        return task and task["progress"].get("current")


@pytest.fixture
def apart(tmp_path: Path) -> Iterator[Apart]:
    """All four, running; the log service on a folder of its own."""
    kept, data = tmp_path / "logs", tmp_path / "data"
    with ExitStack() as stack:

        def start(name: str, env: dict[str, str]) -> Service:
            return stack.enter_context(closing(Service("serve", name, env=env)))

        logs = start("logs", environment(kept))
        env = environment(data, MIYABI_LOGS=logs.url)
        collector = start("collector", env)
        tasks = start("tasks", env | {"MIYABI_COLLECTOR": collector.url})
        gateway = start("gateway", env | {"MIYABI_TASKS": tasks.url})
        yield Apart(logs, kept, gateway, env | {"MIYABI_URL": gateway.url})
        assert not (data / "logs.db").exists(), "another process than the log service kept lines"


@pytest.fixture
def job(apart: Apart) -> Iterator[Popen[bytes]]:
    with stepping(apart.env) as process:
        yield process


def test_a_job_is_watched_while_its_lines_are_kept_elsewhere(
    apart: Apart, job: Popen[bytes], look: Callable[[str], Window]
) -> None:
    window = look(apart.gateway.url)
    bar = window.bar("Steps")
    for number in range(1, 10):
        step(job)
        expect(bar).to_have_attribute("aria-valuenow", str(number * 10))
    step(job)
    assert job.wait(20) == 0
    expect(window.row("Just ended", "Steps")).to_contain_text("Completed")
    services = apart.gateway.api.get("/health")["services"]
    assert {each["status"] for each in services.values()} == {"ok"}
    assert apart.gateway.api.lines("steps") == STEPS
    assert apart.logs.stop() == 0
    assert apart.logs.errors() == ""
    assert (apart.kept / "logs.db").exists()


def test_while_the_log_service_is_gone_the_job_runs_on_and_no_line_is_lost_or_doubled(
    apart: Apart, job: Popen[bytes]
) -> None:
    for number in range(1, 4):
        step(job)
        until(lambda: apart.current() == number, f"step {number} is known")  # noqa: B023
    apart.logs.kill9()
    for _ in range(6):
        step(job)
    down = until(lambda: apart.gateway.api.get("/health"), "health is answered")
    assert down["status"] == "degraded"
    assert apart.logs.url in down["services"]["logs"]["detail"]
    answer = apart.gateway.api.request("GET", "/api/tasks/steps/logs")
    assert (answer.status, "retry-after" in answer.headers) == (503, True)
    apart.logs.restart()
    step(job)
    assert job.wait(20) == 0
    until(lambda: apart.current() == 10, "the last step is known")
    assert apart.gateway.api.lines("steps") == STEPS


def test_without_a_board_lines_go_straight_to_the_log_service(apart: Apart) -> None:
    env = {name: value for name, value in apart.env.items() if name != "MIYABI_URL"}
    line = run_line("seq", "3", options=["--task-id", "alone", "--name", "Alone"])
    assert subprocess.run(line, env=env, stdout=DEVNULL, check=False).returncode == 0
    until(lambda: (apart.gateway.api.task("alone") or {}).get("status") == "completed", "the task is known")
    assert apart.gateway.api.lines("alone") == ["1", "2", "3"]
