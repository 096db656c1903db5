"""Forged, stolen, stale and broken tokens: none is let in, by the secret, by the issuer, or by both at once."""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import json
import time
from base64 import urlsafe_b64encode
from collections.abc import Iterator
from contextlib import closing
from typing import Any

import jwt
import pytest
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from hypothesis import given
from hypothesis import settings as examples
from hypothesis import strategies as st
from msgspec.structs import replace
from tests.support.clock import Clock
from tests.support.issuer import (
    ALGORITHMS,
    AUDIENCE,
    Algorithm,
    IssuerServer,
    claims,
    jwk,
    private_key,
    segment,
    signed,
)

from miyabi.gateway.claims import SKEW_SECONDS, KeysUnavailable, TokenRefused
from miyabi.gateway.fetch import fetch
from miyabi.gateway.issuer import KEPT_SECONDS, IssuerKeys
from miyabi.gateway.tokens import MOST_KNOWN, SURE_SECONDS, TOKEN_BYTES, Issuer, Verifier
from miyabi.principal import Principal
from miyabi.settings import Settings, from_environment
from miyabi.wiring.auth import make_verifier

SECRET = "a-secret-of-this-test-that-is-long-enough"
UNHURRIED = examples(deadline=None)


@pytest.fixture(scope="module")
def issuer() -> Iterator[IssuerServer]:
    with closing(IssuerServer()) as issuer:
        issuer.keys = [jwk(algorithm, algorithm) for algorithm in ALGORITHMS]
        yield issuer


def settings(issuer: IssuerServer | None, secret: str | None = SECRET) -> Settings:
    given = {"MIYABI_AUTH_SECRET": secret or "", "MIYABI_AUTH_AUDIENCE": AUDIENCE}
    return from_environment(given | ({"MIYABI_AUTH_ISSUER": issuer.url} if issuer else {}))


def let_in(verifier: Verifier, token: str) -> Principal | None:
    try:
        return replace(asyncio.run(verifier.principal(token)), until=None)
    except (TokenRefused, KeysUnavailable):
        return None


def own(key: str = SECRET, algorithm: str = "HS256", **more: Any) -> str:
    return jwt.PyJWS().encode(json.dumps(claims("miyabi", **more)).encode(), key, algorithm)


def hmac_by_hand(header: dict[str, Any], payload: dict[str, Any], key: bytes) -> str:
    """A token signed with HMAC whatever ``key`` is: PyJWT itself refuses to sign with a public key."""
    text = f"{segment(header)}.{segment(payload)}"
    return f"{text}.{segment(hmac.digest(key, text.encode(), hashlib.sha256))}"


def test_good_tokens_of_every_kind_are_let_in(issuer: IssuerServer) -> None:
    verifier = make_verifier(settings(issuer))
    assert let_in(verifier, own()) == Principal("ann", "developer")
    for algorithm in ALGORITHMS:
        assert let_in(verifier, signed(claims(issuer.url), algorithm, algorithm)) == Principal("ann", "developer")


def public_forms(algorithm: Algorithm) -> list[bytes]:
    """A public key as an attacker may have it."""
    public = private_key(algorithm).public_key()
    pem = public.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    der = public.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    return [pem, pem.strip(), der, json.dumps(jwk(algorithm, algorithm)).encode()]


@pytest.mark.parametrize("secret", [None, SECRET])
@pytest.mark.parametrize("algorithm", ALGORITHMS)
def test_the_public_key_is_no_secret(issuer: IssuerServer, algorithm: Algorithm, secret: str | None) -> None:
    verifier = make_verifier(settings(issuer, secret))
    for key in public_forms(algorithm):
        for name in ("HS256", "HS384", "HS512", algorithm):
            for payload in (claims(issuer.url), claims("miyabi")):
                assert let_in(verifier, hmac_by_hand({"alg": name, "kid": algorithm}, payload, key)) is None


@pytest.mark.parametrize("name", ["none", "None", "NONE", "nOnE", "", "HS255", "RS255", None, 0, [], ["HS256"]])
def test_no_algorithm_is_none(issuer: IssuerServer, name: object) -> None:
    for signature in ("", "AA", own().rpartition(".")[2]):
        for iss in ("miyabi", issuer.url):
            token = f"{segment({'alg': name, 'kid': 'RS256'})}.{segment(claims(iss))}.{signature}"
            assert let_in(make_verifier(settings(issuer)), token) is None


