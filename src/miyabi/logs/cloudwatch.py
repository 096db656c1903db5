"""Logs in CloudWatch Logs, through boto3 in threads.

Decisions, figures and what they rest on: ``docs/decisions/cloudwatch-logs.md``. The parts are the other files
``cloudwatch_*.py``: stamp and batches (what is stored), append, event, place, pages and read (what is read), feed (what
has changed), groups, and retry and limits (how it is called).
"""

from __future__ import annotations

import asyncio
import os
import re
import time
from collections.abc import Callable, Coroutine, Sequence
from typing import Any, Protocol, TypeVar
from urllib.parse import parse_qsl

import msgspec
from msgspec import Struct

from miyabi.logs import Group, LogPage, LogsUnavailable, Stream
from miyabi.logs.cloudwatch_append import Appender
from miyabi.logs.cloudwatch_feed import POLL_SECONDS, Feed
from miyabi.logs.cloudwatch_groups import PRODUCT, Groups
from miyabi.logs.cloudwatch_limits import CALLS, SharedLimiter, limiter_of
from miyabi.logs.cloudwatch_pages import FRESH_SECONDS, Pages
from miyabi.logs.cloudwatch_pushed import known_page, pushed_page
from miyabi.logs.cloudwatch_read import read_after, read_before
from miyabi.logs.cloudwatch_retry import Caller, Exhausted
from miyabi.model import LogEvent, NewEvent, Writer

CONNECT_SECONDS, READ_SECONDS = 3, 20
T = TypeVar("T")
_ENDPOINT = re.compile(r"https?://[^/?#@\s][^?#@\s]*")


class Options(Struct, frozen=True, forbid_unknown_fields=True):
    """What may stand behind ``cloudwatch:?``, e.g. ``cloudwatch:?region=eu-west-1&poll=2``.

    ``region`` and the credentials are otherwise found as every AWS tool finds them. ``groups``: more groups to follow
    besides the product's, with commas. ``calls``: this process's share of the account's FilterLogEvents calls a second.
    """

    region: str | None = None
    endpoint: str | None = None
    groups: str = ""
    poll: float = POLL_SECONDS
    """Seconds between two looks for what other processes wrote."""
    fresh: float = FRESH_SECONDS
    """Seconds for which a stream's end need not be read again."""
    calls: float = CALLS
    probe: bool = True
    """Look by FilterLogEvents, too; not needed where a subscription pushes all lines to the collector."""

    def __post_init__(self) -> None:
        if not (0 < self.poll <= 3600 and 0 <= self.fresh <= 3600 and 0 < self.calls <= 1000):
            raise ValueError("`poll`, `fresh` and `calls` must be small numbers above 0")
        if self.endpoint is not None and not _ENDPOINT.fullmatch(self.endpoint):
            raise ValueError("`endpoint` must be http:// or https:// and a host, without a user")


def parse_options(url: str) -> Options:
    """The options of ``cloudwatch:?…``. Raises ``ValueError`` saying what may be written."""
    _, _, rest = url.partition(":")
    known = ", ".join(f"`{name}`" for name in Options.__struct_fields__)
    hint = f"write `cloudwatch:` or `cloudwatch:?region=eu-west-1`; options are {known}"
    if rest and not rest.startswith("?"):
        raise ValueError(f"`cloudwatch:…` is no address of CloudWatch Logs; {hint}.")
    try:
        pairs = parse_qsl(rest[1:], keep_blank_values=True, strict_parsing=len(rest) > 1)
        return msgspec.convert(dict(pairs), Options, strict=False)
    except msgspec.ValidationError as error:
        raise ValueError(f"`cloudwatch:…`: {error}; {hint}.") from None
    except ValueError:
        raise ValueError(f"`cloudwatch:…`: its options can't be read; {hint}.") from None


class Turns(Protocol):
    """Gives out turns to all processes of an account."""

    async def ask(self) -> float | None:
        """Seconds until it is the caller's turn; ``None`` while nobody can say."""

    async def close(self) -> None:
        """Let go of connections."""


async def open_logs(options: Options, fallback: str, turns: Turns | None = None) -> CloudWatchLogs:
    """CloudWatch Logs with the product's groups made. ``fallback`` names what answers while it does not.

    ``turns`` at calling FilterLogEvents are this process's own where none are given.

    Raises ``LogsUnavailable``, saying what to do, when it denies access or can't be
    called at all; while it only does not answer, groups are made by the first append to them.
    """
    client, service = await asyncio.to_thread(_client, options)
    alone = limiter_of(service, options.calls)
    call = Caller(client, SharedLimiter(turns.ask, alone) if turns else alone, fallback)
    logs = CloudWatchLogs(call, options, turns=turns)
    try:
        await logs.make_groups()
    except Exhausted:
        return logs
    except LogsUnavailable:
        await logs.close()
        raise
    return logs


