"""The cache that several processes share."""

from __future__ import annotations

import random
import re
import time
from collections.abc import Callable
from typing import TYPE_CHECKING
from urllib.parse import SplitResult, parse_qsl, unquote, urlencode, urlsplit, urlunsplit

from miyabi.cache.breaker import Breaker
from miyabi.settings import SettingsError, aws_keys, aws_region

if TYPE_CHECKING:
    from redis.credentials import CredentialProvider

    from miyabi.cache.redis import RedisCache

INSTALL = "pip install 'miyabi[redis]'"
WITH_IAM = "rediss://USER@HOST:6379?iam=REPLICATION_GROUP_ID"
ESCAPED = "in a password `/`, `?`, `#` and `@` are written `%2F`, `%3F`, `%23` and `%40`"
_GROUP = re.compile(r"[a-z][a-z0-9-]{0,39}")


def shared_cache(url: str, *, kept: bool, now: Callable[[], float] = time.time) -> Breaker:
    """The Redis at ``url``, behind a circuit breaker that is (or is not) told when it was put right again.

    Raises ``SettingsError``; the rest is as in :func:`redis_at`.
    """
    return Breaker(redis_at(url, now), time.monotonic, random.random, kept=kept)


def redis_at(url: str, now: Callable[[], float] = time.time, answer_seconds: float | None = None) -> RedisCache:
    """The Redis at ``url``, given ``answer_seconds`` for a call, or as long as a cache is. Raises ``SettingsError``.

    With ``?iam=`` and the id of an ElastiCache replication group, the user of the address signs in with the AWS
    credentials of the environment; ``now`` gives epoch seconds for that.
    """
    try:
        from miyabi.cache.redis import ANSWER_SECONDS, connect
    except ModuleNotFoundError as error:
        raise SettingsError(f"MIYABI_CACHE: the client of Redis is not installed ({error}); {INSTALL}.") from None
    try:
        plain, credentials = _read(url, now)
        return connect(plain, answer_seconds or ANSWER_SECONDS, credentials)
    except ValueError as error:
        if isinstance(error, SettingsError):
            raise
        raise SettingsError(f"MIYABI_CACHE: {error}. Write `redis://[user:password@]host:6379/0`.") from None


def _read(url: str, now: Callable[[], float]) -> tuple[str, CredentialProvider | None]:
    """The address as redis-py knows it, and what signs in."""
    parts = urlsplit(url)
    try:
        parts.port  # noqa: B018
    except ValueError:  # its message holds what is there instead, which may begin a password
        raise ValueError(f"the port is no number; {ESCAPED}") from None
    query = parse_qsl(parts.query, keep_blank_values=True)
    groups = [value for name, value in query if name == "iam"]
    if not groups:
        return url, None
    others = urlencode([pair for pair in query if pair[0] != "iam"])
    host = parts.netloc.rpartition("@")[2]
    return urlunsplit(parts._replace(netloc=host, query=others)), _with_iam(parts, groups, now)


def _with_iam(parts: SplitResult, groups: list[str], now: Callable[[], float]) -> CredentialProvider:
    from miyabi.cache.redis_iam import IamCredentials

    if parts.scheme != "rediss" or not parts.username or parts.password or len(groups) != 1:
        raise SettingsError(f"MIYABI_CACHE: with IAM there is TLS, a user and no password; write `{WITH_IAM}`.")
    if not _GROUP.fullmatch(groups[0]):
        raise SettingsError(
            f"MIYABI_CACHE: `{groups[0]}` is no replication group's id (small letters, digits, -); write `{WITH_IAM}`"
        )
    region = aws_region()
    if region is None:
        raise SettingsError("MIYABI_CACHE: `iam=` needs a region: set AWS_REGION.")
    aws_keys()  # where there are none, this is the time to say so
    return IamCredentials(groups[0], unquote(parts.username), region, aws_keys, now)