def test_a_signature_that_was_cut_off_or_changed_is_wrong(issuer: IssuerServer) -> None:
    verifier = make_verifier(settings(issuer))
    for token in (own(), *(signed(claims(issuer.url), algorithm, algorithm) for algorithm in ALGORITHMS)):
        head, _, signature = token.rpartition(".")
        flipped = ("B" if signature[0] == "A" else "A") + signature[1:]
        for bad in ("", signature[:-4], flipped, segment(bytes(32)), segment(bytes(64)), segment(bytes(256))):
            assert let_in(verifier, f"{head}.{bad}") is None
        assert let_in(verifier, head) is None
        assert let_in(verifier, f"{token}.{signature}") is None


def test_claims_that_were_changed_are_not_signed(issuer: IssuerServer) -> None:
    verifier = make_verifier(settings(issuer))
    for token in (own(role="viewer"), signed(claims(issuer.url, role="viewer"), "ES256", "ES256")):
        header, payload, signature = token.split(".")
        more = json.loads(jwt.utils.base64url_decode(payload)) | {"role": "admin"}
        assert let_in(verifier, f"{header}.{segment(more)}.{signature}") is None


def test_another_key_of_the_same_kind_or_of_another_does_not_sign(issuer: IssuerServer) -> None:
    verifier = make_verifier(settings(issuer))
    assert let_in(verifier, own("another-secret-that-is-as-long-as-it-should-be")) is None
    for algorithm in ALGORITHMS:
        assert let_in(verifier, signed(claims(issuer.url), algorithm, algorithm, number=1)) is None
        for kid in ALGORITHMS:
            found = let_in(verifier, signed(claims(issuer.url), algorithm, kid))
            assert (found is not None) == (kid == algorithm)


@pytest.mark.parametrize(
    "kid",
    ["../../../../dev/null", "/dev/null", "' UNION SELECT 'x", "http://127.0.0.1/keys", "\x00", "a\nb", "x" * 5000, ""],
)
def test_the_name_of_a_key_is_only_looked_up(issuer: IssuerServer, kid: str) -> None:
    for key in (b"", b"x", SECRET.encode()[:-1]):
        token = hmac_by_hand({"alg": "HS256", "kid": kid}, claims("miyabi"), key)
        assert let_in(make_verifier(settings(issuer)), token) is None
    assert let_in(make_verifier(settings(issuer)), signed(claims(issuer.url), "RS256", kid)) is None


def test_a_key_that_the_token_brings_or_points_to_is_not_used(issuer: IssuerServer) -> None:
    with closing(IssuerServer()) as evil:
        evil.keys = [jwk("RS256", "RS256", number=1)]
        for more in (
            {"jwk": jwk("RS256", "RS256", number=1)},
            {"jku": f"{evil.url}/keys"},
            {"x5u": f"{evil.url}/keys"},
            {"kid": f"{evil.url}/keys"},
        ):
            headers: dict[str, Any] = {"kid": "RS256"} | more
            payload = json.dumps(claims(issuer.url)).encode()
            token = jwt.PyJWS().encode(payload, private_key("RS256", 1), "RS256", headers)
            assert let_in(make_verifier(settings(issuer)), token) is None
        assert evil.asked == []


NOW = time.time()


@pytest.mark.parametrize(
    "more",
    [
        {"exp": NOW - SKEW_SECONDS - 1},
        {"exp": 0},
        {"exp": None},
        {"exp": "9999999999"},
        {"exp": True},
        {"exp": [9999999999]},
        {"exp": float("inf")},
        {"exp": float("nan")},
        {"nbf": NOW + 86_400 * 365},
        {"nbf": "soon"},
        {"nbf": float("inf")},
        {"aud": "another"},
        {"aud": None},
        {"aud": []},
        {"aud": ["another", ""]},
        {"aud": {AUDIENCE: 1}},
        {"aud": AUDIENCE.upper()},
        {"aud": AUDIENCE + " "},
        {"aud": None, "client_id": AUDIENCE},
        {"iss": "https://evil.example"},
        {"iss": None},
        {"iss": ""},
        {"iss": ["miyabi"]},
        {"sub": None},
        {"sub": ""},
        {"sub": 7},
        {"role": None},
        {"role": ""},
        {"role": "owner"},
        {"role": "ADMIN"},
        {"role": ["admin"]},
        {"role": "owner", "cognito:groups": ["admin"]},
        {"role": None, "cognito:groups": ["owner"]},
        {"role": None, "cognito:groups": "admin"},
        {"projects": 1},
        {"projects": [1]},
        {"projects": ["x"] * 300},
    ],
)
def test_claims_that_are_not_good_let_nobody_in(issuer: IssuerServer, more: dict[str, Any]) -> None:
    verifier = make_verifier(settings(issuer))
    assert let_in(verifier, own(**more)) is None
    assert let_in(verifier, signed(claims(issuer.url, **more), "ES256", "ES256")) is None


