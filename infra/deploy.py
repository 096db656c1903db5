"""All of it onto AWS, in the order of the first deploy: the stacks, the page, the page's alarm.

``python -m infra.deploy [-c name=value …]``; the credentials are found as every AWS tool finds them.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
from collections.abc import Sequence

import boto3

from infra import HERE, SETTINGS
from infra.shared_values import read_shared
from infra.upload import upload
from miyabi.deployment import Deployment, load

ALARM_REGION = "us-east-1"
STACKS = ("network", "logs", "database", "cache", "tasks", "collector", "gateway", "web", "auth", "operations")
"""All but the page's alarm and the notices, which not everybody has."""
SYNTHESISED = ("--app=cdk.out", "--require-approval=never", "--concurrency=4")


def deploy(settings: Deployment, context: Sequence[str] = (), *, existing: bool = False) -> str:
    """Deploy everything; the page's address. With ``existing``, tables and log groups that a destroy left are taken."""
    names = (*STACKS, "notices") if settings.notify_parameter else STACKS
    stacks = [f"{settings.prefix}-{name}" for name in names]
    cdk("synth", "--quiet", context=context)
    cdk("deploy", *stacks, *SYNTHESISED, *(["--import-existing-resources"] if existing else []))
    upload(settings)
    shared = read_shared(settings)
    if settings.region != ALARM_REGION:
        _alarm_elsewhere(settings, shared["web/distribution"])
    return f"https://{shared['web/domain']}/"


def _alarm_elsewhere(settings: Deployment, distribution: str) -> None:
    """The page's alarm is where CloudFront's metrics are, and can't read there what the stacks tell one another."""
    ssm = boto3.client("ssm", region_name=ALARM_REGION)
    ssm.put_parameter(Name=f"/{settings.prefix}/web/distribution", Value=distribution, Type="String", Overwrite=True)
    cdk("deploy", f"{settings.prefix}-web-alarms", "--exclusively", *SYNTHESISED)


def cdk(command: str, *arguments: str, context: Sequence[str] = ()) -> None:
    """Run the pinned CDK on this app."""
    given = [word for one in context for word in ("-c", one)]
    line = [str(HERE / "node_modules" / ".bin" / "cdk"), command, *arguments, *given]
    subprocess.run(line, cwd=HERE, check=True, env={**os.environ, "CDK_DISABLE_CLI_TELEMETRY": "true"})


def parse(prog: str, about: str | None, *flags: str, arguments: Sequence[str] | None = None) -> argparse.Namespace:
    """The command line: ``-c name=value`` as often as wanted, and ``flags``."""
    parser = argparse.ArgumentParser(prog=f"python -m infra.{prog}", description=about)
    parser.add_argument("-c", "--context", action="append", default=[], metavar="NAME=VALUE", help="a setting")
    for flag in flags:
        parser.add_argument(flag, action="store_true")
    return parser.parse_args(arguments)


def settings_of(context: Sequence[str]) -> Deployment:
    """The settings, with those of the command line before the file's."""
    given = dict(one.split("=", 1) for one in context)
    return load(SETTINGS, **{name: value for name, value in given.items() if name in Deployment.__struct_fields__})


def main(arguments: Sequence[str] | None = None) -> None:
    """Deploy, and say where the board is."""
    given = parse("deploy", __doc__, "--existing", arguments=arguments)
    url = deploy(settings_of(given.context), given.context, existing=given.existing)
    sys.stdout.write(f"The board is on {url}\n")


if __name__ == "__main__":
    main()
