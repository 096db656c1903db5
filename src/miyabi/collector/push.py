"""What a CloudWatch Logs subscription delivers, and collecting the streams it tells of.

A delivery is ``{"awslogs": {"data": …}}`` for Lambda, a list of such, or the ``Records`` or ``records`` that Kinesis
and Firehose hand over; ``data`` is JSON, compressed with gzip, in Base64 (CloudWatch Logs User Guide, "Log group-level
subscription filters").

The events are a page of the stream only where the log service can tell that nothing is missing between the bookmark and
them; a delivery may come twice, late and before another. Otherwise it is a trigger: the stream is read on from its
bookmark, which leaves no gap and counts nothing twice.
"""

from __future__ import annotations

import binascii
import logging
import zlib
from base64 import b64decode
from collections.abc import Callable, Iterator, Sequence
from typing import Any, Literal

import msgspec
from msgspec import Raw, Struct

from miyabi.collector.collect import PageOf
from miyabi.collector.loop import Loop
from miyabi.logs import LogPage
from miyabi.model import LogEvent, Millis

log = logging.getLogger("miyabi.collector")

MAX_BYTES = 64 * 1024 * 1024
"""A record that unpacks to more is damaged: what a Lambda may be handed (6 MB) never does, unless it is a bomb."""
_GZIP = 16 + zlib.MAX_WBITS
_SHOWN = 200
_TOO_LONG = "it is longer than it may be"


Known = Callable[[str, str, str, Sequence[LogEvent]], LogPage | None]
"""Group, stream, position and pushed events in; the page that they are behind the position out, or ``None``."""


class Pushed(Struct, frozen=True):
    """New events of a stream; an event's position is the service's id of it, its message as it is stored."""

    group: str
    stream: str
    events: list[LogEvent]


class Damaged(Struct, frozen=True):
    """A record, or an event in one, that can't be read: where it was, and why."""

    where: str
    reason: str


class Delivery(Struct, frozen=True):
    """What was delivered. ``controls`` are messages by which the service only tries whether somebody is there."""

    pushed: list[Pushed]
    damaged: list[Damaged]
    controls: int = 0


class PushResult(Struct, frozen=True):
    """What was read because of a delivery, and what of it was set aside."""

    streams: int
    lines: int
    damaged: list[Damaged]


class _Message(Struct):
    type: Literal["DATA_MESSAGE", "CONTROL_MESSAGE"] = msgspec.field(name="messageType")
    group: str = msgspec.field(name="logGroup", default="")
    stream: str = msgspec.field(name="logStream", default="")
    events: list[Raw] = msgspec.field(name="logEvents", default_factory=list)


class _Event(Struct):
    id: str
    timestamp: Millis
    message: str


def unknown(group: str, stream: str, after: str, events: Sequence[LogEvent]) -> None:
    """The :data:`Known` of a log service that can't tell: every stream is read."""


async def collect_pushed(loop: Loop, payload: object, known: Known = unknown) -> PushResult:
    """Collect the streams of which ``payload`` tells; ``known`` is the log service's :data:`Known`, if it has one.

    Raises ``DatabaseUnavailable`` or ``LogsUnavailable``: then the delivery should be made again.
    """
    delivery = unpack(payload)
    for damaged in delivery.damaged:
        log.warning("set aside %s of a delivery: %s", damaged.where, damaged.reason)
    events: dict[tuple[str, str], list[LogEvent]] = {}
    for pushed in delivery.pushed:
        events.setdefault((pushed.group, pushed.stream), []).extend(pushed.events)
    result = await loop.push({stream: _page_of(known, stream, new) for stream, new in events.items()})
    return PushResult(result.streams, result.lines, delivery.damaged)


def _page_of(known: Known, stream: tuple[str, str], events: Sequence[LogEvent]) -> PageOf:
    return lambda after: known(*stream, after, events)


def unpack(payload: object) -> Delivery:
    """The events of a delivery (JSON that was decoded already); what is damaged is set aside and the rest goes on."""
    pushed: list[Pushed] = []
    damaged: list[Damaged] = []
    controls = 0
    for where, data in _records(payload):
        try:
            for member in _members(data):
                message = msgspec.json.decode(member, type=_Message)
                if message.type == "CONTROL_MESSAGE":
                    controls += 1
                else:
                    pushed += _events(message, where, damaged)
        except (ValueError, zlib.error, msgspec.MsgspecError) as error:
            damaged.append(Damaged(where, _why(error)))
    return Delivery(pushed, damaged, controls)


def _records(payload: object) -> Iterator[tuple[str, object]]:
    """Each record's name and its data."""
    match payload:
        case {"awslogs": {"data": data}}:
            yield "the record", data
        case {"Records": list(records)} | {"records": list(records)} | list(records):
            for number, record in enumerate(records, 1):
                yield f"record {number}", _data(record)
        case _:
            yield "the record", None


def _data(record: object) -> object:
    match record:
        case {"awslogs": {"data": data}} | {"kinesis": {"data": data}} | {"data": data}:
            return data
    return None


def _members(data: object) -> Iterator[bytes]:
    """The parts of a record, which may be several compressed pieces one after another."""
    if not isinstance(data, str):
        raise ValueError("there is no `awslogs.data`")
    rest = b64decode(data, validate=True)
    room = MAX_BYTES
    while rest:
        if not room:  # zlib takes 0 for no bound
            raise ValueError(_TOO_LONG)
        unpacker = zlib.decompressobj(_GZIP)
        member = unpacker.decompress(rest, room)
        if not unpacker.eof:
            raise ValueError(_TOO_LONG if unpacker.unconsumed_tail else "its end is missing")
        room -= len(member)
        rest = unpacker.unused_data
        yield member


def _events(message: _Message, where: str, damaged: list[Damaged]) -> list[Pushed]:
    if not message.group or not message.stream:
        raise ValueError("it names no `logGroup` or no `logStream`")
    events: list[LogEvent] = []
    for number, raw in enumerate(message.events, 1):
        try:
            event = msgspec.json.decode(raw, type=_Event)
            events.append(LogEvent(event.id, event.timestamp, event.message))
        except (ValueError, msgspec.MsgspecError) as error:
            damaged.append(Damaged(f"event {number} of {where}", _why(error)))
    return [Pushed(message.group, message.stream, events)] if message.events else []


def _why(error: Any) -> str:
    if isinstance(error, binascii.Error):
        return f"it is no Base64: {error}"
    if isinstance(error, zlib.error):
        return f"it is not compressed with gzip: {error}"
    return str(error)[:_SHOWN]
