"""What is logged is logged without secrets."""

from __future__ import annotations

import io
import logging

import pytest

from miyabi.masked import masked
from miyabi.wiring.json_log import JsonFormatter, TextFormatter

TOKEN = "eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9.eyJzdWIiOiJhIn0.c2lnbmF0dXJl"


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        (f"/api/tasks/{TOKEN}", "/api/tasks/***"),
        (f"a {TOKEN}, b", "a ***, b"),
        (TOKEN[:40], "***"),
        (TOKEN.replace(".", "%2E"), "***"),
        ("Authorization: Bearer abc.def", "Authorization: Bearer ***"),
        ("?access_token=abc&x=1", "?access_token=***&x=1"),
        ("client_secret=abc password=def", "client_secret=*** password=***"),
    ],
)
def test_a_secret_is_taken_out(text: str, shown: str) -> None:
    assert masked(text) == shown


@pytest.mark.parametrize("text", ["", "/api/tasks/eyJ", "12 tokens = 3 bearers", "a token was refused: it has ended"])
def test_other_text_stays_as_it_is(text: str) -> None:
    assert masked(text) == text


@pytest.mark.parametrize("formatter", [TextFormatter(), JsonFormatter("gateway")])
def test_neither_a_message_nor_a_traceback_shows_one(formatter: logging.Formatter) -> None:
    stream = io.StringIO()
    handler = logging.StreamHandler(stream)
    handler.setFormatter(formatter)
    log = logging.getLogger("test_masked")
    log.addHandler(handler)
    try:
        raise ValueError(f"the header was Bearer {TOKEN}")
    except ValueError:
        log.exception("a request with %s failed", TOKEN)
    finally:
        log.removeHandler(handler)
    assert "ValueError" in stream.getvalue()
    assert "eyJ" not in stream.getvalue()
