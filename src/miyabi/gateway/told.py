"""What the gateway itself answers to a ``GET``: its metrics, its description, the services' levels."""

from __future__ import annotations

from collections.abc import Callable

from starlette.types import Receive, Scope, Send

from miyabi.counters import exposition
from miyabi.http import Problem, respond
from miyabi.principal import NEEDS_ALL, attached

METRICS = "/metrics"
OPENAPI = "/api/openapi.json"


class Told:
    """ASGI. Answers with what ``body`` returns: bytes and their media type.

    ``whole``: for who may see all projects, since it can't be told apart by project.
    """

    def __init__(self, body: Callable[[], tuple[bytes, str]], *, whole: bool = False) -> None:
        self._body, self._whole = body, whole

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer GET and HEAD. Raises :class:`Problem` ``method-not-allowed`` or ``forbidden``."""
        if scope["method"] not in ("GET", "HEAD"):
            raise Problem("method-not-allowed", "Allowed here: GET, HEAD.", Allow="GET, HEAD")
        principal = attached(scope)
        if self._whole and principal and principal.projects is not None:
            raise Problem("forbidden", NEEDS_ALL)
        body, media = self._body()
        headers = [(b"content-type", media.encode()), (b"cache-control", b"no-cache")]
        await respond(send, 200, headers, body)


def metrics() -> Told:
    """``GET /metrics`` of this process: a task API elsewhere has its own."""
    return Told(exposition, whole=True)
