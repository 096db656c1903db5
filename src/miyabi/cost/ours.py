"""What our deployment costs, from its settings."""

from __future__ import annotations

from msgspec import Struct

from miyabi.cost import parts
from miyabi.cost.bill import Bill, Item, millions
from miyabi.cost.load import REQUESTS_PER_PAGE, Load
from miyabi.cost.prices import HOURS, SECONDS, Prices
from miyabi.deployment import Deployment

ZONES = 2
TABLES_AND_INDEXES = 5
TOPIC_KEYS = 2
"""CloudWatch can't write to a topic encrypted by AWS's own key, and there is a topic where each alarm is."""
COLD_STARTS = 0.01
"""Share of requests that start an environment; with SnapStart each is a restore."""


class Watch(Struct, frozen=True, kw_only=True):
    """What watches over the deployment."""

    dashboards: int = 1
    alarm_metrics: int = 41
    """Metrics that 22 alarms read: a burn rate reads errors and requests, and each of two windows is an alarm."""
    composites: int = 2
    """Alarms of alarms: a budget burns in both windows; one for the page (in us-east-1), one for the rest."""
    metrics: int = 9
    """Custom metrics (EMF), each service's counted by itself; one of ``RedisConnectionFailures`` is the cache's."""


def bill(load: Load, settings: Deployment, prices: Prices, watch: Watch | None = None) -> Bill:
    """Raises :class:`miyabi.cost.prices.UnknownPrice` for a cache node that the table does not have."""
    return Bill(
        (
            *parts.page(load, prices),
            *_api_by_cdn(load, prices),
            *parts.rest(load, prices),
            *parts.sign_in(load, prices, settings.issuer),
            *_tasks(load, settings, prices),
            *_collector(load, settings, prices),
            *parts.redis(load, prices, settings.cache_node_type, settings.cache_nodes),
            *_database(load, settings, prices),
            *parts.logs(load, prices, settings.retention_days),
            *_network(load, settings, prices),
            *_operations(load, watch or Watch(), prices),
            *_mails(settings, prices),
        )
    )


def _api_by_cdn(load: Load, prices: Prices) -> list[Item]:
    """Page and API have one origin, so that answers go out through CloudFront; from the gateway to it they are free."""
    return [
        millions("Web UI", "CloudFront, HTTPS: the API", load.requests, prices.cdn_million, "cdn requests"),
        Item("Web UI", "CloudFront, data out: the API", load.answers_gb, "GB", prices.cdn_gb, "cdn GB"),
        millions(
            "Web UI",
            "CloudFront Functions",
            load.page_loads * REQUESTS_PER_PAGE,
            prices.cdn_function_million,
            "cdn functions",
        ),
    ]


def _tasks(load: Load, settings: Deployment, prices: Prices) -> list[Item]:
    gb, seconds = settings.tasks_memory / 1024, load.task_ms / 1e3
    asked, used = parts.function("Task API", "Lambda", load.requests, seconds, gb, prices)
    if settings.provisioned_concurrency:
        kept = settings.provisioned_concurrency * gb * SECONDS
        used = Item("Task API", "Lambda, duration", used.amount, "GB-s", prices.lambda_kept_run_gb_second)
        return [asked, used, Item("Task API", "kept started", kept, "GB-s", prices.lambda_kept_gb_second)]
    if settings.snap_start:
        starts = load.requests * COLD_STARTS * gb
        snapshot = Item("Task API", "SnapStart, snapshot", gb * SECONDS, "GB-s", prices.lambda_snapshot_gb_second)
        return [asked, used, snapshot, Item("Task API", "SnapStart, restores", starts, "GB", prices.lambda_restore_gb)]
    return [asked, used]


def _collector(load: Load, settings: Deployment, prices: Prices) -> list[Item]:
    """Its schedule, its subscriptions and its dead-letter queue while it is empty cost nothing."""
    seconds, gb = load.run_ms / 1e3, settings.collector_memory / 1024
    return parts.function("Progress collector", "Lambda", load.runs, seconds, gb, prices)


def _database(load: Load, settings: Deployment, prices: Prices) -> list[Item]:
    if settings.capacity == "provisioned":
        read, write = settings.read_units * TABLES_AND_INDEXES, settings.write_units * TABLES_AND_INDEXES
        return [*parts.units(read, write, prices), *parts.stored(load, prices)]
    return [
        millions("Database", "DynamoDB, writes on demand", load.writes, prices.write_million, unit="units"),
        millions("Database", "DynamoDB, reads on demand", load.reads, prices.read_million, unit="units"),
        *parts.stored(load, prices),
    ]


def _network(load: Load, settings: Deployment, prices: Prices) -> list[Item]:
    """DynamoDB's gateway endpoint and the egress-only gateway are free, and so is their traffic within the region."""
    if settings.egress == "ipv6":
        return [Item("Network", "egress-only internet gateway, IPv6", HOURS, "h", 0.0)]
    return [
        Item("Network", f"interface endpoint, {ZONES} zones", ZONES * HOURS, "h", prices.endpoint_hour),
        Item("Network", "interface endpoint, data", load.log_gb, "GB", prices.endpoint_gb),
    ]


def _operations(load: Load, watch: Watch, prices: Prices) -> list[Item]:
    """Of the collector's runs Lambda itself records one a second and 5 % of the rest."""
    first = min(load.runs, SECONDS)
    traces = load.requests * load.traced + first + 0.05 * (load.runs - first)
    return [
        Item("Operations", "dashboard", watch.dashboards, "", prices.dashboard, "dashboards"),
        Item("Operations", "alarms", watch.alarm_metrics, "metrics", prices.alarm_metric, "alarm metrics"),
        Item("Operations", "composite alarms", watch.composites, "", prices.composite),
        Item("Operations", "custom metrics", watch.metrics, "metrics", prices.metric, "metrics"),
        millions("Operations", "X-Ray, traces recorded", traces, prices.traces_million, "traces", unit="traces"),
    ]


def _mails(settings: Deployment, prices: Prices) -> list[Item]:
    """The mails themselves are within a few cents."""
    if settings.alarms_to is None:
        return []
    return [Item("Operations", "KMS, keys of the alarms' topics", TOPIC_KEYS, "keys", prices.key)]
