"""Our own log: on a terminal as text, else as lines of JSON, each with the request and the task that it belongs to.

What requests carry to prove who sends them is in neither.
"""

from __future__ import annotations

import logging
import os
import select
import sys
from contextlib import suppress
from typing import TextIO

import msgspec
from msgspec import UNSET, Struct, UnsetType

from miyabi.context import REQUEST, TASK
from miyabi.masked import masked
from miyabi.model import iso

ROOM_SECONDS = 0.02
"""So long is waited for a full pipe to be read."""


class Line(Struct, omit_defaults=True):
    """``time`` is ISO 8601 in UTC; ``error`` a traceback."""

    time: str
    level: str
    service: str
    logger: str
    message: str
    request_id: str | UnsetType = UNSET
    task_id: str | UnsetType = UNSET
    error: str | UnsetType = UNSET


class JsonFormatter(logging.Formatter):
    """Formats records of ``service``."""

    def __init__(self, service: str) -> None:
        super().__init__()
        self._service = service

    def format(self, record: logging.LogRecord) -> str:
        """One line of JSON."""
        return msgspec.json.encode(
            Line(
                iso(int(record.created * 1000)),
                record.levelname,
                self._service,
                record.name,
                masked(record.getMessage()),
                REQUEST.get() or UNSET,
                TASK.get() or UNSET,
                masked(self.formatException(record.exc_info)) if record.exc_info else UNSET,
            )
        ).decode()


class TextFormatter(logging.Formatter):
    """Formats records for a terminal."""

    def __init__(self) -> None:
        super().__init__("%(levelname)s %(name)s: %(message)s")

    def format(self, record: logging.LogRecord) -> str:
        """A line, and a traceback behind it where there is one."""
        return masked(super().format(record))


class StderrHandler(logging.Handler):
    """Writes to standard error at once. What nobody reads is given up: a line must not stop the service."""

    def emit(self, record: logging.LogRecord) -> None:
        """Write in pieces that a pipe takes whole, each as soon as there is room for it."""
        data = (self.format(record) + "\n").encode(errors="replace")
        with suppress(OSError, ValueError):
            where = sys.stderr.fileno()
            while data and select.select([], [where], [], ROOM_SECONDS)[1]:
                data = data[os.write(where, data[: select.PIPE_BUF]) :]


def log_as_text() -> None:
    """Write warnings and errors to standard error."""
    handler = StderrHandler()
    handler.setFormatter(TextFormatter())
    logging.basicConfig(handlers=[handler], level=logging.WARNING)


def log_as_json(service: str, stream: TextIO | None = None, level: int = logging.INFO) -> None:
    """Write every record from ``level`` on to ``stream`` (standard error), and to nothing else."""
    handler = logging.StreamHandler(stream or sys.stderr)
    handler.setFormatter(JsonFormatter(service))
    logging.basicConfig(handlers=[handler], level=level, force=True)
