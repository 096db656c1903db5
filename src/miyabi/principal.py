"""Who asks, and what that role may do: made from a token by the gateway or by API Gateway's authorizer.

It travels to the task API within the process (:func:`attach`), never as a header: a header could come from outside.
"""

from __future__ import annotations

from collections.abc import MutableMapping
from typing import Any, Literal, get_args
from urllib.parse import unquote

from msgspec import Struct

Role = Literal["viewer", "developer", "service", "admin", "ingest"]
"""In the order of what they may, but for ``ingest``: that may only append lines to the groups that its token names.

``service`` is what the services call one another by: a developer that may write the audit trail, too.
"""
ROLES: tuple[Role, ...] = get_args(Role)

READ = frozenset({"GET", "HEAD", "OPTIONS"})
CHANGE = READ | {"POST", "PUT", "PATCH"}
METHODS: dict[Role, frozenset[str]] = {
    "viewer": READ,
    "developer": CHANGE,
    "service": CHANGE,
    "admin": CHANGE | {"DELETE"},
    "ingest": frozenset({"POST"}),
}
"""What each role may ask for. ``ingest`` is held to :data:`INGEST_PATH`, too."""
INGEST_PATH = "/api/logs/"
BADGE = "/badge.svg"

STATE = "miyabi.principal"


WRITES_AUDIT: Role = "service"
"""No person, not even an admin: who has done something must not be able to write that somebody else did."""


class Principal(Struct, frozen=True):
    """The subject of a token that was found good."""

    subject: str
    role: Role
    projects: tuple[str, ...] | None = None
    """The projects it may see and change; ``None`` is all of them."""
    groups: tuple[str, ...] = ()
    """Log groups that an ``ingest`` token may append to, each with its leading ``/``."""
    until: float | None = None
    """From then on (epoch seconds) its token is let in no more; ``None`` where whoever let it in sees to that."""

    def may(self, method: str, raw_path: bytes) -> bool:
        """Whether its role allows the request. ``raw_path`` is the path as it was sent."""
        if method not in METHODS[self.role]:
            return False
        return self.role != "ingest" or group_of(raw_path) in self.groups


def role_for(method: str) -> Role | None:
    """The least role of a person that may ask with ``method``; ``None`` where nobody may."""
    return next((role for role in ROLES if role != "ingest" and method in METHODS[role]), None)


class Sight(Struct, frozen=True):
    """What of the board somebody sees and may change: all of it, or some projects (sorted) and what is theirs."""

    projects: tuple[str, ...] | None = None

    def holds(self, project_id: str) -> bool:
        """Whether a project is in it."""
        return self.projects is None or project_id in self.projects

    @property
    def whole(self) -> bool:
        """Whether it is all of the board."""
        return self.projects is None


EVERYTHING = Sight()
NEEDS_ALL = "This tells of all projects or changes all of them. Ask for a token that is not limited to some."
"""What is answered to who sees only a part: sums tell of every project."""


def sight_of(principal: Principal | None) -> Sight:
    """What ``principal`` sees; ``None``, where nobody has to sign in, sees everything."""
    if principal is None or principal.projects is None:
        return EVERYTHING
    return Sight(tuple(sorted(set(principal.projects))))


def group_of(raw_path: bytes) -> str | None:
    """The group in ``/api/logs/{group}/{stream}``; ``None`` for every other path."""
    path = raw_path.decode("ascii", "replace")
    return split_stream_path(path)[0] if path.startswith(INGEST_PATH) else None


def split_stream_path(path: str) -> tuple[str, str]:
    """Group (with its leading ``/``) and stream of ``/api/logs/{group}/{stream}``, a path as it was sent.

    The last segment is the stream, all before it the group; either may hold ``/`` as ``%2F``, and the group's leading
    ``/`` may be left out: ``/api/logs/miyabi/jobs/x`` and ``/api/logs/%2Fmiyabi%2Fjobs/x`` are the same.
    """
    head, _, stream = path.partition("?")[0].rpartition("/")
    return group_name(unquote(head.removeprefix("/api/logs"))), unquote(stream)


def is_badge(method: str, path: str) -> bool:
    """Whether a badge is asked for: an image of a page elsewhere, which can send no header."""
    return method in READ and path.endswith(BADGE) and path.startswith(("/api/tasks/", "/api/projects/"))


def group_name(given: str) -> str:
    """A group's name with one leading ``/`` and none behind, however it was written."""
    return "/" + given.strip("/")


def attach(scope: MutableMapping[str, Any], principal: Principal) -> None:
    """Let the ASGI application behind know who asks."""
    scope["state"] = {**scope.get("state", {}), STATE: principal}


def attached(scope: MutableMapping[str, Any]) -> Principal | None:
    """Who asks; ``None`` where no sign-in is configured, and then everything is allowed."""
    principal: Principal | None = scope.get("state", {}).get(STATE)
    return principal
