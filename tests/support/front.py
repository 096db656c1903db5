"""The way of a browser or of ``miyabi`` to the stand-in's CloudFront, which knows distributions by the host's name."""

from __future__ import annotations

import http.client
import threading
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

SECONDS = 60
METHODS = ("DELETE", "GET", "HEAD", "OPTIONS", "PATCH", "POST", "PUT")
BETWEEN_TWO = {"connection", "content-length", "host", "keep-alive", "transfer-encoding"}
"""Headers that are of one connection alone."""


@contextmanager
def front(port: int, domain: str) -> Iterator[str]:
    """An address on this machine that hands every request on to ``port``, as if it had come to ``domain`` by HTTPS."""

    class Forward(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def forward(self) -> None:
            body = self.rfile.read(int(self.headers.get("content-length") or 0))
            sent = {name: value for name, value in self.headers.items() if name.lower() not in BETWEEN_TWO}
            sent |= {"Host": domain, "X-Forwarded-Proto": "https"}
            with closing(http.client.HTTPConnection("127.0.0.1", port, timeout=SECONDS)) as connection:
                connection.request(self.command, self.path, body, sent)
                answer = connection.getresponse()
                data = answer.read()
            self.send_response(answer.status)
            for name, value in answer.getheaders():
                if name.lower() not in BETWEEN_TWO:
                    self.send_header(name, value)
            self.send_header("Content-Length", str(len(data)))
            self.end_headers()
            with suppress(ConnectionError):  # a browser leaves when it has seen enough
                self.wfile.write(data)

        def log_message(self, format: str, *args: object) -> None:
            """Say nothing."""

    for method in METHODS:
        setattr(Forward, f"do_{method}", Forward.forward)
    server = ThreadingHTTPServer(("127.0.0.1", 0), Forward)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
