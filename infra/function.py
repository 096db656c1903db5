"""A Lambda function with its log group and its role."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from pathlib import Path

import msgspec
from aws_cdk import RemovalPolicy
from aws_cdk import aws_iam as iam
from aws_cdk import aws_lambda as lambda_
from aws_cdk.aws_logs import CfnLogGroup
from aws_cdk.aws_s3_assets import Asset
from msgspec import Struct

from infra.network import ZONES
from infra.package import BUILD, PYTHON, Package, Target
from infra.service import ALIAS, Service, accept

_TRACES = ("xray:PutTraceSegments", "xray:PutTelemetryRecords")
_INTERFACES = (
    "ec2:AssignPrivateIpAddresses",
    "ec2:CreateNetworkInterface",
    "ec2:DeleteNetworkInterface",
    "ec2:DescribeNetworkInterfaces",
    "ec2:DescribeSubnets",
    "ec2:UnassignPrivateIpAddresses",
)
"""What Lambda itself does with the function's role, before there is anything that could be named as a resource."""
_UNNAMED = "X-Ray's actions and those on network interfaces take no resource; the code is denied the latter."


class Code(Struct, frozen=True):
    """Where the functions' zips are."""

    packages: Mapping[str, Package]
    target: Target = "aws"
    folder: Path = BUILD


class Shape(Struct, frozen=True, kw_only=True):
    """How one function runs: MB, seconds, and how many at the same time (0: as many as the account lets)."""

    name: str
    about: str
    memory: int
    seconds: int
    concurrency: int = 0
    environment: Mapping[str, str] = {}
    in_network: bool = True
    snap_start: bool = False
    started: int = 0
    """Environments that are kept started."""


def make_function(
    service: Service, code: Code, shape: Shape, statements: Sequence[iam.PolicyStatement]
) -> lambda_.CfnFunction:
    """The function ``miyabi-NAME``, which may do what ``statements`` say; its handler is in ``wiring/aws_lambda``."""
    package = code.packages[shape.name]
    asset = Asset(service, "Code", path=str(code.folder / code.target / package.file), asset_hash=package.digest)
    logs = _log_group(service, shape)
    function = lambda_.CfnFunction(
        service,
        "Function",
        function_name=service.name(shape.name),
        description=shape.about,
        handler=f"miyabi.wiring.aws_lambda.{shape.name}.handler",
        runtime=f"python{PYTHON}",
        architectures=["arm64"],
        code=lambda_.CfnFunction.CodeProperty(s3_bucket=asset.s3_bucket_name, s3_key=asset.s3_object_key),
        memory_size=shape.memory,
        timeout=shape.seconds,
        reserved_concurrent_executions=shape.concurrency or None,
        environment=lambda_.CfnFunction.EnvironmentProperty(variables=dict(shape.environment)),
        role=_role(service, shape, logs, statements).role_arn,
        tracing_config=lambda_.CfnFunction.TracingConfigProperty(mode="Active"),
        logging_config=lambda_.CfnFunction.LoggingConfigProperty(log_format="JSON", log_group=logs.ref),
        vpc_config=_network(service) if shape.in_network else None,
        snap_start=lambda_.CfnFunction.SnapStartProperty(apply_on="PublishedVersions") if shape.snap_start else None,
    )
    if shape.snap_start or shape.started:
        _publish(service, function, package, shape)
    return function


def _publish(service: Service, function: lambda_.CfnFunction, package: Package, shape: Shape) -> None:
    """Snapshots and started environments are of a version: a new one whenever code or shape change."""
    known = package.digest.encode() + repr(msgspec.to_builtins(shape)).encode()
    version = lambda_.CfnVersion(
        service, f"Version {hashlib.sha256(known).hexdigest()[:12]}", function_name=function.ref
    )
    started = lambda_.CfnAlias.ProvisionedConcurrencyConfigurationProperty(
        provisioned_concurrent_executions=shape.started
    )
    lambda_.CfnAlias(
        service,
        "Alias",
        name=ALIAS,
        function_name=function.ref,
        function_version=version.attr_version,
        provisioned_concurrency_config=started if shape.started else None,
    )


def _role(service: Service, shape: Shape, logs: CfnLogGroup, statements: Sequence[iam.PolicyStatement]) -> iam.Role:
    own = [
        iam.PolicyStatement(actions=["logs:CreateLogStream", "logs:PutLogEvents"], resources=[logs.attr_arn]),
        iam.PolicyStatement(actions=list(_TRACES), resources=["*"]),
    ]
    if shape.in_network:
        own += _interfaces(service, shape)
    role = iam.Role(
        service,
        "Role",
        assumed_by=iam.ServicePrincipal("lambda.amazonaws.com"),
        inline_policies={"function": iam.PolicyDocument(statements=[*own, *statements])},
    )
    accept(role, {"IAM5[Resource::*]": _UNNAMED})
    return role


def _interfaces(service: Service, shape: Shape) -> list[iam.PolicyStatement]:
    """Lambda may make network interfaces with this role; the code that runs with it may not."""
    by_code = {
        "ArnEquals": {"lambda:SourceFunctionArn": service.arn_of("lambda", f"function:{service.name(shape.name)}")}
    }
    return [
        iam.PolicyStatement(actions=list(_INTERFACES), resources=["*"]),
        iam.PolicyStatement(effect=iam.Effect.DENY, actions=list(_INTERFACES), resources=["*"], conditions=by_code),
    ]


def _log_group(service: Service, shape: Shape) -> CfnLogGroup:
    logs = CfnLogGroup(
        service,
        "Log",
        log_group_name=f"/aws/lambda/{service.name(shape.name)}",
        retention_in_days=service.settings.lambda_retention_days,
    )
    logs.apply_removal_policy(RemovalPolicy.DESTROY)
    return logs


def _network(service: Service) -> lambda_.CfnFunction.VpcConfigProperty:
    return lambda_.CfnFunction.VpcConfigProperty(
        subnet_ids=[service.shared(f"network/subnet-{number}") for number in range(1, ZONES + 1)],
        security_group_ids=[service.shared("network/functions")],
        ipv6_allowed_for_dual_stack=service.settings.egress == "ipv6",
    )
