"""A request to DynamoDB is signed, byte for byte, as AWS's own signer does it."""

from __future__ import annotations

from datetime import UTC, datetime
from unittest.mock import patch

import pytest
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials
from hypothesis import given
from hypothesis import strategies as st

from miyabi.database.dynamodb_signing import Target, signed
from miyabi.settings import AwsKeys

PRINTED = st.text(st.characters(min_codepoint=33, max_codepoint=126), min_size=1)
WORDS = st.text(st.characters(exclude_categories=["Cs"]), min_size=1)
ENDPOINTS = st.sampled_from([None, "http://127.0.0.1:4566", "http://[::1]:8000/", "https://dynamodb.example:443"])
PLACES = st.builds(Target.of, st.sampled_from(["eu-west-1", "us-gov-west-1"]), ENDPOINTS)


@given(PLACES, st.builds(AwsKeys, PRINTED, WORDS, st.none() | PRINTED), WORDS, st.floats(0, 4_102_444_799))
def test_it_is_what_awss_signer_makes(target: Target, key: AwsKeys, value: str, at: float) -> None:
    made = signed(target, key, "GetItem", {"Key": {"task_id": {"S": value}}}, at)
    assert made.headers
    known = ("Content-Type", "X-Amz-Target")
    theirs = AWSRequest(made.method, made.url, {name: made.headers[name] for name in known}, made.body)
    then = datetime.fromtimestamp(int(at), UTC).replace(tzinfo=None)
    with patch("botocore.auth.get_current_datetime", lambda: then):
        SigV4Auth(Credentials(*key), "dynamodb", target.region).add_auth(theirs)
    ours = {name: value for name, value in made.headers.items() if name != "Host"}
    assert ours == dict(theirs.headers.items())


@pytest.mark.parametrize(
    ("endpoint", "url", "host"),
    [
        (None, "https://dynamodb.eu-west-1.amazonaws.com/", "dynamodb.eu-west-1.amazonaws.com"),
        ("http://127.0.0.1:4566", "http://127.0.0.1:4566/", "127.0.0.1:4566"),
        ("https://DynamoDB.example:443/", "https://dynamodb.example:443/", "dynamodb.example"),
    ],
)
def test_a_request_goes_to_the_region_or_to_what_stands_in_for_it(endpoint: str | None, url: str, host: str) -> None:
    assert Target.of("eu-west-1", endpoint) == Target("eu-west-1", url, host)
