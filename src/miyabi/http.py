"""What every HTTP service of the house shares: problem details (RFC 9457), when they are sent, how a body is read."""

from __future__ import annotations

import logging
import re
from typing import ClassVar, TypeVar

import msgspec
from msgspec import Struct
from starlette.exceptions import HTTPException
from starlette.responses import Response
from starlette.types import ASGIApp, Receive, Scope, Send

T = TypeVar("T")
PROBLEM_JSON = "application/problem+json"
TYPE_PREFIX = "urn:miyabi:problem:"
ASKS_FOR_ONE = (
    "It asks for a token: set MIYABI_TOKEN to one of the role `service` that is good for all projects "
    "(`miyabi token make services --role service`)."
)
"""What to do where one service refuses another."""
NOT_FORESEEN = "The request failed here, not at you. It was logged."
"""The detail of ``internal``."""
UNKNOWN = re.compile(r"Object contains unknown field `(.*?)`")
AT = re.compile(r" - at `\$\.?([^`]*)`$")

TITLES = {
    "bad-request": (400, "The request can't be read"),
    "invalid-parameter": (400, "A parameter is unknown or can't be used"),
    "invalid-body": (400, "The body can't be used"),
    "unauthorized": (401, "A token is needed"),
    "forbidden": (403, "Your token does not allow this"),
    "forbidden-host": (403, "This address is not served here"),
    "not-found": (404, "Nothing is here"),
    "method-not-allowed": (405, "This method is not served here"),
    "request-timeout": (408, "The request did not come in time"),
    "conflict": (409, "The task's state does not allow this"),
    "too-large": (413, "The body is too large"),
    "uri-too-long": (414, "The target is too long"),
    "unsupported-media-type": (415, "The body must be JSON"),
    "rate-limited": (429, "Too many requests"),
    "headers-too-large": (431, "The headers are too large"),
    "internal": (500, "Something broke here"),
    "bad-gateway": (502, "The service behind the gateway answered wrongly"),
    "unavailable": (503, "A service behind this one does not answer"),
    "timeout": (504, "The service behind the gateway took too long"),
    "version-not-supported": (505, "Only HTTP/1.1 and HTTP/1.0 are spoken here"),
    "storage-full": (507, "There is no room to store this"),
}
"""Name of a problem → its status and title. The ``type`` member is :data:`TYPE_PREFIX` and the name: stable."""


class ProblemDetails(Struct, frozen=True, omit_defaults=True):
    """The body of every error answer."""

    type: str
    title: str
    status: int
    detail: str = ""
    parameter: str | None = None
    """The query parameter or body field that is at fault, where one is."""


class Problem(Exception):
    """An error answer: the name in :data:`TITLES`, what is wrong here, and what to do."""

    def __init__(self, name: str, detail: str, *, parameter: str | None = None, **headers: str) -> None:
        super().__init__(detail)
        self.status, title = TITLES[name]
        self.details = ProblemDetails(TYPE_PREFIX + name, title, self.status, detail, parameter)
        self.headers = {key.replace("_", "-"): value for key, value in headers.items()}

    def response(self) -> Response:
        """The answer to send."""
        body = msgspec.json.encode(self.details)
        return Response(body, self.status, self.headers, media_type=PROBLEM_JSON)


class ClientGone(Exception):
    """The client went away before its request was whole."""


