"""The functions as Lambda runs them, over the embedded stores: requests, deliveries, schedules."""

from __future__ import annotations

import gzip
import json
from base64 import b64encode
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from tests.support import ministack
from tests.support.function import Invoked, invoke, request

from miyabi.principal import Principal
from miyabi.wiring.aws_lambda.identity import context_of

TASKS = "miyabi.wiring.aws_lambda.tasks.handler"
COLLECTOR = "miyabi.wiring.aws_lambda.collector.handler"
SWEEP = {"source": "aws.events", "detail-type": "Scheduled Event", "detail": {}}
LINES = [{"timestamp": 1_795_000_000_000 + n, "message": f"[{n}/8] compiling"} for n in range(1, 5)]


@pytest.fixture
def env(tmp_path: Path) -> dict[str, str]:
    return {"MIYABI_DATA": str(tmp_path), "MIYABI_CACHE": "none:"}


def body(result: Any) -> Any:
    return json.loads(result["body"])


def append(path: str = "/api/logs/%2Fmiyabi%2Fjobs/job-1") -> dict[str, Any]:
    return request("POST", path, {"events": LINES})


def push(group: str = "/miyabi/jobs", stream: str = "job-1") -> dict[str, Any]:
    """A delivery of a subscription, which tells that the stream has new lines."""
    events = [{"id": str(n), **line} for n, line in enumerate(LINES)]
    message = {"messageType": "DATA_MESSAGE", "logGroup": group, "logStream": stream, "logEvents": events}
    return {"awslogs": {"data": b64encode(gzip.compress(json.dumps(message).encode())).decode()}}


def progress(env: dict[str, str]) -> Any:
    return body(invoke(TASKS, [request("GET", "/api/tasks/job-1")], env).results[0])["progress"]


def test_the_task_api_makes_and_lists_tasks_across_events(env: dict[str, str]) -> None:
    made = request("POST", "/api/tasks", {"task_name": "deploy", "task_id": "t1"})
    results = invoke(TASKS, [made, request("GET", "/api/tasks?limit=5"), request("GET", "/api/tasks/t1")], env).results
    assert [result["statusCode"] for result in results] == [201, 200, 200]
    assert [task["task_id"] for task in body(results[1])["tasks"]] == ["t1"]
    assert results[2]["multiValueHeaders"].keys() | results[2]["headers"].keys() >= {"etag", "content-type"}


def test_who_changed_what_is_told_in_the_functions_own_log(env: dict[str, str]) -> None:
    made = request("POST", "/api/tasks", {"task_name": "deploy", "task_id": "t1"})
    made["requestContext"]["authorizer"] = {"sub": "ada", "role": "developer"}
    refused = request("DELETE", "/api/tasks/t1")
    refused["requestContext"]["authorizer"] = {"sub": "eve", "role": "viewer"}
    log = invoke(TASKS, [made, request("GET", "/api/tasks"), refused, append()], env).log
    changes = [line["audit"] for line in log if "audit" in line]
    assert [(change["subject"], change["status"], change["task_id"]) for change in changes] == [
        ("ada", 201, "t1"),
        ("eve", 403, "t1"),
    ]
    assert {change["request_id"] for change in changes} == {"request-1"}
    assert {change["client"] for change in changes} == {"192.0.2.7"}


def test_what_cannot_be_served_is_a_problem_and_not_an_error_of_the_function(env: dict[str, str]) -> None:
    asked = [request("GET", "/api/tasks/nobody"), request("GET", "/elsewhere"), request("POST", "/api/collect")]
    results = invoke(TASKS, asked, env).results
    assert [result["statusCode"] for result in results] == [404, 404, 503]
    assert "route POST /api/collect" in body(results[2])["detail"]


def test_a_read_imports_neither_the_collector_nor_boto3(env: dict[str, str]) -> None:
    modules = invoke(TASKS, [request("GET", "/api/tasks")], env).modules
    assert not modules & {
        "boto3",
        "botocore",
        "ahocorasick_rs",
        "uvicorn",
        "aiohttp",
        "click",
        "rich",
        "prometheus_client",
        "jwt",
        "miyabi.progress.resources",
    }


def test_a_read_from_dynamodb_imports_only_what_it_needs(env: dict[str, str], dynamodb: str) -> None:
    env |= ministack.setting(dynamodb, f"test-{uuid4().hex[:12]}")
    made = request("POST", "/api/tasks", {"task_name": "deploy", "task_id": "t1"})
    results, _, modules = invoke(TASKS, [made, request("GET", "/api/tasks/t1"), request("GET", "/api/tasks")], env)
    assert [result["statusCode"] for result in results] == [201, 200, 200]
    assert not modules & {
        "aiohttp",
        "aiodynamo.credentials",
        "aiodynamo.sign",
        "boto3",
        "configparser",
        "urllib3",
        "yarl",
    }


