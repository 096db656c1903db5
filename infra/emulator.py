"""For an emulator of AWS only (``-c emulator=http://127.0.0.1:4566``): what it can't do is left out of the templates.

The rest is deployed as it is on AWS.
What is left out is checked on the templates instead. Written for ministack 1.5.33.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, NamedTuple, cast
from urllib.parse import quote, urlsplit

Json = dict[str, Any]

UNKNOWN = (
    "AWS::ApplicationAutoScaling::ScalableTarget",
    "AWS::ApplicationAutoScaling::ScalingPolicy",
    "AWS::CloudWatch::CompositeAlarm",
    "AWS::EC2::EgressOnlyInternetGateway",
    "AWS::EC2::VPCCidrBlock",
)
"""Types of resources that it refuses; of alarms it refuses those with metric math."""


class Place(NamedTuple):
    """Where the emulator and the Redis that stands in for ElastiCache are."""

    endpoint: str
    redis: str


def adapt(assembly: Path, place: Place) -> None:
    """Rewrite the templates in the folder ``assembly``."""
    for path in assembly.glob("*.template.json"):
        template: Json = json.loads(path.read_text())
        path.write_text(json.dumps(adapted(template, place), indent=1))


def adapted(template: Json, place: Place) -> Json:
    """A template without what the emulator does not know."""
    resources: Mapping[str, Json] = template.get("Resources", {})
    unknown = {name for name, resource in resources.items() if _is_unknown(resource)}
    kept = {name: resource for name, resource in resources.items() if name not in unknown}
    for resource in kept.values():
        if change := CHANGES.get(resource["Type"]):
            change(resource["Properties"], place)
        needs = resource.pop("DependsOn", [])
        if left := [name for name in ([needs] if isinstance(needs, str) else needs) if name not in unknown]:
            resource["DependsOn"] = left
    return {**template, "Resources": _without(kept, unknown)}


def _is_unknown(resource: Json) -> bool:
    kind = resource["Type"]
    return kind in UNKNOWN or (kind == "AWS::CloudWatch::Alarm" and "Metrics" in resource["Properties"])


def _ipv4_only(subnet: Json, _place: Place) -> None:
    subnet.pop("Ipv6CidrBlock", None)


def _on_this_machine(function: Json, place: Place) -> None:
    """Functions run under the emulator's own Python, and find the emulator and the Redis by their addresses."""
    endpoint = quote(place.endpoint, safe="")
    given = {
        "MIYABI_CACHE": place.redis,
        "MIYABI_LOGS": f"cloudwatch:?endpoint={endpoint}&probe=false",
    }
    variables: Json = function["Environment"]["Variables"]
    variables |= {name: value for name, value in given.items() if name in variables}
    if "MIYABI_DATABASE" in variables:
        variables["MIYABI_DATABASE"] += f"&endpoint={endpoint}"


def _without_tls(policy: Json, _place: Place) -> None:
    """It speaks HTTP, also to itself, and a bucket that demands HTTPS would refuse its CloudFront."""
    document: Json = policy["PolicyDocument"]
    document["Statement"] = [
        one for one in document["Statement"] if "aws:SecureTransport" not in one.get("Condition", {}).get("Bool", {})
    ]


def _to_its_gateway(distribution: Json, place: Place) -> None:
    """Its CloudFront asks no host of AWS; its API Gateway can be asked by a path."""
    at = urlsplit(place.endpoint)
    for origin in distribution["DistributionConfig"]["Origins"]:
        if "execute-api" not in json.dumps(origin["DomainName"]):
            continue
        api = origin["DomainName"]["Fn::Join"][1][0]
        stage = origin["OriginPath"]
        origin["DomainName"] = at.hostname
        origin["OriginPath"] = {"Fn::Join": ["", ["/_aws/execute-api/", api, stage]]}
        origin["CustomOriginConfig"] = {"HTTPPort": at.port, "OriginProtocolPolicy": "http-only"}


CHANGES: Mapping[str, Callable[[Json, Place], None]] = {
    "AWS::CloudFront::Distribution": _to_its_gateway,
    "AWS::EC2::Subnet": _ipv4_only,
    "AWS::Lambda::Function": _on_this_machine,
    "AWS::S3::BucketPolicy": _without_tls,
}


def _without(value: object, unknown: set[str]) -> object:
    """``value`` with a word in place of each reference to what was left out."""
    if isinstance(value, list):
        return [_without(item, unknown) for item in value]
    if not isinstance(value, dict):
        return value
    refers = value.get("Ref") or value.get("Fn::GetAtt")
    if len(value) == 1 and (refers[0] if isinstance(refers, list) else refers) in unknown:
        return "left-out"
    return {key: _without(item, unknown) for key, item in cast(Json, value).items()}
