"""One signed request to DynamoDB, and where the credentials come from.

aiodynamo's own client would bring its expressions and models with it, which take a fifth of a cold start to import, and
tries that are repeated otherwise than we do. So of aiodynamo there are the credentials, the errors and the form of a
request (``HttpImplementation``), which whatever sends it takes.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Iterable, Mapping
from typing import Any, NamedTuple, Protocol

import msgspec
from aiodynamo import errors
from aiodynamo.errors import exception_from_response
from aiodynamo.http.types import HttpImplementation, RequestFailed
from msgspec import Struct

from miyabi.database.dynamodb_signing import Key, Target, signed

TIMEOUT_SECONDS = 5.0
"""For one request. An answer that comes later is taken for none, and the request is made again."""
POOL = 32
"""Requests under way at most."""

_DECODER = msgspec.json.Decoder(dict[str, Any])
_OK = 200


class Options(Struct, frozen=True, kw_only=True):
    """Which tables, and where. ``endpoint``: the address of something that stands in for AWS."""

    region: str
    prefix: str = "miyabi"
    endpoint: str | None = None


class Source(Protocol):
    """Where credentials may be: one of aiodynamo's, or :class:`Given`."""

    def is_disabled(self) -> bool:
        """Whether there will never be any."""

    async def get_key(self, http: HttpImplementation, /) -> Key | None:
        """Those of the moment, if there are any."""

    def invalidate(self) -> bool:
        """Ask for others, where there can be; say whether there can."""


class Given(NamedTuple):
    """Credentials that are known, and stay the same."""

    key: Key

    def is_disabled(self) -> bool:
        return False

    async def get_key(self, http: HttpImplementation, /) -> Key:
        return self.key

    def invalidate(self) -> bool:
        return False


def credential_sources() -> list[Source]:
    """Where credentials may be, in the order in which AWS's own tools look."""
    from aiodynamo import credentials  # 30 ms with what it imports; whoever knows the credentials needs none of it

    return [
        credentials.EnvironmentCredentials(),
        credentials.FileCredentials(),
        credentials.ContainerMetadataCredentials(),
        credentials.InstanceMetadataCredentialsV2(),
        credentials.InstanceMetadataCredentialsV1(),
    ]


class Client:
    """Sends requests to the DynamoDB of ``region``, or to what stands in for it at ``endpoint``, by ``http``."""

    def __init__(
        self,
        http: HttpImplementation,
        sources: Iterable[Source],
        region: str,
        endpoint: str | None,
        now: Callable[[], float] = time.time,
    ) -> None:
        self._http, self._now = http, now
        self._target = Target.of(region, endpoint)
        self._sources = [source for source in sources if not source.is_disabled()]

    async def send(self, action: str, request: Mapping[str, Any]) -> Mapping[str, Any]:
        """The answer. Raises aiodynamo's errors; ``OSError`` (``TimeoutError`` too) where there is none."""
        ready = signed(self._target, await self._key(), action, request, self._now())
        try:
            response = await self._http(ready)
        except RequestFailed as failure:
            raise ConnectionError(str(failure.inner) or type(failure.inner).__name__) from None
        if response.status == _OK:
            return _answer(response.body)
        error = exception_from_response(response.status, response.body)
        if isinstance(error, errors.ExpiredToken):
            for source in self._sources:
                source.invalidate()
        raise error

    async def _key(self) -> Key:
        """The key of the first source that has one; from then on no other is asked."""
        for source in self._sources:
            try:
                # Whoever else waits for the same key shall have it, though this caller may give up.
                key = await asyncio.shield(source.get_key(self._http))
            except Exception:  # noqa: S112  (there is none: the next source may have one)
                continue
            if key is not None:
                self._sources = [source]
                return key
        raise errors.NoCredentialsFound


def client_of(options: Options, http: HttpImplementation) -> Client:
    """A client whose credentials come from where AWS's own tools find them."""
    return Client(http, credential_sources(), options.region, options.endpoint)


def _answer(body: bytes) -> Mapping[str, Any]:
    try:
        return _DECODER.decode(body)
    except msgspec.DecodeError:
        raise errors.ServiceUnavailable from None  # something between here and AWS has answered
