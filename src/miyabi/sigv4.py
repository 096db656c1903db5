"""Signature Version 4, by which AWS knows who sent a request: the part that is the same for every service.

https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-create-signed-request.html
botocore could do it, but takes over 0.1 s to import, and aiodynamo's takes 30 ms, at every cold start of a Lambda
function.
"""

from __future__ import annotations

import hashlib
import hmac
import time
from typing import NamedTuple

ALGORITHM = "AWS4-HMAC-SHA256"


class Scope(NamedTuple):
    """When (``20261128T150000Z``), where and for which service a signature is good."""

    stamp: str
    region: str
    service: str

    def __str__(self) -> str:
        return f"{self.stamp[:8]}/{self.region}/{self.service}/aws4_request"


def scope_at(at: float, region: str, service: str) -> Scope:
    """The scope of a request that is made ``at`` epoch seconds."""
    return Scope(time.strftime("%Y%m%dT%H%M%SZ", time.gmtime(at)), region, service)


def signature(secret: str, scope: Scope, request: str) -> str:
    """The signature of a canonical ``request`` by a secret access key."""
    to_sign = "\n".join((ALGORITHM, scope.stamp, str(scope), hashlib.sha256(request.encode()).hexdigest()))
    key = f"AWS4{secret}".encode()
    for part in str(scope).split("/"):
        key = hmac.digest(key, part.encode(), hashlib.sha256)
    return hmac.new(key, to_sign.encode(), hashlib.sha256).hexdigest()
