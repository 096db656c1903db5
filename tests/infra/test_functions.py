"""Task API, collector and authorizer, as their templates have them."""

from __future__ import annotations

import json
from collections.abc import Mapping

import pytest
from tests.support.templates import Json, Template

Templates = Mapping[str, Template]
FUNCTIONS = [("tasks", "tasks"), ("collector", "collector"), ("auth", "authorizer")]


def statements(template: Template) -> list[Json]:
    [role] = [role for role in template.of("IAM::Role") if "lambda" in json.dumps(role["AssumeRolePolicyDocument"])]
    found: list[Json] = role["Policies"][0]["PolicyDocument"]["Statement"]
    return found


def actions(template: Template, effect: str = "Allow") -> set[str]:
    lists = [one["Action"] for one in statements(template) if one["Effect"] == effect]
    return {action for given in lists for action in ([given] if isinstance(given, str) else given)}


@pytest.mark.parametrize(("stack", "name"), FUNCTIONS)
def test_a_function_is_python_on_arm64_and_amazon_linux_2023(default: Templates, stack: str, name: str) -> None:
    function = default[stack].one("Lambda::Function")
    assert function["Architectures"] == ["arm64"]
    assert function["Runtime"] == "python3.14"
    assert function["FunctionName"] == f"miyabi-{name}"
    assert function["Handler"] == f"miyabi.wiring.aws_lambda.{name}.handler"


@pytest.mark.parametrize(("stack", "name"), FUNCTIONS)
def test_a_function_is_traced_and_logs_json_to_its_own_group(default: Templates, stack: str, name: str) -> None:
    function = default[stack].one("Lambda::Function")
    assert function["TracingConfig"] == {"Mode": "Active"}
    assert function["LoggingConfig"]["LogFormat"] == "JSON"
    assert "LogGroup" in function["LoggingConfig"]


def test_the_task_api_has_256_mb_30_seconds_and_100_at_a_time(default: Templates) -> None:
    tasks = default["tasks"].one("Lambda::Function")
    assert (tasks["MemorySize"], tasks["Timeout"], tasks["ReservedConcurrentExecutions"]) == (256, 30, 100)


def test_the_collector_has_256_mb_60_seconds_and_10_at_a_time(default: Templates) -> None:
    collector = default["collector"].one("Lambda::Function")
    assert (collector["MemorySize"], collector["Timeout"], collector["ReservedConcurrentExecutions"]) == (256, 60, 10)


def test_memory_and_concurrency_are_settings(scaled: Templates) -> None:
    tasks, collector = (scaled[name].one("Lambda::Function") for name in ("tasks", "collector"))
    assert (tasks["MemorySize"], tasks["ReservedConcurrentExecutions"]) == (1024, 1000)
    assert (collector["MemorySize"], collector["ReservedConcurrentExecutions"]) == (512, 100)


@pytest.mark.parametrize("stack", ["tasks", "collector"])
def test_task_api_and_collector_are_in_the_private_subnets(default: Templates, scaled: Templates, stack: str) -> None:
    network = default[stack].one("Lambda::Function")["VpcConfig"]
    assert len(network["SubnetIds"]) == 2
    assert network["Ipv6AllowedForDualStack"] is True
    assert scaled[stack].one("Lambda::Function")["VpcConfig"]["Ipv6AllowedForDualStack"] is False


@pytest.mark.parametrize("stack", ["tasks", "collector"])
def test_logs_are_asked_where_ipv6_or_the_endpoint_leads_to(default: Templates, scaled: Templates, stack: str) -> None:
    def logs(templates: Templates) -> str:
        return str(templates[stack].one("Lambda::Function")["Environment"]["Variables"]["MIYABI_LOGS"])

    assert logs(default) == "cloudwatch:?endpoint=https://logs.us-east-1.api.aws&probe=false"
    assert logs(scaled) == "cloudwatch:?probe=false"


def test_the_authorizer_is_outside_the_network_because_it_asks_the_issuer(default: Templates) -> None:
    assert "VpcConfig" not in default["auth"].one("Lambda::Function")


@pytest.mark.parametrize("stack", ["tasks", "collector"])
def test_records_lines_and_redis_are_all_that_a_function_may_use(default: Templates, stack: str) -> None:
    own = {"sqs:SendMessage"} if stack == "collector" else set()
    services = {action.split(":")[0] for action in actions(default[stack]) - own}
    assert services == {"dynamodb", "ec2", "elasticache", "logs", "xray"}
    assert not [action for action in actions(default[stack]) if "*" in action]
    assert "dynamodb:Scan" not in actions(default[stack])


