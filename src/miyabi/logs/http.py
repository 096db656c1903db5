"""The log service of another process (``miyabi serve logs``), over HTTP.

A call is one ``POST`` (:mod:`miyabi.logs.wire`). Where the connection breaks, calls that may be made twice are made
again: all that read, and appends with a writer, which the store knows again.
"""

from __future__ import annotations

import asyncio
import io
import time
from collections.abc import Awaitable, Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from typing import TYPE_CHECKING, TypeVar

import aiohttp
import msgspec
from yarl import URL

from miyabi.http import ASKS_FOR_ONE, TYPE_PREFIX, ProblemDetails
from miyabi.logs import Group, LogPage, LogsFull, LogsUnavailable, Stream, wire
from miyabi.logs.parts import parts
from miyabi.masked import kind_of
from miyabi.model import NewEvent, Writer

if TYPE_CHECKING:
    import ssl

T = TypeVar("T")

CONNECT_SECONDS = 2.0
ANSWER_SECONDS = 30.0
"""More than a store waits for a lock of its own."""
LATE_SECONDS = 5.0
"""A long poll may be answered so long after its end; then nobody is there any more."""
KEEP_SECONDS = 4.0
"""Idle connections are let go before a server (uvicorn: after 5 s) does."""
PAUSES = (0.05, 0.25)
"""Seconds before the second and the third attempt; who calls has a patience of his own behind that."""
EARLY_PAUSE = 0.1
"""Seconds before the next long poll when one ended early without news."""
LARGE_BODY = 1 << 20
"""From here on a body is sent piece by piece, so that others have a turn meanwhile."""
_NEVER_SENT = (aiohttp.ClientConnectorError, aiohttp.ConnectionTimeoutError)
_HEADERS = {"Content-Type": "application/json", "Accept": "application/json"}

Sleep = Callable[[float], Awaitable[None]]


