"""A way to DynamoDB on which things go wrong: below aiodynamo, above the network."""

from __future__ import annotations

import json
import random
from collections.abc import Awaitable, Callable
from typing import Any

import aiohttp
from aiodynamo.http.types import HttpImplementation, Request, RequestFailed, Response

Fault = Callable[[], Response]


def _error(status: int, kind: str) -> Fault:
    body = json.dumps({"__type": f"com.amazonaws.dynamodb.v20120810#{kind}", "message": "slow down"}).encode()
    return lambda: Response(status, body)


def _lost() -> Response:
    raise RequestFailed(aiohttp.ClientConnectionError("connection lost"))


def _late() -> Response:
    raise TimeoutError


BUSY: tuple[Fault, ...] = (
    _error(400, "ProvisionedThroughputExceededException"),
    _error(400, "ThrottlingException"),
    _error(400, "RequestLimitExceeded"),
    _error(400, "TransactionConflictException"),
)
SILENT: tuple[Fault, ...] = (_lost, _late)
AWAY: tuple[Fault, ...] = (
    _error(500, "InternalServerError"),
    _error(503, "ServiceUnavailable"),
    lambda: Response(502, b"<html>"),
    *SILENT,
)


def cancelled() -> Response:
    """A transaction that met another one."""
    reasons = [{"Code": "None"}, {"Code": "TransactionConflict", "Message": "in progress"}]
    kind = "com.amazonaws.dynamodb.v20120810#TransactionCanceledException"
    return Response(400, json.dumps({"__type": kind, "CancellationReasons": reasons}).encode())


class FaultyHttp:
    """Hands requests on, of which ``rate`` (0 to 1) fail: before they arrive, or with their answer lost behind them.

    Of batches only a part is done each time, as DynamoDB may. ``seen`` are the actions of all requests.
    """

    def __init__(self, inner: HttpImplementation, rate: float = 0.0, seed: int = 0) -> None:
        self.inner, self.rate = inner, rate
        self.random = random.Random(seed)
        self.seen: list[str] = []
        self.only: str | None = None
        """When set, only this action fails."""
        self.faults: tuple[Fault, ...] = ()
        """When set, requests fail in these ways, and before they arrive."""
        self.down: str | None = None
        """This action never arrives."""
        self.hangs: Callable[[], Awaitable[object]] | None = None
        """What requests wait for, when set."""
        self.late: set[str] = set()
        """Tasks that no index shows yet."""

    async def __call__(self, request: Request) -> Response:
        action = (request.headers or {})["X-Amz-Target"].partition(".")[2]
        self.seen.append(action)
        if self.hangs:
            await self.hangs()
        if action == self.down:
            return self._fault(action)
        if self.late and action == "Query":
            return self._without_late(await self.inner(request))
        if self.only not in (None, action) or self.random.random() >= self.rate:
            return await self._partly(action, request)
        if self.faults or self.random.random() < 0.5:
            return self._fault(action)
        await self.inner(request)
        return self.random.choice(AWAY)()

    def _without_late(self, response: Response) -> Response:
        answer = json.loads(response.body)
        items = [item for item in answer["Items"] if item["task_id"]["S"] not in self.late]
        return Response(response.status, json.dumps({**answer, "Items": items}).encode())

    def _fault(self, action: str) -> Response:
        faults = (*BUSY, *AWAY, cancelled) if action == "TransactWriteItems" else (*BUSY, *AWAY)
        return self.random.choice(self.faults or faults)()

    async def _partly(self, action: str, request: Request) -> Response:
        """Do the first half of a batch only, some of the time."""
        if action not in ("BatchGetItem", "BatchWriteItem") or self.random.random() >= self.rate:
            return await self.inner(request)
        body: dict[str, Any] = json.loads(request.body or b"")
        ((table, wanted),) = body["RequestItems"].items()
        parts = wanted["Keys"] if action == "BatchGetItem" else wanted
        done, left = parts[: len(parts) // 2], parts[len(parts) // 2 :]
        name = "UnprocessedKeys" if action == "BatchGetItem" else "UnprocessedItems"

        def shaped(some: list[Any]) -> Any:
            return {table: {**wanted, "Keys": some} if action == "BatchGetItem" else some}

        answer: dict[str, Any] = {"Responses": {}}
        if done:
            smaller = json.dumps({**body, "RequestItems": shaped(done)}).encode()
            answered = await self.inner(Request(request.method, request.url, request.headers, smaller))
            answer = json.loads(answered.body)
        return Response(200, json.dumps({**answer, name: shaped(left)}).encode())
