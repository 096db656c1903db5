"""Who asks, from the authorizer to the functions behind API Gateway: as strings, all that its context may hold.

https://docs.aws.amazon.com/apigateway/latest/developerguide/api-gateway-lambda-authorizer-output.html
"""

from __future__ import annotations

from typing import Any

import msgspec

from miyabi.principal import Principal


def context_of(principal: Principal) -> dict[str, str]:
    """The authorizer's context: lists as JSON; ``projects`` is left out where all are meant."""
    context = {"sub": principal.subject, "role": principal.role}
    if principal.projects is not None:
        context["projects"] = msgspec.json.encode(principal.projects).decode()
    if principal.groups:
        context["groups"] = msgspec.json.encode(principal.groups).decode()
    return context


def principal_of(event: dict[str, Any]) -> Principal | None:
    """Who asks, from the event of API Gateway's proxy integration; ``None`` on a route without an authorizer.

    Only API Gateway writes ``requestContext``; nothing a client sends gets there.
    Raises ``msgspec.MsgspecError`` for a context that :func:`context_of` has not made.
    """
    context = (event.get("requestContext") or {}).get("authorizer")
    if not context:
        return None
    lists = {name: msgspec.json.decode(context[name]) for name in ("projects", "groups") if name in context}
    return msgspec.convert({"subject": context.get("sub"), "role": context.get("role"), **lists}, Principal)
