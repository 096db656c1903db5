"""For an emulator of AWS only (``-c emulator=http://127.0.0.1:4566``): what it does not know is left out of templates.

The rest is deployed as it is on AWS. What is left out is checked on the templates instead.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, cast
from urllib.parse import quote

Json = dict[str, Any]

UNKNOWN = (
    "AWS::ApplicationAutoScaling::ScalableTarget",
    "AWS::ApplicationAutoScaling::ScalingPolicy",
    "AWS::CloudWatch::CompositeAlarm",
    "AWS::EC2::EgressOnlyInternetGateway",
    "AWS::EC2::VPCCidrBlock",
)
"""Types of resources that ministack 1.5.33 refuses; of alarms it refuses those with metric math."""
SUBNET = "AWS::EC2::Subnet"
FUNCTION = "AWS::Lambda::Function"


def adapt(assembly: Path, endpoint: str, redis: str) -> None:
    """Rewrite the templates in the folder ``assembly``: functions run on this machine, and find ``redis`` there."""
    environment = {
        "MIYABI_CACHE": redis,
        "MIYABI_LOGS": f"cloudwatch:?endpoint={quote(endpoint, safe='')}&probe=false",
    }
    for path in assembly.glob("*.template.json"):
        template: Json = json.loads(path.read_text())
        path.write_text(json.dumps(adapted(template, endpoint, environment), indent=1))


def adapted(template: Json, endpoint: str, environment: Mapping[str, str]) -> Json:
    """A template without what the emulator does not know."""
    resources: Mapping[str, Json] = template.get("Resources", {})
    unknown = {name for name, resource in resources.items() if _is_unknown(resource)}
    kept = {name: resource for name, resource in resources.items() if name not in unknown}
    for resource in kept.values():
        _change(resource, endpoint, environment)
        needs = resource.pop("DependsOn", [])
        needs = [needs] if isinstance(needs, str) else needs
        if left := [name for name in needs if name not in unknown]:
            resource["DependsOn"] = left
    return {**template, "Resources": _without(kept, unknown)}


def _is_unknown(resource: Json) -> bool:
    kind = resource["Type"]
    return kind in UNKNOWN or (kind == "AWS::CloudWatch::Alarm" and "Metrics" in resource["Properties"])


def _change(resource: Json, endpoint: str, environment: Mapping[str, str]) -> None:
    properties: Json = resource.get("Properties", {})
    if resource["Type"] == SUBNET:
        properties.pop("Ipv6CidrBlock", None)
    elif resource["Type"] == FUNCTION:
        variables: Json = properties.get("Environment", {}).get("Variables", {})
        variables |= {name: value for name, value in environment.items() if name in variables}
        if "MIYABI_DATABASE" in variables:
            variables["MIYABI_DATABASE"] += f"&endpoint={quote(endpoint, safe='')}"


def _without(value: object, unknown: set[str]) -> object:
    """``value`` with a word in place of each reference to what was left out."""
    if isinstance(value, list):
        return [_without(item, unknown) for item in value]
    if not isinstance(value, dict):
        return value
    refers = value.get("Ref") or value.get("Fn::GetAtt")
    name = refers[0] if isinstance(refers, list) else refers
    if len(value) == 1 and name in unknown:
        return "left-out"
    return {key: _without(item, unknown) for key, item in cast(Json, value).items()}
