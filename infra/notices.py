"""Notices: a function outside the network, which reaches whoever is to be told; there where the settings say so."""

from __future__ import annotations

from aws_cdk import aws_events as events
from aws_cdk import aws_iam as iam
from aws_cdk import aws_lambda as lambda_
from constructs import Construct

from infra import stores
from infra.function import Code, Shape, make_function
from infra.service import Service
from miyabi.deployment import Deployment

MEMORY, SECONDS = 512, 60
"""MB, of which a function's share of a CPU comes: apprise takes most of a second of a whole one to import."""
OLDEST_SECONDS = 60
"""A call that waits longer is dropped: others have come since, and each does all that is due."""
CLOCK = "rate(5 minutes)"
"""For what no run of the collector tells of: a digest after quiet hours, a target that was away."""
MEMOS = "memo:notices*"
"""The partition keys that it writes: what was told, and how far it has read."""


class Notices(Service):
    """Comes after the page, to which its links lead; the collector knows nothing of it but that its runs are told."""

    def __init__(self, scope: Construct, settings: Deployment, code: Code) -> None:
        super().__init__(scope, "notices", settings, "telling people when it matters")
        shape = Shape(
            name="notices",
            about="Tells people of tasks that failed, wait or have completed",
            memory=MEMORY,
            seconds=SECONDS,
            environment=self._environment(),
            in_network=False,
        )
        self.function = make_function(self, code, shape, [*self._records(), self._addresses()])
        self._made_once()
        self._woken()

    def _environment(self) -> dict[str, str]:
        given = {
            "MIYABI_DATABASE": stores.database(self),
            "MIYABI_NOTIFY": f"ssm:{self.settings.notify_parameter}",
            "MIYABI_PUBLIC_URL": f"https://{self.shared('web/domain')}",
        }
        if self.settings.notify_secret_parameter:
            given["MIYABI_NOTIFY_SECRET"] = f"ssm:{self.settings.notify_secret_parameter}"
        return given

    def _records(self) -> list[iam.PolicyStatement]:
        """All of the tasks, and of what is beside them its own memos."""
        table, *indexes = stores.tasks_arns(self)
        own = {"ForAllValues:StringLike": {"dynamodb:LeadingKeys": [MEMOS]}}
        read = ["dynamodb:BatchGetItem", "dynamodb:GetItem", "dynamodb:Query"]
        return [
            iam.PolicyStatement(actions=read, resources=[table, *indexes]),
            iam.PolicyStatement(actions=["dynamodb:PutItem"], resources=[table], conditions=own),
        ]

    def _addresses(self) -> iam.PolicyStatement:
        names = filter(None, (self.settings.notify_parameter, self.settings.notify_secret_parameter))
        parameters = [self.arn_of("ssm", f"parameter{name}") for name in names]
        return iam.PolicyStatement(actions=["ssm:GetParameter"], resources=parameters)

    def _made_once(self) -> None:
        lambda_.CfnEventInvokeConfig(
            self,
            "Once",
            function_name=self.function.ref,
            qualifier="$LATEST",
            maximum_retry_attempts=0,
            maximum_event_age_in_seconds=OLDEST_SECONDS,
        )

    def _woken(self) -> None:
        """By each run of the collector that went well, a push or a sweep; of what it read nothing comes along."""
        rule = events.CfnRule(
            self,
            "Woken",
            name=self.name("notices"),
            description="The collector has run: somebody may have to be told",
            event_pattern={"source": ["lambda"], "resources": [{"prefix": f"{self.function_arn('collector')}:"}]},
            schedule_expression=CLOCK,
            state="ENABLED",
            targets=[events.CfnRule.TargetProperty(id="notices", arn=self.function.attr_arn, input="{}")],
        )
        lambda_.CfnPermission(
            self,
            "Rule may call",
            action="lambda:InvokeFunction",
            function_name=self.function.ref,
            principal="events.amazonaws.com",
            source_arn=rule.attr_arn,
            source_account=self.account,
        )
