"""``MIYABI_TASKS``: where the gateway finds the task APIs."""

from __future__ import annotations

import pytest

from miyabi.settings import SettingsError, from_environment
from miyabi.wiring.gateway import make_upstream


def test_several_have_spaces_between() -> None:
    upstream = make_upstream(from_environment({"MIYABI_TASKS": "http://a:8421 https://[::1]:8421/"}))
    assert [member.url for member in upstream.pool.members] == ["http://a:8421", "https://[::1]:8421"]


@pytest.mark.parametrize("wrong", ["a:8421", "ftp://a", "http://", "http://a:0", "http://a:x", "http://a/?x=1"])
def test_what_is_no_address_is_refused(wrong: str) -> None:
    with pytest.raises(SettingsError, match=r"MIYABI_TASKS.*write `http://127"):
        make_upstream(from_environment({"MIYABI_TASKS": f"http://a:1 {wrong}"}))


def test_a_password_is_refused_and_not_shown_for_the_address_is_told_while_it_is_away() -> None:
    with pytest.raises(SettingsError, match="no user") as refused:
        make_upstream(from_environment({"MIYABI_TASKS": "http://ann:hidden@a:8421"}))
    assert "hidden" not in str(refused.value)
