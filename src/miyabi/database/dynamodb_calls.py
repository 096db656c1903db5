"""Calls of DynamoDB: repeated while it is busy or out of reach, for a bounded time, then a clear error.

Waits grow exponentially with full jitter (each is random between 0 and the bound), so that many who were throttled
together do not come back together: https://aws.amazon.com/builders-library/timeouts-retries-and-backoff-with-jitter/
"""

from __future__ import annotations

import asyncio
import logging
import random
import time
from collections.abc import Awaitable, Callable, Mapping
from contextlib import AbstractAsyncContextManager, nullcontext
from functools import partial
from typing import Any, NamedTuple

from aiodynamo import errors

from miyabi.counters import Counter
from miyabi.database import DatabaseUnavailable
from miyabi.database.dynamodb_client import Client
from miyabi.database.dynamodb_pulse import Pulse, Silent

log = logging.getLogger("miyabi.database")

Json = Mapping[str, Any]
"""A request or an answer, in the words of DynamoDB's API."""
Request = tuple[str, Json]
"""An action's name and its parameters."""
Turn = Callable[[], AbstractAsyncContextManager[None]]
"""What makes a try wait for others to be done."""

RETRIES = Counter("miyabi_database_retries", "Calls of DynamoDB that were made again")

FIRST_SECONDS = 0.05
LONGEST_SECONDS = 2.0
GIVE_UP_SECONDS = 10.0
"""So long is a call repeated before it is given up."""

_BUSY = (
    errors.ProvisionedThroughputExceeded,
    errors.Throttled,
    errors.RequestLimitExceeded,
    errors.LimitExceeded,
)
_CONFLICT = (errors.TransactionConflict, errors.TransactionInProgress)
_AWAY = (
    errors.InternalDynamoError,
    errors.ServiceUnavailable,
    TimeoutError,
    OSError,
)
_REFUSED = (
    errors.AccessDenied,
    errors.UnrecognizedClient,
    errors.IncompleteSignature,
    errors.MissingAuthenticationToken,
)
_THROTTLED = ("ThrottlingError", "ProvisionedThroughputExceeded")
"""Reasons of a cancelled transaction that have to do with capacity."""


class Refused(Exception):
    """A condition did not hold. ``items``: what is stored for each part of the request, ``None`` where that part held.

    An empty item: nothing is stored there.
    """

    def __init__(self, items: list[Json | None]) -> None:
        super().__init__("a condition did not hold")
        self.items = items


class NoTable(DatabaseUnavailable):
    """A table is not there."""


class NotAllowed(DatabaseUnavailable):
    """The credentials are none, or lack a right."""


class Patience(NamedTuple):
    """How to wait between two tries: a wait, a number from 0 to 1, a clock in seconds, and how long altogether."""

    wait: Callable[[float], Awaitable[object]] = asyncio.sleep
    chance: Callable[[], float] = random.random
    clock: Callable[[], float] = time.monotonic
    seconds: float = GIVE_UP_SECONDS


class Calls:
    """Sends requests by one client."""

    def __init__(self, client: Client, patience: Patience) -> None:
        self._client = client
        self._patience = patience
        self._pulse = Pulse(patience.clock)
        self._silence = ""
        self.closed = False

    async def call(self, action: str, request: Json) -> Json:
        """The answer. Raises :class:`Refused` and ``DatabaseUnavailable``."""
        return await self.attempt(lambda: (action, request))

    async def attempt(self, make: Callable[[], Request], turn: Turn = nullcontext) -> Json:
        """The same, the request being made anew for each try, e.g. with the time of that try in it.

        Each try is made within a ``turn``, the waits between them are not.
        """
        tries = self.tries()
        while True:
            if self.closed:
                raise DatabaseUnavailable("DynamoDB: the database has been closed.")
            try:
                async with turn():
                    action, request = make()
                    return await self._pulse.ask(partial(self._client.send, action, request))
            except Silent:
                raise DatabaseUnavailable(self._silence) from None
            except errors.ConditionalCheckFailed as error:
                raise Refused([_stored(error.args[0])]) from None
            except errors.TransactionCanceled as error:
                await tries.again(_cancelled(error))
            except (errors.AIODynamoError, *_AWAY) as error:
                await tries.again(self._met(_explained(error, request)))

    def _met(self, problem: Problem) -> Problem:
        """The problem, which will not pass soon when nothing answers any more."""
        if not self._pulse.gone:
            return problem
        self._silence = problem.text
        return problem._replace(passing=False)

    def tries(self) -> Tries:
        """The waits of one call."""
        return Tries(self._patience)