@pytest.mark.parametrize("stack", ["tasks", "collector"])
def test_tables_and_indexes_are_named_one_by_one(default: Templates, stack: str) -> None:
    [records] = [one for one in statements(default[stack]) if "dynamodb:Query" in one["Action"]]
    named = [json.dumps(resource).split("table/")[1].strip('"]} ') for resource in records["Resource"]]
    assert set(named) == {
        "miyabi-projects",
        "miyabi-tasks",
        *(f"miyabi-tasks/index/{index}" for index in ("ProjectIndex", "StatusIndex", "TypeIndex")),
    }


@pytest.mark.parametrize("stack", ["tasks", "collector"])
def test_the_code_itself_may_not_touch_network_interfaces(default: Templates, stack: str) -> None:
    allowed = {action for action in actions(default[stack]) if action.startswith("ec2:")}
    assert actions(default[stack], "Deny") == allowed
    [denied] = [one for one in statements(default[stack]) if one["Effect"] == "Deny"]
    assert f"function:miyabi-{stack}" in json.dumps(denied["Condition"]["ArnEquals"]["lambda:SourceFunctionArn"])


def test_the_authorizer_may_log_trace_and_read_one_secret(default: Templates, scaled: Templates) -> None:
    plain = {"logs:CreateLogStream", "logs:PutLogEvents", "xray:PutTelemetryRecords", "xray:PutTraceSegments"}
    assert actions(default["auth"]) == plain
    assert actions(scaled["auth"]) == {*plain, "ssm:GetParameter"}
    [secret] = [one for one in statements(scaled["auth"]) if one["Action"] == "ssm:GetParameter"]
    assert "parameter/board/secret" in json.dumps(secret["Resource"])


@pytest.mark.parametrize(("stack", "name"), FUNCTIONS)
def test_no_secret_stands_in_an_environment(scaled: Templates, stack: str, name: str) -> None:
    variables = scaled[stack].one("Lambda::Function")["Environment"]["Variables"]
    assert not [key for key in variables if key.endswith(("SECRET", "PASSWORD", "TOKEN", "KEY"))]
    if name == "authorizer":
        assert variables["MIYABI_AUTH_SECRET_PARAMETER"] == "/board/secret"


def test_every_job_group_pushes_its_lines_and_the_systems_own_never(default: Templates) -> None:
    pushed = {one["LogGroupName"] for one in default["collector"].of("Logs::SubscriptionFilter")}
    assert pushed == {"/miyabi/cdk-deploy", "/miyabi/agents", "/miyabi/jobs"}
    assert {one["FilterPattern"] for one in default["collector"].of("Logs::SubscriptionFilter")} == {""}


def test_a_sweep_calls_the_collector_every_minute(default: Templates) -> None:
    rule = default["collector"].one("Events::Rule")
    assert (rule["ScheduleExpression"], rule["State"]) == ("rate(1 minute)", "ENABLED")


def test_only_this_accounts_groups_and_rule_may_call_the_collector(default: Templates) -> None:
    allowed = default["collector"].of("Lambda::Permission")
    assert sorted(one["Principal"] for one in allowed) == ["events.amazonaws.com", *["logs.amazonaws.com"] * 3]
    assert all("SourceArn" in one and one["SourceAccount"] == {"Ref": "AWS::AccountId"} for one in allowed)


def test_a_call_that_failed_three_times_is_kept_in_an_encrypted_queue(default: Templates) -> None:
    kept = default["collector"].one("Lambda::EventInvokeConfig")
    assert kept["MaximumRetryAttempts"] == 2
    queue = default["collector"].one("SQS::Queue")
    assert queue["SqsManagedSseEnabled"] is True
    assert queue["MessageRetentionPeriod"] == 14 * 24 * 3600
    [name] = [name for name, one in default["collector"].whole["Resources"].items() if one["Type"] == "AWS::SQS::Queue"]
    assert kept["DestinationConfig"]["OnFailure"]["Destination"] == {"Fn::GetAtt": [name, "Arn"]}


def test_the_task_api_can_be_kept_started(default: Templates, scaled: Templates) -> None:
    assert not default["tasks"].of("Lambda::Alias")
    alias = scaled["tasks"].one("Lambda::Alias")
    assert alias["ProvisionedConcurrencyConfig"] == {"ProvisionedConcurrentExecutions": 5}


def test_or_be_started_from_a_snapshot(snapshots: Templates) -> None:
    assert snapshots["tasks"].one("Lambda::Function")["SnapStart"] == {"ApplyOn": "PublishedVersions"}
    assert snapshots["tasks"].one("Lambda::Alias")["Name"] == "live"


def test_the_gateway_asks_the_alias_where_there_is_one(default: Templates, snapshots: Templates) -> None:
    def asked(templates: Templates) -> set[bool]:
        methods = json.dumps([one["Integration"]["Uri"] for one in templates["gateway"].of("ApiGateway::Method")])
        return {"miyabi-tasks:live/" in methods, "miyabi-tasks/" not in methods}

    assert asked(default) == {False}
    assert asked(snapshots) == {True}
