"""Rules that hold for all templates: AWS's, cdk-nag's, and that a stack deploys by itself."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

import pytest
from tests.support.templates import DEPLOYMENTS, ROOT, Template, read

SNAPSHOTS = Path(__file__).parent / "snapshots"
RENEW = "MIYABI_RENEW_SNAPSHOTS"
STACKS = ("auth", "cache", "collector", "database", "gateway", "logs", "network", "operations", "tasks", "web")
_HASH = re.compile(r"[0-9a-f]{64}")


def test_every_service_is_a_stack(default: Mapping[str, Template]) -> None:
    assert set(default) == set(STACKS)


def test_cfn_lint_finds_nothing(assemblies: Path) -> None:
    templates = sorted(str(path) for path in assemblies.glob("*/*.template.json"))
    command = [str(Path(sys.executable).with_name("cfn-lint")), "--non-zero-exit-code", "informational", *templates]
    done = subprocess.run(command, capture_output=True, text=True)
    assert (done.returncode, done.stdout) == (0, ""), done.stdout + done.stderr


@pytest.mark.parametrize("deployment", DEPLOYMENTS)
def test_cdk_nag_finds_nothing_that_has_no_reason(assemblies: Path, deployment: str) -> None:
    """The assemblies would not be there: a finding ends the synthesis."""
    assert not json.loads((assemblies / deployment / "validation-report.json").read_text())["pluginReports"]


def test_a_finding_of_cdk_nag_ends_the_synthesis(assemblies: Path) -> None:
    report = json.loads((assemblies / "unaccepted" / "validation-report.json").read_text())
    assert "AwsSolutions-S1" in json.dumps(report["pluginReports"])
    assert (assemblies / "unaccepted.error").read_text().startswith("ValidationFailed")


@pytest.mark.parametrize("deployment", DEPLOYMENTS)
def test_a_stack_deploys_by_itself(assemblies: Path, deployment: str) -> None:
    for template in read(assemblies / deployment).values():
        assert "Fn::ImportValue" not in json.dumps(template.whole)
        assert "Outputs" not in template.whole


@pytest.mark.parametrize("deployment", DEPLOYMENTS)
def test_what_a_stack_reads_of_others_is_told_by_one_of_them(assemblies: Path, deployment: str) -> None:
    templates = read(assemblies / deployment).values()
    told = {one["Name"] for template in templates for one in template.of("SSM::Parameter")}
    parameters = [one for template in templates for one in template.whole.get("Parameters", {}).values()]
    asked = {one["Default"] for one in parameters if one["Default"].startswith("/miyabi/")}
    assert asked
    assert asked <= told


@pytest.mark.parametrize("stack", STACKS)
def test_a_template_is_as_it_was(default: Mapping[str, Template], stack: str) -> None:
    """``make snapshots`` takes the templates as they are now: look at the difference before you commit it."""
    now = _HASH.sub("HASH", json.dumps(default[stack].whole, indent=1, sort_keys=True)) + "\n"
    path = SNAPSHOTS / f"{stack}.json"
    if os.environ.get(RENEW):
        path.write_text(now)
    assert path.read_text() == now, f"{path.relative_to(ROOT)} differs; if that is meant, run `make snapshots`."
