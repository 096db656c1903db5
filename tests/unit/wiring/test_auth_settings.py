"""Sign-in as the settings name it: secrets in the environment, a file or a parameter; an issuer and an audience."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from moto import mock_aws

from miyabi.settings import SettingsError, from_environment
from miyabi.wiring.auth import make_verifier, own_tokens, secret_keys

SECRET = "a-secret-of-this-test-that-is-long-enough"


def test_a_secret_is_never_shown() -> None:
    settings = from_environment({"MIYABI_AUTH_SECRET": SECRET})
    assert settings.auth_secret
    assert settings.auth_secret.value == SECRET
    assert SECRET not in repr(settings)


def test_nothing_configured_is_no_sign_in() -> None:
    assert not from_environment({}).signs_in
    assert not from_environment({"MIYABI_AUTH_AUDIENCE": "board"}).signs_in


def test_a_file_may_hold_the_secret(tmp_path: Path) -> None:
    path = tmp_path / "secret"
    path.write_text(f"{SECRET}\n")
    settings = from_environment({"MIYABI_AUTH_SECRET_FILE": str(path)})
    assert settings.signs_in
    assert [key.material for key in secret_keys(settings)] == [SECRET.encode()]


@pytest.mark.parametrize("content", [b"", b"\n", b"short\n", b"\xff\xfe" * 40, None])
def test_a_file_that_holds_none_is_refused(tmp_path: Path, content: bytes | None) -> None:
    path = tmp_path / "secret"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(SettingsError, match="MIYABI_AUTH_SECRET"):
        make_verifier(from_environment({"MIYABI_AUTH_SECRET_FILE": str(path)}))


def test_two_places_for_one_secret_are_refused(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="Unset one"):
        make_verifier(from_environment({"MIYABI_AUTH_SECRET": SECRET, "MIYABI_AUTH_SECRET_FILE": str(tmp_path)}))


@pytest.mark.parametrize("secret", ["secret", "x" * 31, f"{SECRET} short", "-----BEGIN PUBLIC KEY-----" * 3])
def test_a_secret_that_can_be_guessed_is_refused_with_what_to_do(secret: str) -> None:
    with pytest.raises(SettingsError, match=r"MIYABI_AUTH_SECRET: .*token_urlsafe"):
        make_verifier(from_environment({"MIYABI_AUTH_SECRET": secret}))


def test_a_parameter_on_aws_may_hold_the_secret(monkeypatch: pytest.MonkeyPatch) -> None:
    import boto3

    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "test")
    monkeypatch.setenv("AWS_DEFAULT_REGION", "eu-west-1")
    settings = from_environment({"MIYABI_AUTH_SECRET": "ssm:/miyabi/secret"})
    with mock_aws():
        with pytest.raises(SettingsError, match="`/miyabi/secret` can't be read"):
            make_verifier(settings)
        boto3.client("ssm").put_parameter(Name="/miyabi/secret", Value=SECRET, Type="SecureString")
        assert [key.material for key in secret_keys(settings)] == [SECRET.encode()]


def test_an_issuer_needs_an_audience_and_a_safe_address() -> None:
    with pytest.raises(SettingsError, match="MIYABI_AUTH_AUDIENCE"):
        make_verifier(from_environment({"MIYABI_AUTH_ISSUER": "https://issuer.example"}))
    given = {"MIYABI_AUTH_ISSUER": "http://issuer.example", "MIYABI_AUTH_AUDIENCE": "board"}
    with pytest.raises(SettingsError, match=r"MIYABI_AUTH_ISSUER: .*https"):
        make_verifier(from_environment(given))


def test_the_audience_may_stand_in_two_claims_and_no_other() -> None:
    assert from_environment({"MIYABI_AUTH_AUDIENCE_CLAIM": "client_id"}).auth_audience_claim == "client_id"
    with pytest.raises(SettingsError, match="MIYABI_AUTH_AUDIENCE_CLAIM"):
        from_environment({"MIYABI_AUTH_AUDIENCE_CLAIM": "azp"})


def test_own_tokens_are_for_the_audience_of_the_settings() -> None:
    assert own_tokens(from_environment({})).audience == "miyabi"
    assert own_tokens(from_environment({"MIYABI_AUTH_AUDIENCE": "staging"})).audience == "staging"


def test_without_sign_in_the_gateway_imports_no_cryptography() -> None:
    code = "import sys, miyabi.wiring.gateway; sys.exit('jwt' in sys.modules or 'cryptography' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_what_verifies_tokens_imports_no_http_server_and_no_aws() -> None:
    heavy = {"boto3", "botocore", "starlette", "uvicorn", "aiohttp", "redis", "prometheus_client", "sqlite3"}
    code = f"import sys, miyabi.wiring.auth; print(*({heavy} & set(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.split() == []
