"""A deployment's resources, read from its log when somebody asks for them."""

from __future__ import annotations

from miyabi.logs import Logs
from miyabi.model import LogEvent, RunStart, iso, read_marker
from miyabi.progress import resources
from miyabi.progress.resources import Resource
from miyabi.tasks.shapes import DeployedResource, ResourceList

PAGE = 2000
MOST_LINES = 100_000
"""A deployment's log is far shorter; of a longer one the beginning is read."""


async def resources_of(logs: Logs, group: str, stream: str) -> ResourceList:
    """The resources of the newest run in a stream. Raises ``LogsUnavailable``."""
    lines: list[tuple[int, str]] = []
    position, read = "", 0
    while read < MOST_LINES:
        page = await logs.read(group, stream, after=position, limit=PAGE)
        if not page.events:
            return ResourceList(_found(lines), whole=True)
        for event in page.events:
            _add(lines, event)
        position, read = page.next, read + len(page.events)
    return ResourceList(_found(lines), whole=False)


def _add(lines: list[tuple[int, str]], event: LogEvent) -> None:
    """What an earlier run in the stream did is over when another begins."""
    if isinstance(read_marker(event.message), RunStart):
        lines.clear()
    elif not event.message.startswith("{"):
        lines.append((event.timestamp, event.message))


def _found(lines: list[tuple[int, str]]) -> list[DeployedResource]:
    return [_view(resource) for resource in resources.read(lines)]


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
