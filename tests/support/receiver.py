"""Who receives notices over HTTP on this machine, and answers what it is told to."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Mapping
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, NamedTuple

from standardwebhooks import Webhook

SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
"""Of 24 bytes, as the specification has it in its examples."""


class Received(NamedTuple):
    """A request: its headers in small letters, its body as it came."""

    path: str
    headers: Mapping[str, str]
    body: bytes

    @property
    def id(self) -> str:
        """Of the notice."""
        return self.headers["webhook-id"]

    @property
    def json(self) -> Any:
        """The body."""
        return json.loads(self.body)

    def verified(self, secret: str = SECRET) -> Any:
        """The body, once its signature was verified by the standard's own library."""
        return Webhook(secret).verify(self.body, dict(self.headers))


class Receiver:
    """Listens on a free port. ``answer`` gives the status and headers for a request, given how many came before it."""

    def __init__(self) -> None:
        self.received: list[Received] = []
        self.answer: Callable[[int], tuple[int, Mapping[str, str]]] = lambda number: (200, {})
        receiver = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers.get("content-length", "0")))
                headers = {name.lower(): value for name, value in self.headers.items()}
                status, more = receiver.answer(len(receiver.received))
                receiver.received.append(Received(self.path, headers, body))
                self.send_response(status)
                for name, value in {"content-length": "0", **more}.items():
                    self.send_header(name, value)
                self.end_headers()

            def log_message(self, format: str, *args: object) -> None:
                """Nothing."""

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
        self._thread.start()

    @property
    def host(self) -> str:
        """``127.0.0.1:port``."""
        return f"127.0.0.1:{self._server.server_port}"

    @property
    def webhook(self) -> str:
        """Its address as a webhook of ours."""
        return f"webhook+http://{self.host}/hook"

    def types(self) -> list[str]:
        """What it was told of, in order: each with the task's id."""
        return [
            f"{one.json['type']} {one.json['data'].get('task', {}).get('task_id', '')}".strip() for one in self.received
        ]

    def close(self) -> None:
        """Listen no more."""
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()
