"""What all stacks share: names, values they tell one another at deploy time, and rules they answer for."""

from __future__ import annotations

from collections.abc import Mapping

from aws_cdk import Acknowledgment, Aws, Environment, RemovalPolicy, Stack, Validations
from aws_cdk.aws_ssm import StringParameter
from constructs import Construct, IConstruct

from miyabi.deployment import Deployment
from miyabi.model import GROUP_OF_TYPE, OTHER_GROUP, SYSTEM_GROUP

JOB_GROUPS = sorted({*GROUP_OF_TYPE.values(), OTHER_GROUP})
"""Log groups that jobs write to and the collector reads."""
GROUPS = [*JOB_GROUPS, SYSTEM_GROUP]
ALIAS = "live"
"""Names the version of the task API that is asked, where versions are published."""


class Service(Stack):
    """A stack that deploys by itself.

    It finds the others by their names and by parameters in SSM that are read when it is deployed. There are no
    exports, so that none of them holds another one back from being changed or deleted.
    """

    def __init__(
        self, scope: Construct, name: str, settings: Deployment, about: str, region: str | None = None
    ) -> None:
        env = Environment(region=region or settings.region)
        super().__init__(scope, f"{settings.prefix}-{name}", env=env, description=f"Miyabi: {about}")
        self.settings = settings

    def name(self, thing: str) -> str:
        """``miyabi-thing``."""
        return f"{self.settings.prefix}-{thing}"

    def share(self, path: str, value: str) -> None:
        """Tell other stacks a value that is known only when this one is deployed."""
        name = f"/{self.settings.prefix}/{path}"
        StringParameter(self, f"Share {path}", parameter_name=name, string_value=value)

    def shared(self, path: str) -> str:
        """A value that another stack told; it must have been deployed before."""
        return StringParameter.value_for_string_parameter(self, f"/{self.settings.prefix}/{path}")

    def arn_of(self, service: str, resource: str) -> str:
        """``arn:aws:service:region:account:resource``."""
        return f"arn:{Aws.PARTITION}:{service}:{self.region}:{self.account}:{resource}"

    def log_group_arn(self, group: str) -> str:
        """A log group's ARN, as policies and access logs want it."""
        return self.arn_of("logs", f"log-group:{group}")

    def function_arn(self, name: str) -> str:
        """What is called: a function, or its alias where versions are published."""
        published = self.settings.snap_start or self.settings.provisioned_concurrency
        alias = f":{ALIAS}" if name == "tasks" and published else ""
        return self.arn_of("lambda", f"function:{self.name(name)}{alias}")

    @property
    def keeping(self) -> RemovalPolicy:
        """What becomes of data when its stack is deleted."""
        return RemovalPolicy.RETAIN if self.settings.data == "keep" else RemovalPolicy.DESTROY


def accept(construct: IConstruct, reasons: Mapping[str, str]) -> None:
    """Answer for breaking rules of cdk-nag: each by its name, ``IAM5[Resource::*]``, with the reason."""
    for rule, reason in reasons.items():
        Validations.of(construct).acknowledge(Acknowledgment(id=f"AwsSolutions-{rule}", reason=reason))
