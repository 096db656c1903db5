"""The log service over HTTP for the contract: a server for each folder, over the embedded store, on real sockets."""

from __future__ import annotations

from pathlib import Path

from tests.support.log_server import LogServer

from miyabi.logs import Logs
from miyabi.logs.http import HttpLogs

_SERVERS: dict[Path, LogServer] = {}


async def open_http(folder: Path) -> Logs:
    """A client of the folder's server; two are what two processes would have."""
    if folder not in _SERVERS:
        _SERVERS[folder] = LogServer(folder)
    return HttpLogs(_SERVERS[folder].url)


def close_http(folder: Path) -> None:
    """End a folder's server."""
    if server := _SERVERS.pop(folder, None):
        server.close()
