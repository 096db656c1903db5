"""The authorizer of API Gateway's REST API as a Lambda function: the gateway's own check of tokens.

It is asked about the ``Authorization`` header (kind ``TOKEN``), and for badges about the address (kind ``REQUEST``).

API Gateway keeps its answer for some minutes and uses it for other requests with the same token. So the policy is for
the whole stage, whatever request it was made for.
It answers ``GET /api/sign-in`` itself, which needs the same settings.
https://docs.aws.amazon.com/apigateway/latest/developerguide/api-gateway-lambda-authorizer-input.html
"""

from __future__ import annotations

import asyncio
import logging
from functools import cache
from typing import Any

from miyabi.gateway.claims import TokenRefused
from miyabi.gateway.tokens import Verifier, bearer
from miyabi.principal import INGEST_PATH, METHODS, Principal
from miyabi.settings import from_environment
from miyabi.wiring.auth import make_verifier
from miyabi.wiring.aws_lambda.identity import context_of
from miyabi.wiring.aws_lambda.sign_in import sign_in

log = logging.getLogger("miyabi.gateway")

Event = dict[str, Any]


def handler(event: Event, context: Any) -> dict[str, Any]:
    """The policy for who asks. Raises ``Exception("Unauthorized")``, which API Gateway answers with 401."""
    if "methodArn" not in event:  # a request of API Gateway's proxy integration, not a question about one
        return sign_in(event, _verifier(), _loop())
    try:
        principal = _loop().run(_principal(event))
    except TokenRefused as error:
        log.warning("a token was refused: %s", error)
        raise Exception("Unauthorized") from None
    return {
        "principalId": principal.subject,
        "policyDocument": {"Version": "2012-10-17", "Statement": _statements(principal, event["methodArn"])},
        "context": context_of(principal),
    }


async def _principal(event: Event) -> Principal:
    """Whom the header's token stands for, or a badge's, which stands in its address and so must be a viewer's."""
    if event["type"] != "REQUEST":
        return await _verifier().principal(bearer([event["authorizationToken"]]))
    principal = await _verifier().principal((event.get("queryStringParameters") or {}).get("token") or "")
    if principal.role != "viewer":
        raise TokenRefused(f"its role is {principal.role}, and it stands in an address")
    return principal


@cache
def _verifier() -> Verifier:
    """Made at the first event: a secret in a parameter is read then, with this function's rights, and later again."""
    return make_verifier(from_environment())


@cache
def _loop() -> asyncio.Runner:
    """One event loop for all events: what it knows of an issuer's keys lives on it."""
    return asyncio.Runner()


def _statements(principal: Principal, method_arn: str) -> list[dict[str, Any]]:
    """Allows the role's methods and denies all others, on every path of the stage."""
    api, stage = method_arn.split("/")[:2]
    methods = METHODS[principal.role]
    others = sorted(METHODS["admin"] - methods)
    path = INGEST_PATH.lstrip("/") + "*" if principal.role == "ingest" else "*"
    allow = [f"{api}/{stage}/{method}/{path}" for method in sorted(methods)]
    deny = [f"{api}/{stage}/{method}/*" for method in others]
    return [_statement("Allow", allow), *([_statement("Deny", deny)] if deny else [])]


def _statement(effect: str, resources: list[str]) -> dict[str, Any]:
    return {"Action": "execute-api:Invoke", "Effect": effect, "Resource": resources}
