"""The page as an ASGI app: files from memory, and ``index.html`` for every path that is a view of the page.

A path is only ever looked up among the files that were loaded at the start, never opened: no request can reach
another file.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from starlette.datastructures import Headers
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import ASGIApp, Receive, Scope, Send

from miyabi.webui.files import File, load

DIST = Path(__file__).parent / "dist"
"""Where the build of ``web/`` puts the page, in the work tree and in the wheel."""
INDEX = "/index.html"
HASHED = "/assets/"
"""Files below it are named after their content, so a browser may keep them for ever."""
NOT_VIEWS = (HASHED, "/api/")
"""Paths below these are never views of the page: what is not there is a 404."""
POLICY = "; ".join(
    (
        "default-src 'none'",
        "script-src 'self'",
        "style-src 'self'",
        "img-src 'self' data:",
        "font-src 'self'",
        "connect-src 'self'",
        "manifest-src 'self'",
        "base-uri 'none'",
        "form-action 'none'",
        "frame-ancestors 'none'",
    )
)
"""Content-Security-Policy: the page runs its own files only, nothing inline, and talks to its own address only."""
_CONNECT = "connect-src 'self'"
_UNUSED = "camera display-capture geolocation microphone midi payment publickey-credentials-get serial usb".split()
SAFE = {
    "x-content-type-options": "nosniff",
    "referrer-policy": "same-origin",
    "permissions-policy": ", ".join(f"{feature}=()" for feature in _UNUSED),
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
    "content-security-policy": POLICY,
    "vary": "accept-encoding",
}
NOT_BUILT = """<!doctype html><html lang="en"><meta charset="utf-8"><title>Miyabi: the page is not built</title>
<h1>The page is not built yet</h1>
<p>The board works, and its API answers below <a href="/api/tasks">/api/tasks</a>, but the page's files are missing.
Run <code>make setup</code> in the repository, or install Miyabi from a wheel, which contains them; then start the
board again.</p></html>
"""


def policy(origins: Sequence[str]) -> str:
    """The policy of a page that talks to ``origins`` as well (``https://login.example.org``): they sign people in."""
    return POLICY.replace(_CONNECT, " ".join((_CONNECT, *origins)))


def page(dist: Path = DIST, origins: Sequence[str] = ()) -> ASGIApp:
    """An app that serves the files of ``dist`` as they are now. Without them every view says how to build them.

    ``origins`` are the other addresses that it talks to.
    Answers GET and HEAD (others 405): 200, 304 for a known ETag, 404 for a missing file.
    """
    files = load(dist)
    safe = SAFE | {"content-security-policy": policy(origins)}
    index = files.get(INDEX)
    missing = File.of(NOT_BUILT.encode(), "text/html; charset=utf-8")

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        request = Request(scope)
        await _answer(request)(scope, receive, send)

    def _answer(request: Request) -> Response:
        if request.method not in ("GET", "HEAD"):
            return _plain(405, "Only GET and HEAD are served here.", safe | {"allow": "GET, HEAD"})
        path = request.url.path
        file = files.get(path)
        if file is not None:
            return _sent(file, request, safe, for_ever=path.startswith(HASHED))
        if path.startswith(NOT_VIEWS):
            return _plain(404, "Nothing is here.", safe)
        if index is None:
            return _sent(missing, request, safe, status=503)
        return _sent(index, request, safe)

    return app


def _sent(
    file: File, request: Request, safe: Mapping[str, str], *, for_ever: bool = False, status: int = 200
) -> Response:
    asked, head = request.headers, request.method == "HEAD"
    headers = {
        **safe,
        "etag": file.etag,
        "cache-control": "public, max-age=31536000, immutable" if for_ever else "no-cache",
    }
    if status == 200 and _known(file, asked):
        return Response(status_code=304, headers=headers)
    body = file.body
    if file.gzipped is not None and _takes_gzip(asked):
        body = file.gzipped
        headers["content-encoding"] = "gzip"
    headers |= {"content-type": file.content_type, "content-length": str(len(body))}
    return Response(b"" if head else body, status, headers)


def _known(file: File, asked: Headers) -> bool:
    tags = [tag.strip().removeprefix("W/") for tag in asked.get("if-none-match", "").split(",")]
    return file.etag in tags or "*" in tags


def _takes_gzip(asked: Headers) -> bool:
    for choice in asked.get("accept-encoding", "").lower().split(","):
        name, _, weight = choice.partition(";")
        if name.strip() in ("gzip", "*"):
            return weight.replace(" ", "") not in ("q=0", "q=0.0", "q=0.00", "q=0.000")
    return False


def _plain(status: int, text: str, headers: Mapping[str, str]) -> Response:
    return Response(text, status, headers, media_type="text/plain")
