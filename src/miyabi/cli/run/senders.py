"""Where lines go: to a board over HTTP, or straight into the data folder's log store."""

from __future__ import annotations

import select
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Protocol
from urllib.parse import quote

import msgspec
from msgspec import Struct

from miyabi.logs import Logs, LogsUnavailable
from miyabi.model import NewEvent, Writer
from miyabi.settings import Settings, SettingsError
from miyabi.wiring.addresses import board_address
from miyabi.wiring.board import FILE, read_board
from miyabi.wiring.trust import trusting

if TYPE_CHECKING:
    import ssl
    from asyncio import AbstractEventLoop

TIMEOUT_SECONDS = 10.0
LOOK_SECONDS = 2.0
"""After a board did not answer: how long until it is tried again, unless it was started anew before."""
BUSY = frozenset({408, 425, 429, 500, 502, 503, 504, 507})
"""Answers after which the same request may succeed later."""


class Unsent(Exception):
    """A batch was not stored; the message says why. ``answered``: something did answer. ``final``: it would again."""

    def __init__(self, why: str, *, answered: bool = False, final: bool = False) -> None:
        super().__init__(why)
        self.answered = answered
        self.final = final


class Sender(Protocol):
    """Stores a batch, once however often it is sent."""

    address: str | None
    """The board on which the lines can be seen, as far as is known."""

    def send(self, group: str, stream: str, events: Sequence[NewEvent], writer: Writer) -> None:
        """Return when ``events`` are stored; raise :class:`Unsent` when they are not."""

    def close(self) -> None:
        """Let go of connections."""


class _Batch(Struct, frozen=True):
    events: Sequence[NewEvent]
    writer: Writer


class Http:
    """Sends to a board's ``POST /api/logs/{group}/{stream}`` over one connection."""

    def __init__(
        self,
        url: str,
        token: str | None = None,
        timeout: float = TIMEOUT_SECONDS,
        trust: ssl.SSLContext | None = None,
    ) -> None:
        try:
            parts = board_address(url)
        except SettingsError as error:
            raise Unsent(str(error), final=True) from None
        import http.client  # late, like asyncio below: a run needs only one of the two, and soon

        self._failures = (OSError, http.client.HTTPException)
        self.address: str | None = f"{parts.scheme}://{parts.netloc}{parts.path.rstrip('/')}"
        host = parts.hostname or ""
        self._path = parts.path.rstrip("/")
        self._connection = (
            http.client.HTTPSConnection(host, parts.port, timeout=timeout, context=trust)
            if parts.scheme == "https"
            else http.client.HTTPConnection(host, parts.port, timeout=timeout)
        )
        self._headers = {"Content-Type": "application/json"}
        if token:
            self._headers["Authorization"] = f"Bearer {token}"

    def send(self, group: str, stream: str, events: Sequence[NewEvent], writer: Writer) -> None:
        """Post the batch and wait for the answer."""
        body = msgspec.json.encode(_Batch(events, writer))
        path = f"{self._path}/api/logs/{quote(group, safe='')}/{quote(stream, safe='')}"
        try:
            self._drop_dead()
            self._connection.request("POST", path, body, self._headers)
            answer = self._connection.getresponse()
            text = answer.read()
        except self._failures as error:
            self.close()
            raise Unsent(f"{self.address} can't be reached ({_why(error)})") from None
        if not 200 <= answer.status < 300:
            raise Unsent(
                f"{self.address} answers {answer.status}: {_detail(text) or answer.reason}",
                answered=True,
                final=answer.status not in BUSY,
            )

    def close(self) -> None:
        """End the connection."""
        self._connection.close()

    def _drop_dead(self) -> None:
        """A server may have ended an idle connection; that is no failure."""
        sock = self._connection.sock
        if sock is not None and select.select([sock], [], [], 0)[0]:
            self._connection.close()


class Direct:
    """Writes into the log store that the settings name, without a board."""

    def __init__(self, settings: Settings) -> None:
        self.address: str | None = None
        self._settings = settings
        self._logs: Logs | None = None
        self._loop: AbstractEventLoop | None = None

    def send(self, group: str, stream: str, events: Sequence[NewEvent], writer: Writer) -> None:
        """Append the batch; it is on disk when this returns."""
        if self._loop is None:
            from asyncio import new_event_loop

            self._loop = new_event_loop()
        try:
            self._loop.run_until_complete(self._append(group, stream, events, writer))
        except (LogsUnavailable, OSError) as error:
            raise Unsent(str(error)) from None

    def close(self) -> None:
        """Close the store."""
        if self._loop is not None:
            if self._logs is not None:
                self._loop.run_until_complete(self._logs.close())
            self._loop.close()
            self._logs = self._loop = None

    async def _append(self, group: str, stream: str, events: Sequence[NewEvent], writer: Writer) -> None:
        if self._logs is None:
            from miyabi.wiring import open_logs

            self._logs = await open_logs(self._settings)
        await self._logs.append(group, stream, events, writer)


class Folder:
    """The board that runs on a data folder, and while none does, the folder itself."""

    def __init__(self, settings: Settings, clock: Callable[[], float] = time.monotonic) -> None:
        self.address: str | None = None
        self._settings = settings
        self._clock = clock
        self._direct = Direct(settings)
        self._board: Http | None = None
        self._seen: tuple[int, int] | None = None
        self._look_at = 0.0

    def send(self, group: str, stream: str, events: Sequence[NewEvent], writer: Writer) -> None:
        """Through the board if it answers, else past it: both end in the same store, which knows the writer."""
        self._look()
        if self._board is not None:
            try:
                self._board.send(group, stream, events, writer)
                self.address = self._board.address
                return
            except Unsent as error:
                if error.answered and not error.final:
                    raise
                self._board, self._look_at = None, self._clock() + LOOK_SECONDS
        self._direct.send(group, stream, events, writer)

    def close(self) -> None:
        """Close both ways."""
        if self._board is not None:
            self._board.close()
        self._direct.close()

    def _look(self) -> None:
        seen = _stamp(self._settings.data / FILE)
        if seen == self._seen and (self._board is not None or self._clock() < self._look_at):
            return
        self._seen, self._look_at = seen, self._clock() + LOOK_SECONDS
        url = read_board(self._settings.data) if seen else None
        if self._board is not None:
            self._board.close()
        self._board = _http(url, self._settings) if url else None
        self.address = url


def open_sender(url: str | None, settings: Settings) -> Sender:
    """The way to the board at ``url``, or with ``None`` to the data folder's."""
    return _http(url, settings) if url else Folder(settings)


def _http(url: str, settings: Settings) -> Http:
    try:
        return Http(url, settings.token, trust=trusting(settings) if url.startswith("https:") else None)
    except SettingsError as error:
        raise Unsent(str(error), final=True) from None


def _stamp(path: Path) -> tuple[int, int] | None:
    try:
        found = path.stat()
    except OSError:
        return None
    return found.st_mtime_ns, found.st_ino


def _why(error: Exception) -> str:
    return (getattr(error, "strerror", None) or str(error) or type(error).__name__).lower()


def _detail(text: bytes) -> str:
    try:
        body = msgspec.json.decode(text)
    except msgspec.MsgspecError:
        return ""
    return str(body.get("detail") or body.get("title") or "") if isinstance(body, dict) else ""
