"""``miyabi token``: what it makes is let in, and what it shows is what a token says."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result
from tests.support.issuer import claims, segment

from miyabi.cli import main

SECRET = "a-secret-of-this-test-that-is-long-enough"


@pytest.fixture(autouse=True)
def secret(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MIYABI_AUTH_SECRET", SECRET)


def token(*arguments: str, given: str | None = None) -> Result:
    return CliRunner().invoke(main, ["token", *arguments], input=given)


def shown(text: str) -> dict[str, Any]:
    said: dict[str, Any] = json.loads(token("show", given=text).stdout)
    return said


def test_a_token_is_a_viewers_for_thirty_days_unless_told_otherwise() -> None:
    said = shown(token("make", "ann").stdout)
    assert said["let_in"]
    assert said["claims"].items() >= {"sub": "ann", "role": "viewer", "iss": "miyabi", "aud": "miyabi"}.items()
    assert said["claims"]["exp"] - said["claims"]["nbf"] == 30 * 86_400
    assert "projects" not in said["claims"]


def test_role_projects_and_days_are_what_was_asked_for() -> None:
    made = token("make", "ann", "--role", "admin", "--project", "one", "--project", "two", "--days", "0.5")
    said = shown(made.stdout)["claims"]
    assert (said["role"], said["projects"], said["exp"] - said["nbf"]) == ("admin", ["one", "two"], 43_200)


def test_with_groups_it_is_an_ingest_token() -> None:
    said = shown(token("make", "ci", "--group", "miyabi/ci", "--group", "/miyabi/nightly").stdout)
    assert said["let_in"]
    assert (said["claims"]["role"], said["claims"]["groups"]) == ("ingest", ["/miyabi/ci", "/miyabi/nightly"])


@pytest.mark.parametrize(
    "arguments",
    [
        ("--role", "ingest"),
        ("--role", "admin", "--group", "/miyabi/ci"),
        ("--role", "owner"),
        ("--project", "a b"),
        ("--group", "/"),
        ("--days", "0"),
        ("--days", "9999"),
    ],
)
def test_what_makes_no_sense_is_a_usage_error(arguments: tuple[str, ...]) -> None:
    done = token("make", "ann", *arguments)
    assert done.exit_code == 2
    assert done.stdout == ""


def test_without_a_secret_it_says_what_to_set(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("MIYABI_AUTH_SECRET")
    assert "Set MIYABI_AUTH_SECRET" in token("make", "ann").stderr
    assert token("make", "ann").exit_code == 1
    assert not json.loads(token("show", "a.b.c").stdout)["let_in"]


def test_a_secret_in_a_file_signs_as_well(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "secret").write_text(SECRET)
    made = token("make", "ann").stdout
    monkeypatch.delenv("MIYABI_AUTH_SECRET")
    monkeypatch.setenv("MIYABI_AUTH_SECRET_FILE", str(tmp_path / "secret"))
    assert shown(made)["let_in"]


def test_a_token_that_is_refused_is_shown_with_the_reason_and_exit_code_1() -> None:
    forged = f"{segment({'alg': 'none'})}.{segment(claims('miyabi', exp=4_102_444_800))}."
    done = token("show", forged)
    said = json.loads(done.stdout)
    assert done.exit_code == 1
    assert (said["let_in"], said["why_not"], said["claims"]["sub"]) == (False, "its algorithm is 'none'", "ann")
    assert said["good_until"] == "2100-01-01T00:00:00+00:00"


@pytest.mark.parametrize("text", ["", "x", "a.b.c", "..", "\xff.é.\x00", "W10.W10.W10", "e30.bnVsbA.x"])
def test_garbage_is_shown_as_none(text: str) -> None:
    done = token("show", given=text)
    assert done.exit_code == 1
    assert not json.loads(done.stdout)["let_in"]


def test_a_secret_that_is_too_short_is_a_clear_error(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MIYABI_AUTH_SECRET", "short")
    for arguments in (("make", "ann"), ("show", "a.b.c")):
        done = token(*arguments)
        assert done.exit_code == 1
        assert "MIYABI_AUTH_SECRET" in done.stderr
