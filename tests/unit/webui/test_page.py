"""The web UI hands out the built page: fast, cacheable, and nothing but its own files."""

from __future__ import annotations

import asyncio
import gzip
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from starlette.types import ASGIApp, Message

from miyabi.webui import page

SCRIPT = b"export const board = 1;\n" * 100
INDEX = b"<!doctype html><title>Miyabi</title>" + b"<!-- page -->" * 60
PICTURE = bytes(range(256)) * 4


@dataclass
class Answer:
    """A response as a client sees it."""

    status: int
    headers: Mapping[str, str]
    body: bytes


def ask(app: ASGIApp, path: str, method: str = "GET", **headers: str) -> Answer:
    """One request; ``accept_encoding="gzip"`` is the header ``accept-encoding: gzip``."""
    scope: dict[str, Any] = {
        "type": "http",
        "method": method,
        "path": path,
        "raw_path": path.encode(),
        "query_string": b"",
        "server": ("127.0.0.1", 8420),
        "scheme": "http",
        "headers": [(name.replace("_", "-").encode(), value.encode()) for name, value in headers.items()],
    }
    sent: list[Message] = []

    async def receive() -> Message:
        return {"type": "http.request", "body": b"", "more_body": False}

    async def send(message: Message) -> None:
        sent.append(message)

    asyncio.run(app(scope, receive, send))  # type: ignore[arg-type]
    start, *rest = sent
    decoded = {name.decode(): value.decode() for name, value in start["headers"]}
    return Answer(start["status"], decoded, b"".join(m.get("body", b"") for m in rest))


@pytest.fixture
def dist(tmp_path: Path) -> Path:
    folder = tmp_path / "dist"
    (folder / "assets").mkdir(parents=True)
    (folder / "index.html").write_bytes(INDEX)
    (folder / "assets" / "app-1a2b3c4d.js").write_bytes(SCRIPT)
    (folder / "icon.png").write_bytes(PICTURE)
    (tmp_path / "secret.txt").write_text("not part of the page")
    return folder


def test_a_hashed_file_may_be_kept_for_ever(dist: Path) -> None:
    answer = ask(page(dist), "/assets/app-1a2b3c4d.js")
    assert (answer.status, answer.body) == (200, SCRIPT)
    assert answer.headers["cache-control"] == "public, max-age=31536000, immutable"
    assert answer.headers["content-type"] == "text/javascript; charset=utf-8"


@pytest.mark.parametrize("path", ["/", "/index.html", "/tasks", "/tasks/build-1a2b", "/projects/v1.2.js"])
def test_every_view_is_the_index_and_is_asked_for_anew(dist: Path, path: str) -> None:
    answer = ask(page(dist), path)
    assert (answer.status, answer.body) == (200, INDEX)
    assert answer.headers["cache-control"] == "no-cache"
    assert answer.headers["content-type"] == "text/html; charset=utf-8"


@pytest.mark.parametrize("path", ["/assets/gone-9f9f.js", "/assets/", "/api/tasks", "/api/"])
def test_what_is_no_view_and_not_there_is_a_404(dist: Path, path: str) -> None:
    answer = ask(page(dist), path)
    assert answer.status == 404
    assert INDEX not in answer.body


def test_a_compressed_answer_goes_to_those_who_take_it(dist: Path) -> None:
    app = page(dist)
    compressed = ask(app, "/assets/app-1a2b3c4d.js", accept_encoding="br, gzip;q=0.8")
    assert compressed.headers["content-encoding"] == "gzip"
    assert gzip.decompress(compressed.body) == SCRIPT
    assert len(compressed.body) < len(SCRIPT) / 10
    refused = ask(app, "/assets/app-1a2b3c4d.js", accept_encoding="gzip;q=0, identity")
    assert "content-encoding" not in refused.headers
    assert compressed.headers["vary"] == refused.headers["vary"] == "accept-encoding"


def test_a_picture_is_sent_as_it_is(dist: Path) -> None:
    answer = ask(page(dist), "/icon.png", accept_encoding="gzip")
    assert (answer.headers["content-type"], answer.body) == ("image/png", PICTURE)
    assert "content-encoding" not in answer.headers


def test_a_known_etag_is_answered_without_a_body(dist: Path) -> None:
    app = page(dist)
    etag = ask(app, "/").headers["etag"]
    again = ask(app, "/", if_none_match=f'"other", W/{etag}')
    assert (again.status, again.body, again.headers["etag"]) == (304, b"", etag)
    assert ask(app, "/", if_none_match='"other"').status == 200


def test_head_says_what_get_would_without_the_body(dist: Path) -> None:
    app = page(dist)
    got, head = ask(app, "/tasks"), ask(app, "/tasks", "HEAD")
    assert head.body == b""
    assert head.headers == got.headers
    assert head.headers["content-length"] == str(len(INDEX))


def test_another_method_is_refused(dist: Path) -> None:
    answer = ask(page(dist), "/", "POST")
    assert (answer.status, answer.headers["allow"]) == (405, "GET, HEAD")


@pytest.mark.parametrize("path", ["/../secret.txt", "/assets/../../secret.txt", "//secret.txt", "/%2e%2e/secret.txt"])
def test_no_path_leads_out_of_the_folder(dist: Path, path: str) -> None:
    assert b"not part of the page" not in ask(page(dist), path).body


def test_a_file_that_appears_later_is_not_served(dist: Path) -> None:
    app = page(dist)
    (dist / "later.txt").write_text("later")
    assert ask(app, "/later.txt").body == INDEX


def test_every_answer_is_kept_from_being_guessed_or_framed(dist: Path) -> None:
    app = page(dist)
    for path in ("/", "/assets/app-1a2b3c4d.js", "/assets/gone.js"):
        headers = ask(app, path).headers
        assert headers["x-content-type-options"] == "nosniff"
        assert "script-src 'self';" in headers["content-security-policy"]
        assert "frame-ancestors 'none'" in headers["content-security-policy"]
        assert "unsafe" not in headers["content-security-policy"]


def test_a_page_that_was_not_built_says_how_to_build_it(tmp_path: Path) -> None:
    app = page(tmp_path / "nowhere")
    answer = ask(app, "/tasks")
    assert answer.status == 503
    assert b"make setup" in answer.body
    assert ask(app, "/assets/app.js").status == 404
