"""Notices from AWS: a function outside the network, woken by the runs of the collector, where addresses are named."""

from __future__ import annotations

import json
from collections.abc import Mapping

import pytest
from tests.support.templates import Json, Template

from miyabi.settings import Settings

Templates = Mapping[str, Template]


@pytest.fixture
def notices(scaled: Templates) -> Template:
    return scaled["notices"]


def allowed(template: Template) -> list[Json]:
    [role] = template.of("IAM::Role")
    found: list[Json] = role["Policies"][0]["PolicyDocument"]["Statement"]
    assert {one["Effect"] for one in found} == {"Allow"}
    return found


def actions(template: Template) -> set[str]:
    lists = [one["Action"] for one in allowed(template)]
    return {action for given in lists for action in ([given] if isinstance(given, str) else given)}


def test_without_a_setting_nothing_of_it_is_made(default: Templates) -> None:
    assert "notices" not in default
    assert "OnSuccess" not in json.dumps(default["collector"].whole)
    assert "events:PutEvents" not in json.dumps(default["collector"].whole)


def test_it_is_outside_the_network_because_those_who_are_told_are_anywhere(notices: Template) -> None:
    function = notices.one("Lambda::Function")
    assert "VpcConfig" not in function
    assert (function["Architectures"], function["Runtime"]) == (["arm64"], "python3.14")
    assert function["Handler"] == "miyabi.wiring.aws_lambda.notices.handler"
    assert function["Timeout"] > 25, "it tells for 25 seconds"


def test_addresses_and_secret_are_named_and_never_given(notices: Template) -> None:
    variables = notices.one("Lambda::Function")["Environment"]["Variables"]
    assert variables["MIYABI_NOTIFY"] == "ssm:/board/notify"
    assert variables["MIYABI_NOTIFY_SECRET"] == "ssm:/board/notify-secret"
    assert variables["MIYABI_DATABASE"] == "dynamodb:?prefix=miyabi"
    assert "webdomain" in json.dumps(variables["MIYABI_PUBLIC_URL"]), "links lead to the page"
    assert {key.removeprefix("MIYABI_").lower() for key in variables} <= set(Settings.__struct_fields__)


def test_it_may_read_tasks_write_its_memos_and_read_the_two_parameters(notices: Template) -> None:
    own = {"logs:CreateLogStream", "logs:PutLogEvents", "xray:PutTelemetryRecords", "xray:PutTraceSegments"}
    records = {"dynamodb:BatchGetItem", "dynamodb:GetItem", "dynamodb:PutItem", "dynamodb:Query"}
    assert actions(notices) == own | records | {"ssm:GetParameter"}
    [secret] = [one for one in allowed(notices) if one["Action"] == "ssm:GetParameter"]
    assert [json.dumps(one).split("parameter")[1].strip('"]} ') for one in secret["Resource"]] == [
        "/board/notify",
        "/board/notify-secret",
    ]
    [writes] = [one for one in allowed(notices) if one["Action"] == "dynamodb:PutItem"]
    assert writes["Condition"] == {"ForAllValues:StringLike": {"dynamodb:LeadingKeys": ["memo:notices*"]}}


def test_each_run_of_the_collector_wakes_it_and_a_clock_does_when_there_is_none(
    scaled: Templates, notices: Template
) -> None:
    success = scaled["collector"].one("Lambda::EventInvokeConfig")["DestinationConfig"]["OnSuccess"]["Destination"]
    assert json.dumps(success).endswith(':event-bus/default"]]}')
    rule = notices.one("Events::Rule")
    assert rule["State"] == "ENABLED"
    assert rule["ScheduleExpression"] == "rate(5 minutes)"
    assert rule["EventPattern"]["source"] == ["lambda"]
    [function] = rule["EventPattern"]["resources"]
    assert json.dumps(function["prefix"]).endswith(':function:miyabi-collector:"]]}')
    assert [target["Input"] for target in rule["Targets"]] == ["{}"], "lines of jobs go no further"
    [permission] = notices.of("Lambda::Permission")
    assert permission["Principal"] == "events.amazonaws.com"
    assert "SourceArn" in permission


def test_a_call_is_not_made_again_the_next_one_does_the_same(notices: Template) -> None:
    kept = notices.one("Lambda::EventInvokeConfig")
    assert (kept["MaximumRetryAttempts"], kept["MaximumEventAgeInSeconds"]) == (0, 60)