class HttpLogs:
    """:class:`miyabi.logs.Logs` by the log service at ``url``. Raises ``ValueError`` when that is no address.

    ``token`` is sent where it is given: the service asks for one where sign-in is configured.
    ``sleep`` waits for seconds, ``clock`` gives seconds that only grow; ``trust`` verifies it where it has TLS.
    """

    def __init__(
        self,
        url: str,
        sleep: Sleep = asyncio.sleep,
        clock: Callable[[], float] = time.monotonic,
        answer_seconds: float = ANSWER_SECONDS,
        token: str | None = None,
        trust: ssl.SSLContext | None = None,
    ) -> None:
        address = parse_url(url)
        self._base = str(address).rstrip("/")
        self._shown = str(address.with_user(None)).rstrip("/")
        self._headers = _HEADERS | ({"Authorization": f"Bearer {token}"} if token else {})
        self._sleep = sleep
        self._clock = clock
        self._answer_seconds = answer_seconds
        self._trust = trust
        self._session: aiohttp.ClientSession | None = None
        self._appends: set[asyncio.Future[None]] = set()
        self._closed = False

    async def append(self, group: str, stream: str, events: Sequence[NewEvent], writer: Writer | None = None) -> int:
        """As promised, but for two things.

        Without ``writer``, whether lines were stored is not known when the connection breaks on their way; the error
        says so. A batch of more than :data:`miyabi.logs.wire.MAX_BODY` bytes goes in parts, each stored by itself.
        ``ValueError`` for a line that is longer than that.
        """
        stored = 0
        with self._under_way():
            for part in parts(group, stream, events, writer):
                send = partial(self._once, wire.APPEND, part, self._answer_seconds)
                answer = await self._answer(send, again=writer is not None)
                stored += self._decoded(answer, wire.Appended).stored
        return stored

    async def read(
        self, group: str, stream: str, *, after: str = "", before: str | None = None, limit: int = 1000
    ) -> LogPage:
        """As promised."""
        return await self._call(wire.READ, wire.Read(group, stream, after, before, limit), LogPage)

    async def changed(self, after: str = "", limit: int = 1000) -> Sequence[Stream]:
        """As promised."""
        return await self._call(wire.CHANGED, wire.Changed(after, limit), list[Stream])

    async def wait(self, after: str, timeout: float) -> bool:
        """As promised, by long polls. A service that dies or falls silent meanwhile raises ``LogsUnavailable``."""
        end = self._clock() + timeout

        def poll() -> Awaitable[bytes]:
            asked = wire.Wait(after, min(max(end - self._clock(), 0.0), wire.LONGEST_WAIT))
            late = min(LATE_SECONDS, self._answer_seconds)
            return self._once(wire.WAIT, msgspec.json.encode(asked), asked.timeout + late)

        self._check_open()
        while True:
            began = self._clock()
            if self._decoded(await self._answer(poll), wire.Waited).changed:
                return True
            now = self._clock()
            if now >= end:
                return False
            if now - began < min(end - began, wire.LONGEST_WAIT, EARLY_PAUSE):
                await self._sleep(EARLY_PAUSE)

    async def groups(self) -> Sequence[Group]:
        """As promised."""
        return await self._call(wire.GROUPS, wire.Nothing(), list[Group])

    async def ping(self) -> None:
        """Ask whether it is there, and whether its own store is."""
        await self._call(wire.PING, wire.Nothing(), wire.Pong)

    async def close(self) -> None:
        """Finish appends that were called, then let go of the connections."""
        self._closed = True
        while self._appends:
            await asyncio.wait(self._appends)
        if self._session is not None:
            await self._session.close()

    async def _call(self, path: str, asked: msgspec.Struct, kind: type[T]) -> T:
        self._check_open()
        ask = partial(self._once, path, msgspec.json.encode(asked), self._answer_seconds)
        return self._decoded(await self._answer(ask), kind)

    async def _answer(self, ask: Callable[[], Awaitable[bytes]], *, again: bool = True) -> bytes:
        """What :meth:`_once` gives, tried until the last of :data:`PAUSES`. ``again``: it does no harm twice."""
        pauses = iter(PAUSES)
        while True:
            try:
                return await ask()
            except (aiohttp.ClientError, TimeoutError) as error:
                pause = next(pauses, None)
                if pause is None or self._gone() or not _may_go_well(error, again):
                    raise self._failure(error, again) from None
            await self._sleep(pause)

    async def _once(self, path: str, body: bytes, seconds: float) -> bytes:
        if self._session is None:
            connector = aiohttp.TCPConnector(limit=0, keepalive_timeout=KEEP_SECONDS, ssl=self._trust or True)
            self._session = aiohttp.ClientSession(connector=connector, headers=self._headers)
        if self._gone():
            raise LogsUnavailable("the logs are closed")
        timeout = aiohttp.ClientTimeout(total=seconds, sock_connect=CONNECT_SECONDS)
        data = body if len(body) < LARGE_BODY else io.BytesIO(body)
        async with self._session.post(self._base + path, data=data, timeout=timeout, allow_redirects=False) as answer:
            text = await answer.read()
        if answer.status != 200:
            raise self._refusal(answer.status, text)
        return text

    def _decoded(self, body: bytes, kind: type[T]) -> T:
        try:
            return msgspec.json.decode(body, type=kind)
        except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
            raise self._stranger() from None

    def _refusal(self, status: int, body: bytes) -> Exception:
        """What the service raised, out of its answer."""
        try:
            problem = msgspec.json.decode(body, type=ProblemDetails)
        except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
            return self._stranger(f"it answers {status}")
        match problem.type.removeprefix(TYPE_PREFIX):
            case "invalid-parameter" | "invalid-body" | "too-large":
                return ValueError(problem.detail)
            case "storage-full":
                return LogsFull(problem.detail)
            case "unauthorized" | "forbidden":
                return self._token_refused(status)
            case "not-found" | "method-not-allowed":
                return self._stranger(f"it answers {status}")
        return LogsUnavailable(f"The log service at {self._shown}: {problem.detail or problem.title}")

    def _failure(self, error: Exception, again: bool) -> Exception:
        """Why no answer came, and what to do."""
        if self._gone():
            return LogsUnavailable("the logs are closed")
        if isinstance(error, aiohttp.ClientResponseError):
            return self._stranger("it does not speak HTTP")
        if not again and not isinstance(error, _NEVER_SENT):
            return LogsUnavailable(
                f"The log service at {self._shown} broke off ({_why(error)}): whether the lines were stored is not "
                "known. Look there before you send them again, or send with a writer, which makes that safe."
            )
        return LogsUnavailable(
            f"The log service at {self._shown} does not answer ({_why(error)}). "
            "Start it with `miyabi serve logs`, or correct MIYABI_LOGS."
        )

    def _token_refused(self, status: int) -> LogsUnavailable:
        return LogsUnavailable(f"The log service at {self._shown} answers {status}. {ASKS_FOR_ONE}")

    def _stranger(self, why: str = "it answers what no log service does") -> LogsUnavailable:
        return LogsUnavailable(
            f"What listens at {self._shown} is no log service ({why}). "
            "Set MIYABI_LOGS to the address that `miyabi serve logs` prints."
        )

    @contextmanager
    def _under_way(self) -> Iterator[None]:
        """An append that :meth:`close` waits for."""
        self._check_open()
        append = asyncio.get_running_loop().create_future()
        self._appends.add(append)
        try:
            yield
        finally:
            self._appends.discard(append)
            append.set_result(None)

    def _check_open(self) -> None:
        if self._closed:
            raise LogsUnavailable("the logs are closed")

    def _gone(self) -> bool:
        """Whether the connections are closed."""
        return self._session is not None and self._session.closed


def parse_url(text: str) -> URL:
    """The address of a log service. Raises ``ValueError`` saying what may be written."""
    try:
        url = URL(text)
    except ValueError:
        url = URL()
    if url.scheme not in ("http", "https") or not url.host or url.query_string or url.fragment:
        raise ValueError(f"`{kind_of(text)}` is no address of a log service; write `http://127.0.0.1:8423`")
    return url


def _may_go_well(error: Exception, again: bool) -> bool:
    """Whether the same call may be made at once again: the connection never was, or it broke and that does no harm."""
    if isinstance(error, TimeoutError | aiohttp.ClientSSLError):
        return False
    if isinstance(error, aiohttp.ClientConnectorError):
        return True
    return again and isinstance(error, aiohttp.ClientConnectionError | aiohttp.ClientPayloadError)


def _why(error: Exception) -> str:
    if isinstance(error, TimeoutError):
        return "not in time"
    return (getattr(error, "strerror", None) or str(error) or type(error).__name__).lower()
