"""The built page in memory: every file read, hashed and compressed once, when the service starts."""

from __future__ import annotations

import gzip
import hashlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from mimetypes import guess_type
from pathlib import Path

COMPRESSED = ("text/", "application/javascript", "application/json", "application/manifest+json", "image/svg+xml")
"""Content types that gzip makes smaller; the others are compressed already."""
TYPES = {
    ".js": "text/javascript; charset=utf-8",
    ".css": "text/css; charset=utf-8",
    ".html": "text/html; charset=utf-8",
    ".json": "application/json",
    ".svg": "image/svg+xml",
    ".webmanifest": "application/manifest+json",
    ".woff2": "font/woff2",
}
"""What a machine's own table of types (``mimetypes``) may get wrong."""
SMALLEST_COMPRESSED = 512
"""Bytes below which compression gains nothing."""


@dataclass(frozen=True, slots=True)
class File:
    """One file as it is sent: ``gzipped`` is ``None`` where compression would not make it smaller."""

    body: bytes
    gzipped: bytes | None
    content_type: str
    etag: str

    @classmethod
    def of(cls, body: bytes, content_type: str) -> File:
        """``body`` with its ETag (of its content alone) and its compressed form."""
        etag = f'"{hashlib.sha256(body).hexdigest()[:32]}"'
        return cls(body, _gzipped(body, content_type), content_type, etag)


def load(dist: Path) -> Mapping[str, File]:
    """Every file below ``dist`` by its path in a URL (``/assets/app-1a2b.js``); empty when the folder is missing.

    Links that lead out of it are left out, unless the page as a whole is linked, as some installers do.
    """
    return dict(_files(dist))


def _files(dist: Path) -> Iterator[tuple[str, File]]:
    homes = (dist.resolve(), (dist / "index.html").resolve().parent)
    for path in sorted(dist.rglob("*")):
        if path.is_file() and any(path.resolve().is_relative_to(home) for home in homes):
            yield f"/{path.relative_to(dist).as_posix()}", File.of(path.read_bytes(), _type(path))


def _type(path: Path) -> str:
    return TYPES.get(path.suffix) or guess_type(path.name)[0] or "application/octet-stream"


def _gzipped(body: bytes, content_type: str) -> bytes | None:
    if len(body) < SMALLEST_COMPRESSED or not content_type.startswith(COMPRESSED):
        return None
    smaller = gzip.compress(body, 9, mtime=0)
    return smaller if len(smaller) < len(body) else None