@pytest.mark.parametrize("number", ["1e999", "-1e999", "9" * 400, "Infinity", "NaN", "0x7fffffff", "null", "1e", ""])
def test_a_date_that_no_clock_reaches_is_none(number: str) -> None:
    for name in ("exp", "nbf"):
        text = json.dumps(claims("miyabi", **{name: 0})).replace(f'"{name}": 0', f'"{name}": {number}')
        if (name, number) != ("nbf", "null"):
            assert let_in(make_verifier(settings(None)), jwt.PyJWS().encode(text.encode(), SECRET, "HS256")) is None


def test_each_source_vouches_for_its_own_issuer_only(issuer: IssuerServer) -> None:
    verifier = make_verifier(settings(issuer))
    assert let_in(verifier, own(iss=issuer.url)) is None
    assert let_in(verifier, signed(claims("miyabi"), "ES256", "ES256")) is None


def test_an_issuer_makes_no_ingest_tokens(issuer: IssuerServer) -> None:
    more = claims(issuer.url, role="ingest", groups=["/miyabi/jobs"])
    assert let_in(make_verifier(settings(issuer)), signed(more, "ES256", "ES256")) is None


@pytest.mark.parametrize("groups", [None, [], "", "/miyabi/jobs", [""], ["/"], [1], {}, ["x"] * 300])
def test_an_ingest_token_names_its_groups(groups: object) -> None:
    assert let_in(make_verifier(settings(None)), own(role="ingest", groups=groups)) is None


def test_a_huge_token_is_not_even_read(issuer: IssuerServer) -> None:
    token = own(padding="x" * TOKEN_BYTES)
    assert let_in(make_verifier(settings(issuer)), token) is None
    deep = segment(b"[" * 5000)
    assert let_in(make_verifier(settings(issuer)), f"{deep}.{deep}.AA") is None


def test_header_extensions_that_must_be_understood_are_not(issuer: IssuerServer) -> None:
    extensions: tuple[dict[str, Any], ...] = (
        {"crit": ["exp"]},
        {"b64": False, "crit": ["b64"]},
        {"crit": []},
        {"crit": "x"},
    )
    for more in extensions:
        token = hmac_by_hand({"alg": "HS256"} | more, claims("miyabi"), SECRET.encode())
        assert let_in(make_verifier(settings(issuer)), token) is None


@UNHURRIED
@given(st.one_of(st.text(), st.from_regex(r"[A-Za-z0-9_=-]*\.[A-Za-z0-9_=-]*\.[A-Za-z0-9_=-]*", fullmatch=True)))
def test_garbage_is_refused_and_breaks_nothing(token: str) -> None:
    assert let_in(make_verifier(settings(None)), token) is None


JSON: st.SearchStrategy[Any] = st.recursive(
    st.none() | st.booleans() | st.floats() | st.integers() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=8,
)


@UNHURRIED
@given(JSON, JSON)
def test_any_json_as_header_and_claims_is_refused_and_breaks_nothing(header: object, payload: object) -> None:
    assert let_in(make_verifier(settings(None)), f"{segment(header)}.{segment(payload)}.AA") is None


@UNHURRIED
@given(st.fixed_dictionaries({}, optional=dict.fromkeys(claims("miyabi") | {"client_id": 1, "groups": 1}, JSON)))
def test_signed_claims_of_any_kind_let_in_only_who_is_meant(more: dict[str, Any]) -> None:
    found = let_in(make_verifier(settings(None)), own(**more))
    said = claims("miyabi", **more)
    if found is not None:
        assert (said["iss"], said["sub"], said["role"]) == ("miyabi", found.subject, found.role)
        assert AUDIENCE in ([said["aud"]] if isinstance(said["aud"], str) else said["aud"])
        assert said["exp"] > time.time() - SKEW_SECONDS - 5


