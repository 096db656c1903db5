"""Calls of CloudWatch Logs: in a thread, five attempts, and what its errors mean here."""

from __future__ import annotations

import asyncio
import logging
import random
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError, HTTPClientError, IncompleteReadError
from botocore.exceptions import ConnectionError as NoConnection

from miyabi.counters import Counter
from miyabi.logs import LogsUnavailable
from miyabi.logs.cloudwatch_limits import Limiter, SharedLimiter, Sleep

log = logging.getLogger("miyabi.logs")

RETRIES = Counter("miyabi_logs_retries", "Calls of CloudWatch Logs that were made again")

ATTEMPTS = 5
FIRST_WAIT = 1.0
LONGEST_WAIT = 30.0
JITTER = 0.25
THREADS = 8
_LIMITED = "filter_log_events"
_SERVER_ERROR = 500
_RETRIED = frozenset(
    {
        "Throttling", "ThrottlingException", "ThrottledException", "TooManyRequestsException", "RequestLimitExceeded",
        "RequestThrottled", "RequestThrottledException", "SlowDown", "ServiceUnavailable",
        "ServiceUnavailableException", "RequestTimeout", "RequestTimeoutException", "InternalError",
        "InternalFailure", "InternalServerError", "InternalServerException",
    }
)  # fmt: skip

_WRONG_KEYS = "check AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or the profile"
_CREDENTIALS = {
    "ExpiredTokenException": "the credentials have expired; renew them",
    "UnrecognizedClientException": _WRONG_KEYS,
    "InvalidSignatureException": f"{_WRONG_KEYS}, and this machine's clock",
}


class NotFound(LogsUnavailable):
    """The group or the stream is not there."""


class AlreadyThere(LogsUnavailable):
    """Somebody has made it, or is making it just now."""


class Exhausted(LogsUnavailable):
    """It did not answer, however often it was asked; it may in a while."""


class Caller:
    """Calls operations of a boto3 ``client`` whose own retries are off.

    ``fallback`` names what answers meanwhile. ``chance`` gives 0 to 1, ``sleep`` waits for seconds.
    """

    def __init__(
        self,
        client: Any,
        limiter: Limiter | SharedLimiter,
        fallback: str,
        sleep: Sleep = asyncio.sleep,
        chance: Callable[[], float] = random.random,
    ) -> None:
        self._client = client
        self._limiter = limiter
        self._fallback = fallback
        self._sleep = sleep
        self._chance = chance
        self._threads = ThreadPoolExecutor(THREADS, thread_name_prefix="cloudwatch")

    async def __call__(self, operation: str, **parameters: Any) -> dict[str, Any]:
        """The answer. Raises :class:`NotFound`, :class:`AlreadyThere` or ``LogsUnavailable``.

        Retried: throttling, service unavailable, request timeout, network errors, 5xx. Anything else is final.
        """
        last: Exception | None = None
        for attempt in range(ATTEMPTS):
            if attempt:
                RETRIES.inc()
                wait = wait_before(attempt, self._chance())
                log.info("%s again in %.3f s, attempt %d of %d: %s", operation, wait, attempt + 1, ATTEMPTS, last)
                await self._sleep(wait)
            if operation == _LIMITED:
                await self._limiter.turn()
            try:
                return await self._once(operation, parameters)
            except (ClientError, BotoCoreError) as error:
                if not is_passing(error):
                    raise _final(error, operation) from error
                last = error
        log.warning("CloudWatch Logs unavailable, using %s fallback", self._fallback)
        raise Exhausted(f"CloudWatch Logs does not answer after {ATTEMPTS} attempts: {last}") from last

    async def _once(self, operation: str, parameters: dict[str, Any]) -> dict[str, Any]:
        loop = asyncio.get_running_loop()
        try:
            call = loop.run_in_executor(self._threads, lambda: getattr(self._client, operation)(**parameters))
        except RuntimeError:
            raise LogsUnavailable("the logs are closed") from None
        answer: dict[str, Any] = await call
        return answer

    def close(self) -> None:
        """No calls after this."""
        self._threads.shutdown(wait=False)
        self._client.close()


def wait_before(attempt: int, chance: float) -> float:
    """Seconds before attempt ``attempt`` (1 is the second): 1, 2, 4, 8, … 30 at most, each with ±25 % by ``chance``."""
    wait: float = min(LONGEST_WAIT, FIRST_WAIT * 2 ** (attempt - 1))
    return wait * (1 - JITTER + 2 * JITTER * chance)


def is_passing(error: Exception) -> bool:
    """Whether the same call may go well in a moment."""
    if isinstance(error, ClientError):
        status = error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0)
        return _code(error) in _RETRIED or status >= _SERVER_ERROR
    return isinstance(error, HTTPClientError | NoConnection | IncompleteReadError)


def _final(error: Exception, operation: str) -> Exception:
    if isinstance(error, ClientError):
        match _code(error):
            case "ResourceNotFoundException":
                return NotFound(str(error))
            case "ResourceAlreadyExistsException" | "OperationAbortedException":
                return AlreadyThere(str(error))
            case "AccessDeniedException":
                hint = f"allow `logs:{operation.title().replace('_', '')}` to this service's role"
                return LogsUnavailable(f"CloudWatch Logs denies access; {hint}: {error}")
            case code if code in _CREDENTIALS:
                return LogsUnavailable(f"CloudWatch Logs denies access; {_CREDENTIALS[code]}: {error}")
    return LogsUnavailable(f"CloudWatch Logs refuses {operation}: {error}")


def _code(error: ClientError) -> str:
    return error.response.get("Error", {}).get("Code", "")
