"""``GET /api/sign-in`` behind API Gateway, answered by the authorizer's function: how to sign in, and who is there.

The route has no authorizer, so whoever asks is answered; a token that comes with the request is looked at here.
"""

from __future__ import annotations

from asyncio import Runner
from functools import cache
from typing import Any

import msgspec

from miyabi.gateway.claims import KeysUnavailable
from miyabi.gateway.sign_in import Ways, answer
from miyabi.gateway.tokens import Verifier
from miyabi.settings import from_environment
from miyabi.wiring.auth import make_ways

JSON = {"Content-Type": "application/json", "Cache-Control": "no-store"}
AWAY = {
    "type": "urn:miyabi:problem:unavailable",
    "title": "A service behind this one does not answer",
    "status": 503,
    "detail": "Who signs people in does not answer, so no token can be verified. Try again.",
}


def sign_in(event: dict[str, Any], verifier: Verifier, loop: Runner) -> dict[str, Any]:
    """The answer as API Gateway's proxy integration takes it."""
    try:
        found = loop.run(answer(_ways(), verifier, _given(event)))
    except KeysUnavailable:
        headers = {**JSON, "Content-Type": "application/problem+json", "Retry-After": "5"}
        return {"statusCode": 503, "headers": headers, "body": msgspec.json.encode(AWAY).decode()}
    return {"statusCode": 200, "headers": JSON, "body": msgspec.json.encode(found).decode()}


@cache
def _ways() -> Ways:
    return make_ways(from_environment())


def _given(event: dict[str, Any]) -> list[str]:
    """The values of all ``Authorization`` headers, however they are written."""
    headers = event.get("multiValueHeaders") or {name: [value] for name, value in (event.get("headers") or {}).items()}
    return [value for name, values in headers.items() if name.lower() == "authorization" for value in values or ()]
