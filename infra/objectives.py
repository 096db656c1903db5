"""What the services are measured against, and the metrics that tell.

An alarm costs $0.10 a month for each metric in it, so a rate that AWS gives as one metric is taken as that, and each
objective has the fewest metrics that tell it.
"""

from __future__ import annotations

from collections.abc import Mapping

from aws_cdk import Duration
from aws_cdk import aws_cloudwatch as cloudwatch
from msgspec import Struct

NAMESPACE = "Miyabi"
"""Of the metrics that the functions themselves write (embedded metric format), with the dimension ``Service``."""
READ = "Query"
"""The operation of DynamoDB that stands for all: every list, history and project is one."""


class Objective(Struct, frozen=True, kw_only=True):
    """One service's objective: the share of requests that may fail, and how long an answer may take."""

    name: str
    about: str
    failing: str
    """Metric math for the share of requests that fail, over :attr:`of`."""
    of: Mapping[str, cloudwatch.IMetric]
    budget: float
    """The share that may fail: 0.001 is 0.1 %."""


class Latency(Struct, frozen=True, kw_only=True):
    """An answer's time."""

    name: str
    about: str
    time: str
    of: Mapping[str, cloudwatch.IMetric]
    most: float
    """In the metric's own unit."""


def metric(namespace: str, name: str, statistic: str, region: str | None = None, **of: str) -> cloudwatch.Metric:
    """A metric over five minutes."""
    return cloudwatch.Metric(
        namespace=namespace,
        metric_name=name,
        statistic=statistic,
        dimensions_map=of,
        period=Duration.minutes(5),
        region=region,
    )


def of_function(name: str, metric_name: str, statistic: str) -> cloudwatch.Metric:
    """A metric of a Lambda function."""
    return metric("AWS/Lambda", metric_name, statistic, FunctionName=name)


def of_gateway(name: str, metric_name: str, statistic: str) -> cloudwatch.Metric:
    """A metric of the REST API; the average of ``5XXError`` is the share of requests."""
    return metric("AWS/ApiGateway", metric_name, statistic, ApiName=name, Stage="live")


def of_table(name: str, metric_name: str, statistic: str, **of: str) -> cloudwatch.Metric:
    """A metric of a DynamoDB table."""
    return metric("AWS/DynamoDB", metric_name, statistic, TableName=name, **of)


def of_service(service: str, metric_name: str) -> cloudwatch.Metric:
    """A count that a function writes."""
    return metric(NAMESPACE, metric_name, "Sum", Service=service)


def errors_of_function(prefix: str, name: str, about: str, budget: float) -> Objective:
    """Calls that ended in an error, of all."""
    function = f"{prefix}-{name}"
    counted = {"errors": of_function(function, "Errors", "Sum"), "calls": of_function(function, "Invocations", "Sum")}
    return Objective(name=name, about=about, failing="errors / calls", of=counted, budget=budget)


def objectives(prefix: str) -> list[Objective]:
    """All but the page's, which is measured where CloudFront's metrics are."""
    table = f"{prefix}-tasks"
    served = of_table(table, "SuccessfulRequestLatency", "SampleCount", Operation=READ)
    broken = of_table(table, "SystemErrors", "Sum", Operation=READ)
    lost, calls = of_service("tasks", "RedisConnectionFailures"), of_function(f"{prefix}-tasks", "Invocations", "Sum")
    return [
        Objective(
            name="gateway",
            about="99.95 % of requests are answered, less than 0.1 % with an error",
            failing="failed",
            of={"failed": of_gateway(f"{prefix}-gateway", "5XXError", "Average")},
            budget=0.0005,
        ),
        errors_of_function(prefix, "tasks", "99.9 % of the task API's calls are answered", 0.001),
        errors_of_function(prefix, "collector", "99.5 % of the collector's runs end well", 0.005),
        Objective(
            name="cache",
            about="99.9 % of the task API's calls find Redis",
            failing="FILL(lost, 0) / calls",
            of={"lost": lost, "calls": calls},
            budget=0.001,
        ),
        Objective(
            name="database",
            about="99.99 % of requests are answered, less than 0.01 % with an error",
            failing="FILL(broken, 0) / (FILL(broken, 0) + served)",
            of={"broken": broken, "served": served},
            budget=0.0001,
        ),
    ]


def of_page(distribution: str) -> Objective:
    """The page's, in the distribution whose id is given. The metric is in percent."""
    where = {"DistributionId": distribution, "Region": "Global"}
    return Objective(
        name="web",
        about="99.99 % of the page's requests are answered, less than 0.01 % with an error",
        failing="percent",
        of={"percent": metric("AWS/CloudFront", "5xxErrorRate", "Average", **where)},
        budget=0.01,
    )


def latencies(prefix: str, redis: str) -> list[Latency]:
    """One for each service that says how long it takes; ``redis`` is the node that is asked."""
    gateway, table = f"{prefix}-gateway", f"{prefix}-tasks"
    way = {"whole": of_gateway(gateway, "Latency", "p95"), "behind": of_gateway(gateway, "IntegrationLatency", "p95")}
    tasks, collector = (of_function(f"{prefix}-{name}", "Duration", "p95") for name in ("tasks", "collector"))
    reads = metric("AWS/ElastiCache", "GetTypeCmdsLatency", "Average", CacheClusterId=redis)
    lists = of_table(table, "SuccessfulRequestLatency", "p99", Operation=READ)
    return [
        Latency(name="gateway", about="routing: P95 < 50 ms", time="whole - behind", of=way, most=50),
        Latency(name="tasks", about="P95 < 100 ms", time="taken", of={"taken": tasks}, most=100),
        Latency(name="collector", about="P95 < 500 ms", time="taken", of={"taken": collector}, most=500),
        Latency(name="cache", about="mean < 1 ms, in µs; Redis tells no percentile", time="taken", of={"taken": reads},
                most=1000),
        Latency(name="database", about="lists: P99 < 10 ms", time="taken", of={"taken": lists}, most=10),
    ]  # fmt: skip
