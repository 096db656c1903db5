"""How a connection is ended by us: with an answer that says why, wherever in a request it is."""

from __future__ import annotations

from typing import Any

from uvicorn.protocols.http.httptools_impl import STATUS_LINE, HttpToolsProtocol

from miyabi.counters import Counter
from miyabi.http import Problem

REFUSED = Counter("miyabi_refused_requests", "Requests that broke HTTP's rules or a limit of size or time")
TURNED_AWAY = Counter("miyabi_refused_connections", "Connections over their number")
FULL = "There are too many connections. Close those that are not needed, or come back later."


class Refusing(HttpToolsProtocol):
    """uvicorn's connection. Once it is ``ended`` nothing more is taken from it."""

    def __init__(self, **given: Any) -> None:
        super().__init__(**given)
        self.ended = False

    def busy(self) -> bool:
        """Whether a request is being answered."""
        return self.cycle is not None and not self.cycle.response_complete

    def refuse(self, problem: Problem, *, in_body: bool) -> None:
        """End it. Whole requests that came before are answered first; ``in_body``: the one under way never will be."""
        REFUSED.inc()
        self.ended = True
        if not self.busy():
            self._answer(problem)
        elif not in_body:
            self.cycle.keep_alive = False
            return
        elif not self.cycle.response_started and not self.pipeline:
            self._answer(problem)
            self.cycle.disconnected = True
            self.cycle.message_event.set()
        self.transport.close()

    def turn_away(self, *, hears: bool) -> None:
        """There is no room for it; whether it ``hears`` so, or is ended without a word."""
        TURNED_AWAY.inc()
        self.ended = True
        if not hears:
            self.transport.abort()
            return
        self._answer(Problem("unavailable", FULL, Retry_After="5"))
        if self.transport.can_write_eof():
            self.transport.write_eof()

    def _answer(self, problem: Problem) -> None:
        answer = problem.response()
        headers = [*self.server_state.default_headers, *answer.raw_headers]
        headers += [(b"x-content-type-options", b"nosniff"), (b"connection", b"close")]
        lines = [b"%s: %s\r\n" % each for each in headers]
        self.transport.write(b"".join([STATUS_LINE[problem.status], *lines, b"\r\n", bytes(answer.body)]))
