"""The log service over HTTP: each call of :class:`miyabi.logs.Logs` is a ``POST`` of its arguments as JSON.

The service (:mod:`miyabi.logs.app`) and its client (:mod:`miyabi.logs.http`) both speak by these shapes.
"""

from __future__ import annotations

from typing import Annotated, Literal

from msgspec import Meta, Struct

from miyabi.logs import MAX_BATCH
from miyabi.model import NewEvent, Writer

APPEND, READ, CHANGED, WAIT, GROUPS, PING = (
    f"/logs/{call}" for call in ("append", "read", "changed", "wait", "groups", "ping")
)
MAX_BODY = 32_000_000
"""Bytes of one append: a line of 1 MB passes however it is escaped, and full batches of lines of 3 kB each."""
LONGEST_WAIT = 20.0
"""Seconds that one :class:`Wait` may last: less than what proxies let a silent connection live."""

Limit = Annotated[int, Meta(ge=0, le=2**31 - 1)]


class Append(Struct, frozen=True, omit_defaults=True, forbid_unknown_fields=True):
    """Lines for the end of a stream; answered by :class:`Appended`."""

    group: str
    stream: str
    events: Annotated[list[NewEvent], Meta(max_length=MAX_BATCH)]
    writer: Writer | None = None


class Appended(Struct, frozen=True):
    """How many of them were stored now."""

    stored: int


class Read(Struct, frozen=True, omit_defaults=True, forbid_unknown_fields=True):
    """A page of a stream; answered by :class:`miyabi.logs.LogPage`."""

    group: str
    stream: str
    after: str = ""
    before: str | None = None
    limit: Limit = 1000


class Changed(Struct, frozen=True, omit_defaults=True, forbid_unknown_fields=True):
    """Streams with newer lines; answered by a list of :class:`miyabi.logs.Stream`."""

    after: str = ""
    limit: Limit = 1000


class Wait(Struct, frozen=True, omit_defaults=True, forbid_unknown_fields=True):
    """A long poll: answered by :class:`Waited` as soon as there is news, or after ``timeout`` seconds at most."""

    after: str = ""
    timeout: Annotated[float, Meta(ge=0, le=LONGEST_WAIT)] = LONGEST_WAIT


class Waited(Struct, frozen=True):
    """Whether there is news. A ``false`` may come early, when the service is about to stop."""

    changed: bool


class Nothing(Struct, frozen=True, forbid_unknown_fields=True):
    """The arguments of a call that has none."""


class Pong(Struct, frozen=True):
    """Says that this is a log service, and that its store answers."""

    service: Literal["logs"]
    status: str = "ok"
