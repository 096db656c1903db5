"""Service 3, the task API: a function."""

from __future__ import annotations

from constructs import Construct

from infra import stores
from infra.function import Code, Shape, make_function
from infra.service import Service
from miyabi.deployment import Deployment

SECONDS = 30


class Tasks(Service):
    """Asked by the gateway alone."""

    def __init__(self, scope: Construct, settings: Deployment, code: Code) -> None:
        super().__init__(scope, "tasks", settings, "the task API")
        shape = Shape(
            name="tasks",
            about="Miyabi's task API",
            memory=settings.tasks_memory,
            seconds=SECONDS,
            concurrency=settings.tasks_concurrency,
            environment=stores.environment(self),
            snap_start=settings.snap_start,
            started=settings.provisioned_concurrency,
        )
        self.function = make_function(self, code, shape, stores.allowed(self))
        stores.accept_streams(self, self.node.find_child("Role"))
