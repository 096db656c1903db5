"""A deployment's resources, read from its log when somebody asks for them."""

from __future__ import annotations

import asyncio

from miyabi.logs import Logs
from miyabi.model import RunStart, iso, read_marker
from miyabi.progress.resources import Resource, Resources
from miyabi.tasks.shapes import DeployedResource, ResourceList

PAGE = 2000
MOST_LINES = 100_000
"""A deployment's log is far shorter; of a longer one the beginning is read."""


async def resources_of(logs: Logs, group: str, stream: str) -> ResourceList:
    """The resources of the newest run in a stream. Raises ``LogsUnavailable``."""
    found = Resources()
    position, read = "", 0
    while read < MOST_LINES:
        page = await logs.read(group, stream, after=position, limit=PAGE)
        if not page.events:
            return _list(found, whole=True)
        for event in page.events:
            if isinstance(read_marker(event.message), RunStart):
                found = Resources()  # what an earlier run in the stream did is over
            found.read(event.timestamp, event.message)
        position, read = page.next, read + len(page.events)
        await asyncio.sleep(0)
    return _list(found, whole=False)


def _list(found: Resources, *, whole: bool) -> ResourceList:
    return ResourceList([_view(resource) for resource in found.all], whole)


def _view(resource: Resource) -> DeployedResource:
    return DeployedResource(
        name=resource.name,
        kind=resource.kind,
        action=resource.action,
        state=resource.state,
        started_at=iso(resource.began),
        ended_at=None if resource.ended is None else iso(resource.ended),
        duration_seconds=resource.seconds,
        stack=resource.stack,
        reason=resource.reason,
    )
