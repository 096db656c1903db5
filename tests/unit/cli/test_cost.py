"""``miyabi cost``: what it prints, and what it refuses."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result
from hypothesis import given
from hypothesis import strategies as st
from msgspec import json
from tests.support.terminal import Screen

from miyabi.cli import main
from miyabi.cli.cost import Amount, short
from miyabi.cost.bill import SERVICES
from miyabi.cost.prices import regions

DOCS = Path(__file__).parents[3] / "docs/cost.md"
PLAIN = """\
Miyabi on AWS, us-east-1 (N. Virginia)
1M requests (192k of open pages), 100k collector runs, 1 GB of logs a month

service                         on AWS                     specified    ours
────────────────────────────────────────────────────────────────────────────
Web UI                          S3, CloudFront                 $0.07   $1.24
API gateway                     API Gateway, REST              $3.77   $3.59
Task API                        Lambda, arm64                  $0.28   $0.28
Progress collector              Lambda, arm64                  $0.19   $0.19
Cache                           ElastiCache, Redis 7          $12.00  $12.00
Database                        DynamoDB                       $2.99   $1.03
Logging                         CloudWatch Logs                $0.54   $0.54
Network                         VPC                           $36.85   $0.00

seven services and network      the same load                 $56.68  $18.87

Operations                      dashboard, alarms, traces       none  $11.55
all                                                           $56.68  $30.42
all, with the always-free tier                                $52.15  $20.54
"""


@pytest.fixture(autouse=True)
def elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder without settings of a deployment."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


def cost(*arguments: str) -> Result:
    return CliRunner().invoke(main, ["cost", *arguments])


def document(*arguments: str) -> Any:
    result = cost("--json", *arguments)
    assert result.exit_code == 0, result.output
    return json.decode(result.output)


def lines(output: str) -> list[str]:
    return [line.rstrip() for line in output.splitlines()]


def test_both_designs_stand_side_by_side() -> None:
    assert lines(cost().output)[: len(PLAIN.splitlines())] == PLAIN.splitlines()


@pytest.mark.parametrize("arguments", [(), ("--at-scale",), ("--regions",), ("--design", "ours")])
def test_nothing_is_wider_than_100_columns(arguments: tuple[str, ...]) -> None:
    assert max(map(len, lines(cost(*arguments).output))) <= 100


@pytest.mark.parametrize("columns", [80, 120])
@pytest.mark.parametrize("option", ["--at-scale", "--regions", "--free-tier"])
def test_a_terminal_of_80_columns_is_enough(columns: int, option: str) -> None:
    command = [sys.executable, "-c", "from miyabi.cli import main; main()", "cost", option]
    screen = Screen(command, {**os.environ, "TERM": "dumb", "COLUMNS": str(columns)}, columns=columns)
    assert screen.end() == 0
    shown = screen.text.decode().splitlines()
    assert any(line.startswith("Miyabi on AWS") for line in shown)
    assert max(len(line) for line in shown) <= columns
    assert "…" not in screen.text.decode()


def test_the_prices_have_a_date_and_what_is_left_out_is_told() -> None:
    text = " ".join(cost().output.split())
    assert "List prices in US dollars as known on 2025-11" in text
    assert "Not in it: tax and support" in text


def test_the_specified_design_shows_each_item_and_what_it_takes_for_granted() -> None:
    text = " ".join(cost("--design", "specified").output.split())
    assert "NAT gateway 730 h $0.045 $32.85" in text
    assert "5 read and 5 write units are counted once." in text


def test_the_documentation_has_the_same_figures() -> None:
    """The table of docs/cost.md, and of its steps of scale."""
    text = DOCS.read_text()
    designs, steps = document()["designs"], document("--at-scale")["scale"]
    for service in [*SERVICES[:-1]]:
        theirs, mine = (designs[name]["services"][service] for name in ("specified", "ours"))
        assert f"| {theirs:.2f} | {mine:.2f} |" in next(
            row for row in text.splitlines() if row.startswith(f"| {service} |")
        )
    for name in ("comparable", "total", "total_with_free_tier"):
        assert f"{designs['specified'][name]:.2f}" in text
        assert f"{designs['ours'][name]:.2f}" in text
    for step in steps:
        (row,) = [row for row in text.splitlines() if row.startswith(f"| {step['factor']}× |")]
        assert f"${step['total']:,.0f}" in row
        assert all(change["setting"] in row and str(change["after"]) in row for change in step["changes"])


def test_the_items_of_json_add_up_to_the_total() -> None:
    for design in document()["designs"].values():
        assert sum(item["dollars"] for item in design["items"]) == pytest.approx(design["total"], abs=0.01)
        assert sum(design["services"].values()) == pytest.approx(design["total"], abs=0.05)


def test_one_design_alone_is_asked_for() -> None:
    assert set(document("--design", "ours")["designs"]) == {"ours"}


def test_the_free_tier_is_taken_off_when_asked() -> None:
    full, free = document()["designs"]["ours"], document("--free-tier")["designs"]["ours"]
    assert free["total"] == full["total_with_free_tier"] < full["total"]


def test_updates_are_as_many_as_runs_unless_given() -> None:
    assert document("--runs", "5k")["load"]["updates"] == 5000
    assert document("--runs", "5k", "--updates", "1.5k")["load"]["updates"] == 1500


def test_scale_has_the_load_as_it_is_and_three_steps() -> None:
    steps = document("--at-scale")["scale"]
    assert [step["factor"] for step in steps] == [1, 10, 100, 1000]
    first = steps[-1]["changes"][0]
    assert (first["setting"], first["before"], first["after"]) == ("rate", 1000, 8000)


def test_each_region_of_the_table_has_a_row() -> None:
    assert tuple(row["region"] for row in document("--regions")["regions"]) == regions()


def test_the_deployments_settings_are_read(elsewhere: Path) -> None:
    (elsewhere / "infra").mkdir()
    (elsewhere / "infra/deployment.toml").write_text('region = "ap-northeast-1"\ncache_nodes = 2\n')
    found = document()
    assert found["region"] == "ap-northeast-1"
    assert any(item["what"] == "ElastiCache, 2 × cache.t4g.micro" for item in found["designs"]["ours"]["items"])
    assert document("--region", "us-west-2")["region"] == "us-west-2"


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("--requests", "0"), "must be more than 0"),
        (("--requests", "-5"), "Write one like 250, 1.5k, 100k or 1M"),
        (("--runs", "1X"), "`1X` is no amount"),
        (("--log-gb", "nan"), "is no amount"),
        (("--log-gb", "1e9"), "is no amount"),
        (("--requests", "9999999G"), "at most 1,000,000,000,000"),
        (("--viewer-hours", "731"), "at most 730"),
        (("--hits", "1.5"), "0<=x<=1"),
        (("--viewers", "1k"), "Give more `--requests`, or fewer `--viewers`"),
        (("--region", "sa-east-1"), "choose one of us-east-1, us-east-2"),
        (("--region", "mars"), "write one like `eu-west-1`"),
        (("--settings", "nowhere.toml"), "there is no file nowhere.toml"),
        (("--at-scale", "--regions"), "Give one of"),
        (("--at-scale", "--requests", "1G"), "Divide it among several"),
    ],
)
def test_rubbish_is_refused_with_what_to_write_instead(arguments: tuple[str, ...], said: str) -> None:
    result = cost(*arguments)
    assert result.exit_code in (1, 2)
    assert said in result.output
    assert "Traceback" not in result.output


@pytest.mark.parametrize(
    ("text", "amount"), [("1M", 1e6), ("100k", 1e5), ("1.5k", 1500), ("250", 250), ("2G", 2e9), ("0.5", 0.5)]
)
def test_amounts_are_written_short(text: str, amount: float) -> None:
    assert Amount().convert(text, None, None) == amount


@given(st.floats(0.001, 1e11))
def test_what_is_shown_short_reads_back_to_four_figures(amount: float) -> None:
    assert Amount().convert(short(amount), None, None) == pytest.approx(amount, rel=1e-3)