class Tries:
    """Waits between the tries of one call, until its time is up."""

    def __init__(self, patience: Patience) -> None:
        self._patience = patience
        self._end = patience.clock() + patience.seconds
        self._bound = FIRST_SECONDS

    async def again(self, problem: Problem) -> None:
        """Wait before the next try; raise ``DatabaseUnavailable`` when there shall be none."""
        pause = self._patience.chance() * self._bound
        if not problem.passing or self._patience.clock() + pause > self._end:
            raise problem.kind(problem.text) from None
        RETRIES.inc()
        log.info("again in %.3f s of at most %.2f s: %s", pause, self._bound, problem.text)
        self._bound = min(2 * self._bound, LONGEST_SECONDS)
        await self._patience.wait(pause)


class Problem(NamedTuple):
    """Why a call failed, in words for a person, and whether it may go better next time."""

    text: str
    passing: bool = True
    kind: type[DatabaseUnavailable] = DatabaseUnavailable


BUSY = Problem(
    "DynamoDB is throttled: the table's capacity is used up. Raise its read and write capacity, or make it on-demand."
)

CONFLICT = Problem("DynamoDB: too many write to the same task or project at once. Try again soon.")


def _stored(error: Json) -> Json:
    return error.get("Item") or {}


def _cancelled(error: errors.TransactionCanceled) -> Problem:
    """Why a transaction was cancelled; raises :class:`Refused` when that was a condition."""
    reasons: list[Json] = error.body["CancellationReasons"]
    codes = [reason["Code"] for reason in reasons]
    if "ConditionalCheckFailed" in codes:
        raise Refused(
            [_stored(reason) if reason["Code"] == "ConditionalCheckFailed" else None for reason in reasons]
        ) from None
    if any(code.startswith(_THROTTLED) for code in codes):
        return BUSY
    if "TransactionConflict" in codes:
        return CONFLICT
    return Problem(f"DynamoDB cancelled a write: {'; '.join(str(reason.get('Message')) for reason in reasons)}", False)


def _explained(error: BaseException, request: Json) -> Problem:
    match error:
        case errors.UnknownError() if error.status == 429:
            return BUSY
        case errors.UnknownError() if error.status >= 500:
            return Problem(f"DynamoDB answers with an error of its own (HTTP {error.status}). Try again soon.")
        case errors.TableNotFound():
            name = request.get("TableName", "a table")
            return Problem(f"DynamoDB: {name} is not there. Make the tables: `miyabi tables create`.", False, NoTable)
        case errors.ContinuousBackupsUnavailable():
            return Problem("DynamoDB: backups of a table can't be set up yet. Try again in a minute.")
        case errors.NoCredentialsFound():
            return Problem("DynamoDB: no AWS credentials were found. Set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY.")
        case errors.ExpiredToken():
            return Problem("DynamoDB: the AWS credentials have expired. Renew them, and start again if they were set.")
        case errors.UnknownError() if b"InvalidSignature" in error.body:
            hint = "Check AWS_SECRET_ACCESS_KEY, and this machine's clock"
            return Problem(f"DynamoDB refuses these credentials. {hint}: {_message(error)}", False)
    if isinstance(error, _REFUSED):
        return Problem(f"DynamoDB refuses these credentials: {_message(error)}", False, NotAllowed)
    if isinstance(error, _BUSY):
        return BUSY
    if isinstance(error, _CONFLICT):
        return CONFLICT
    if isinstance(error, _AWAY):
        what = str(error) or type(error).__name__
        return Problem(f"DynamoDB does not answer: {what}. Check the network, the region and the endpoint.")
    return Problem(f"DynamoDB refused the request: {_message(error)}", False)


def _message(error: BaseException) -> str:
    """The text of DynamoDB's own error (``message`` or ``Message``, by the service's version)."""
    data = error.args[0] if error.args else ""
    if isinstance(data, bytes):
        data = data.decode(errors="replace")
    if isinstance(data, Mapping):
        return str(data.get("message") or data.get("Message") or data.get("__type"))
    return str(data)[:200]
