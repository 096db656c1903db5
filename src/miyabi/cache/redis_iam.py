"""Signing in to ElastiCache with the credentials of an AWS role instead of a password.

ElastiCache ends such a connection after 12 hours, and redis-py then makes another: each gets a token of its own.
"""

from __future__ import annotations

from collections.abc import Callable

from redis.credentials import CredentialProvider

from miyabi.cache.elasticache_token import Keys, elasticache_token


class IamCredentials(CredentialProvider):
    """Asked by redis-py whenever it connects. ``keys`` gives the credentials of that moment, ``now`` epoch seconds."""

    def __init__(self, cache: str, user: str, region: str, keys: Callable[[], Keys], now: Callable[[], float]) -> None:
        self._cache = cache
        self._user = user
        self._region = region
        self._keys = keys
        self._now = now

    def get_credentials(self) -> tuple[str, str]:
        token = elasticache_token(self._cache, self._user, self._region, self._keys(), self._now())
        return self._user, token

    async def get_credentials_async(self) -> tuple[str, str]:
        return self.get_credentials()
