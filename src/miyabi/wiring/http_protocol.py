"""uvicorn's HTTP over httptools, held to limits. What is not plainly one request after another is refused.

httptools (llhttp) refuses by itself whatever has two lengths, bare line feeds, folded headers or spaces before colons.
uvicorn answers what it has read; how long and how large that may become, and what may stand in a head, is said here.
Time is looked at from outside, once a second (:meth:`Connection.check`), not by timers of each connection.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

import httptools

from miyabi.http import Problem
from miyabi.wiring.http_corked import Corked
from miyabi.wiring.http_heads import bad_head, framing
from miyabi.wiring.http_limits import Crowd, Limits
from miyabi.wiring.http_patience import Patience
from miyabi.wiring.http_refusals import Refusing

MOST_HEADERS = 100
MOST_PIPELINED = 64
"""Requests that wait for the answer to one before them on their connection."""


class Connection(Refusing):
    """One connection. ``crowd`` counts all of them, ``clock`` gives seconds that only grow."""

    def __init__(self, limits: Limits, crowd: Crowd, clock: Callable[[], float], **given: Any) -> None:
        super().__init__(**given)
        self._limits, self._crowd = limits, crowd
        self._patience = Patience(limits, clock)
        self._address = ""
        self._inside = False
        self._in_head = self._deaf = self._heard = False
        self._head_bytes = self._silent_bytes = 0
        self._refusal = Problem("bad-request", "This is no HTTP request that can be understood in one way only.")

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Let it in, or say that there is no room."""
        super().connection_made(Corked(transport, self.loop))
        self._address = self.client[0] if self.client else ""
        self._inside = self._crowd.enter(self._address)
        if self._inside:
            self._patience.head()
        else:
            hears = self._crowd.hears()
            if hears:
                self._patience.linger()
            self.turn_away(hears=hears)

    def connection_lost(self, exc: Exception | None) -> None:
        """Make room."""
        self._crowd.leave(self._address, inside=self._inside)
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Feed the parser. An upgrade is not made: who asks for one is answered in HTTP/1.1."""
        if self.ended:
            if not self._inside:
                self.transport.close()
            return
        self._unset_keepalive_if_required()
        if not self.busy() and not self._patience.in_body:
            self._patience.head()
        try:
            while data:
                data = self._fed(data)
        except httptools.HttpParserError:
            self._refuse(self._refusal)

    def _fed(self, data: bytes) -> bytes:
        """What the parser left of ``data``: what stands behind a head that asks for an upgrade."""
        self._heard = False
        try:
            self.parser.feed_data(data)
        except httptools.HttpParserUpgrade as upgrade:
            self._stay()
            return data[upgrade.args[0] :]
        self._silent_bytes = 0 if self._heard else self._silent_bytes + len(data)
        if self._silent_bytes > self._limits.head_bytes:
            self._refusal = self._too_large()
            raise httptools.HttpParserError
        return b""

    def _stay(self) -> None:
        """Go on with a parser that knows of no upgrade, in the body of the same request."""
        self.parser = httptools.HttpRequestParser(self)
        self.parser.set_dangerous_leniencies(lenient_data_after_close=True)
        self._deaf = True
        self.parser.feed_data(b"POST / HTTP/1.1\r\n%s\r\n" % framing(self.headers))
        self._deaf = False

    # What the parser has found

    def on_message_begin(self) -> None:
        """A request begins."""
        if self._deaf:
            return
        if len(self.pipeline) >= MOST_PIPELINED:
            raise _RefusedError
        super().on_message_begin()
        self._heard = self._in_head = True
        self._head_bytes = 0
        self._patience.head()

    def on_url(self, url: bytes) -> None:
        """The target, or a part of it."""
        if self._deaf:
            return
        super().on_url(url)
        self._heard = True
        self._head_bytes += len(url)
        if len(self.url) > self._limits.url_bytes:
            self._stop(Problem("uri-too-long", f"A target has {self._limits.url_bytes:,} bytes at most."))

    def on_header(self, name: bytes, value: bytes) -> None:
        """A header. What comes behind the body is dropped: it would count as if it had been there from the start."""
        if self._deaf:
            return
        self._heard = True
        self._head_bytes += len(name) + len(value) + 4
        if self._head_bytes > self._limits.head_bytes or len(self.headers) >= MOST_HEADERS:
            self._stop(self._too_large())
        if self._in_head:
            super().on_header(name, value)

    def on_headers_complete(self) -> None:
        """The head is whole: it can be answered."""
        if self._deaf:
            return
        if problem := bad_head(self.parser.get_http_version(), self.url, self.headers):
            self._stop(problem)
        self._in_head = False
        self._patience.body()
        super().on_headers_complete()

    def on_body(self, body: bytes) -> None:
        """Some of the body."""
        super().on_body(body)
        self._heard = True
        self._patience.came(len(body))

    def on_message_complete(self) -> None:
        """The request is whole; of one that asks for an upgrade the body is still to come."""
        if self._deaf or (self.parser.should_upgrade() and framing(self.headers)):
            return
        super().on_message_complete()
        self._heard = True
        self._patience.whole(idle=not self.busy())

    def on_response_complete(self) -> None:
        """Answered. The rest of a body that nobody wants is waited for a moment only."""
        super().on_response_complete()
        if self._patience.in_body and not self.busy():
            self._patience.linger()

    def resume_writing(self) -> None:
        """The client takes its answer."""
        super().resume_writing()
        self._patience.taken()

    # Time

    def check(self, now: float) -> None:
        """End the connection when its time is over."""
        if self._patience.stuck(now, self.transport.get_write_buffer_size()):
            self.transport.abort()
        elif self._patience.ends(now, paused=self.flow.read_paused):
            if self.ended:
                self.transport.abort()
            elif not self._in_head and not self.busy():
                self.transport.close()
            else:
                self._refuse(Problem("request-timeout", "The rest of the request did not come. Send it again."))

    # Refusals

    def _stop(self, refusal: Problem) -> None:
        """Have the parser stop here."""
        self._refusal = refusal
        raise _RefusedError

    def _too_large(self) -> Problem:
        most = self._limits.head_bytes
        return Problem("headers-too-large", f"A head has {most:,} bytes and {MOST_HEADERS} headers at most.")

    def _refuse(self, problem: Problem) -> None:
        in_body = self._patience.in_body and not self._in_head
        self._patience.whole()
        self.refuse(problem, in_body=in_body)


class _RefusedError(Exception):
    """Stops the parser."""
