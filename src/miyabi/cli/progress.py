"""``miyabi progress``: what the reader sees in a log."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from typing import Any, BinaryIO

import click
from msgspec import json

from miyabi.progress.lines import Segment, Splitter
from miyabi.progress.reader import Reader, Reading

CHUNK = 1 << 16


@click.command(short_help="Print what can be read of progress in a log, as JSON.")
@click.argument("file", type=click.File("rb"), default="-")
@click.option("--lines", is_flag=True, help="Take every line as a log of its own; print an object or null for each.")
def progress(file: BinaryIO, lines: bool) -> None:
    """Print what can be read of a job's progress in FILE (standard input when left out).

    One JSON object for each change, as soon as it is read; `offset` is the number of bytes up to there.
    """
    out = sys.stdout.buffer
    for item in _each_line(file) if lines else _each_change(file):
        out.write(json.encode(item) + b"\n")
        out.flush()


def _each_change(file: BinaryIO) -> Iterator[dict[str, Any]]:
    splitter, reader = Splitter(), Reader()
    while chunk := _some(file):
        yield from _changes(reader, splitter.feed(chunk))
    last = splitter.flush()
    yield from _changes(reader, [last] if last else [])


def _some(file: BinaryIO) -> bytes:
    """What there is now, up to :data:`CHUNK` bytes; empty at the end."""
    read1 = getattr(file, "read1", None)
    data: bytes = read1(CHUNK) if read1 else file.read(CHUNK)
    return data


def _changes(reader: Reader, segments: list[Segment]) -> Iterator[dict[str, Any]]:
    for index, reading in reader.read([segment.message for segment in segments]):
        yield {"offset": segments[index].end, **_shown(reading)}


def _each_line(file: BinaryIO) -> Iterator[dict[str, Any] | None]:
    for line in file:
        reader = Reader()
        reader.read([line.rstrip(b"\r\n").decode("utf-8", "replace")])
        reading = reader.reading
        told = reading.source is not None or reading.status != "running"
        yield _shown(reading) if told else None


def _shown(reading: Reading) -> dict[str, Any]:
    progress, source = reading.progress, reading.source
    return {
        "current": progress.current,
        "total": progress.total,
        "percentage": progress.percentage,
        "status": reading.status,
        "line": source.line if source else None,
        "format": source.format if source else None,
        "confidence": source.confidence if source else None,
        "phase": reading.phase,
        "step": reading.step,
        "error": reading.error,
    }
