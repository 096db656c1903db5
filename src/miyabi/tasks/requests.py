"""From a request to a valid call: parameters are refused by name, with what they may be."""

from __future__ import annotations

import re
from functools import cache
from typing import Any
from urllib.parse import parse_qsl

import msgspec
from msgspec import Struct

from miyabi.http import Problem, refused
from miyabi.model import ID_PATTERN, is_id
from miyabi.principal import split_stream_path

STREAM_NAME = re.compile(r"^[^:*\x00-\x1f]{1,512}$")
GROUP_NAME = re.compile(r"^/?[A-Za-z0-9._#-][A-Za-z0-9._/#-]{0,510}$")
METADATA_BYTES = 16_000
"""It is written again with every version of its task."""
METADATA_LEVELS = 16


def parse_query(raw: bytes, shape: type[Struct]) -> Any:
    """The query string as ``shape``."""
    if not raw:
        return _nothing_given(shape)
    try:
        pairs = parse_qsl(raw.decode("ascii"), keep_blank_values=True, strict_parsing=True, errors="strict")
    except ValueError:
        raise Problem("bad-request", "The query string can't be read; write `name=value&name=value`.") from None
    values = dict(pairs)
    if len(values) != len(pairs):
        twice = next(name for name, _ in pairs if sum(name == other for other, _ in pairs) > 1)
        raise Problem("invalid-parameter", f"`{twice}` is given twice.", parameter=twice)
    try:
        found = msgspec.convert(values, shape, strict=False)
    except msgspec.ValidationError as error:
        raise refused("invalid-parameter", error, shape) from None
    for name, value in values.items():
        if getattr(found, name) is None:
            detail = f"`{name}` can't be `{value}`. Leave it out where it is not needed."
            raise Problem("invalid-parameter", detail, parameter=name)
    return found


@cache
def _nothing_given(shape: type[Struct]) -> Any:
    return shape()


def check_ids(path: dict[str, str]) -> None:
    """Ids in a path are of the allowed form, before any store sees them."""
    for name in ("task_id", "project_id"):
        if name in path and not is_id(path[name]):
            raise Problem("invalid-parameter", f"`{name}` must match {ID_PATTERN}", parameter=name)


def check_metadata(metadata: dict[str, Any]) -> None:
    """A caller's own data stay small enough to be kept with every version and read back at any depth of calls."""
    if _deeper(metadata, METADATA_LEVELS) or len(msgspec.json.encode(metadata)) > METADATA_BYTES:
        detail = f"`metadata` takes {METADATA_BYTES:,} bytes of JSON on {METADATA_LEVELS} levels at most."
        raise Problem("invalid-body", detail, parameter="metadata")


def _deeper(value: object, levels: int) -> bool:
    if not isinstance(value, dict | list):
        return False
    inner = value.values() if isinstance(value, dict) else value
    return levels == 0 or any(_deeper(item, levels - 1) for item in inner)


def group_and_stream(raw_path: bytes) -> dict[str, str]:
    """``/api/logs/{group}/{stream}`` from the path as it was sent (:func:`miyabi.principal.split_stream_path`)."""
    group, stream = split_stream_path(raw_path.decode("ascii", "replace"))
    if not GROUP_NAME.fullmatch(group[1:]):
        raise Problem("invalid-parameter", f"`group` must match {GROUP_NAME.pattern}", parameter="group")
    if not STREAM_NAME.fullmatch(stream):
        raise Problem("invalid-parameter", "`stream` is 1 to 512 characters without `:` and `*`", parameter="stream")
    return {"group": group, "stream": stream}
