"""The limit for clients of DynamoDB: a bare server that gives answers recorded before, each to its very request."""

from __future__ import annotations

import asyncio
import json
import pickle
import subprocess
import sys
import tempfile
import zlib
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import cast

import uvloop

from benchmarks.boards import ROOT, Server
from benchmarks.load import SERVER_CORE

Answers = Mapping[tuple[str, str], bytes]
"""Bodies by action and request (as :func:`canonical`); the answer of an action's empty request is for any request."""
_HEAD = b"""HTTP/1.1 %s\r
Server: Server\r
Date: Tue, 24 Nov 2026 00:00:00 GMT\r
Content-Type: application/x-amz-json-1.0\r
Content-Length: %d\r
Connection: keep-alive\r
x-amzn-RequestId: B0T0RC0QJ6B4V1DGFQ4G2TPM3RVV4KQNSO5AEMVJF66Q9ASUAAJG\r
x-amz-crc32: %d\r
\r
"""
_UNKNOWN = b'{"__type":"com.amazon.coral.validate#ValidationException","message":"no answer was recorded for this"}'


def canonical(body: bytes | str) -> str:
    """A request's body whatever the spaces and the order that its client writes."""
    return json.dumps(json.loads(body), sort_keys=True)


class Canned(asyncio.Protocol):
    """One connection. A request that was seen before costs a look into a dictionary."""

    def __init__(self, answers: Answers, known: dict[bytes, bytes]) -> None:
        self._answers, self._known = answers, known
        self._buffer = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)

    def data_received(self, data: bytes) -> None:
        self._buffer += data
        while (end := self._buffer.find(b"\r\n\r\n")) >= 0:
            head = self._buffer[:end].lower()
            length = int(head.partition(b"content-length:")[2].partition(b"\r\n")[0] or 0)
            if len(self._buffer) < end + 4 + length:
                if b"expect: 100-continue" in head and len(self._buffer) == end + 4:
                    self._transport.write(b"HTTP/1.1 100 Continue\r\n\r\n")
                return
            body, self._buffer = self._buffer[end + 4 : end + 4 + length], self._buffer[end + 4 + length :]
            self._transport.write(self._answer(head, body))

    def _answer(self, head: bytes, body: bytes) -> bytes:
        action = head.partition(b"x-amz-target:")[2].partition(b"\r\n")[0].rpartition(b".")[2]
        key = action + body
        if key not in self._known:
            self._known[key] = self._made(action.decode() or "getitem", body)
        return self._known[key]

    def _made(self, action: str, body: bytes) -> bytes:
        found = self._answers.get((action, canonical(body) if body else "")) or self._answers.get((action, ""))
        status, text = (b"200 OK", found) if found else (b"400 Bad Request", _UNKNOWN)
        return _HEAD % (status, len(text), zlib.crc32(text)) + text


@contextmanager
def canned(answers: Answers) -> Iterator[Server]:
    """A process on the servers' core that gives these answers; it ends with the block."""
    with tempfile.NamedTemporaryFile() as file:
        pickle.dump({(action.lower(), request): body for (action, request), body in answers.items()}, file)
        file.flush()
        words = [*SERVER_CORE, sys.executable, "-m", "benchmarks.canned", file.name]
        with subprocess.Popen(words, stdout=subprocess.PIPE, text=True, cwd=ROOT) as process:
            assert process.stdout is not None
            try:
                yield Server(process.stdout.readline().strip(), process.pid)
            finally:
                process.terminate()


async def _serve(answers: Answers) -> None:
    known: dict[bytes, bytes] = {}
    server = await asyncio.get_running_loop().create_server(lambda: Canned(answers, known), "127.0.0.1", 0)
    print(f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}", flush=True)
    await server.serve_forever()


if __name__ == "__main__":
    uvloop.run(_serve(pickle.loads(Path(sys.argv[1]).read_bytes())))
