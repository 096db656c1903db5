"""A setting that can't be used is named, never shown where it could hold a password: not even when it is mistyped."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from miyabi.settings import Settings, SettingsError, from_environment
from miyabi.wiring import open_cache, open_database, open_logs
from miyabi.wiring.auth import make_verifier, sign_in_origins
from miyabi.wiring.gateway import make_gateway, make_upstream
from miyabi.wiring.notices import make_targets, read_plan
from miyabi.wiring.remote import make_remote
from miyabi.wiring.tls import certificate_of
from miyabi.wiring.trust import trusting

HIDDEN = "hid/d3n"
"""A password that breaks addresses: what is behind its slash is a path."""
BADLY_WRITTEN = (
    f"redi://:{HIDDEN}@host",
    f"redis://:{HIDDEN}@host",
    f"redis://user:{HIDDEN}@host:port",
    f"redis:/user:{HIDDEN}@host",
    f"redis//user:{HIDDEN}@host",
    f"htp://user:{HIDDEN}@host",
    f"http://user:{HIDDEN}@host",
    f"http:user:{HIDDEN}@host",
    f"https://user:{HIDDEN}",
    f"http://user: {HIDDEN} @host",
    f"ssm/{HIDDEN}",
    f"sqlite://user:{HIDDEN}@host",
    f"dynamodb://user:{HIDDEN}@host",
    f"dynamodb:?region=eu-west-1&endpoint=http://user:{HIDDEN}@host",
    f"dynamodb:?{HIDDEN}",
    f"cloudwatch://user:{HIDDEN}@host",
    f"cloudwatch:?endpoint=user:{HIDDEN}@host",
    f"cloudwatch:?endpoint=http://user:{HIDDEN}@host",
    f"cloudwatch:?{HIDDEN}",
    f"slack://{HIDDEN}",
    f"webhook+htp://user:{HIDDEN}@host/path",
    f"webhook+https://user:{HIDDEN}@host/path",
    f"-----BEGIN PRIVATE KEY-----\n{HIDDEN}\n",
    HIDDEN,
)


def notify(settings: Settings) -> object:
    plan = read_plan(settings)
    return plan and make_targets(settings, plan)


def gateway(settings: Settings) -> object:
    async def nothing(*_: object) -> None: ...

    return make_gateway(settings, nothing)


OPENERS: dict[str, Callable[[Settings], Any]] = {
    "CACHE": open_cache,
    "LOGS": open_logs,
    "DATABASE": open_database,
    "TASKS": make_upstream,
    "COLLECTOR": make_remote,
    "ORIGINS": gateway,
    "AUTH_ISSUER": make_verifier,
    "AUTH_ORIGINS": sign_in_origins,
    "AUTH_SECRET_FILE": make_verifier,
    "NOTIFY": notify,
    "NOTIFY_FILE": notify,
    "NOTIFY_SECRET": notify,
    "PUBLIC_URL": notify,
    "TLS_CERT": certificate_of,
    "TLS_KEY": certificate_of,
    "TLS_CA": trusting,
}
PEM = BADLY_WRITTEN[-2]
NO_FILE = {"TLS_CERT": [PEM], "TLS_KEY": [PEM], "TLS_CA": [PEM], "NOTIFY_FILE": [BADLY_WRITTEN[-5], BADLY_WRITTEN[0]]}
"""Where a file is named it is shown; what may stand there instead by mistake is not."""
BESIDE = {
    "AUTH_ISSUER": {"MIYABI_AUTH_AUDIENCE": "board"},
    "AUTH_ORIGINS": {"MIYABI_AUTH_ISSUER": "https://issuer.example", "MIYABI_AUTH_CLIENT": "page"},
    "NOTIFY_SECRET": {"MIYABI_NOTIFY": "webhook+https://host/path"},
    "PUBLIC_URL": {"MIYABI_NOTIFY": "webhook+https://host/path"},
    "TLS_KEY": {"MIYABI_TLS_CERT": "tests/conftest.py"},
}


@pytest.mark.parametrize(
    ("name", "written"),
    [(name, text) for name in OPENERS for text in NO_FILE.get(name, BADLY_WRITTEN)],
)
def test_what_is_wrong_with_a_setting_is_said_without_its_password(
    name: str, written: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_REGION", "eu-west-1")
    settings = from_environment({f"MIYABI_{name}": written} | BESIDE.get(name, {}), data=tmp_path)

    said = what_is_said(name, settings)
    assert not [part for part in HIDDEN.split("/") if part in said], said


def what_is_said(name: str, settings: Settings) -> str:
    """Why the setting is refused; empty when it is not."""

    async def opened() -> None:
        found = OPENERS[name](settings)
        if asyncio.iscoroutine(found):
            found = await found
        if asyncio.iscoroutinefunction(getattr(found, "close", None)):
            await found.close()

    try:
        asyncio.run(opened())
    except SettingsError as error:
        return str(error)
    return ""


REFUSED = {
    "CACHE": f"redi://:{HIDDEN}@host",
    "LOGS": f"htp://:{HIDDEN}@host",
    "DATABASE": f"dynamo://:{HIDDEN}@host",
    "TASKS": f"htp://:{HIDDEN}@host",
    "COLLECTOR": f"htp://:{HIDDEN}@host",
}


@pytest.mark.parametrize("name", REFUSED)
def test_the_kind_of_an_address_is_shown_and_what_to_write(name: str, tmp_path: Path) -> None:
    settings = from_environment({f"MIYABI_{name}": REFUSED[name]}, data=tmp_path)
    kind = REFUSED[name].partition("://")[0]
    assert re.match(rf"MIYABI_{name}: `{kind}://…` .*write `", what_is_said(name, settings))


@pytest.mark.parametrize("written", ["127.0.0.1:8422", "http://", "http://a http://b", "http://a:0", "http://a/?x=1"])
def test_a_collector_that_is_no_address_is_refused_at_the_start(written: str) -> None:
    with pytest.raises(SettingsError, match=r"MIYABI_COLLECTOR: .*write `local:` or `http://127.0.0.1:8422`"):
        make_remote(from_environment({"MIYABI_COLLECTOR": written}))
