"""Templates of all stacks for some deployments, made once: ``python -m tests.support.templates FOLDER``."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

Json = dict[str, Any]
ROOT = Path(__file__).parents[2]
DEPLOYMENTS: Mapping[str, Mapping[str, str]] = {
    "default": {},
    "scaled": {
        "region": "eu-west-1",
        "capacity": "provisioned",
        "most_units": "100",
        "cache_nodes": "6",
        "egress": "endpoint",
        "tasks_memory": "1024",
        "tasks_concurrency": "1000",
        "collector_memory": "512",
        "collector_concurrency": "100",
        "rate": "10000",
        "burst": "20000",
        "provisioned_concurrency": "5",
        "alarms_to": "board@example.org",
        "issuer": "https://login.example.org/board",
        "audience": "board",
        "secret_parameter": "/board/secret",
        "notify_parameter": "/board/notify",
        "notify_secret_parameter": "/board/notify-secret",
        "origins": "https://board.example.org,http://localhost:5173",
        "retention_days": "90",
        "lambda_retention_days": "14",
    },
    "snapshots": {"snap_start": "true", "data": "delete"},
}
"""As it comes; every scaling step at once; and what can't be had together with those."""


class Template(NamedTuple):
    """One stack's template."""

    whole: Json

    def of(self, kind: str) -> list[Json]:
        """The properties of all resources of a type, written without ``AWS::``."""
        return [resource.get("Properties", {}) for resource in self.resources(kind)]

    def one(self, kind: str) -> Json:
        """The properties of the only one."""
        [properties] = self.of(kind)
        return properties

    def resources(self, kind: str) -> list[Json]:
        """All resources of a type."""
        return [one for one in self.whole["Resources"].values() if one["Type"] == f"AWS::{kind}"]


def synthesise(folder: Path) -> None:
    """Write the templates of :data:`DEPLOYMENTS` below ``folder``, by a process of its own.

    Raises ``AssertionError`` with what cdk-nag found.
    """
    env = {**os.environ, "JSII_SILENCE_WARNING_END_OF_LIFE_NODE_VERSION": "18,20", "CDK_OUTDIR": ""}
    env |= {"PYTHONPATH": f"{ROOT / 'src'}{os.pathsep}{ROOT}"}
    command = [sys.executable, "-m", "tests.support.templates", str(folder)]
    done = subprocess.run(command, env=env, cwd=ROOT, capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-6000:]


def read(folder: Path) -> Mapping[str, Template]:
    """The templates of one deployment, each by what its stack is called behind the prefix."""
    return {
        path.name.removeprefix("miyabi-").removesuffix(".template.json"): Template(json.loads(path.read_text()))
        for path in sorted(folder.glob("*.template.json"))
    }


def main(folder: Path) -> None:
    """Build the app for each of the deployments in one process: loading the CDK takes the most time."""
    from aws_cdk import App, Validations
    from cdk_nag import AwsSolutionsChecks
    from infra.app import FLAGS, build_stacks
    from infra.function import Code
    from infra.package import build

    from miyabi.deployment import load

    code = Code(build("aws"))
    for name, given in DEPLOYMENTS.items():
        app = App(outdir=str(folder / name), analytics_reporting=False, context=FLAGS)
        build_stacks(app, load(None, **given), code)
        Validations.of(app).add_plugins(AwsSolutionsChecks(app))
        app.synth()
    unaccepted(folder)


def unaccepted(folder: Path) -> None:
    """An app that breaks a rule and gives no reason: what comes of it shows that the rules are asked."""
    from aws_cdk import App, Stack, Validations
    from aws_cdk.aws_s3 import Bucket
    from cdk_nag import AwsSolutionsChecks

    app = App(outdir=str(folder / "unaccepted"), analytics_reporting=False)
    Bucket(Stack(app, "plain"), "Bucket")
    Validations.of(app).add_plugins(AwsSolutionsChecks(app))
    try:
        app.synth()
    except RuntimeError as error:
        (folder / "unaccepted.error").write_text(str(error))


if __name__ == "__main__":
    main(Path(sys.argv[1]))
