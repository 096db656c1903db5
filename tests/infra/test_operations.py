"""Alarms and dashboard: one alarm for each objective, and few metrics, because each costs."""

from __future__ import annotations

import json
from collections.abc import Mapping

import pytest
from tests.support.templates import Json, Template

Templates = Mapping[str, Template]
MOST_METRICS = 36
"""At $0.10 a month each."""


def alarms(templates: Templates) -> dict[str, Json]:
    stacks = [templates[name] for name in ("operations", "web-alarms") if name in templates]
    found = [alarm for stack in stacks for alarm in stack.of("CloudWatch::Alarm")]
    return {alarm["AlarmName"].removeprefix("miyabi-"): alarm for alarm in found}


def metrics(alarm: Json) -> list[Json]:
    if "MetricName" in alarm:
        return [alarm]
    return [one["MetricStat"]["Metric"] for one in alarm["Metrics"] if "MetricStat" in one]


@pytest.mark.parametrize(
    ("service", "budget"),
    [("gateway", 0.0005), ("tasks", 0.001), ("collector", 0.005), ("cache", 0.001), ("database", 0.0001)],
)
def test_a_budget_that_burns_six_times_too_fast_over_both_windows_is_alarmed_about(
    default: Templates, service: str, budget: float
) -> None:
    for window, seconds in (("long", 6 * 3600), ("short", 1800)):
        alarm = alarms(default)[f"{service}-errors-{window}"]
        assert alarm["Threshold"] == pytest.approx(6 * budget)
        periods = {alarm.get("Period")} | {
            one["MetricStat"]["Period"] for one in alarm.get("Metrics", ()) if "MetricStat" in one
        }
        assert periods - {None} == {seconds}
    rule = json.dumps(default["operations"].one("CloudWatch::CompositeAlarm")["AlarmRule"])
    assert rule.count(" AND ") == 6
    assert rule.count(" OR ") == 5


def test_the_pages_errors_are_watched_where_cloudfronts_metrics_are(default: Templates, scaled: Templates) -> None:
    assert "web-alarms" not in default, "all is in us-east-1"
    assert scaled["web-alarms"].of("CloudWatch::Alarm")
    for window in ("long", "short"):
        alarm = alarms(default)[f"web-errors-{window}"]
        assert alarm["Threshold"] == pytest.approx(6 * 0.01)  # percent
        assert alarm["MetricName"] == "5xxErrorRate"


@pytest.mark.parametrize(
    ("service", "most"),
    [("gateway", 50), ("tasks", 100), ("collector", 500), ("cache", 1000), ("database", 10)],
)
def test_answers_that_take_longer_than_the_objective_are_alarmed_about(
    default: Templates, service: str, most: int
) -> None:
    alarm = alarms(default)[f"{service}-latency"]
    assert (alarm["Threshold"], alarm["DatapointsToAlarm"], alarm["EvaluationPeriods"]) == (most, 3, 4)


@pytest.mark.parametrize(
    ("alarm", "metric"),
    [
        ("redis-connection-failures", "RedisConnectionFailures"),
        ("retries", "LogsRetries"),
        ("retries", "DatabaseRetries"),
        ("throttled-functions", "Throttles"),
        ("throttled-tables", "WriteThrottleEvents"),
        ("collector-failed", "ApproximateNumberOfMessagesVisible"),
    ],
)
def test_what_should_not_happen_is_alarmed_about(default: Templates, alarm: str, metric: str) -> None:
    assert metric in {one["MetricName"] for one in metrics(alarms(default)[alarm])}


def test_what_the_functions_count_themselves_is_in_the_namespace_miyabi_by_service(default: Templates) -> None:
    [first, second] = metrics(alarms(default)["redis-connection-failures"])
    assert {first["Namespace"], second["Namespace"]} == {"Miyabi"}
    services = [one["Dimensions"] for one in (first, second)]
    assert services == [[{"Name": "Service", "Value": name}] for name in ("tasks", "collector")]


def test_no_news_is_good_news(default: Templates) -> None:
    assert {alarm["TreatMissingData"] for alarm in alarms(default).values()} == {"notBreaching"}


def test_all_alarms_together_have_few_metrics(default: Templates) -> None:
    assert sum(len(metrics(alarm)) for alarm in alarms(default).values()) <= MOST_METRICS


def test_nobody_is_told_and_no_key_is_paid_for_without_an_address(default: Templates) -> None:
    assert not default["operations"].of("SNS::Topic")
    assert not default["operations"].of("KMS::Key")


def test_mail_comes_through_an_encrypted_topic(scaled: Templates) -> None:
    for stack in ("operations", "web-alarms"):
        assert "KmsMasterKeyId" in scaled[stack].one("SNS::Topic")
        mail = scaled[stack].one("SNS::Subscription")
        assert (mail["Protocol"], mail["Endpoint"]) == ("email", "board@example.org")
        assert scaled[stack].one("KMS::Key")["EnableKeyRotation"] is True


def test_each_alarm_is_told_once(scaled: Templates) -> None:
    told = {name for name, alarm in alarms(scaled).items() if alarm.get("AlarmActions")}
    assert not [name for name in told if "-errors-" in name], "the composite alarm tells of these"
    assert {"redis-connection-failures", "gateway-latency", "collector-failed"} <= told
    for stack in ("operations", "web-alarms"):
        assert scaled[stack].one("CloudWatch::CompositeAlarm")["AlarmActions"]


def test_the_dashboard_shows_every_service_and_its_alarms(default: Templates) -> None:
    board = json.dumps(default["operations"].one("CloudWatch::Dashboard")["DashboardBody"])
    for title in ("Alarms", "Web UI", "Gateway", "Task API", "Collector", "Cache", "Database", "Logging"):
        assert title in board
