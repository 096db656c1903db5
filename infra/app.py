"""The CDK app: ``cdk deploy --all`` in this folder, after ``python -m infra.package``."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from aws_cdk import App, Validations
from cdk_nag import AwsSolutionsChecks

from infra import SETTINGS
from infra.auth import Auth
from infra.cache import Cache
from infra.collector import Collector
from infra.database import Database
from infra.emulator import Place, adapt
from infra.function import Code
from infra.gateway import Gateway
from infra.logs import Logs
from infra.network import Network
from infra.notices import Notices
from infra.operations import CLOUDFRONT_REGION, Operations, WebAlarms
from infra.package import Target, built
from infra.service import Service
from infra.tasks import Tasks
from infra.web import Web
from miyabi.deployment import Deployment, load

FLAGS = {
    "@aws-cdk/aws-iam:minimizePolicies": True,
    "@aws-cdk/aws-cloudfront:defaultSecurityPolicyTLSv1.2_2021": True,
    "@aws-cdk/core:enablePartitionLiterals": False,
}


def build_stacks(app: App, settings: Deployment, code: Code) -> Mapping[str, Service]:
    """All stacks. What each needs of others before its first deploy is said by dependencies, and by nothing else."""
    network, logs, database = Network(app, settings), Logs(app, settings), Database(app, settings)
    cache, tasks, collector = Cache(app, settings), Tasks(app, settings, code), Collector(app, settings, code)
    gateway, web, auth = Gateway(app, settings), Web(app, settings), Auth(app, settings, code)
    operations = Operations(app, settings)
    needs: dict[Service, list[Service]] = {
        cache: [network],
        tasks: [network, cache],
        collector: [network, cache, logs],
        gateway: [tasks, collector, logs],
        web: [gateway],
        auth: [web],
        operations: [gateway, web],
    }
    if settings.notify_parameter:
        needs[Notices(app, settings, code)] = [collector, web]
    if settings.region != CLOUDFRONT_REGION:
        needs[WebAlarms(app, settings)] = [web]
    for service, others in needs.items():
        for other in others:
            service.add_stack_dependency(other)
    return {service.stack_name: service for service in (network, logs, database, *needs)}


def main() -> None:
    """Settings are in ``deployment.toml``; ``-c`` comes before it. ``-c emulator=URL -c redis=URL`` is not for AWS."""
    app = App(analytics_reporting=False, context=FLAGS)
    settings = load(SETTINGS, **{name: app.node.try_get_context(name) for name in Deployment.__struct_fields__})
    emulator, redis = (app.node.try_get_context(name) for name in ("emulator", "redis"))
    target: Target = "host" if emulator else "aws"
    build_stacks(app, settings, Code(built(target), target))
    Validations.of(app).add_plugins(AwsSolutionsChecks(app))
    assembly = app.synth()
    if emulator:
        adapt(Path(assembly.directory), Place(emulator, redis))


if __name__ == "__main__":
    main()
