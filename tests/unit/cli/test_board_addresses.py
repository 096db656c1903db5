"""``MIYABI_URL`` may hold a password by mistake, which no message repeats."""

from __future__ import annotations

import click
import pytest

from miyabi.cli.client import open_board
from miyabi.cli.run.senders import Http, Unsent

WRONG = "htp://ann:hidden@host", "http://ann:hidden/x@host", "http://ann:hidden@"
UNREACHABLE = "http://ann:hidden@127.0.0.1:1"


@pytest.mark.parametrize("url", WRONG)
def test_a_run_says_that_it_is_no_address_and_not_what_it_is(url: str) -> None:
    with pytest.raises(Unsent, match="is no address of a board") as said:
        Http(url)
    assert "hidden" not in str(said.value)


def test_where_a_run_sends_is_told_without_a_user() -> None:
    with pytest.raises(Unsent, match=r"http://127\.0\.0\.1:1 can't be reached"):
        Http(UNREACHABLE).send("/a", "b", [], None)  # type: ignore[arg-type]


@pytest.mark.parametrize("url", [*WRONG, UNREACHABLE])
def test_other_commands_do_not_show_it_either(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MIYABI_URL", url)
    with pytest.raises(click.ClickException, match=r"127\.0\.0\.1") as said:
        list(open_board(None).tasks())
    assert "hidden" not in str(said.value)
