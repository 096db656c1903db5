"""One signed request to DynamoDB, made of aiodynamo's parts.

aiodynamo's own client would bring its expressions and models with it, which take a fifth of a cold start to import, and
tries that are repeated otherwise than we do.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Mapping
from typing import Any

import msgspec
from aiodynamo import errors
from aiodynamo.credentials import (
    ContainerMetadataCredentials,
    Credentials,
    EnvironmentCredentials,
    FileCredentials,
    InstanceMetadataCredentialsV1,
    InstanceMetadataCredentialsV2,
    Key,
)
from aiodynamo.errors import exception_from_response
from aiodynamo.http.types import HttpImplementation, Request, RequestFailed
from aiodynamo.sign import signed_dynamo_request
from yarl import URL

_DECODER = msgspec.json.Decoder(dict[str, Any])
_OK = 200


def credential_sources() -> list[Credentials]:
    """Where credentials may be, in the order in which AWS's own tools look."""
    return [
        EnvironmentCredentials(),
        FileCredentials(),
        ContainerMetadataCredentials(),
        InstanceMetadataCredentialsV2(),
        InstanceMetadataCredentialsV1(),
    ]


class Client:
    """Sends requests to the DynamoDB of ``region``, or to what stands in for it at ``endpoint``."""

    def __init__(
        self, http: HttpImplementation, sources: Iterable[Credentials], region: str, endpoint: URL | None
    ) -> None:
        self._http, self._region, self._endpoint = http, region, endpoint
        self._sources = [source for source in sources if not source.is_disabled()]

    async def send(self, action: str, request: Mapping[str, Any]) -> Mapping[str, Any]:
        """The answer. Raises aiodynamo's errors, aiohttp's, ``TimeoutError`` and ``OSError``."""
        signed = signed_dynamo_request(
            key=await self._key(), payload=request, action=action, region=self._region, endpoint=self._endpoint
        )
        try:
            response = await self._http(Request("POST", str(signed.url), signed.headers, signed.body))
        except RequestFailed as failure:
            raise failure.inner from None
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


def _answer(body: bytes) -> Mapping[str, Any]:
    try:
        return _DECODER.decode(body)
    except msgspec.DecodeError:
        raise errors.ServiceUnavailable from None  # something between here and AWS has answered
