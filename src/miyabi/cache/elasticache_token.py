"""The password that ElastiCache takes from a user with IAM authentication: a presigned URL, good for 15 minutes.

What it is: https://docs.aws.amazon.com/AmazonElastiCache/latest/dg/auth-iam.html
How it is signed, Signature Version 4 in the query:
https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-create-signed-request.html
botocore could do it, but takes over 0.1 s to import, at every cold start of a Lambda function.
"""

from __future__ import annotations

import hashlib
import hmac
import time
from urllib.parse import quote

Keys = tuple[str, str, str | None]
"""AWS credentials: access key id, secret access key, session token of temporary ones."""

SERVICE = "elasticache"
ALGORITHM = "AWS4-HMAC-SHA256"
EXPIRES_SECONDS = 900
"""As long as ElastiCache allows. It is needed only while a connection is made."""
EMPTY = hashlib.sha256(b"").hexdigest()


def elasticache_token(cache: str, user: str, region: str, keys: Keys, at: float) -> str:
    """The token for ``user`` of the replication group ``cache`` (in small letters), made ``at`` epoch seconds."""
    access, secret, session = keys
    stamp = time.strftime("%Y%m%dT%H%M%SZ", time.gmtime(at))
    scope = f"{stamp[:8]}/{region}/{SERVICE}/aws4_request"
    query = {
        "Action": "connect",
        "User": user,
        "X-Amz-Algorithm": ALGORITHM,
        "X-Amz-Credential": f"{access}/{scope}",
        "X-Amz-Date": stamp,
        "X-Amz-Expires": str(EXPIRES_SECONDS),
        "X-Amz-SignedHeaders": "host",
    }
    if session is not None:
        query["X-Amz-Security-Token"] = session
    request = "\n".join(("GET", "/", _encoded(dict(sorted(query.items()))), f"host:{cache}", "", "host", EMPTY))
    to_sign = "\n".join((ALGORITHM, stamp, scope, hashlib.sha256(request.encode()).hexdigest()))
    key = f"AWS4{secret}".encode()
    for part in scope.split("/"):
        key = hmac.digest(key, part.encode(), hashlib.sha256)
    signature = hmac.new(key, to_sign.encode(), hashlib.sha256).hexdigest()
    return f"{cache}/?{_encoded(query)}&X-Amz-Signature={signature}"


def _encoded(query: dict[str, str]) -> str:
    return "&".join(f"{name}={quote(value, safe='')}" for name, value in query.items())
