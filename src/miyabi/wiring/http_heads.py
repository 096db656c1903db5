"""What may stand in a request's head beyond what the parser sees to (RFC 9112)."""

from __future__ import annotations

from collections.abc import Sequence

from miyabi.http import Problem

Headers = Sequence[tuple[bytes, bytes]]
_FRAMING = (b"content-length", b"transfer-encoding")


def framing(headers: Headers) -> bytes:
    """The lines that say where a body ends; empty when there is none."""
    return b"".join(b"%s: %s\r\n" % each for each in headers if each[0] in _FRAMING and each[1].strip(b"0"))


def bad_head(version: str, target: bytes, headers: Headers) -> Problem | None:
    """Why a request can't be taken, if it can't. Names of headers are in small letters."""
    if version not in ("1.1", "1.0"):
        return Problem("version-not-supported", "Ask with HTTP/1.1.")
    hosts = [value for name, value in headers if name == b"host"]
    if len(hosts) > 1 or (version == "1.1" and not hosts):
        return Problem("bad-request", "A request has one Host header.")
    codings = [value.lower() for name, value in headers if name == b"transfer-encoding"]
    if codings and (version == "1.0" or codings != [b"chunked"]):
        return Problem("bad-request", "A body is sent with Content-Length, or in HTTP/1.1 with `chunked` alone.")
    if not target.startswith(b"/") and not _is_of(target, hosts):
        return Problem("bad-request", "The target is a path, or the address that the Host header names with a path.")
    return None


def _is_of(target: bytes, hosts: Sequence[bytes]) -> bool:
    """Whether ``target`` is an absolute one at the host that is asked."""
    scheme, _, rest = target.partition(b"://")
    host, slash, _ = rest.partition(b"/")
    return scheme.lower() in (b"http", b"https") and bool(slash) and [host.lower()] == [each.lower() for each in hosts]
