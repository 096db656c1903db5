"""A package index on this machine, as slow as a network."""

from __future__ import annotations

import io
import threading
import time
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

PIECE = 1 << 17


def wheel(name: str, megabytes: int) -> bytes:
    """A package that holds nothing but its size."""
    info = f"{name}-1.0.dist-info"
    files = {
        f"{name}.bin": bytes(megabytes * 1_000_000),
        f"{info}/METADATA": f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\n".encode(),
        f"{info}/WHEEL": b"Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
    }
    files[f"{info}/RECORD"] = "".join(f"{path},,\n" for path in [*files, f"{info}/RECORD"]).encode()
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_STORED) as archive:
        for path, data in files.items():
            archive.writestr(path, data)
    return buffer.getvalue()


@contextmanager
def package_index(name: str, megabytes: int, megabytes_a_second: float) -> Iterator[str]:
    """The address of an index (PEP 503) with one package, sent no faster than that."""
    file = f"{name}-1.0-py3-none-any.whl"
    data = wheel(name, megabytes)
    page = f'<!doctype html><a href="/files/{file}">{file}</a>'.encode()

    class Index(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            body, kind = (data, "application/octet-stream") if file in self.path else (page, "text/html")
            self.send_response(200)
            self.send_header("content-type", kind)
            self.send_header("content-length", str(len(body)))
            self.end_headers()
            began = time.monotonic()
            for start in range(0, len(body), PIECE):
                time.sleep(max(0.0, began + start / megabytes_a_second / 1e6 - time.monotonic()))
                self.wfile.write(body[start : start + PIECE])

        def log_message(self, format: str, *args: object) -> None:
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Index)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}/simple"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
