"""What a line of our own log belongs to: the request that is served, the task whose lines are read."""

from __future__ import annotations

from contextvars import ContextVar

REQUEST: ContextVar[str] = ContextVar("request", default="")
"""The request's id, as the service in front of this one gave it."""
TASK: ContextVar[str] = ContextVar("task", default="")
"""A task's id."""
