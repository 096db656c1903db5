"""Service 7, logging: the log groups and how long they keep lines."""

from __future__ import annotations

from aws_cdk.aws_logs import CfnLogGroup
from constructs import Construct

from infra.service import GROUPS, Service
from miyabi.deployment import Deployment


class Logs(Service):
    """The product's groups. Those of the functions are made with the functions."""

    def __init__(self, scope: Construct, settings: Deployment) -> None:
        super().__init__(scope, "logs", settings, "the log groups")
        for group in GROUPS:
            made = CfnLogGroup(self, group, log_group_name=group, retention_in_days=settings.retention_days)
            made.apply_removal_policy(self.keeping)
