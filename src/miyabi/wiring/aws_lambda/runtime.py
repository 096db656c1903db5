"""What the functions share: one event loop and one application for as long as the process lives."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable
from typing import Any, Generic, TypeVar
from urllib.parse import quote, unquote

from mangum import Mangum
from starlette.types import ASGIApp, Receive, Scope, Send

from miyabi.context import REQUEST
from miyabi.gateway.answered import peer
from miyabi.gateway.audit import Audit
from miyabi.gateway.discreet import Discreet
from miyabi.settings import Settings, from_environment
from miyabi.wiring.aws_lambda.admission import admitted
from miyabi.wiring.aws_lambda.metrics import Metrics
from miyabi.wiring.json_log import log_as_json
from miyabi.wiring.stores import now

T = TypeVar("T")

Event = dict[str, Any]
TEXT = ["text/", "application/json", "application/problem+json", "application/openapi", "image/svg+xml"]
"""Bodies that API Gateway is handed as they are; others go in Base64, which it would have to be told to undo."""


class Process(Generic[T]):
    """A function's process: its event loop, and the service ``make`` makes at the first event."""

    def __init__(self, name: str, make: Callable[[Settings], Awaitable[T]]) -> None:
        self._make = make
        self._made: T | None = None
        self._metrics = Metrics(name)
        self.loop = asyncio.new_event_loop()
        asyncio.set_event_loop(self.loop)
        log_as_json(name)
        logging.getLogger("mangum").setLevel(logging.WARNING)

    def service(self) -> T:
        """The service, made at the first call. Raises ``SettingsError``."""
        if self._made is None:
            self._made = self.loop.run_until_complete(self._make(from_environment()))
        return self._made

    def serve(self, event: Event, context: Any, work: Callable[[T], Any]) -> Any:
        """``work`` with the service, within the request that the event is; then its metrics are told."""
        token = REQUEST.set(request_id(event, context))
        try:
            return work(self.service())
        finally:
            REQUEST.reset(token)
            self._metrics.tell()


def request_id(event: Event, context: Any) -> str:
    """API Gateway's id of the request, else Lambda's of the invocation."""
    found = event.get("requestContext") or {} if isinstance(event, dict) else {}
    return str(found.get("requestId") or getattr(context, "aws_request_id", ""))


def is_request(event: object) -> bool:
    """Whether the event is a request that API Gateway's proxy integration brings."""
    return isinstance(event, dict) and "httpMethod" in event and "requestContext" in event


def adapter(app: ASGIApp, service: str) -> Mangum:
    """``app`` as a function of API Gateway's events, for those whom the authorizer lets in.

    ``service`` is what people call it ("The task API"). What they change is told in the function's own log group.
    """
    inner = Audit(admitted(Discreet(app, service)), _write_change, peer, now)

    async def with_raw_path(scope: Scope, receive: Receive, send: Send) -> None:
        path = scope["path"]
        sent = quote(path, safe="/%:@!$&'()*+,;=~").encode()
        await inner({**scope, "raw_path": sent, "path": unquote(path)}, receive, send)

    return Mangum(with_raw_path, lifespan="off", text_mime_types=TEXT)


def _write_change(ms: int, line: str) -> None:
    print(f'{{"audit":{line}}}', flush=True)
