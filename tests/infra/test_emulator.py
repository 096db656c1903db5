"""What is left out of the templates for an emulator: as little as possible."""

from __future__ import annotations

import copy
import json
from collections.abc import Mapping

import pytest
from infra.emulator import UNKNOWN, Place, adapted
from tests.support.templates import Template

PLACE = Place("http://127.0.0.1:4566", "redis://127.0.0.1:6380")
WITHOUT_CHANGE = {"auth", "cache", "collector", "database", "gateway", "logs", "tasks", "web"}


def for_emulator(template: Template) -> Template:
    return Template(adapted(copy.deepcopy(template.whole), PLACE))


def test_only_network_and_alarms_miss_anything(default: Mapping[str, Template]) -> None:
    for name, template in default.items():
        left_out = set(template.whole["Resources"]) - set(for_emulator(template).whole["Resources"])
        assert bool(left_out) == (name not in WITHOUT_CHANGE)
        kinds = {template.whole["Resources"][one]["Type"] for one in left_out}
        assert kinds <= {*UNKNOWN, "AWS::CloudWatch::Alarm"}


def test_nothing_refers_to_what_is_left_out(default: Mapping[str, Template], scaled: Mapping[str, Template]) -> None:
    for template in (*default.values(), *scaled.values()):
        rest = for_emulator(template)
        left_out = set(template.whole["Resources"]) - set(rest.whole["Resources"])
        text = json.dumps(rest.whole)
        assert not [name for name in left_out if f'"{name}"' in text]


@pytest.mark.parametrize("stack", ["tasks", "collector"])
def test_functions_find_emulator_and_redis(default: Mapping[str, Template], stack: str) -> None:
    variables = for_emulator(default[stack]).one("Lambda::Function")["Environment"]["Variables"]
    assert variables["MIYABI_CACHE"] == PLACE.redis
    assert variables["MIYABI_LOGS"] == "cloudwatch:?endpoint=http%3A%2F%2F127.0.0.1%3A4566&probe=false"
    assert variables["MIYABI_DATABASE"] == "dynamodb:?prefix=miyabi&endpoint=http%3A%2F%2F127.0.0.1%3A4566"


def test_the_page_finds_the_emulators_gateway(default: Mapping[str, Template]) -> None:
    config = for_emulator(default["web"]).one("CloudFront::Distribution")["DistributionConfig"]
    [api] = [origin for origin in config["Origins"] if origin["DomainName"] == "127.0.0.1"]
    assert api["CustomOriginConfig"] == {"HTTPPort": 4566, "OriginProtocolPolicy": "http-only"}
    assert json.dumps(api["OriginPath"]).count("/_aws/execute-api/") == 1
