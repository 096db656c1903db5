"""A request to DynamoDB with its signature.

Every header that we send is signed but those that the HTTP client adds.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from typing import Any, NamedTuple, Protocol
from urllib.parse import urlsplit

import msgspec
from aiodynamo.http.types import Request

from miyabi.sigv4 import ALGORITHM, scope_at, signature

SERVICE, API = "dynamodb", "DynamoDB_20120810"
CONTENT_TYPE = "application/x-amz-json-1.0"
_PORTS = {"http": 80, "https": 443}


class Key(Protocol):
    """AWS credentials; ``token`` is there when they are temporary ones, of a role."""

    @property
    def id(self) -> str: ...
    @property
    def secret(self) -> str: ...
    @property
    def token(self) -> str | None: ...


class Target(NamedTuple):
    """The DynamoDB of a region: its address, and its name as it stands in requests."""

    region: str
    url: str
    host: str

    @classmethod
    def of(cls, region: str, endpoint: str | None) -> Target:
        """That of AWS, or what stands in for it at ``endpoint``."""
        parts = urlsplit(endpoint or f"https://{SERVICE}.{region}.amazonaws.com")
        host = parts.netloc.rpartition("@")[2].lower()
        return cls(region, f"{parts.scheme}://{host}/", host.removesuffix(f":{_PORTS[parts.scheme]}"))


def signed(target: Target, key: Key, action: str, parameters: Mapping[str, Any], at: float) -> Request:
    """The request that does ``action``, good for some minutes from ``at`` (epoch seconds) on."""
    body = msgspec.json.encode(parameters)
    scope = scope_at(at, target.region, SERVICE)
    headers = {
        "Content-Type": CONTENT_TYPE,
        "Host": target.host,
        "X-Amz-Date": scope.stamp,
        **({"X-Amz-Security-Token": key.token} if key.token else {}),
        "X-Amz-Target": f"{API}.{action}",
    }
    names = ";".join(headers).lower()
    lines = (f"{name.lower()}:{value}" for name, value in headers.items())
    request = "\n".join(("POST", "/", "", *lines, "", names, hashlib.sha256(body).hexdigest()))
    credential = f"Credential={key.id}/{scope}"
    made = signature(key.secret, scope, request)
    headers["Authorization"] = f"{ALGORITHM} {credential}, SignedHeaders={names}, Signature={made}"
    return Request("POST", target.url, headers, body)