@pytest.mark.parametrize("path", ["/api/logs/%2Fmiyabi%2Fjobs/job-1", "/api/logs//miyabi/jobs/job-1"])
def test_lines_are_taken_whether_or_not_the_gateway_decoded_the_path(env: dict[str, str], path: str) -> None:
    assert invoke(TASKS, [append(path)], env).results[0]["statusCode"] == 200
    assert invoke(COLLECTOR, [SWEEP], env).results == [{"streams": 1, "lines": 4}]
    assert progress(env) == {"current": 4, "total": 8, "percentage": 50.0}


def test_a_push_collects_the_stream_it_tells_of(env: dict[str, str]) -> None:
    invoke(TASKS, [append()], env)
    assert invoke(COLLECTOR, [push()], env).results == [[{"streams": 1, "lines": 4, "damaged": []}]]
    assert progress(env)["current"] == 4


def test_a_push_that_failed_for_good_is_collected_from_the_dead_letter_queue(env: dict[str, str]) -> None:
    invoke(TASKS, [append()], env)
    letter = {"eventSource": "aws:sqs", "body": json.dumps({"requestPayload": push(), "version": "1.0"})}
    plain = {"eventSource": "aws:sqs", "body": json.dumps(push())}
    [[first, second]] = invoke(COLLECTOR, [{"Records": [letter, plain]}], env).results
    assert (first["lines"], second["lines"]) == (4, 0)


def test_the_collector_answers_the_api_that_runs_it(env: dict[str, str]) -> None:
    invoke(TASKS, [append()], env)
    asked = [request("POST", "/api/collect"), request("POST", "/api/tasks/job-1/reread")]
    results = invoke(COLLECTOR, [*asked, request("POST", "/api/tasks/nobody/reread")], env).results
    assert [result["statusCode"] for result in results] == [200, 200, 404]
    assert body(results[0]) == {"streams": 1, "lines": 4}
    assert body(results[1])["lines"] == 4


def test_a_failure_is_raised_so_that_lambda_tries_again(env: dict[str, str]) -> None:
    [result] = invoke(COLLECTOR, [SWEEP], env | {"MIYABI_DATABASE": "nothing:"}).results
    assert result["raised"].startswith("SettingsError: MIYABI_DATABASE")


def test_log_lines_are_json_with_the_request_and_the_task(env: dict[str, str]) -> None:
    env |= {"MIYABI_CACHE": "rediss://127.0.0.1:1"}
    found = lines_of(invoke(TASKS, [request("GET", "/api/tasks/t1")], env), "message")
    [line] = [line for line in found if line["message"] == "Redis unavailable, using SQLite"]
    assert (line["level"], line["service"], line["request_id"], line["task_id"]) == (
        "WARNING",
        "tasks",
        "request-1",
        "t1",
    )


def test_metrics_are_told_in_the_log_after_each_event_that_changed_them(env: dict[str, str]) -> None:
    env |= {"MIYABI_CACHE": "rediss://127.0.0.1:1"}
    asked = [request("GET", "/api/tasks/t1"), request("GET", "/api/nothing")]
    [line] = lines_of(invoke(TASKS, asked, env), "_aws")
    [where] = line["_aws"]["CloudWatchMetrics"]
    assert (where["Namespace"], where["Dimensions"]) == ("Miyabi", [["Service"]])
    assert (line["Service"], line["RedisConnectionFailures"], line["CacheMisses"]) == ("tasks", 1, 1)
    assert {metric["Name"] for metric in where["Metrics"]} == {"RedisConnectionFailures", "CacheMisses"}


def lines_of(invoked: Invoked, field: str) -> list[dict[str, Any]]:
    return [line for line in invoked.log if field in line]


def signed_in(event: dict[str, Any], principal: Principal) -> dict[str, Any]:
    """The event as it comes when the authorizer has let this one in."""
    event["requestContext"]["authorizer"] = context_of(principal)
    return event


def test_the_functions_hold_tokens_to_their_projects(env: dict[str, str]) -> None:
    mine, other = (Principal("ann", "developer", (name,)) for name in ("house", "other"))
    made = request("POST", "/api/tasks", {"task_name": "deploy", "task_id": "t1", "project_id": "house"})
    asked = ["/api/tasks/t1", "/api/tasks/t1/badge.svg", "/api/tasks?limit=5", "/api/events"]
    events = [signed_in(request("GET", path), who) for who in (mine, other) for path in asked]
    results = invoke(TASKS, [signed_in(made, mine), *events], env).results
    assert [result["statusCode"] for result in results] == [201, 200, 200, 200, 200, 404, 404, 200, 200]
    assert results[2]["body"].startswith("<svg"), "an image of text is no Base64"
    assert not any("deploy" in result["body"] for result in results[5:])
    reread = [signed_in(request("POST", "/api/tasks/t1/reread"), who) for who in (mine, other)]
    collect = signed_in(request("POST", "/api/collect"), mine)
    results = invoke(COLLECTOR, [*reread, collect], env).results
    assert [result["statusCode"] for result in results] == [200, 404, 403]
