"""Amazon's two services as processes see them: over HTTP, and throttled or cut off as a test says."""

from __future__ import annotations

import asyncio
import json
import random
import re
import threading
from collections import Counter
from collections.abc import Callable
from typing import Any

import aiohttp
from aiohttp import web
from botocore.exceptions import ClientError

from .cloudwatch import FakeCloudWatch

DYNAMODB_THROTTLES = ("ProvisionedThroughputExceededException", "ThrottlingException", "RequestLimitExceeded")
CLOUDWATCH_THROTTLES = ("ThrottlingException",)
ECHO_SECONDS = 20.0


class Front:
    """An HTTP server in a thread before ``inner``, which answers an action (``PutItem``) and its body.

    ``rate`` (0 to 1) of the requests are refused with one of the ``throttles``, as the services' API references show
    them; ``lost`` of the others are carried out and their connection is cut in place of an answer. ``only``, when set,
    names the actions that anything happens to. ``seen`` and ``refused`` count the requests by action.
    """

    def __init__(self, throttles: tuple[str, ...], seed: int = 0) -> None:
        self._throttles = throttles
        self._random = random.Random(seed)
        self.rate = self.lost = 0.0
        self.only: frozenset[str] = frozenset()
        self.seen: Counter[str] = Counter()
        self.refused: Counter[str] = Counter()
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)
        self._thread.start()
        self._runner: web.AppRunner | None = None
        self.port = self._run(self._start())

    @property
    def url(self) -> str:
        """Where it listens."""
        return f"http://127.0.0.1:{self.port}"

    def close(self) -> None:
        """End it."""
        self._run(self._stop())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    async def inner(self, action: str, request: web.Request, body: bytes) -> tuple[int, bytes]:
        """What stands behind it: the status and the body of the answer."""
        raise NotImplementedError

    async def opened(self) -> None:
        """Open what :meth:`inner` needs."""

    async def closed(self) -> None:
        """Close it."""

    async def _answer(self, request: web.Request) -> web.StreamResponse:
        action, body = request.headers["X-Amz-Target"].rpartition(".")[2], await request.read()
        self.seen[action] += 1
        touched = not self.only or action in self.only
        if touched and self._random.random() < self.rate:
            self.refused[action] += 1
            return _json(400, _error(self._random.choice(self._throttles), "Rate exceeded"))
        status, answer = await self.inner(action, request, body)
        if touched and self._random.random() < self.lost:
            assert request.transport
            request.transport.abort()
        return _json(status, answer)

    async def _start(self) -> int:
        await self.opened()
        app = web.Application(client_max_size=1 << 24)
        app.router.add_post("/", self._answer)
        self._runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
        await self._runner.setup()
        site = web.TCPSite(self._runner, "127.0.0.1", 0)
        await site.start()
        port: int = self._runner.addresses[0][1]
        return port

    async def _stop(self) -> None:
        assert self._runner
        await self._runner.cleanup()
        await self.closed()

    def _run(self, work: Any) -> Any:
        return asyncio.run_coroutine_threadsafe(work, self._loop).result(ECHO_SECONDS)


class DynamoFront(Front):
    """Before a DynamoDB at ``url``."""

    def __init__(self, url: str) -> None:
        self._to = url
        super().__init__(DYNAMODB_THROTTLES)

    async def opened(self) -> None:
        """Connections of our own."""
        self._session = aiohttp.ClientSession()

    async def closed(self) -> None:
        """Close them."""
        await self._session.close()

    async def inner(self, action: str, request: web.Request, body: bytes) -> tuple[int, bytes]:
        """Handed on as it is."""
        headers = {name: request.headers[name] for name in ("X-Amz-Target", "Authorization", "Content-Type")}
        async with self._session.post(self._to, data=body, headers=headers) as answer:
            return answer.status, await answer.read()


class CloudWatchFront(Front):
    """Before the model of CloudWatch Logs."""

    def __init__(self, cloud: FakeCloudWatch) -> None:
        self._cloud = cloud
        super().__init__(CLOUDWATCH_THROTTLES)

    async def inner(self, action: str, request: web.Request, body: bytes) -> tuple[int, bytes]:
        """A call of the model."""
        operation: Callable[..., dict[str, Any]] = getattr(self._cloud, re.sub(r"(?<!^)(?=[A-Z])", "_", action).lower())
        try:
            return 200, json.dumps(operation(**json.loads(body))).encode()
        except ClientError as error:
            status = error.response["ResponseMetadata"]["HTTPStatusCode"]
            return status, _error(error.response["Error"]["Code"], error.response["Error"]["Message"])


def _error(code: str, message: str) -> bytes:
    """As JSON protocols of AWS tell of an error."""
    return json.dumps({"__type": f"com.amazonaws#{code}", "message": message}).encode()


def _json(status: int, body: bytes) -> web.Response:
    return web.Response(status=status, body=body, content_type="application/x-amz-json-1.0")
