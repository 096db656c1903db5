"""Signatures by the Standard Webhooks scheme, version 1: HMAC-SHA256 over id, time and body.

Source: https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md
"""

from __future__ import annotations

import binascii
import hashlib
import hmac
from base64 import b64decode, b64encode
from collections.abc import Mapping, Sequence

PREFIX = "whsec_"
BYTES = range(24, 65)
"""How long a secret may be."""
MAKE_ONE = """Make one: python3 -c 'import base64, os; print("whsec_" + base64.b64encode(os.urandom(32)).decode())'"""


def read_secrets(text: str) -> list[bytes]:
    """The secrets in ``text``, with spaces between; each may begin with ``whsec_``. Raises ``ValueError``."""
    return [_secret(word, number) for number, word in enumerate(text.split(), 1)]


def signed(secrets: Sequence[bytes], id: str, seconds: int, body: bytes) -> Mapping[str, str]:
    """The headers of a request that is sent at ``seconds`` of the epoch: a signature by each secret."""
    content = f"{id}.{seconds}.".encode() + body
    digests = (hmac.new(secret, content, hashlib.sha256).digest() for secret in secrets)
    signatures = " ".join(f"v1,{b64encode(digest).decode()}" for digest in digests)
    return {"webhook-id": id, "webhook-timestamp": str(seconds), "webhook-signature": signatures}


def _secret(word: str, number: int) -> bytes:
    try:
        secret = b64decode(word.removeprefix(PREFIX), validate=True)
    except binascii.Error:
        raise ValueError(f"secret {number} is no Base64. {MAKE_ONE}") from None
    if len(secret) not in BYTES:
        raise ValueError(f"secret {number} has {len(secret)} bytes, and must have 24 to 64. {MAKE_ONE}")
    return secret
