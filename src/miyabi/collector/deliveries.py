"""``POST /api/collect/deliveries``: what a CloudWatch Logs subscription pushes, over HTTP.

Two shapes are taken. A Lambda's event (``{"awslogs": {"data": …}}``), handed on by a forwarder of your own, is answered
with what was read. A request of Firehose (Amazon Data Firehose Developer Guide, "HTTP endpoint delivery request and
response specifications") is answered as it asks: with its request's id and the time, in 200; anything else it sends
again. Damaged records are set aside and logged: sent again, they would be as damaged.
"""

from __future__ import annotations

import zlib
from collections.abc import Callable
from typing import Any

import msgspec
from msgspec import Struct, field
from starlette.types import Receive

from miyabi.collector.loop import Loop
from miyabi.collector.push import Known, PushResult, collect_pushed
from miyabi.http import Problem, parse_body, read_body

MAX_BODY = 16_000_000
"""A Lambda is handed 6 MB at most; of Firehose, set a buffer of up to 8 MB (Base64 makes 11 MB of it)."""
_GZIP = 16 + zlib.MAX_WBITS


class Accepted(Struct, frozen=True):
    """The answer that Firehose wants: the id of its request, and when it was done (ms)."""

    request_id: str = field(name="requestId")
    timestamp: int


class _Firehose(Struct):
    request_id: str = field(name="requestId")
    records: list[Any]


class Deliveries:
    """Reads the streams that deliveries tell of. ``known`` is the log service's, ``now`` gives milliseconds."""

    def __init__(self, loop: Loop, known: Known, now: Callable[[], int]) -> None:
        self._loop = loop
        self._known = known
        self._now = now

    async def take(self, receive: Receive, headers: dict[bytes, bytes]) -> PushResult | Accepted:
        """One request's delivery. Raises :class:`Problem`, or what the stores raise: then it shall be made again."""
        body = _unpacked(await read_body(receive, headers, MAX_BODY), headers.get(b"content-encoding", b""))
        payload = parse_body(body, headers.get(b"content-type", b"").decode("latin-1"), object)
        result = await collect_pushed(self._loop, payload, self._known)
        try:
            firehose = msgspec.convert(payload, _Firehose)
        except msgspec.ValidationError:
            return result
        return Accepted(firehose.request_id, self._now())


def _unpacked(body: bytes, encoding: bytes) -> bytes:
    """The body without its compression, within the same limit."""
    if encoding in (b"", b"identity"):
        return body
    if encoding != b"gzip":
        raise Problem("unsupported-media-type", "Send it as it is, or with `Content-Encoding: gzip`.")
    unpacker = zlib.decompressobj(_GZIP)
    try:
        plain = unpacker.decompress(body, MAX_BODY)
    except zlib.error as error:
        raise Problem("bad-request", f"The body is not compressed with gzip: {error}.") from None
    if unpacker.unconsumed_tail:
        raise Problem("too-large", f"At most {MAX_BODY:,} bytes are taken in one request, unpacked. Send less at once.")
    if not unpacker.eof:
        raise Problem("bad-request", "The end of the compressed body is missing.")
    return plain
