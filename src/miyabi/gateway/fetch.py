"""GET of a small document, within a time and a size, without following anywhere.

Of the standard library, in a thread: it runs some times an hour, and a Lambda function that only verifies tokens
should not have to import a client for it.
"""

from __future__ import annotations

import asyncio
import http.client
import socket
import threading
from contextlib import suppress
from urllib.parse import SplitResult, urlsplit

SECONDS = 5.0
"""For all of it, however slowly it comes."""
MOST_BYTES = 256 * 1024


async def fetch(url: str, seconds: float = SECONDS) -> bytes:
    """The body of ``url``. Raises ``OSError`` unless it comes with 200, in time, in :data:`MOST_BYTES`."""
    loop = asyncio.get_running_loop()
    result: asyncio.Future[bytes] = loop.create_future()

    def settle(body: bytes | None, error: Exception | None) -> None:
        if result.done():
            return
        if error:
            result.set_exception(OSError(str(error) or type(error).__name__))
        else:
            result.set_result(body or b"")

    def work() -> None:
        body, problem = None, None
        try:
            body = _get(url, seconds)
        except Exception as error:  # whatever it is, who waits must hear of it
            problem = error
        with suppress(RuntimeError):  # the loop has ended, and nobody waits any more
            loop.call_soon_threadsafe(settle, body, problem)

    threading.Thread(target=work, name="issuer", daemon=True).start()
    return await asyncio.wait_for(result, 2 * seconds)


def _get(url: str, seconds: float) -> bytes:
    parts = urlsplit(url)
    kind = http.client.HTTPSConnection if parts.scheme == "https" else http.client.HTTPConnection
    connection = kind(parts.hostname or "", parts.port, timeout=seconds)
    late = threading.Event()
    try:
        connection.connect()
        end = threading.Timer(seconds, _break_off, (connection.sock, late))
        end.daemon = True
        end.start()
        try:
            body = _answer(connection, parts)
        finally:
            end.cancel()
    except http.client.HTTPException as error:
        raise OSError(f"{url} breaks off: {error or type(error).__name__}") from None
    finally:
        connection.close()
    if late.is_set():
        raise OSError(f"{url} takes longer than {seconds:g} s")
    if len(body) > MOST_BYTES:
        raise OSError(f"{url} is longer than {MOST_BYTES} bytes")
    return body


def _answer(connection: http.client.HTTPConnection, parts: SplitResult) -> bytes:
    target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    connection.request("GET", target, headers={"Accept": "application/json", "Connection": "close"})
    with connection.getresponse() as answer:
        if answer.status != 200:
            raise OSError(f"{parts.geturl()} answers {answer.status}")
        return answer.read(MOST_BYTES + 1)


def _break_off(sock: socket.socket, late: threading.Event) -> None:
    """What waits for bytes gets the end instead, and is told beforehand that it is none."""
    late.set()
    with suppress(OSError):
        sock.shutdown(socket.SHUT_RDWR)
