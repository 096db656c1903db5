"""The audit trail is kept with the services' own logs, a stream for each day, each line once."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from pathlib import Path

import pytest
from starlette.responses import PlainTextResponse
from tests.support.asgi import call

from miyabi.logs import Logs, LogsUnavailable
from miyabi.logs.local import open_logs
from miyabi.model import SYSTEM_GROUP, NewEvent, Writer
from miyabi.settings import from_environment
from miyabi.wiring.recorded import recorded
from miyabi.wiring.trail import Trail

DAY = 86_400_000
NOW = 1_795_000_000_000


async def kept(logs: Logs, stream: str) -> list[str]:
    """A stream's lines."""
    return [event.message for event in (await logs.read(SYSTEM_GROUP, stream)).events]


def test_each_day_has_its_stream(tmp_path: Path) -> None:
    async def run() -> None:
        logs = await open_logs(tmp_path)
        trail = Trail(logs)
        await trail.write([trail.line(NOW, "one"), trail.line(NOW, "two"), trail.line(NOW + DAY, "three")])
        assert await kept(logs, "audit-2026-11-18") == ["one", "two"]
        assert await kept(logs, "audit-2026-11-19") == ["three"]
        await logs.close()

    asyncio.run(run())


def test_what_is_given_again_is_kept_once(tmp_path: Path) -> None:
    async def run() -> None:
        logs = await open_logs(tmp_path)
        trail = Trail(logs)
        first = [trail.line(NOW, "one"), trail.line(NOW, "two")]
        await trail.write(first)
        await trail.write([*first, trail.line(NOW, "three")])
        assert await kept(logs, "audit-2026-11-18") == ["one", "two", "three"]
        await logs.close()

    asyncio.run(run())


class Away:
    """Logs that do not answer at first."""

    def __init__(self, logs: Logs, failures: int) -> None:
        self._logs, self._failures = logs, failures

    async def append(self, group: str, stream: str, events: Sequence[NewEvent], writer: Writer | None = None) -> int:
        if self._failures:
            self._failures -= 1
            raise LogsUnavailable("the log service does not answer")
        return await self._logs.append(group, stream, events, writer)

    async def close(self) -> None:
        await self._logs.close()


def test_while_the_logs_are_away_changes_are_answered_and_kept_for_later(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    async def run() -> None:
        local = await open_logs(tmp_path)
        logs = Away(local, 1)
        async with recorded(from_environment({}), logs) as layer:  # type: ignore[arg-type]
            app = layer(PlainTextResponse("done"))
            assert [(await call(app, "PATCH", f"/api/tasks/t{n}")).status for n in range(3)] == [200] * 3
            while "can't be written" not in caplog.text:  # noqa: ASYNC110
                await asyncio.sleep(0.01)
        (stream,) = [each.name for each in await local.changed() if each.group == SYSTEM_GROUP]
        assert len(await kept(local, stream)) == 3
        await local.close()

    asyncio.run(asyncio.wait_for(run(), 20))
    assert caplog.text.count("can't be written") == 1


def test_a_gateway_by_itself_opens_the_logs_when_something_is_changed(tmp_path: Path) -> None:
    async def run() -> None:
        settings = from_environment({"MIYABI_DATA": str(tmp_path / "data")})
        async with recorded(settings) as layer:
            app = layer(PlainTextResponse("done"))
            await call(app, "GET", "/api/tasks")
        assert not settings.data.exists()
        async with recorded(settings) as layer:
            await call(layer(PlainTextResponse("done")), "PATCH", "/api/tasks/a")
        assert (settings.data / "logs.db").exists()

    asyncio.run(run())
