"""A small client of the API, as a script would use it."""

from __future__ import annotations

import http.client
import json
import ssl
from typing import Any, NamedTuple
from urllib.parse import urlsplit


class Response(NamedTuple):
    """A whole answer."""

    status: int
    headers: dict[str, str]
    body: bytes

    def json(self) -> Any:
        """The body as JSON."""
        return json.loads(self.body)


class Client:
    """Requests to a board at ``url``, each on a connection of its own; ``trust`` verifies one with TLS."""

    def __init__(self, url: str, trust: ssl.SSLContext | None = None) -> None:
        parts = urlsplit(url)
        self._secure, self._trust = parts.scheme == "https", trust
        self.host, self.port = parts.hostname or "127.0.0.1", parts.port or 80

    def request(self, method: str, target: str, body: object = None, **headers: str) -> Response:
        """One request; a ``body`` that is not bytes is sent as JSON."""
        connection = (
            http.client.HTTPSConnection(self.host, self.port, timeout=30, context=self._trust)
            if self._secure
            else http.client.HTTPConnection(self.host, self.port, timeout=30)
        )
        if body is not None and not isinstance(body, bytes):
            body = json.dumps(body).encode()
            headers.setdefault("content-type", "application/json")
        try:
            connection.request(method, target, body, headers)
            answer = connection.getresponse()
            return Response(answer.status, {k.lower(): v for k, v in answer.getheaders()}, answer.read())
        finally:
            connection.close()

    def get(self, target: str) -> Any:
        """The record or page at ``target``; anything but 200 is a failure."""
        answer = self.request("GET", target)
        assert answer.status == 200, f"GET {target}: {answer.status} {answer.body[:500]!r}"
        return answer.json()

    def post(self, target: str, body: object) -> Any:
        """What is answered to a POST that succeeds."""
        answer = self.request("POST", target, body)
        assert answer.status in (200, 201), f"POST {target}: {answer.status} {answer.body[:500]!r}"
        return answer.json()

    def task(self, task_id: str) -> dict[str, Any] | None:
        """A task, ``None`` while it is not known."""
        answer = self.request("GET", f"/api/tasks/{task_id}")
        assert answer.status in (200, 404), f"{answer.status} {answer.body[:500]!r}"
        return answer.json() if answer.status == 200 else None

    def tasks(self, query: str = "") -> list[dict[str, Any]]:
        """All tasks, newest first, over all pages."""
        tasks, cursor = [], ""
        while True:
            page = self.get(f"/api/tasks?limit=200{query}{cursor}")
            tasks += page["tasks"]
            if page["next_cursor"] is None:
                return tasks
            cursor = f"&cursor={page['next_cursor']}"

    def lines(self, task_id: str) -> list[str]:
        """The text of all lines of a task, over all pages, without the markers that begin and end a run."""
        lines: list[str] = []
        after = ""
        while True:
            page = self.get(f"/api/tasks/{task_id}/logs?limit=10000&after={after}")
            if not page["events"]:
                return [line for line in lines if not line.startswith('{"miyabi":')]
            lines += [event["message"] for event in page["events"]]
            after = page["next"]
