"""Service 4, the progress collector: a function that new lines, a clock and the gateway call."""

from __future__ import annotations

from aws_cdk import Duration, RemovalPolicy
from aws_cdk import aws_events as events
from aws_cdk import aws_iam as iam
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_logs as logs
from aws_cdk import aws_sqs as sqs
from constructs import Construct

from infra import stores
from infra.function import Code, Shape, make_function
from infra.service import JOB_GROUPS, Service, accept
from miyabi.deployment import Deployment

SECONDS = 60
RETRIES = 2
"""Lambda's own, a minute and two minutes after; then what it was called with is put into the queue."""
OLDEST_SECONDS = 3600
"""A call that could not be made for so long is put into the queue: a sweep has read its lines long since."""
KEPT_DAYS = 14
_IS_THE_LAST = "It is the dead-letter queue itself."


class Collector(Service):
    """Never subscribed to ``/miyabi/system``: its own lines would call it again and again."""

    def __init__(self, scope: Construct, settings: Deployment, code: Code) -> None:
        super().__init__(scope, "collector", settings, "the progress collector")
        self.failed = self._queue()
        shape = Shape(
            name="collector",
            about="Miyabi's progress collector",
            memory=settings.collector_memory,
            seconds=SECONDS,
            concurrency=settings.collector_concurrency,
            environment=stores.environment(self),
        )
        put = iam.PolicyStatement(actions=["sqs:SendMessage"], resources=[self.failed.queue_arn])
        self.function = make_function(self, code, shape, [*stores.allowed(self), put, *self._may_tell()])
        stores.accept_streams(self, self.node.find_child("Role"))
        self._keep_failed()
        self._sweep()
        self._push()

    def _queue(self) -> sqs.Queue:
        queue = sqs.Queue(
            self,
            "Failed",
            queue_name=self.name("collector-failed"),
            encryption=sqs.QueueEncryption.SQS_MANAGED,
            enforce_ssl=True,
            retention_period=Duration.days(KEPT_DAYS),
            removal_policy=RemovalPolicy.DESTROY,
        )
        accept(queue, {"SQS3": _IS_THE_LAST})
        return queue

    @property
    def _tells(self) -> bool:
        """Whether its runs are told on the account's event bus: notices go out then, and nothing else listens."""
        return self.settings.notify_parameter is not None

    @property
    def _bus(self) -> str:
        return self.arn_of("events", "event-bus/default")

    def _may_tell(self) -> list[iam.PolicyStatement]:
        return [iam.PolicyStatement(actions=["events:PutEvents"], resources=[self._bus])] if self._tells else []

    def _keep_failed(self) -> None:
        invoked = lambda_.CfnEventInvokeConfig
        success = invoked.OnSuccessProperty(destination=self._bus) if self._tells else None
        failure = invoked.OnFailureProperty(destination=self.failed.queue_arn)
        invoked(
            self,
            "Failures",
            function_name=self.function.ref,
            qualifier="$LATEST",
            maximum_retry_attempts=RETRIES,
            maximum_event_age_in_seconds=OLDEST_SECONDS,
            destination_config=invoked.DestinationConfigProperty(on_failure=failure, on_success=success),
        )

    def _sweep(self) -> None:
        """Once a minute, so that nothing is missed when a push fails."""
        rule = events.CfnRule(
            self,
            "Sweep",
            name=self.name("sweep"),
            description="Looks for lines that no push told of",
            schedule_expression="rate(1 minute)",
            state="ENABLED",
            targets=[events.CfnRule.TargetProperty(id="collector", arn=self.function.attr_arn)],
        )
        self._allow("Sweep may call", "events.amazonaws.com", rule.attr_arn)

    def _push(self) -> None:
        for group in JOB_GROUPS:
            arn = self.log_group_arn(group)
            allowed = self._allow(f"{group} may call", "logs.amazonaws.com", f"{arn}:*")
            subscription = logs.CfnSubscriptionFilter(
                self,
                f"{group} pushes",
                log_group_name=group,
                filter_name=self.name("collector"),
                filter_pattern="",
                destination_arn=self.function.attr_arn,
            )
            subscription.add_resource_dependency(allowed)

    def _allow(self, id: str, who: str, source: str) -> lambda_.CfnPermission:
        return lambda_.CfnPermission(
            self,
            id,
            action="lambda:InvokeFunction",
            function_name=self.function.ref,
            principal=who,
            source_arn=source,
            source_account=self.account,
        )
