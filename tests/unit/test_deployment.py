"""The settings of a deployment on AWS."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

import msgspec
import pytest
from msgspec import convert

from miyabi.deployment import Deployment, DeploymentError, load

EXAMPLE = Path(__file__).parents[2] / "infra" / "deployment.example.toml"


def test_nothing_has_to_be_set() -> None:
    assert load() == Deployment()


def test_a_file_that_is_not_there_sets_nothing(tmp_path: Path) -> None:
    assert load(tmp_path / "deployment.toml") == Deployment()


def test_the_command_line_comes_before_the_file(tmp_path: Path) -> None:
    path = tmp_path / "deployment.toml"
    path.write_text('rate = 5\nregion = "eu-west-1"\n')
    settings = load(path, rate="7", burst=None)
    assert (settings.rate, settings.region, settings.burst) == (7, "eu-west-1", 2000)


def test_the_command_line_gives_text() -> None:
    settings = load(snap_start="true", origins="https://a.example,https://b.example", alarms_to="")
    assert settings.snap_start is True
    assert settings.origins == ("https://a.example", "https://b.example")
    assert settings.alarms_to is None


def test_the_example_names_every_setting_with_its_default() -> None:
    lines = [line.removeprefix("# ") for line in EXAMPLE.read_text().splitlines() if " = " in line]
    names = [line.split(" = ")[0] for line in lines]
    assert tuple(names) == Deployment.__struct_fields__
    shown = tomllib.loads("\n".join(lines))
    unset = (
        "alarms_to",
        "issuer",
        "audience",
        "client",
        "secret_parameter",
        "notify_parameter",
        "notify_secret_parameter",
        "origins",
    )
    assert convert({name: value for name, value in shown.items() if name not in unset}, Deployment) == Deployment()
    assert convert(shown, Deployment).issuer == "https://login.example.org/"


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"rate": "fast"}, "rate: expected `int`"),
        ({"rate": "0"}, "rate: must be 1 to 1000000"),
        ({"speed": "1"}, "there is no setting `speed`"),
        ({"capacity": "both"}, "capacity: invalid enum value 'both'"),
        ({"prefix": "Miyabi"}, "prefix: `Miyabi` must be 1 to 20 of a-z"),
        ({"region": "Ireland"}, "region: `Ireland` is no AWS region; write one like `eu-west-1`"),
        ({"cache_nodes": "0"}, "cache_nodes: must be 1 to 90"),
        ({"cache_node_type": "t4g"}, "cache_node_type: write one like `cache.t4g.micro`"),
        ({"tasks_memory": "64"}, "tasks_memory: must be 128 to 10240"),
        ({"snap_start": "true", "provisioned_concurrency": "1"}, "choose one"),
        ({"provisioned_concurrency": "101"}, "must not be above tasks_concurrency"),
        ({"issuer": "https://login.example.org"}, "goes with audience"),
        ({"issuer": "http://x.example", "audience": "a"}, "issuer: must begin with https://"),
        ({"alarms_to": "me"}, "`me` is no mail address"),
        ({"origins": "*"}, "origins: `*` is no origin"),
        ({"secret_parameter": "secret"}, "must begin with /"),
        ({"notify_parameter": "ntfy://topic"}, "notify_parameter: must begin with /"),
        ({"notify_secret_parameter": "/secret"}, "goes with notify_parameter"),
        ({"retention_days": "31"}, "retention_days: CloudWatch Logs keeps lines for (1, 3, 5"),
        ({"point_in_time_days": "36"}, "point_in_time_days: must be 1 to 35"),
        ({"most_units": "4"}, "most_units: must be 0 or at least 5"),
    ],
)
def test_a_setting_that_cannot_be_used_says_what_can(given: dict[str, str], said: str) -> None:
    with pytest.raises(DeploymentError) as raised:
        load(None, **given)
    assert said in str(raised.value)


def test_a_file_that_is_no_toml_is_named(tmp_path: Path) -> None:
    path = tmp_path / "deployment.toml"
    path.write_text("rate: 5")
    with pytest.raises(DeploymentError, match=r"deployment\.toml"):
        load(path)


def test_the_documentation_has_every_setting_and_its_default() -> None:
    text = (EXAMPLE.parents[1] / "docs" / "aws.md").read_text()
    rows = dict(re.findall(r"^\| `(\w+)` \| (.+?) \| .+ \|$", text, re.MULTILINE))
    assert tuple(rows) == Deployment.__struct_fields__
    for name, shown in rows.items():
        default = getattr(Deployment(), name)
        assert shown == (f"`{msgspec.json.encode(default).decode()}`" if default not in (None, ()) else "unset")
