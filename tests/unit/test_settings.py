"""Settings: the environment, options before it, and errors that name the variable."""

from __future__ import annotations

from pathlib import Path

import pytest

from miyabi.settings import DEFAULT_PORT, SettingsError, from_environment


def test_nothing_needs_to_be_set() -> None:
    settings = from_environment({})
    assert (settings.host, settings.port) == ("127.0.0.1", DEFAULT_PORT)
    assert settings.data.is_absolute()


def test_the_environment_is_read_and_an_option_comes_before_it() -> None:
    environment = {"MIYABI_PORT": "9000", "MIYABI_HOST": "localhost", "MIYABI_RATE_LIMIT": "0.5"}
    settings = from_environment(environment, port=9001, host=None)
    assert (settings.host, settings.port, settings.rate_limit) == ("localhost", 9001, 0.5)


def test_an_empty_variable_is_an_unset_one() -> None:
    assert from_environment({"MIYABI_PORT": ""}).port == DEFAULT_PORT


def test_the_folder_may_be_written_with_a_tilde(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    assert from_environment({"MIYABI_DATA": "~/board"}).data == tmp_path / "board"


@pytest.mark.parametrize(("name", "value"), [("PORT", "http"), ("RATE_LIMIT", "many"), ("RATE_BURST", "1.5")])
def test_a_bad_value_is_refused_by_the_name_of_its_variable(name: str, value: str) -> None:
    with pytest.raises(SettingsError, match=f"MIYABI_{name}: .*unset it for the default"):
        from_environment({f"MIYABI_{name}": value})
