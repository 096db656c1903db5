"""The dashboard: a row for each service in the order of the flow, and the alarms on top."""

from __future__ import annotations

from collections.abc import Sequence

from aws_cdk import aws_cloudwatch as cloudwatch

from infra.cache import first_node
from infra.objectives import metric, of_function, of_gateway, of_service, of_table
from infra.service import Service

WIDE, HIGH = 8, 6


def dashboard(service: Service, alarms: Sequence[cloudwatch.IAlarm]) -> cloudwatch.Dashboard:
    """Shows only metrics that are there anyway."""
    prefix = service.settings.prefix
    made = cloudwatch.Dashboard(service, "Dashboard", dashboard_name=prefix)
    made.add_widgets(cloudwatch.AlarmStatusWidget(title="Alarms", alarms=list(alarms), width=24, height=3))
    made.add_widgets(*_page(service))
    made.add_widgets(*_gateway(f"{prefix}-gateway"))
    for name, title in (("tasks", "Task API"), ("collector", "Collector")):
        made.add_widgets(*_function(f"{prefix}-{name}", title))
    made.add_widgets(*_cache(first_node(service.settings)))
    made.add_widgets(*_database(f"{prefix}-tasks"))
    made.add_widgets(*_logs(prefix))
    return made


def _graph(title: str, *left: cloudwatch.IMetric) -> cloudwatch.GraphWidget:
    return cloudwatch.GraphWidget(title=title, left=list(left), width=WIDE, height=HIGH)


def _page(service: Service) -> list[cloudwatch.IWidget]:
    def of(name: str, statistic: str) -> cloudwatch.Metric:
        where = {"DistributionId": service.shared("web/distribution"), "Region": "Global"}
        return metric("AWS/CloudFront", name, statistic, region="us-east-1", **where)

    return [
        _graph("Web UI: requests", of("Requests", "Sum")),
        _graph("Web UI: errors (%)", of("5xxErrorRate", "Average"), of("4xxErrorRate", "Average")),
        _graph("Web UI: bytes", of("BytesDownloaded", "Sum")),
    ]


def _gateway(name: str) -> list[cloudwatch.IWidget]:
    return [
        _graph("Gateway: requests", of_gateway(name, "Count", "Sum")),
        _graph("Gateway: errors", of_gateway(name, "5XXError", "Sum"), of_gateway(name, "4XXError", "Sum")),
        _graph("Gateway: time (ms)", *(of_gateway(name, kind, "p95") for kind in ("Latency", "IntegrationLatency"))),
    ]


def _function(name: str, title: str) -> list[cloudwatch.IWidget]:
    return [
        _graph(f"{title}: calls", of_function(name, "Invocations", "Sum"), of_function(name, "Throttles", "Sum")),
        _graph(f"{title}: errors", of_function(name, "Errors", "Sum")),
        _graph(f"{title}: time (ms)", *(of_function(name, "Duration", kind) for kind in ("p50", "p95", "p99"))),
    ]


def _cache(node: str) -> list[cloudwatch.IWidget]:
    def of(name: str) -> cloudwatch.Metric:
        return metric("AWS/ElastiCache", name, "Average", CacheClusterId=node)

    return [
        _graph("Cache: hits and misses", of_service("tasks", "CacheHits"), of_service("tasks", "CacheMisses")),
        _graph("Cache: not reached", *(of_service(name, "RedisConnectionFailures") for name in ("tasks", "collector"))),
        _graph("Cache: CPU and memory (%)", of("EngineCPUUtilization"), of("DatabaseMemoryUsagePercentage")),
    ]


def _database(table: str) -> list[cloudwatch.IWidget]:
    used = (of_table(table, f"Consumed{kind}CapacityUnits", "Sum") for kind in ("Read", "Write"))
    refused = (of_table(table, f"{kind}ThrottleEvents", "Sum") for kind in ("Read", "Write"))
    return [
        _graph("Database: units", *used),
        _graph("Database: throttled", *refused),
        _graph(
            "Database: lists (ms)",
            *(of_table(table, "SuccessfulRequestLatency", kind, Operation="Query") for kind in ("p50", "p99")),
        ),
    ]


def _logs(prefix: str) -> list[cloudwatch.IWidget]:
    queue = metric("AWS/SQS", "ApproximateNumberOfMessagesVisible", "Maximum", QueueName=f"{prefix}-collector-failed")
    return [
        _graph("Logging: lines read", of_service("collector", "LinesRead")),
        _graph("Logging: retries", *(of_service(name, "LogsRetries") for name in ("tasks", "collector"))),
        _graph("Collector: failed calls kept", queue),
    ]
