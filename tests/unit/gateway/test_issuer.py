"""An issuer's keys: found, kept, renewed, and held on to while the issuer is down, slow or talks rubbish."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable, Iterator
from contextlib import closing
from functools import partial
from pathlib import Path
from typing import Any

import pytest
import trustme
from tests.support.clock import Clock
from tests.support.issuer import ALGORITHMS, IssuerServer, jwk
from tests.support.redis import free_port

from miyabi.gateway.claims import KeysUnavailable
from miyabi.gateway.fetch import fetch
from miyabi.gateway.issuer import AGAIN_SECONDS, FRESH_SECONDS, KEPT_SECONDS, IssuerKeys
from miyabi.gateway.keys import MOST_KEYS, public_keys

Story = Callable[[IssuerKeys, Clock], Awaitable[None]]
PATHS = ["/.well-known/openid-configuration", "/keys"]


@pytest.fixture
def issuer() -> Iterator[IssuerServer]:
    with closing(IssuerServer()) as issuer:
        yield issuer


def told(issuer: IssuerServer, story: Story, seconds: float = 5.0) -> None:
    clock = Clock()

    async def run() -> None:
        await story(IssuerKeys(issuer.url, partial(fetch, seconds=seconds), clock.seconds), clock)

    asyncio.run(run())


async def renewed(keys: IssuerKeys) -> None:
    """What is fetched beside the requests has come."""
    while keys._asking:  # noqa: ASYNC110 - a fetch in a thread: nothing here is told when it ends
        await asyncio.sleep(0.005)


async def none(keys: IssuerKeys, kid: str = "one") -> None:
    with pytest.raises(KeysUnavailable):
        await keys.find(kid)


def test_keys_are_fetched_once_for_all_who_wait_and_then_kept(issuer: IssuerServer) -> None:
    async def story(keys: IssuerKeys, clock: Clock) -> None:
        found = await asyncio.gather(*(keys.find("one") for _ in range(20)))
        assert {key and key.algorithm for key in found} == {"RS256"}
        assert await keys.find("one") is found[0]
        assert issuer.asked == PATHS

    told(issuer, story)


def test_a_new_key_is_found_when_a_token_names_it(issuer: IssuerServer) -> None:
    async def story(keys: IssuerKeys, clock: Clock) -> None:
        assert await keys.find("one")
        issuer.keys = [jwk("ES256", "two"), *issuer.keys]
        clock.forward(int(AGAIN_SECONDS * 1000))
        two = await keys.find("two")
        assert two
        assert two.algorithm == "ES256"
        assert await keys.find("one")

    told(issuer, story)


def test_unknown_names_make_it_ask_no_more_than_once_in_a_while(issuer: IssuerServer) -> None:
    async def story(keys: IssuerKeys, clock: Clock) -> None:
        assert await keys.find("one")
        clock.forward(int(AGAIN_SECONDS * 1000))
        for number in range(50):
            assert await keys.find(f"guess {number}") is None
        assert issuer.asked == PATHS * 2

    told(issuer, story)


def test_a_key_that_was_withdrawn_goes_out_of_use(issuer: IssuerServer) -> None:
    async def story(keys: IssuerKeys, clock: Clock) -> None:
        assert await keys.find("one")
        issuer.keys = [jwk("ES256", "two")]
        clock.forward(int(FRESH_SECONDS * 1000) + 1)
        assert await keys.find("one"), "nobody waits for the fetch"
        await renewed(keys)
        assert await keys.find("one") is None

    told(issuer, story)


@pytest.mark.parametrize("mood", ["broken", "rubbish", "huge", "moved", "cut off"])
def test_the_keys_are_kept_while_the_issuer_is_not_well_and_for_a_day(
    issuer: IssuerServer, mood: Any, caplog: pytest.LogCaptureFixture
) -> None:
    async def story(keys: IssuerKeys, clock: Clock) -> None:
        assert await keys.find("one")
        issuer.mood = mood
        for _ in range(3):
            clock.forward(int(FRESH_SECONDS * 1000) + 1)
            assert await keys.find("one")
            await renewed(keys)
        assert "can't be renewed" in caplog.text
        clock.forward(int(KEPT_SECONDS * 1000))
        await none(keys)
        issuer.mood = "well"
        clock.forward(int(AGAIN_SECONDS * 1000))
        assert await keys.find("one")

    told(issuer, story)


def test_the_keys_are_kept_while_nobody_listens(issuer: IssuerServer) -> None:
    async def story(keys: IssuerKeys, clock: Clock) -> None:
        assert await keys.find("one")
        issuer.close()
        clock.forward(int(FRESH_SECONDS * 1000) + 1)
        assert await keys.find("one")
        await renewed(keys)
        assert await keys.find("one")
        assert await keys.find("two") is None

    told(issuer, story)


def test_an_issuer_that_was_never_reached_is_asked_again_in_a_while(issuer: IssuerServer) -> None:
    async def story(keys: IssuerKeys, clock: Clock) -> None:
        issuer.mood = "broken"
        for _ in range(5):
            await none(keys)
        assert len(issuer.asked) == 1
        issuer.mood = "well"
        await none(keys)
        clock.forward(int(AGAIN_SECONDS * 1000))
        assert await keys.find("one")

    told(issuer, story)


def test_an_answer_that_comes_byte_by_byte_is_broken_off(issuer: IssuerServer) -> None:
    async def story(keys: IssuerKeys, clock: Clock) -> None:
        issuer.mood = "dripping"
        await none(keys)

    told(issuer, story, seconds=0.3)


@pytest.mark.parametrize(
    ("mood", "why"),
    [
        ("dripping", "takes longer than 0.3 s"),
        ("huge", "is longer than"),
        ("broken", "answers 500"),
        ("moved", "answers 302"),
    ],
)
def test_an_answer_that_is_not_taken_says_why(issuer: IssuerServer, mood: Any, why: str) -> None:
    issuer.mood = mood
    with pytest.raises(OSError, match=why):
        asyncio.run(fetch(f"{issuer.url}/keys", seconds=0.3 if mood == "dripping" else 5))
    assert issuer.asked == ["/keys"]


def test_an_address_that_nobody_listens_on_is_an_oserror() -> None:
    with pytest.raises(OSError, match="refused"):
        asyncio.run(fetch(f"http://127.0.0.1:{free_port()}/"))


def test_with_tls_the_certificate_must_be_one_that_is_trusted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    authority = trustme.CA()
    with closing(IssuerServer(authority.issue_cert("127.0.0.1"))) as issuer:
        told(issuer, lambda keys, clock: none(keys))
        assert issuer.asked == []
        authority.cert_pem.write_to_path(tmp_path / "ca.pem")
        monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "ca.pem"))

        async def story(keys: IssuerKeys, clock: Clock) -> None:
            assert await keys.find("one")

        told(issuer, story)
        issuer.mood = "dripping"
        with pytest.raises(OSError, match="takes longer"):
            asyncio.run(fetch(f"{issuer.url}/keys", seconds=0.5))


def test_a_certificate_of_another_host_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    authority = trustme.CA()
    authority.cert_pem.write_to_path(tmp_path / "ca.pem")
    monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "ca.pem"))
    with closing(IssuerServer(authority.issue_cert("issuer.example"))) as issuer:
        told(issuer, lambda keys, clock: none(keys))
        assert issuer.asked == []


def test_a_discovery_document_of_another_issuer_is_not_believed(issuer: IssuerServer) -> None:
    issuer.claims_to_be = "https://evil.example"
    told(issuer, lambda keys, clock: none(keys))


@pytest.mark.parametrize(
    "uri", ["http://evil.example/keys", "file:///etc/passwd", "ftp://127.0.0.1/", "//x", "http://["]
)
def test_keys_are_not_fetched_from_an_address_that_others_could_answer(uri: str) -> None:
    asked = []

    async def by_name(url: str) -> bytes:
        asked.append(url)
        return json.dumps({"issuer": "https://issuer.example", "jwks_uri": uri, "keys": [jwk("RS256", "one")]}).encode()

    asyncio.run(none(IssuerKeys("https://issuer.example", by_name, lambda: 0.0)))
    assert asked == ["https://issuer.example/.well-known/openid-configuration"]


def test_a_token_without_a_keys_name_is_of_the_only_key(issuer: IssuerServer) -> None:
    async def story(keys: IssuerKeys, clock: Clock) -> None:
        assert await keys.find(None) == await keys.find("one")
        issuer.keys.append(jwk("ES256", "two"))
        clock.forward(int(FRESH_SECONDS * 1000) + 1)
        await keys.find("one")
        await renewed(keys)
        assert await keys.find(None) is None

    told(issuer, story)


@pytest.mark.parametrize("url", ["http://issuer.example", "issuer.example", "", "file:///x", "https://"])
def test_an_issuer_has_a_safe_address(url: str) -> None:
    with pytest.raises(ValueError, match="write it like https"):
        IssuerKeys(url, fetch, lambda: 0.0)


def document(*keys: object) -> bytes:
    return json.dumps({"keys": keys}).encode()


def test_every_kind_of_key_is_read() -> None:
    found = public_keys(document(*(jwk(algorithm, algorithm) for algorithm in ALGORITHMS)))
    assert {kid: key.algorithm for kid, key in found.items()} == {name: name for name in ALGORITHMS}


@pytest.mark.parametrize(
    "bad",
    [
        jwk("RS256", "x") | {"use": "enc"},
        jwk("RS256", "x") | {"key_ops": ["encrypt"]},
        jwk("RS256", "x") | {"alg": "RS512"},
        jwk("RS256", "x") | {"alg": "HS256"},
        jwk("RS256", "x") | {"alg": "none"},
        jwk("RS256", "x") | {"n": "AQAB"},
        jwk("RS256", "x") | {"n": 1},
        jwk("RS256", "x") | {"kid": ["x"]},
        jwk("ES256", "x") | {"crv": "P-521"},
        jwk("ES256", "x") | {"x": "AA"},
        jwk("EdDSA", "x") | {"crv": "Ed448"},
        jwk("EdDSA", "x") | {"x": ""},
        {"kty": "oct", "kid": "x", "k": "c2VjcmV0", "alg": "HS256"},
        {"kty": "RSA", "kid": "x"},
        {"kty": ["RSA"]},
        {},
    ],
)
def test_a_key_that_can_not_be_used_is_left_out(bad: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="no key that can be used"):
        public_keys(document(bad))
    assert list(public_keys(document(bad, jwk("ES256", "good")))) == ["good"]


@pytest.mark.parametrize("text", [b"", b"{}", b"[]", b'{"keys": {}}', b'{"keys": [1]}', b"\xff", b"[" * 9999])
def test_what_is_no_set_of_keys_is_a_value_error(text: bytes) -> None:
    with pytest.raises(ValueError, match=r"."):
        public_keys(text)


def test_a_set_with_very_many_keys_is_read_in_part() -> None:
    assert len(public_keys(document(*(jwk("EdDSA", str(number)) for number in range(200))))) == MOST_KEYS
