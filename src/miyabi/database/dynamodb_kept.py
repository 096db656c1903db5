"""Connections of the standard library's HTTP client that are kept for the next request."""

from __future__ import annotations

import ssl
from http.client import HTTPConnection, HTTPSConnection
from threading import Lock
from urllib.parse import SplitResult


class Kept:
    """Connections that were answered on and can be asked on again, by their origins. Used from all threads."""

    def __init__(self, patience: float) -> None:
        self._patience = patience
        self._lock = Lock()
        self._idle: dict[tuple[str, str], list[HTTPConnection]] = {}
        self._context: ssl.SSLContext | None = None
        self._closed = False

    def take(self, url: SplitResult) -> HTTPConnection:
        """One that is kept (it has a ``sock``), the last one used, or a new one."""
        with self._lock:
            if idle := self._idle.get((url.scheme, url.netloc)):
                return idle.pop()
            if url.scheme == "http":
                return HTTPConnection(url.netloc, timeout=self._patience)
            if self._context is None:
                self._context = ssl.create_default_context()
            return HTTPSConnection(url.netloc, timeout=self._patience, context=self._context)

    def give(self, url: SplitResult, connection: HTTPConnection) -> None:
        """Keep it."""
        with self._lock:
            if not self._closed:
                return self._idle.setdefault((url.scheme, url.netloc), []).append(connection)
        connection.close()

    def forget(self) -> None:
        """Keep none: when one does not answer, the others that are as old may be dead, too."""
        with self._lock:
            idle, self._idle = self._idle, {}
        for connections in idle.values():
            for connection in connections:
                connection.close()

    def close(self) -> None:
        """Keep none from now on."""
        self._closed = True
        self.forget()
