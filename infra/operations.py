"""Operations: what is alarmed about, who is told, and a dashboard of all services."""

from __future__ import annotations

from collections.abc import Sequence

from aws_cdk import RemovalPolicy
from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from aws_cdk import aws_sns as sns
from aws_cdk.aws_cloudwatch_actions import SnsAction
from constructs import Construct

from infra import objectives
from infra.burn import burning, counted, slow
from infra.cache import first_node
from infra.dashboard import dashboard
from infra.objectives import metric, of_function, of_service, of_table
from infra.service import Service
from miyabi.deployment import Deployment

CLOUDFRONT_REGION = "us-east-1"
"""Where CloudFront's metrics are, whatever the region of the rest; an alarm must be where its metric is."""
RETRIES = 20
"""Calls made again in five minutes, from which on something is wrong that will not pass by itself."""


class Operations(Service):
    """Alarms without a mail address tell nobody; they can be seen, and the dashboard shows them."""

    def __init__(self, scope: Construct, settings: Deployment) -> None:
        super().__init__(scope, "operations", settings, "alarms and the dashboard")
        prefix = settings.prefix
        watched = objectives.objectives(prefix)
        if settings.region == CLOUDFRONT_REGION:
            watched.append(objectives.of_page(self.shared("web/distribution")))
        rules = [burning(self, prefix, objective) for objective in watched]
        too_fast = _composite(self, prefix, "errors", rules)
        alarms = [slow(self, prefix, latency) for latency in objectives.latencies(prefix, first_node(settings))]
        alarms += self._counted(prefix)
        told = [too_fast, *alarms]
        if settings.alarms_to:
            _tell(self, "alarms", settings.alarms_to, told)
        dashboard(self, told)

    def _counted(self, prefix: str) -> list[cloudwatch.Alarm]:
        services = ("tasks", "collector")
        functions = [of_function(f"{prefix}-{name}", "Throttles", "Sum") for name in services]
        tables = [of_table(f"{prefix}-tasks", f"{kind}ThrottleEvents", "Sum") for kind in ("Read", "Write")]
        redis = [of_service(name, "RedisConnectionFailures") for name in services]
        retries = [of_service("collector", "LogsRetries"), *(of_service(name, "DatabaseRetries") for name in services)]
        queue = metric(
            "AWS/SQS", "ApproximateNumberOfMessagesVisible", "Maximum", QueueName=f"{prefix}-collector-failed"
        )
        return [
            counted(self, prefix, "redis-connection-failures", "Redis does not answer; the database does.", redis),
            counted(
                self, prefix, "retries", "CloudWatch Logs or DynamoDB are asked again and again.", retries, RETRIES
            ),
            counted(self, prefix, "throttled-functions", "More calls than the reserved concurrency.", functions),
            counted(self, prefix, "throttled-tables", "DynamoDB refuses for lack of capacity.", tables),
            counted(self, prefix, "collector-failed", "A call of the collector failed three times.", [queue]),
        ]


class WebAlarms(Service):
    """The page's alarm, where the rest is not in us-east-1. ``python -m infra.deploy`` tells it the distribution."""

    def __init__(self, scope: Construct, settings: Deployment) -> None:
        super().__init__(scope, "web-alarms", settings, "the page's alarm", region=CLOUDFRONT_REGION)
        page = objectives.of_page(self.shared("web/distribution"))
        alarm = _composite(self, settings.prefix, "web-errors", [burning(self, settings.prefix, page)])
        if settings.alarms_to:
            _tell(self, "web-alarms", settings.alarms_to, [alarm])


def _composite(
    service: Service, prefix: str, name: str, rules: Sequence[cloudwatch.IAlarmRule]
) -> cloudwatch.CompositeAlarm:
    """One alarm for all: a composite costs as much as five metrics."""
    return cloudwatch.CompositeAlarm(
        service,
        name,
        composite_alarm_name=f"{prefix}-{name}",
        alarm_description="An error budget is used up too fast: its alarms of both windows say which.",
        alarm_rule=cloudwatch.AlarmRule.any_of(*rules),
    )


def _tell(service: Service, name: str, mail: str, alarms: Sequence[cloudwatch.AlarmBase]) -> None:
    """Send a mail for each. CloudWatch can't use AWS's own key for an encrypted topic, so there is one ($1 a month)."""
    key = kms.Key(service, "Key", enable_key_rotation=True, removal_policy=RemovalPolicy.DESTROY)
    cloudwatch_itself = iam.ServicePrincipal("cloudwatch.amazonaws.com")
    key.grant(cloudwatch_itself, "kms:Decrypt", "kms:GenerateDataKey*")
    topic = sns.Topic(service, "Topic", topic_name=service.name(name), master_key=key, enforce_ssl=True)
    topic.grant_publish(cloudwatch_itself)
    sns.Subscription(service, "Mail", topic=topic, protocol=sns.SubscriptionProtocol.EMAIL, endpoint=mail)
    for alarm in alarms:
        alarm.add_alarm_action(SnsAction(topic))
