"""Alarms by how fast an error budget is used up, over a long and a short window at once.

The long window says that it matters, the short one that it is still so. (Google, "The Site Reliability Workbook",
chapter 5: 6 times as fast as a budget of 30 days allows, over 6 hours and 30 minutes, uses up 5 % of it.) A total
failure is told after 3 minutes where 0.1 % may fail.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from aws_cdk import Duration
from aws_cdk import aws_cloudwatch as cloudwatch
from constructs import Construct

from infra.objectives import Latency, Objective

BURN = 6
WINDOWS: Mapping[str, Duration] = {"long": Duration.hours(6), "short": Duration.minutes(30)}
SLOW_OF = (3, 4)
"""A latency is too long in 3 of 4 times five minutes."""
QUIET = cloudwatch.TreatMissingData.NOT_BREACHING


def burning(scope: Construct, prefix: str, objective: Objective) -> cloudwatch.IAlarmRule:
    """Both windows of one objective."""
    alarms = [_window(scope, prefix, objective, window) for window in WINDOWS]
    return cloudwatch.AlarmRule.all_of(
        *(cloudwatch.AlarmRule.from_alarm(alarm, cloudwatch.AlarmState.ALARM) for alarm in alarms)
    )


def _window(scope: Construct, prefix: str, objective: Objective, window: str) -> cloudwatch.Alarm:
    failing = cloudwatch.MathExpression(
        expression=objective.failing, using_metrics=objective.of, period=WINDOWS[window], label="failing"
    )
    return cloudwatch.Alarm(
        scope,
        f"{objective.name} errors {window}",
        alarm_name=f"{prefix}-{objective.name}-errors-{window}",
        alarm_description=f"{objective.about}. The budget burns {BURN} times too fast ({window} window).",
        metric=_single(failing, objective.of, WINDOWS[window]),
        threshold=BURN * objective.budget,
        comparison_operator=cloudwatch.ComparisonOperator.GREATER_THAN_THRESHOLD,
        evaluation_periods=1,
        treat_missing_data=QUIET,
    )


def _single(math: cloudwatch.IMetric, of: Mapping[str, cloudwatch.IMetric], period: Duration) -> cloudwatch.IMetric:
    """Of one metric alone no expression is needed."""
    [*metrics] = of.values()
    return metrics[0].with_(period=period) if len(metrics) == 1 and isinstance(metrics[0], cloudwatch.Metric) else math


def slow(scope: Construct, prefix: str, latency: Latency) -> cloudwatch.Alarm:
    """One service's answers take too long."""
    often, of = SLOW_OF
    math = cloudwatch.MathExpression(
        expression=latency.time, using_metrics=latency.of, period=Duration.minutes(5), label="time"
    )
    return cloudwatch.Alarm(
        scope,
        f"{latency.name} latency",
        alarm_name=f"{prefix}-{latency.name}-latency",
        alarm_description=f"{latency.about}, missed in {often} of {of} times 5 minutes.",
        metric=_single(math, latency.of, Duration.minutes(5)),
        threshold=latency.most,
        comparison_operator=cloudwatch.ComparisonOperator.GREATER_THAN_THRESHOLD,
        evaluation_periods=of,
        datapoints_to_alarm=often,
        treat_missing_data=QUIET,
    )


def counted(
    scope: Construct, prefix: str, name: str, about: str, of: Sequence[cloudwatch.IMetric], most: float = 0
) -> cloudwatch.Alarm:
    """Something happened more than ``most`` times in five minutes."""
    metrics = {f"m{number}": metric for number, metric in enumerate(of)}
    total = cloudwatch.MathExpression(
        expression=" + ".join(f"FILL({name}, 0)" for name in metrics),
        using_metrics=metrics,
        period=Duration.minutes(5),
        label=name,
    )
    return cloudwatch.Alarm(
        scope,
        name,
        alarm_name=f"{prefix}-{name}",
        alarm_description=about,
        metric=_single(total, metrics, Duration.minutes(5)),
        threshold=most,
        comparison_operator=cloudwatch.ComparisonOperator.GREATER_THAN_THRESHOLD,
        evaluation_periods=1,
        treat_missing_data=QUIET,
    )
