"""Our own log as lines of JSON, each with the request and the task that it belongs to."""

from __future__ import annotations

import logging
import sys
from typing import TextIO

import msgspec
from msgspec import UNSET, Struct, UnsetType

from miyabi.context import REQUEST, TASK
from miyabi.model import iso


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
                record.getMessage(),
                REQUEST.get() or UNSET,
                TASK.get() or UNSET,
                self.formatException(record.exc_info) if record.exc_info else UNSET,
            )
        ).decode()


def log_as_json(service: str, stream: TextIO | None = None, level: int = logging.INFO) -> None:
    """Write every record from ``level`` on to ``stream`` (standard error), and to nothing else."""
    handler = logging.StreamHandler(stream or sys.stderr)
    handler.setFormatter(JsonFormatter(service))
    logging.basicConfig(handlers=[handler], level=level, force=True)
