"""The description of all that a board answers: the task API's operations, and what the gateway answers itself."""

from __future__ import annotations

from miyabi.gateway.sign_in import PATH as SIGN_IN
from miyabi.gateway.sign_in import SignIn
from miyabi.gateway.slo.report import PATH as SLO
from miyabi.gateway.slo.report import Report
from miyabi.tasks.openapi import Beside, document

GATEWAYS = (
    Beside(
        "signIn",
        SIGN_IN,
        "How people sign in",
        "At an OIDC issuer, with a token, or not at all; and whom the token that was sent stands for.",
        SignIn,
        needs_token=False,
    ),
    Beside(
        "serviceLevels",
        SLO,
        "Service levels",
        "Every service against its objectives over 1 h, 24 h and 30 days, with error budgets, burn rates and alerts. "
        "Not on AWS, where CloudWatch keeps them.",
        Report,
    ),
)


def board_document(*, signs_in: bool = False) -> bytes:
    """The OpenAPI document as JSON, of any board or of one where everybody needs a token."""
    return document(GATEWAYS, signs_in=signs_in)
