"""Rules as people write them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from miyabi.notices.config import TROUBLE, key_of, of_addresses, of_file, read_time
from miyabi.settings import SettingsError, from_environment
from miyabi.wiring.notices import make_targets, read_plan

FILE = """
language = "ja"
quiet = "22:00-07:00"
timezone = "Asia/Tokyo"

[[rule]]
to = ["json://127.0.0.1/a", "json://127.0.0.1/b"]
on = ["failed", "stopped"]
projects = "house"
names = ["deploy*"]

[[rule]]
to = "json://127.0.0.1/b"
on = "completed"
types = ["cdk_deploy"]
longer_than = "1h30m"
quiet = ""
urgent = true
language = "en"
"""


def test_addresses_alone_are_told_of_trouble_and_of_what_completed_after_a_while() -> None:
    plan = of_addresses(" json://a\n json://b json://a ", "en", "MIYABI_NOTIFY")
    trouble, long = plan.rules
    assert list(plan.addresses.values()) == ["json://a", "json://b"]
    assert trouble.to == long.to == [key_of("json://a"), key_of("json://b")]
    assert (trouble.on, trouble.longer_than) == (TROUBLE, 0)
    assert (sorted(long.on), long.longer_than) == (["completed"], 300)


def test_a_file_says_who_is_told_what() -> None:
    plan = of_file(FILE, "en", "rules.toml")
    first, second = plan.rules
    assert list(plan.addresses.values()) == ["json://127.0.0.1/a", "json://127.0.0.1/b"]
    assert sorted(first.on) == ["failed", "stopped"]
    assert (first.projects, first.names, first.types) == (["house"], ["deploy*"], [])
    assert (first.language, first.urgent, second.language, second.urgent) == ("ja", False, "en", True)
    assert first.quiet is not None
    assert str(first.quiet.zone) == "Asia/Tokyo"
    assert (second.quiet, second.longer_than) == (None, 5400)


GOOD = '[[rule]]\nto = "json://x"\non = "failed"\n'


@pytest.mark.parametrize(
    ("text", "error"),
    [
        ("[[rule]", "it is no TOML: Expected"),
        ("", "object missing required field `rule`"),
        ("rule = []", r"there is no rule in it; begin one with `\[\[rule\]\]`"),
        ("lang = 1\n" + GOOD, "unknown field `lang`; there are rule, quiet, timezone, language"),
        (
            GOOD + "\n" + GOOD + "longer = 1",
            r"rule 2 \(line 5\): .*unknown field `longer`; there are to, on, .*longer_than",
        ),
        ('[[rule]]\nto = "json://x"', r"rule 1 \(line 1\): .*missing required field `on`"),
        (GOOD + "urgent = 1", r"rule 1 \(line 1\): urgent: expected `bool`, got `int`"),
        ('[[rule]]\nto = []\non = "failed"', "to: name whom to tell"),
        ('[[rule]]\nto = "json://x"\non = "fail"', r"on: `fail` is nothing to tell of; there are pending, .*stopped"),
        ('[[rule]]\nto = "json://x"\non = []', "on: say what to tell of"),
        (GOOD + 'longer_than = "10"', "longer_than: `10` is no time; write one like `10m`"),
        (GOOD + 'quiet = "22-7"', "quiet: `22-7` are no hours; write two times of the day like `22:00-07:00`"),
        (GOOD + 'quiet = "22:00-07:00"', "quiet: whose clock .* Write a `timezone`, e.g. `Asia/Tokyo`"),
        (GOOD + 'quiet = "22:00-07:00"\ntimezone = "Tokyo"', "timezone: `Tokyo` is no time zone here"),
        (GOOD + 'quiet = "22:00-07:00"\ntimezone = "../etc/x"', "timezone: `../etc/x` is no time zone here"),
        (GOOD + 'language = "fr"', "language: invalid enum value 'fr'"),
    ],
)
def test_a_bad_value_is_refused_by_its_place_and_with_what_to_write(text: str, error: str) -> None:
    with pytest.raises(ValueError, match=f"^rules.toml.*{error}"):
        of_file(text, "en", "rules.toml")


@pytest.mark.parametrize(
    ("text", "seconds"), [("90s", 90), ("10m", 600), ("1h30m", 5400), ("2d", 172_800), (" 1h 5m ", 3900)]
)
def test_a_time_is_written_with_its_units(text: str, seconds: float) -> None:
    assert read_time(text) == seconds


def started(**given: Any) -> None:
    """What a start does with the settings."""
    settings = from_environment({f"MIYABI_{name.upper()}": value for name, value in given.items()})
    plan = read_plan(settings)
    assert plan
    make_targets(settings, plan)


@pytest.mark.parametrize(
    ("given", "error"),
    [
        ({"notify": " "}, "MIYABI_NOTIFY: there is no address in it"),
        ({"notify": "json://x slack://secret"}, r"MIYABI_NOTIFY, address 2 \(`slack://…`\): "),
        ({"notify": "secret"}, r"MIYABI_NOTIFY, address 1 \(`…`\): write an address like"),
        ({"notify": "webhook+https://x.org/secret"}, "MIYABI_NOTIFY_SECRET: webhooks are signed with it. Make one"),
        ({"notify": "webhook+https://x.org/", "notify_secret": "secret"}, "MIYABI_NOTIFY_SECRET: secret 1 "),
        ({"notify": "webhook://x.org/secret"}, "write it as `webhook.https://host/path`"),
        ({"notify": "json://x", "public_url": "board.example.org"}, "MIYABI_PUBLIC_URL: write the board's address"),
        ({"notify": "json://x", "notify_language": "fr"}, "MIYABI_NOTIFY_LANGUAGE: "),
        ({"notify": "json://x", "notify_file": "rules.toml"}, "are both set. Unset one"),
        ({"notify_file": "/no/such/rules.toml"}, "MIYABI_NOTIFY_FILE: /no/such/rules.toml can't be read"),
    ],
)
def test_settings_that_can_not_be_used_are_refused_without_their_secrets(given: dict[str, str], error: str) -> None:
    with pytest.raises(SettingsError, match=error) as refused:
        started(**given)
    assert "/secret" not in str(refused.value)


def test_a_target_of_a_file_is_named_by_its_rule(tmp_path: Path) -> None:
    path = tmp_path / "rules.toml"
    path.write_text(GOOD + '\n[[rule]]\nto = ["json://x", "nosuch://secret"]\non = "failed"\n')
    with pytest.raises(SettingsError, match=rf"{path}, rule 2 \(line 5\), address 2 \(`nosuch://…`\): "):
        started(notify_file=str(path))


def test_who_is_told_nothing_imports_nothing_of_it() -> None:
    assert read_plan(from_environment({})) is None


def test_addresses_are_shown_in_no_settings() -> None:
    settings = from_environment({"MIYABI_NOTIFY": "json://secret", "MIYABI_NOTIFY_SECRET": "secret"})
    assert "secret" not in repr(settings).replace("notify_secret", "").replace("auth_secret", "")
