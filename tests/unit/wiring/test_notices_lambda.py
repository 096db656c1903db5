"""Notices where no process lives on: a function of their own tells what has become due, each time that it is woken."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from moto import mock_aws
from tests.support.function import invoke, request
from tests.support.receiver import SECRET, Receiver

from miyabi.settings import from_environment
from miyabi.wiring.notices import make_targets, read_plan

TASKS = "miyabi.wiring.aws_lambda.tasks.handler"
COLLECTOR = "miyabi.wiring.aws_lambda.collector.handler"
NOTICES = "miyabi.wiring.aws_lambda.notices.handler"
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


def swept(env: dict[str, str], stream: str) -> None:
    """A job has failed, and the collector has read so."""
    invoke(TASKS, [append(stream)], env)
    invoke(COLLECTOR, [SWEEP], env)


def test_what_the_collector_found_is_told_once_however_often_it_is_woken(
    env: dict[str, str], receiver: Receiver
) -> None:
    invoke(NOTICES, [{}], env)
    swept(env, "job-1")
    first = invoke(NOTICES, [{}, SWEEP], env)
    invoke(NOTICES, [{}], env)
    assert first.results == [None, None]
    assert receiver.types() == ["task.failed job-1"]
    assert receiver.received[0].verified()["data"]["task"]["details"]["error_message"] == "Error: no such bucket"


def test_the_collector_itself_tells_nobody_and_imports_nothing_of_it(env: dict[str, str], receiver: Receiver) -> None:
    invoke(NOTICES, [{}], env)
    invoke(TASKS, [append("job-1")], env)
    done = invoke(COLLECTOR, [SWEEP], env)
    assert not done.modules & {"apprise", "aiohttp"}
    assert not receiver.types()


def test_a_receiver_that_is_away_is_logged_and_fails_no_call(env: dict[str, str], receiver: Receiver) -> None:
    receiver.close()
    invoke(NOTICES, [{}], env)
    swept(env, "job-1")
    done = invoke(NOTICES, [{}], env)
    assert done.results == [None]
    assert any("can't be reached" in line.get("message", "") for line in done.log)


@pytest.mark.parametrize(
    "given", [{"MIYABI_NOTIFY_SECRET": ""}, {"MIYABI_NOTIFY": "no address"}, {"MIYABI_NOTIFY": ""}]
)
def test_settings_that_can_not_be_used_are_logged_and_fail_each_call(
    env: dict[str, str], given: dict[str, str]
) -> None:
    done = invoke(NOTICES, [{}, {}], env | given)
    assert [str(each["raised"])[:14] for each in done.results] == ["SettingsError:"] * 2
    assert done.log[0]["message"].startswith("nobody is told anything: MIYABI_NOTIFY")


def test_a_webhooks_secret_may_lie_in_a_parameter(monkeypatch: pytest.MonkeyPatch) -> None:
    import boto3

    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "test")
    monkeypatch.setenv("AWS_DEFAULT_REGION", "eu-west-1")
    with mock_aws():
        boto3.client("ssm").put_parameter(Name="/board/secret", Value=SECRET, Type="SecureString")
        given = {"MIYABI_NOTIFY": "webhook+https://host/path", "MIYABI_NOTIFY_SECRET": "ssm:/board/secret"}
        settings = from_environment(given)
        plan = read_plan(settings)
        assert plan
        assert len(make_targets(settings, plan)) == 1
