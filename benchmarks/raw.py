"""The limit: the bytes of a file answered to every request by a bare ASGI application on the board's own server."""

from __future__ import annotations

import sys
from pathlib import Path

import uvloop
from starlette.types import Receive, Scope, Send

from miyabi.wiring.server import address, listen, serve


class Raw:
    """Answers ``body`` as JSON."""

    def __init__(self, body: bytes) -> None:
        length = b"%d" % len(body)
        headers = [(b"content-type", b"application/json"), (b"content-length", length)]
        self._start = {"type": "http.response.start", "status": 200, "headers": headers}
        self._body = {"type": "http.response.body", "body": body}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request, or the lifespan."""
        if scope["type"] == "lifespan":
            for done in ("startup", "shutdown"):
                await receive()
                await send({"type": f"lifespan.{done}.complete"})
            return
        await send(self._start)
        await send(self._body)


def main() -> None:
    """``python -m benchmarks.raw FILE``: says its address, then serves until a signal."""
    with listen("127.0.0.1", 0) as sock:
        app = Raw(Path(sys.argv[1]).read_bytes())
        uvloop.run(serve(app, sock, ready=lambda: print(address(sock), flush=True)))


if __name__ == "__main__":
    main()
