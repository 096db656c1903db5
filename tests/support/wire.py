"""Bytes to a server and back, as they are: what no HTTP client would send."""

from __future__ import annotations

import re
import socket
from collections.abc import Sequence

SECONDS = 20.0
_STATUS = re.compile(rb"HTTP/1\.1 (\d{3}) [^\r\n]*\r\n")


def dial(port: int, seconds: float = SECONDS, window: int = 0) -> socket.socket:
    """A connection to a server of this machine; with ``window`` no more bytes than that come before they are read."""
    sock = socket.socket()
    sock.settimeout(seconds)
    if window:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, window)
    sock.connect(("127.0.0.1", port))
    return sock


def drain(sock: socket.socket) -> bytes:
    """All that comes until the server ends the connection."""
    came = b""
    try:
        while piece := sock.recv(65536):
            came += piece
    except ConnectionResetError:
        pass
    return came


def talk(port: int, *pieces: bytes) -> bytes:
    """What a server answers to ``pieces``, up to the connection's end, which is its to make."""
    with dial(port) as sock:
        for piece in pieces:
            sock.sendall(piece)
        return drain(sock)


def statuses(answer: bytes) -> Sequence[int]:
    """The statuses of the answers in a connection's bytes."""
    return [int(status) for status in _STATUS.findall(answer)]
