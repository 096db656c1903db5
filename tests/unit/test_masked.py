"""What is logged is logged without secrets."""

from __future__ import annotations

import pytest

from miyabi.masked import masked

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
