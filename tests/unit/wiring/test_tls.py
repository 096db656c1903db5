"""The certificate of a service: what is wrong with it is said, and a renewed one is shown without a restart."""

from __future__ import annotations

import ssl
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography.hazmat.primitives import serialization
from tests.support.certificates import Authority

from miyabi.settings import SettingsError, from_environment
from miyabi.wiring.tls import Certificate, certificate_of
from miyabi.wiring.trust import trusting


@pytest.fixture
def authority(tmp_path: Path) -> Authority:
    return Authority(tmp_path)


def named(chain: Path | str, key: Path | str = "") -> Certificate | None:
    """The certificate by its settings."""
    return certificate_of(from_environment({"MIYABI_TLS_CERT": str(chain), "MIYABI_TLS_KEY": str(key)}))


def shown(certificate: Certificate, authority: Authority, name: str = "board.example.org") -> ssl.SSLObject:
    """A handshake in memory: what a client of ``name`` sees."""
    a, b = ssl.MemoryBIO(), ssl.MemoryBIO()
    client = authority.trust.wrap_bio(a, b, server_hostname=name)
    server = certificate.context.wrap_bio(b, a, server_side=True)
    for side in (client, server, client, server):
        try:
            side.do_handshake()
        except ssl.SSLWantReadError:
            continue
    return client


def test_without_one_there_is_no_tls() -> None:
    assert certificate_of(from_environment({})) is None


def test_clients_can_verify_it(authority: Authority) -> None:
    certificate = named(*authority.sign("board.example.org"))
    assert certificate is not None
    assert shown(certificate, authority).version() == "TLSv1.3"


def test_the_key_may_stand_in_the_same_file(authority: Authority) -> None:
    chain, key = authority.sign("board.example.org")
    chain.write_bytes(key.read_bytes() + chain.read_bytes())
    assert named(chain) is not None


def test_nothing_below_tls_1_2_is_spoken(authority: Authority) -> None:
    certificate = named(*authority.sign("board.example.org"))
    assert certificate is not None
    assert certificate.context.minimum_version == ssl.TLSVersion.TLSv1_2


def test_a_missing_file_is_named(authority: Authority, tmp_path: Path) -> None:
    chain, key = authority.sign("a.example")
    with pytest.raises(SettingsError, match=r"MIYABI_TLS_CERT: .*none\.pem can't be read: no such file"):
        named(tmp_path / "none.pem", key)
    with pytest.raises(SettingsError, match=r"MIYABI_TLS_KEY: .*none\.key can't be read: no such file"):
        named(chain, tmp_path / "none.key")


def test_a_key_of_another_certificate_is_said(authority: Authority) -> None:
    chain, _ = authority.sign("a.example", into="one")
    _, key = authority.sign("a.example", into="two")
    with pytest.raises(SettingsError, match=r"MIYABI_TLS_KEY: the key in .*two\.key is not that of the certificate in"):
        named(chain, key)


def test_what_is_no_certificate_or_no_key_is_said(authority: Authority, tmp_path: Path) -> None:
    chain, key = authority.sign("a.example")
    rubbish = tmp_path / "rubbish"
    rubbish.write_text("rubbish")
    with pytest.raises(SettingsError, match=r"MIYABI_TLS_CERT: .*rubbish holds no certificate in PEM"):
        named(rubbish, key)
    with pytest.raises(SettingsError, match=r"MIYABI_TLS_KEY: .*rubbish holds no key in PEM"):
        named(chain, rubbish)
    with pytest.raises(SettingsError, match="MIYABI_TLS_KEY: a key needs its certificate"):
        certificate_of(from_environment({"MIYABI_TLS_KEY": str(key)}))


def test_a_key_with_a_passphrase_asks_nobody(authority: Authority) -> None:
    chain, key = authority.sign("a.example")
    plain = serialization.load_pem_private_key(key.read_bytes(), None)
    hidden = serialization.BestAvailableEncryption(b"word")
    key.write_bytes(plain.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, hidden))
    with pytest.raises(SettingsError, match=r"MIYABI_TLS_KEY: .*passphrase"):
        named(chain, key)


@pytest.mark.parametrize(("days", "said"), [(-1, "has expired on"), (3, "expires on"), (60, "")])
def test_its_end_is_said_with_the_date(
    authority: Authority, caplog: pytest.LogCaptureFixture, days: int, said: str
) -> None:
    end = datetime.now(UTC) + timedelta(days=days)
    assert named(*authority.sign("a.example", until=end.replace(tzinfo=None))) is not None
    assert said in caplog.text
    assert bool(caplog.text) == bool(said)
    assert str(end.date()) in caplog.text or not said


def test_a_renewed_one_is_shown_to_new_connections(authority: Authority) -> None:
    chain, key = authority.sign("board.example.org")
    certificate = Certificate(chain, key)
    before = shown(certificate, authority).getpeercert()
    authority.sign("board.example.org")
    certificate.renew()
    after = shown(certificate, authority).getpeercert()
    assert before
    assert after
    assert before["serialNumber"] != after["serialNumber"]


def test_half_a_renewal_changes_nothing_and_is_said_once(
    authority: Authority, caplog: pytest.LogCaptureFixture
) -> None:
    chain, key = authority.sign("board.example.org")
    certificate = Certificate(chain, key)
    before = shown(certificate, authority).getpeercert()
    fresh, fresh_key = authority.sign("board.example.org", into="fresh")
    chain.write_bytes(fresh.read_bytes())
    certificate.renew()
    certificate.renew()
    assert shown(certificate, authority).getpeercert() == before
    assert caplog.text.count("shown further") == 1
    key.write_bytes(fresh_key.read_bytes())
    certificate.renew()
    assert shown(certificate, authority).getpeercert() != before


@pytest.mark.parametrize(
    ("names", "host", "anywhere", "name"),
    [
        (["127.0.0.1", "board.example.org"], "127.0.0.1", True, "127.0.0.1"),
        (["board.example.org"], "127.0.0.1", True, "board.example.org"),
        (["board.example.org"], "127.0.0.1", False, "127.0.0.1"),
        (["localhost"], "127.0.0.1", False, "localhost"),
        (["*.example.org", "board.example.org"], "10.0.0.1", True, "board.example.org"),
        (["*.example.org"], "10.0.0.1", True, "10.0.0.1"),
    ],
)
def test_the_address_has_a_name_that_the_certificate_is_good_for(
    authority: Authority, names: list[str], host: str, anywhere: bool, name: str
) -> None:
    assert Certificate(*authority.sign(*names)).name_for(host, anywhere=anywhere) == name


def test_clients_trust_an_authority_of_ones_own_beside_the_systems(authority: Authority, tmp_path: Path) -> None:
    assert trusting(from_environment({})) is None
    context = trusting(from_environment({"MIYABI_TLS_CA": str(authority.file)}))
    assert context is not None
    assert context.verify_mode == ssl.CERT_REQUIRED
    assert len(context.get_ca_certs()) >= 1
    (tmp_path / "rubbish").write_text("rubbish")
    for bad in ("none", "rubbish"):
        with pytest.raises(SettingsError, match="MIYABI_TLS_CA: "):
            trusting(from_environment({"MIYABI_TLS_CA": str(tmp_path / bad)}))
