"""The password that ElastiCache takes from a user with IAM authentication: a presigned URL, good for 15 minutes.

What it is: https://docs.aws.amazon.com/AmazonElastiCache/latest/dg/auth-iam.html
It is signed in the query (:mod:`miyabi.sigv4`).
"""

from __future__ import annotations

import hashlib
from urllib.parse import quote

from miyabi.sigv4 import ALGORITHM, scope_at, signature

Keys = tuple[str, str, str | None]
"""AWS credentials: access key id, secret access key, session token of temporary ones."""

SERVICE = "elasticache"
EXPIRES_SECONDS = 900
"""As long as ElastiCache allows. It is needed only while a connection is made."""
EMPTY = hashlib.sha256(b"").hexdigest()


def elasticache_token(cache: str, user: str, region: str, keys: Keys, at: float) -> str:
    """The token for ``user`` of the replication group ``cache`` (in small letters), made ``at`` epoch seconds."""
    access, secret, session = keys
    scope = scope_at(at, region, SERVICE)
    query = {
        "Action": "connect",
        "User": user,
        "X-Amz-Algorithm": ALGORITHM,
        "X-Amz-Credential": f"{access}/{scope}",
        "X-Amz-Date": scope.stamp,
        "X-Amz-Expires": str(EXPIRES_SECONDS),
        "X-Amz-SignedHeaders": "host",
    }
    if session is not None:
        query["X-Amz-Security-Token"] = session
    request = "\n".join(("GET", "/", _encoded(dict(sorted(query.items()))), f"host:{cache}", "", "host", EMPTY))
    return f"{cache}/?{_encoded(query)}&X-Amz-Signature={signature(secret, scope, request)}"


def _encoded(query: dict[str, str]) -> str:
    return "&".join(f"{name}={quote(value, safe='')}" for name, value in query.items())