class CloudWatchLogs:
    """:class:`miyabi.logs.Logs` over CloudWatch Logs.

    ``now`` gives milliseconds, ``clock`` seconds that only grow, ``token`` a word that no other process has.
    """

    def __init__(
        self,
        call: Caller,
        options: Options,
        now: Callable[[], int] = lambda: time.time_ns() // 1_000_000,
        clock: Callable[[], float] = time.monotonic,
        token: Callable[[], str] = lambda: os.urandom(6).hex(),
        turns: Turns | None = None,
    ) -> None:
        self._call = call
        self._turns = turns
        self._followed = dict.fromkeys([*PRODUCT, *filter(None, options.groups.split(","))])
        self._groups = Groups(call)
        self._pages = Pages(call, options.fresh, clock)
        self._appender = Appender(call, self._groups, now, f"p{token()}", self._stored)
        self._feed = Feed(
            call,
            lambda: list(self._followed),
            self._appender.ours,
            self._pages.offer,
            now,
            options.poll,
            probe=options.probe,
            clock=clock,
        )
        self._appends: set[asyncio.Task[Any]] = set()
        self._closed = False

    async def make_groups(self) -> None:
        """Make the product's groups where they are missing."""
        await self._groups.make_product()

    async def append(self, group: str, stream: str, events: Sequence[NewEvent], writer: Writer | None = None) -> int:
        """As promised, but for one thing: whether a batch was stored before is known of this process's own only.

        A copy that another process sends is counted as stored, and left out by whoever reads.
        """
        self._open()
        if not events:
            return 0
        self._followed.setdefault(group)
        return await self._finished(self._appender.append((group, stream), events, writer))

    async def read(
        self, group: str, stream: str, *, after: str = "", before: str | None = None, limit: int = 1000
    ) -> LogPage:
        """As promised; ``before`` goes by the time that lines are stored at, whenever they came in."""
        self._open()
        if before is not None:
            return await read_before(self._pages, (group, stream), before, limit)
        offered = self._pages.offered((group, stream))
        if offered and (page := known_page(after, offered, limit)):
            return page
        return await read_after(self._pages, (group, stream), after, limit)

    async def changed(self, after: str = "", limit: int = 1000) -> Sequence[Stream]:
        """As promised; streams of other processes when they are seen, their newest line's position unknown."""
        self._open()
        return await self._feed.changed(after, limit)

    async def wait(self, after: str, timeout: float) -> bool:
        """As promised for what this process appends; what others append is seen by looking every ``poll`` seconds."""
        self._open()
        return await self._feed.wait(after, timeout)

    async def groups(self) -> Sequence[Group]:
        """All groups of the account by name; streams and events are 0, since CloudWatch Logs does not count them."""
        self._open()
        return await self._groups.list()

    async def ping(self) -> None:
        """One DescribeLogGroups call."""
        self._open()
        await self._groups.ping()

    async def close(self) -> None:
        """Finish appends that were called."""
        self._closed = True
        while self._appends:
            await asyncio.wait(self._appends)
        self._call.close()
        if self._turns is not None:
            await self._turns.close()

    def pushed(self, group: str, stream: str, after: str, events: Sequence[LogEvent]) -> LogPage | None:
        """A subscription delivered ``events`` of this stream: who waits for changes is told.

        The page that they are behind ``after``, when nothing is missing between; else the stream must be read.
        """
        self._pages.changed((group, stream))
        self._feed.pushed(group, stream)
        return pushed_page(after, events)

    def _stored(self, group: str, stream: str, last: int) -> None:
        self._pages.changed((group, stream))
        self._feed.appended(group, stream, last)

    def _open(self) -> None:
        if self._closed:
            raise LogsUnavailable("the logs are closed")

    async def _finished(self, work: Coroutine[Any, Any, T]) -> T:
        """What was begun is brought to its end, also when its caller gives up."""
        task = asyncio.ensure_future(work)
        self._appends.add(task)
        task.add_done_callback(self._appended)
        return await asyncio.shield(task)

    def _appended(self, task: asyncio.Task[Any]) -> None:
        self._appends.discard(task)
        if not task.cancelled():
            task.exception()  # told to its caller, if that still waits


def _client(options: Options) -> tuple[Any, str]:
    """A client without retries of its own, and what names its service in this process."""
    import boto3  # late: 0.3 s
    from botocore.config import Config
    from botocore.exceptions import BotoCoreError

    config = Config(
        retries={"total_max_attempts": 1},
        connect_timeout=CONNECT_SECONDS,
        read_timeout=READ_SECONDS,
        max_pool_connections=16,
    )
    try:
        client = boto3.client("logs", region_name=options.region, endpoint_url=options.endpoint, config=config)
    except (BotoCoreError, ValueError) as error:
        raise LogsUnavailable(f"CloudWatch Logs can't be reached: {error} Write cloudwatch:?region=eu-west-1") from None
    return client, f"{client.meta.region_name} {client.meta.endpoint_url}"
