"""DynamoDB for a function: with as little to import as there can be."""

from __future__ import annotations

from collections.abc import Sequence

from miyabi.database.dynamodb import DynamoDatabase, Timing
from miyabi.database.dynamodb_client import Client, Given, Options, Source, credential_sources
from miyabi.database.dynamodb_items import Tables
from miyabi.database.dynamodb_threads import ThreadedHttp
from miyabi.settings import SettingsError, aws_keys


async def open_light(options: Options, timing: Timing = Timing()) -> DynamoDatabase:  # noqa: B008
    """The database of these tables. Nothing is sent yet."""
    http = ThreadedHttp()
    client = Client(http, _sources(), options.region, options.endpoint)
    return DynamoDatabase(client, Tables.of(options.prefix), timing, http)


def _sources() -> Sequence[Source]:
    """The environment, where Lambda puts its role's; with SnapStart they are the container's."""
    try:
        return [Given(aws_keys())]
    except SettingsError:
        return credential_sources()