class Application:
    """ASGI: a router of Starlette's, and whatever it raises becomes a problem to answer with.

    ``full`` are the errors that mean no room, ``away`` those that mean a store that does not answer.
    """

    log: ClassVar[logging.Logger]
    full: ClassVar[tuple[type[Exception], ...]] = ()
    away: ClassVar[tuple[type[Exception], ...]] = ()

    def __init__(self, router: ASGIApp) -> None:
        self._router = router

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        if scope["type"] != "http":
            await self._router(scope, receive, send)
            return
        scope["app"] = self
        try:
            await self._router(scope, receive, send)
        except ClientGone:
            return
        except Exception as error:
            await self._problem(error).response()(scope, receive, send)

    def _problem(self, error: Exception) -> Problem:
        """What nobody foresaw is logged and 500."""
        if isinstance(error, Problem):
            return error
        if isinstance(error, HTTPException) and error.status_code == 405:
            allow = (error.headers or {}).get("Allow", "")
            return Problem("method-not-allowed", f"Allowed here: {allow}.", Allow=allow)
        if isinstance(error, self.full):
            return Problem("storage-full", str(error), Retry_After="5")
        if isinstance(error, self.away):
            return Problem("unavailable", str(error), Retry_After="1")
        self.log.error("a request failed", exc_info=error)
        return Problem("internal", NOT_FORESEEN)


async def respond(send: Send, status: int, headers: list[tuple[bytes, bytes]], body: bytes) -> None:
    """A whole answer in two messages; ``content-length`` is added."""
    headers = [*headers, (b"content-length", b"%d" % len(body))]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body})


async def read_body(receive: Receive, headers: dict[bytes, bytes], limit: int) -> bytes:
    """The whole body, at most ``limit`` bytes; raises :class:`Problem` ``too-large`` as soon as it is known."""
    declared = headers.get(b"content-length", b"")
    if declared.isdigit() and int(declared) > limit:
        raise _too_large(limit)
    chunks: list[bytes] = []
    size = 0
    while True:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise ClientGone
        chunks.append(message.get("body", b""))
        size += len(chunks[-1])
        if size > limit:
            raise _too_large(limit)
        if not message.get("more_body"):
            return b"".join(chunks)


def _too_large(limit: int) -> Problem:
    return Problem("too-large", f"At most {limit:,} bytes are taken in one request. Send several smaller ones.")


def parse_body(raw: bytes, content_type: str, shape: type[T]) -> T:
    """The JSON body as ``shape``. Control over the type keeps simple cross-site forms out."""
    if content_type.partition(";")[0].strip().lower() != "application/json":
        raise Problem("unsupported-media-type", "Send JSON with `Content-Type: application/json`.")
    try:
        return _decoded(raw, shape)
    except msgspec.ValidationError as error:
        raise refused("invalid-body", error, shape) from None
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise Problem("bad-request", f"The body is no JSON: {error}.") from None
    except RecursionError:
        raise Problem("bad-request", "The body is nested too deeply.") from None


def _decoded(raw: bytes, shape: type[T]) -> T:
    """The JSON as ``shape``; a whole number is one however it is written (``5.0``), as in JSON Schema."""
    try:
        return msgspec.json.decode(raw, type=shape)
    except msgspec.ValidationError as error:
        if "got `float`" not in str(error):
            raise
        return msgspec.convert(_whole(msgspec.json.decode(raw)), shape)


def _whole(value: object) -> object:
    """``value`` with its floats without a fraction as integers."""
    if isinstance(value, dict):
        return {key: _whole(inner) for key, inner in value.items()}
    if isinstance(value, list):
        return [_whole(inner) for inner in value]
    return int(value) if isinstance(value, float) and value.is_integer() else value


def refused(name: str, error: msgspec.ValidationError, shape: type) -> Problem:
    """The problem ``name`` for a value that is not of ``shape``, with the field that is at fault."""
    text = str(error)
    if unknown := UNKNOWN.search(text):
        known = ", ".join(f"`{field}`" for field in getattr(shape, "__struct_fields__", ())) or "none"
        detail = f"`{unknown[1]}` is not known here; known are {known}."
        return Problem(name, detail, parameter=unknown[1])
    place = AT.search(text)
    field = place[1] if place else ""
    if missing := re.search(r"missing required field `(.*?)`", text):
        field = missing[1]
    what = AT.sub("", text)
    return Problem(name, f"{f'`{field}`: ' if field else ''}{what}.", parameter=field or None)
