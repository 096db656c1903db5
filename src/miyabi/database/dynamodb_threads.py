"""DynamoDB by the standard library's HTTP client, in threads: for a process that wakes up to answer one request.

It is imported already where Starlette is; aiohttp would take 200 ms more, urllib3 25 (`python -m benchmarks cold`).
Deadlines are those of aiohttp's way; a thread that hangs beyond them is left to itself, with its connection cut.
What is sent on a kept connection that turns out to be closed is sent again, so it must bear to be done twice, as all
that :class:`miyabi.database.dynamodb_calls.Calls` sends must.
"""

from __future__ import annotations

import asyncio
import socket
import ssl
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from http.client import HTTPConnection, HTTPException, HTTPResponse
from urllib.parse import urlsplit, urlunsplit

from aiodynamo.http.types import Request, RequestFailed, Response

from miyabi.database.dynamodb_client import POOL, TIMEOUT_SECONDS
from miyabi.database.dynamodb_kept import Kept
from miyabi.database.dynamodb_pulse import TRY_SECONDS


class ThreadedHttp:
    """aiodynamo's ``HttpImplementation``. ``seconds`` for a whole request, ``patience`` seconds without a byte.

    Raises ``TimeoutError``, and ``RequestFailed`` where nothing answers or the answer breaks off.
    """

    def __init__(self, seconds: float = TIMEOUT_SECONDS, patience: float = TRY_SECONDS) -> None:
        self._seconds = seconds
        self._kept = Kept(patience)
        self._threads = ThreadPoolExecutor(POOL, "dynamodb")

    async def __call__(self, request: Request) -> Response:
        exchange = _Exchange(self._kept, request)
        try:
            async with asyncio.timeout(self._seconds):
                return await asyncio.get_running_loop().run_in_executor(self._threads, exchange.run)
        finally:
            exchange.end()

    async def close(self) -> None:
        """Nothing is asked any more; threads under way are not waited for."""
        self._threads.shutdown(wait=False, cancel_futures=True)
        self._kept.close()


class _Exchange:
    """A request and its answer, in a thread."""

    def __init__(self, kept: Kept, request: Request) -> None:
        self._kept, self._request = kept, request
        self._url = urlsplit(request.url)
        self._connection: HTTPConnection | None = None
        self._ended = False

    def end(self) -> None:
        """Nobody waits for it (any more): cut its connection, so that the thread comes free."""
        self._ended = True
        connection = self._connection
        if connection is not None and isinstance(connection.sock, socket.socket):
            with suppress(OSError):
                socket.socket.shutdown(connection.sock, socket.SHUT_RDWR)  # TLS has no say in it

    def run(self) -> Response:
        """The answer."""
        connection = self._connection = self._kept.take(self._url)
        try:
            answer = self._begin(connection)
            response = Response(answer.status, answer.read())
        except BaseException as error:
            connection.close()
            self._kept.forget()
            if isinstance(error, (OSError, HTTPException)) and not isinstance(error, TimeoutError):
                raise RequestFailed(error) from None
            raise
        self._connection = None
        if answer.will_close or self._ended:
            connection.close()
        else:
            self._kept.give(self._url, connection)
        return response

    def _begin(self, connection: HTTPConnection) -> HTTPResponse:
        """The answer's head. A kept connection may have been closed meanwhile: then once more, on a new one."""
        if connection.sock is not None:
            with suppress(ConnectionError, ssl.SSLError):
                return self._send(connection)
            connection.close()
        connection.connect()
        return self._send(connection)

    def _send(self, connection: HTTPConnection) -> HTTPResponse:
        if self._ended:
            raise ConnectionAbortedError("nobody waits for it any more")
        request = self._request
        target = urlunsplit(("", "", self._url.path or "/", self._url.query, ""))
        connection.request(request.method, target, request.body, request.headers or {})
        return connection.getresponse()