@UNHURRIED
@given(st.data())
def test_no_change_of_one_byte_is_let_in_as_another(data: st.DataObject) -> None:
    token = TOKEN
    place = data.draw(st.integers(0, len(token) - 1))
    changed = token[:place] + data.draw(st.characters(codec="ascii")) + token[place + 1 :]
    found = let_in(make_verifier(settings(None)), changed)
    assert found is None or changed == token


TOKEN = own()


def test_clocks_may_be_apart_a_little() -> None:
    verifier = make_verifier(settings(None))
    now = int(time.time())
    assert let_in(verifier, own(exp=now - SKEW_SECONDS + 15))
    assert let_in(verifier, own(nbf=now + SKEW_SECONDS - 15))


def test_the_role_of_cognitos_groups_is_the_one_that_may_most(issuer: IssuerServer) -> None:
    more: dict[str, Any] = {"role": None, "cognito:groups": ["viewer", "staff", "admin", "developer"]}
    found = let_in(make_verifier(settings(issuer)), signed(claims(issuer.url, **more), "RS256", "RS256"))
    assert found == Principal("ann", "admin")


def test_cognitos_access_tokens_name_their_client_instead_of_an_audience(issuer: IssuerServer) -> None:
    given = settings(issuer)
    cognito = make_verifier(from_environment({}, **{**_fields(given), "auth_audience_claim": "client_id"}))
    assert let_in(cognito, signed(claims(issuer.url, aud=None, client_id=AUDIENCE), "RS256", "RS256"))
    assert let_in(cognito, signed(claims(issuer.url, aud=None, client_id="another"), "RS256", "RS256")) is None
    assert let_in(cognito, signed(claims(issuer.url), "RS256", "RS256")) is None


def _fields(given: Settings) -> dict[str, Any]:
    return {"auth_issuer": given.auth_issuer, "auth_audience": given.auth_audience, "auth_secret": SECRET}


@pytest.mark.parametrize(
    ("given", "meant"), [(["a", "b"], ("a", "b")), ("a b", ("a", "b")), ([], ()), ("", ()), (None, None)]
)
def test_projects_are_a_list_or_words(given: object, meant: tuple[str, ...] | None) -> None:
    found = let_in(make_verifier(settings(None)), own(projects=given))
    assert found
    assert found.projects == meant


def test_while_a_secret_is_changed_both_are_good_and_the_first_signs() -> None:
    both = make_verifier(settings(None, "the-new-secret-that-is-long-enough-to-be-one " + SECRET))
    assert let_in(both, own())
    assert let_in(both, own("the-new-secret-that-is-long-enough-to-be-one"))
    assert let_in(both, own("the-new-secret-that-is-long-enough-to-be-one " + SECRET)) is None


def test_base64_with_padding_is_the_same_token() -> None:
    head, _, signature = own().rpartition(".")
    raw = jwt.utils.base64url_decode(signature)
    padded = urlsafe_b64encode(raw).decode()
    assert let_in(make_verifier(settings(None)), f"{head}.{padded}") == Principal("ann", "developer")


def test_a_token_that_was_good_is_refused_when_it_has_expired_and_when_its_key_is_withdrawn() -> None:
    clock, seconds = [time.time()], Clock()
    with closing(IssuerServer()) as issuer:
        verifier = make_verifier(settings(issuer))
        assert verifier._issuer
        keys = IssuerKeys(issuer.url, fetch, seconds.seconds)
        verifier = Verifier(verifier._secrets, Issuer(keys, verifier._issuer.expected), lambda: clock[0])
        tokens = [own(), signed(claims(issuer.url))]

        async def story() -> list[bool]:
            found = []
            for token in tokens * 2:
                try:
                    found.append(bool(await verifier.principal(token)))
                except TokenRefused:
                    found.append(False)
            return found

        assert asyncio.run(story()) == [True] * 4
        clock[0] += 3600
        assert asyncio.run(story()) == [False] * 4
        clock[0] -= 3600
        assert asyncio.run(story()) == [True] * 4
        issuer.keys = [jwk("RS256", "one", 1)]
        seconds.forward(int(KEPT_SECONDS * 1000) + 1)
        clock[0] += SURE_SECONDS
        assert asyncio.run(story()) == [True, False] * 2


def test_no_more_tokens_are_remembered_than_fit() -> None:
    verifier = make_verifier(settings(None))
    for number in range(MOST_KNOWN + 10):
        assert let_in(verifier, own(sub=str(number))) == Principal(str(number), "developer")
        let_in(verifier, own("another-secret-that-is-as-long-as-it-should-be"))
    assert len(verifier._known) == 10
