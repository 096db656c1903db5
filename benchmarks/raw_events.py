"""The limit: each line of stdin pushed to a page of one element, over Server-Sent Events, by a bare application."""

from __future__ import annotations

import asyncio
import sys

import uvloop
from starlette.types import Receive, Scope, Send

from miyabi.wiring.server import address, listen, serve

PAGE = b"""<!doctype html><title>raw</title>
<div role=progressbar aria-valuetext=""></div><div role=log><p data-index=0>nothing yet</p></div>
<script>
const bar = document.querySelector('[role=progressbar]'), line = document.querySelector('p');
new EventSource('/events').onmessage = ({data}) => {
  bar.setAttribute('aria-valuetext', data);
  line.textContent = data;
};
</script>"""


class RawEvents:
    """Answers the page, and to its one viewer the lines."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request, or the lifespan."""
        if scope["type"] == "lifespan":
            for done in ("startup", "shutdown"):
                await receive()
                await send({"type": f"lifespan.{done}.complete"})
        elif scope["path"] == "/events":
            await _begin(send, b"text/event-stream")
            async for line in await _stdin():
                await send({"type": "http.response.body", "body": b"data: %s\n\n" % line.rstrip(), "more_body": True})
            await send({"type": "http.response.body", "body": b""})
        else:
            await _begin(send, b"text/html")
            await send({"type": "http.response.body", "body": PAGE if scope["path"] == "/" else b""})


async def _stdin() -> asyncio.StreamReader:
    reader = asyncio.StreamReader()
    loop = asyncio.get_running_loop()
    await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), sys.stdin)
    return reader


async def _begin(send: Send, kind: bytes) -> None:
    await send({"type": "http.response.start", "status": 200, "headers": [(b"content-type", kind)]})


def main() -> None:
    """``python -m benchmarks.raw_events``: says its address, then serves until a signal."""
    with listen("127.0.0.1", 0) as sock:
        uvloop.run(serve(RawEvents(), sock, ready=lambda: print(address(sock), flush=True)))


if __name__ == "__main__":
    main()
