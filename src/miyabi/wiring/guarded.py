"""What stands before a service that runs by itself: the guard, and the gateway's own check of tokens."""

from __future__ import annotations

from starlette.types import ASGIApp

from miyabi.gateway.guard import Guard, Guarded
from miyabi.settings import Settings


def guarded(app: ASGIApp, settings: Settings, service: str, *, whole: bool = True) -> ASGIApp:
    """``app``, called ``service`` ("The task API"), behind a guard and, with sign-in configured, for good tokens only.

    So nothing depends on who can reach the service. ``whole``: it is for tokens that are good for all projects.
    """
    if settings.signs_in:
        from miyabi.gateway.auth import Auth, Verified  # late: a board without sign-in imports no cryptography
        from miyabi.wiring.auth import make_verifier

        app = Verified(app, Auth(make_verifier(settings)), service, whole=whole)
    return Guarded(app, Guard(settings.host))
