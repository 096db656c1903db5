"""``MIYABI_DATABASE=dynamodb:…`` read."""

from __future__ import annotations

import re
from urllib.parse import parse_qsl, urlsplit

from msgspec.structs import replace

from miyabi.database.dynamodb_client import Options
from miyabi.masked import kind_of
from miyabi.settings import SettingsError, aws_region

EXAMPLE = "dynamodb:?region=eu-west-1&prefix=miyabi"
NAMES = ("region", "prefix", "endpoint")
_REGION = re.compile(r"[a-z]{2}(-[a-z]+)+-\d")
_PREFIX = re.compile(r"[A-Za-z0-9_.-]{1,200}")


def read_url(url: str) -> Options:
    """The options in ``dynamodb:?region=…&prefix=…&endpoint=…``; a region not given is the environment's.

    Raises :class:`SettingsError` saying what to write instead.
    """
    rest = url.removeprefix("dynamodb:")
    if rest and not rest.startswith("?"):
        raise SettingsError(f"MIYABI_DATABASE: it can't be read; write `dynamodb:` or `{EXAMPLE}`.")
    try:
        pairs = parse_qsl(rest[1:], keep_blank_values=True, strict_parsing=bool(rest[1:]))
    except ValueError:
        raise SettingsError(f"MIYABI_DATABASE: its options can't be read; write it like `{EXAMPLE}`.") from None
    given = dict(pairs)
    for name in given:
        if name not in NAMES or len(given) != len(pairs):
            raise SettingsError(f"MIYABI_DATABASE: `{name}` is no option, or twice; there are {', '.join(NAMES)}.")
    return make_options(given.get("region"), given.get("prefix"), given.get("endpoint"))


def make_options(region: str | None = None, prefix: str | None = None, endpoint: str | None = None) -> Options:
    """Options from their parts, checked."""
    region = region if region is not None else aws_region()
    if region is None:
        raise SettingsError("DynamoDB needs a region: set AWS_REGION, or name it, e.g. `dynamodb:?region=eu-west-1`.")
    if not _REGION.fullmatch(region):
        raise SettingsError(f"`{region}` is no AWS region; write one like `eu-west-1`.")
    options = Options(region=region)
    if prefix is not None:
        if not _PREFIX.fullmatch(prefix):
            raise SettingsError(f"`{prefix}` can't begin a table's name; use letters, digits, `_`, `.` and `-`.")
        options = replace(options, prefix=prefix)
    if endpoint is not None:
        _check_endpoint(endpoint)
        options = replace(options, endpoint=endpoint)
    return options


def with_given(options: Options, region: str | None, prefix: str | None, endpoint: str | None) -> Options:
    """``options``, with what is given in its place."""
    return make_options(region or options.region, prefix or options.prefix, endpoint or options.endpoint)


def _check_endpoint(endpoint: str) -> None:
    try:
        parts = urlsplit(endpoint)
        good = parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
    except ValueError:
        good = False
    if not good or parts.path not in ("", "/") or parts.query or "@" in parts.netloc:
        raise SettingsError(f"`{kind_of(endpoint)}` is no endpoint; write one like `http://127.0.0.1:4566`.")
