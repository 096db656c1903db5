"""Notices where no process lives on: the collector's function tells after each push and sweep."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from tests.support.function import invoke, request
from tests.support.receiver import SECRET, Receiver

TASKS = "miyabi.wiring.aws_lambda.tasks.handler"
COLLECTOR = "miyabi.wiring.aws_lambda.collector.handler"
SWEEP = {"source": "aws.events", "detail-type": "Scheduled Event", "detail": {}}
RUN = {"run": "r1", "name": "job", "type": "build", "project": "house"}
LINES = [
    json.dumps({"miyabi": "start", **RUN}),
    "step 1/4",
    "Error: no such bucket",
    json.dumps({"miyabi": "exit", "run": "r1", "code": 1, "duration_seconds": 5.0}),
]


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    receiver = Receiver()
    yield receiver
    receiver.close()


@pytest.fixture
def env(tmp_path: Path, receiver: Receiver) -> dict[str, str]:
    data = {"MIYABI_DATA": str(tmp_path), "MIYABI_CACHE": "none:"}
    return data | {"MIYABI_NOTIFY": receiver.webhook, "MIYABI_NOTIFY_SECRET": SECRET}


def append(stream: str) -> dict[str, Any]:
    events = [{"timestamp": 1_795_000_000_000 + n, "message": line} for n, line in enumerate(LINES)]
    return request("POST", f"/api/logs/%2Fmiyabi%2Fjobs/{stream}", {"events": events})


def test_what_a_sweep_finds_is_told_once_whatever_function_sweeps_next(env: dict[str, str], receiver: Receiver) -> None:
    invoke(COLLECTOR, [SWEEP], env)
    invoke(TASKS, [append("job-1")], env)
    first = invoke(COLLECTOR, [SWEEP, SWEEP], env)
    invoke(COLLECTOR, [SWEEP], env)
    assert receiver.types() == ["task.failed job-1"]
    assert receiver.received[0].verified()["data"]["task"]["details"]["error_message"] == "Error: no such bucket"
    assert "apprise" not in first.modules, "it is not in the function's package"


def test_a_receiver_that_is_away_fails_no_sweep(env: dict[str, str], receiver: Receiver) -> None:
    receiver.close()
    invoke(COLLECTOR, [SWEEP], env)
    invoke(TASKS, [append("job-1")], env)
    done = invoke(COLLECTOR, [SWEEP], env)
    assert done.results == [{"streams": 1, "lines": 4}]
    assert any("can't be reached" in line.get("message", "") for line in done.log)


def test_rules_that_can_not_be_used_are_logged_and_fail_no_sweep(env: dict[str, str]) -> None:
    done = invoke(COLLECTOR, [SWEEP], env | {"MIYABI_NOTIFY_SECRET": ""})
    assert done.results == [{"streams": 0, "lines": 0}]
    assert done.log[0]["message"].startswith("nobody is told anything: MIYABI_NOTIFY_SECRET: ")


def test_where_nobody_is_told_nothing_of_it_is_asked_for(env: dict[str, str]) -> None:
    done = invoke(COLLECTOR, [SWEEP], env | {"MIYABI_NOTIFY": ""})
    assert not done.modules & {"apprise", "aiohttp"}
