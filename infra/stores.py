"""The way of the functions to the stores: their addresses, and what they are allowed there."""

from __future__ import annotations

from aws_cdk import aws_iam as iam
from constructs import IConstruct

from infra.cache import group_name
from infra.service import GROUPS, Service, accept
from miyabi.database.dynamodb_reads import KEYS

_RECORDS = (
    "dynamodb:BatchGetItem",
    "dynamodb:BatchWriteItem",
    "dynamodb:ConditionCheckItem",
    "dynamodb:DeleteItem",
    "dynamodb:GetItem",
    "dynamodb:PutItem",
    "dynamodb:Query",
    "dynamodb:UpdateItem",
)
_LINES = ("logs:CreateLogStream", "logs:DescribeLogStreams", "logs:FilterLogEvents", "logs:PutLogEvents")
_OF_JOBS = "Streams are named after the tasks, by whoever runs them."
_LISTED = "Listing groups can be allowed for all groups only."


def environment(service: Service) -> dict[str, str]:
    """The settings of a service that keeps records and reads lines; its region is Lambda's own ``AWS_REGION``."""
    settings = service.settings
    endpoint = f"endpoint=https://logs.{service.region}.api.aws&" if settings.egress == "ipv6" else ""
    return {
        "MIYABI_CACHE": service.shared("cache/url"),
        "MIYABI_DATABASE": database(service),
        "MIYABI_LOGS": f"cloudwatch:?{endpoint}probe=false",
    }


def database(service: Service) -> str:
    """``MIYABI_DATABASE`` of a function."""
    return f"dynamodb:?prefix={service.settings.prefix}"


def tasks_arns(service: Service) -> list[str]:
    """The table of the tasks, and its indexes."""
    table = service.arn_of("dynamodb", f"table/{service.settings.prefix}-tasks")
    return [table, *(f"{table}/index/{index}" for index in KEYS)]


def allowed(service: Service) -> list[iam.PolicyStatement]:
    """The tables, Redis and the product's log groups, and no others."""
    prefix = service.settings.prefix
    (tasks, *indexes), projects = tasks_arns(service), service.arn_of("dynamodb", f"table/{prefix}-projects")
    redis, user = f"replicationgroup:{group_name(service.settings)}", f"user:{prefix}"
    cache = [service.arn_of("elasticache", resource) for resource in (redis, user)]
    groups = [service.log_group_arn(group) for group in GROUPS]
    return [
        iam.PolicyStatement(actions=list(_RECORDS), resources=[tasks, projects, *indexes]),
        iam.PolicyStatement(actions=["elasticache:Connect"], resources=cache),
        iam.PolicyStatement(actions=list(_LINES), resources=[*groups, *(f"{group}:*" for group in groups)]),
        iam.PolicyStatement(actions=["logs:DescribeLogGroups"], resources=[service.log_group_arn("*")]),
    ]


def accept_streams(service: Service, role: IConstruct) -> None:
    """Answer for the two wildcards in :func:`allowed`."""
    start = f"arn:<AWS::Partition>:logs:{service.region}:<AWS::AccountId>:log-group"
    accept(role, {f"IAM5[Resource::{start}:{group}:*]": _OF_JOBS for group in GROUPS})
    accept(role, {f"IAM5[Resource::{start}:*]": _LISTED})
