"""The token for ElastiCache is, byte for byte, the one that AWS's own signer makes."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from unittest.mock import patch
from urllib.parse import parse_qs, urlencode, urlsplit

import botocore.session
from botocore.auth import SigV4QueryAuth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials
from botocore.model import ServiceId
from botocore.signers import RequestSigner
from hypothesis import given
from hypothesis import strategies as st

from miyabi.cache.elasticache_token import EXPIRES_SECONDS, Keys, elasticache_token

GROUPS = st.from_regex(r"[a-z][a-z0-9-]{0,39}", fullmatch=True)
PRINTED = st.text(st.characters(min_codepoint=33, max_codepoint=126), min_size=1)
WORDS = st.text(st.characters(exclude_categories=["Cs"]), min_size=1)
REGIONS = st.sampled_from(["eu-west-1", "us-gov-west-1", "ap-southeast-4", "cn-north-1"])
KEYS = st.tuples(PRINTED, WORDS, st.none() | PRINTED)
TIMES = st.floats(0, 4_102_444_799)


def by_botocore(group: str, user: str, region: str, keys: Keys, at: float) -> str:
    request = AWSRequest("GET", f"http://{group}/", params={"Action": "connect", "User": user})
    then = datetime.fromtimestamp(int(at), UTC).replace(tzinfo=None)
    with patch("botocore.auth.get_current_datetime", lambda: then):
        SigV4QueryAuth(Credentials(*keys), "elasticache", region, expires=900).add_auth(request)
    return str(request.url).removeprefix("http://")


@given(GROUPS, WORDS, REGIONS, KEYS, TIMES)
def test_it_is_what_awss_signer_makes(group: str, user: str, region: str, keys: Keys, at: float) -> None:
    assert elasticache_token(group, user, region, keys, at) == by_botocore(group, user, region, keys, at)


def test_it_is_what_the_documented_way_makes() -> None:
    keys, at = ("AKIDEXAMPLE", "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY", "a/b+c="), 1_763_200_000.9
    session = botocore.session.Session()
    signer = RequestSigner(
        ServiceId("elasticache"),
        "eu-west-1",
        "elasticache",
        "v4",
        Credentials(*keys),
        session.get_component("event_emitter"),
    )
    url = "https://board/?" + urlencode({"Action": "connect", "User": "miyabi"})
    request = {"method": "GET", "url": url, "body": {}, "headers": {}, "context": {}}
    then = datetime.fromtimestamp(int(at), UTC).replace(tzinfo=None)
    with patch("botocore.auth.get_current_datetime", lambda: then):
        made = signer.generate_presigned_url(request, "connect", expires_in=EXPIRES_SECONDS, region_name="eu-west-1")
    assert elasticache_token("board", "miyabi", "eu-west-1", keys, at) == made.removeprefix("https://")


def test_what_it_says_can_be_read_and_the_secret_is_not_in_it() -> None:
    token = elasticache_token("board", "miyabi", "eu-west-1", ("AKID", "open sesame", "session"), 0.0)
    said = {name: values[0] for name, values in parse_qs(urlsplit(f"http://{token}").query).items()}
    assert said.pop("X-Amz-Signature")
    assert said == {
        "Action": "connect",
        "User": "miyabi",
        "X-Amz-Algorithm": "AWS4-HMAC-SHA256",
        "X-Amz-Credential": "AKID/19700101/eu-west-1/elasticache/aws4_request",
        "X-Amz-Date": "19700101T000000Z",
        "X-Amz-Expires": "900",
        "X-Amz-SignedHeaders": "host",
        "X-Amz-Security-Token": "session",
    }
    assert "sesame" not in token


def moments() -> Iterator[float]:
    yield from (0.0, 0.5, 1.0, 900.0)


def test_every_second_has_its_own() -> None:
    made = [elasticache_token("board", "miyabi", "eu-west-1", ("AKID", "secret", None), at) for at in moments()]
    assert made[0] == made[1]
    assert len(set(made)) == 3
