"""Behind API Gateway: who asks is told to the application, and is held to what the authorizer's policy can't say.

The policy knows methods and paths. Which groups an ingest token may append to stands in an encoded part of the path.
"""

from __future__ import annotations

import msgspec
from starlette.types import ASGIApp, Receive, Scope, Send

from miyabi.http import Problem
from miyabi.principal import attach
from miyabi.wiring.aws_lambda.identity import principal_of


def admitted(app: ASGIApp) -> ASGIApp:
    """``app`` for scopes with ``aws.event`` (Mangum's) and ``raw_path``."""

    async def admit(scope: Scope, receive: Receive, send: Send) -> None:
        try:
            _check(scope)
        except Problem as problem:
            await problem.response()(scope, receive, send)
            return
        await app(scope, receive, send)

    return admit


def _check(scope: Scope) -> None:
    try:
        principal = principal_of(scope["aws.event"])
    except msgspec.MsgspecError:
        raise Problem("forbidden", "The authorizer in front of this function is another version's.") from None
    if principal is None:
        return
    attach(scope, principal)  # who is refused is known, too
    if not principal.may(scope["method"], scope["raw_path"]):
        raise Problem("forbidden", f"The role `{principal.role}` may not {scope['method']} this.")
