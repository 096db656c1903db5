"""A collector in another process, as the task API sees it."""

from __future__ import annotations

import ssl
from typing import TypeVar

import aiohttp
import msgspec

from miyabi.http import ASKS_FOR_ONE, PROBLEM_JSON, Problem
from miyabi.settings import Settings, SettingsError
from miyabi.tasks.shapes import Collected, Reread
from miyabi.wiring.addresses import addresses_of
from miyabi.wiring.trust import trusting

T = TypeVar("T")
SECONDS = 60.0
"""As long as a collector may run (the limit of its Lambda)."""


class RemoteCollector:
    """Asks the collector at ``url`` (``http://127.0.0.1:8422``); ``token`` is sent where it is given.

    ``trust`` verifies one with TLS.
    """

    def __init__(self, url: str, token: str | None = None, trust: ssl.SSLContext | None = None) -> None:
        self._url = url.rstrip("/")
        self._headers = {"Authorization": f"Bearer {token}"} if token else {}
        self._ssl = trust or True

    async def collect(self) -> Collected:
        """Run it once. Raises :class:`Problem` ``unavailable``."""
        return self._read(await self._ask("POST", "/api/collect"), Collected)

    async def reread(self, task_id: str) -> Reread | None:
        """Read a task's lines again; ``None`` when there is no such task. Raises :class:`Problem` ``unavailable``."""
        try:
            return self._read(await self._ask("POST", f"/api/tasks/{task_id}/reread"), Reread)
        except _NotFound:
            return None

    async def ping(self) -> None:
        """Return when it is well."""
        await self._ask("GET", "/health")

    def _read(self, body: bytes, kind: type[T]) -> T:
        try:
            return msgspec.json.decode(body, type=kind)
        except msgspec.MsgspecError:
            raise Problem("unavailable", f"What answers at {self._url} is no collector.") from None

    async def _ask(self, method: str, path: str) -> bytes:
        timeout = aiohttp.ClientTimeout(total=SECONDS)
        try:
            async with (
                aiohttp.ClientSession(timeout=timeout) as session,
                session.request(method, self._url + path, headers=self._headers, ssl=self._ssl) as answer,
            ):
                body = await answer.read()
        except (TimeoutError, aiohttp.ClientError) as error:
            raise Problem("unavailable", f"The collector at {self._url} does not answer: {error}.") from None
        if answer.status == 404 and answer.content_type == PROBLEM_JSON:
            raise _NotFound
        if answer.status in (401, 403):
            raise Problem("unavailable", f"The collector at {self._url} answered {answer.status}. {ASKS_FOR_ONE}")
        if answer.status != 200:
            raise Problem("unavailable", f"The collector at {self._url} answered {answer.status}.")
        return body


def make_remote(settings: Settings) -> RemoteCollector:
    """The collector at ``MIYABI_COLLECTOR``. Raises ``SettingsError``."""
    urls = addresses_of("MIYABI_COLLECTOR", settings.collector, "`local:` or `http://127.0.0.1:8422`, one")
    if len(urls) > 1:
        raise SettingsError("MIYABI_COLLECTOR: one address is asked; write `local:` or `http://127.0.0.1:8422`.")
    return RemoteCollector(urls[0], settings.token, trusting(settings))


class _NotFound(Exception):
    """The collector knows of no such task."""
