"""Real AWS for the contract, where ``MIYABI_TEST_AWS`` names a region: ``make contract-aws``.

Each test has tables and log groups of its own, removed when it ends. It costs some cents, and CI has no account for it.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from contextlib import suppress
from typing import Any
from uuid import uuid4

import boto3
from tests.support.until import until

from miyabi.database import Database
from miyabi.database.dynamodb_aiohttp import client_of, new_session, open_database
from miyabi.database.dynamodb_calls import Calls, Patience
from miyabi.database.dynamodb_client import Options
from miyabi.database.dynamodb_items import Tables
from miyabi.database.dynamodb_tables import Admin, Capacity
from miyabi.logs import Logs
from miyabi.logs.cloudwatch import CloudWatchLogs
from miyabi.logs.cloudwatch import Options as LogsOptions
from miyabi.logs.cloudwatch_limits import limiter_of
from miyabi.logs.cloudwatch_retry import Caller

REGION = os.environ.get("MIYABI_TEST_AWS")
TABLE_SECONDS = 120.0
SEEN_SECONDS, LOOK_SECONDS = 60.0, 0.5


class Apart:
    """A client of CloudWatch Logs whose groups are its own: ``prefix`` stands before their names in the account.

    With ``settled`` an append returns when its events can be found, which AWS does not promise.
    """

    def __init__(self, client: Any, prefix: str, *, settled: bool = False) -> None:
        self._client, self._prefix, self._settled = client, prefix, settled

    def __getattr__(self, name: str) -> Any:
        inner = getattr(self._client, name)
        return (lambda **asked: self._operate(name, inner, asked)) if name in OPERATIONS else inner

    def remove_groups(self) -> None:
        """Delete them all."""
        for page in self._client.get_paginator("describe_log_groups").paginate(logGroupNamePrefix=self._prefix):
            for group in page["logGroups"]:
                self._client.delete_log_group(logGroupName=group["logGroupName"])

    def _operate(self, name: str, inner: Callable[..., Any], asked: dict[str, Any]) -> Any:
        asked = {key: self._prefix + value if key in GROUP_NAMES else value for key, value in asked.items()}
        if name == "describe_log_groups":
            asked.setdefault("logGroupNamePrefix", self._prefix)
        answer = inner(**asked)
        for group in answer.get("logGroups", ()):
            group["logGroupName"] = group["logGroupName"].removeprefix(self._prefix)
        if name == "put_log_events" and self._settled:
            self._wait_for(asked)
        return answer

    def _wait_for(self, asked: Mapping[str, Any]) -> None:
        last = asked["logEvents"][-1]
        where = {"logGroupName": asked["logGroupName"], "logStreamNames": [asked["logStreamName"]]}

        def there() -> bool:
            pages = self._client.get_paginator("filter_log_events").paginate(**where, startTime=last["timestamp"])
            return any(event["message"] == last["message"] for page in pages for event in page["events"])

        until(there, "the appended events", SEEN_SECONDS, pause=LOOK_SECONDS)


OPERATIONS = frozenset(
    {
        "create_log_group",
        "create_log_stream",
        "describe_log_groups",
        "describe_log_streams",
        "filter_log_events",
        "put_log_events",
        "put_retention_policy",
    }
)
GROUP_NAMES = frozenset({"logGroupName", "logGroupNamePrefix"})


def apart() -> Apart:
    """A client of AWS with groups of its own."""
    return Apart(boto3.client("logs", region_name=REGION), f"/miyabi-test/{uuid4().hex[:12]}", settled=True)


async def open_cloudwatch(client: Apart) -> Logs:
    """Logs over ``client``, at the rate that AWS allows."""
    options = LogsOptions(region=REGION)
    logs = CloudWatchLogs(Caller(client, limiter_of("contract", options.calls), "SQLite"), options)
    await logs.make_groups()
    return logs


def table_options() -> Options:
    """Where a test's own tables are."""
    assert REGION
    return Options(region=REGION, prefix=f"miyabi-test-{uuid4().hex[:12]}")


async def make_tables(options: Options) -> None:
    """Both tables, without expiry: it would come between tests whose tasks are old."""
    async with new_session() as session:
        calls = Calls(client_of(options, session), Patience(seconds=TABLE_SECONDS))
        tables = Admin(calls, Tables.of(options.prefix), Capacity(on_demand=True))
        await tables.create(ttl=False, recovery=False)


async def open_tables(options: Options) -> Database:
    """The database in these tables."""
    return await open_database(options)


def remove_tables(options: Options) -> None:
    """Delete them."""
    client = boto3.client("dynamodb", region_name=REGION)
    for table in Tables.of(options.prefix):
        with suppress(client.exceptions.ResourceNotFoundException):
            client.delete_table(TableName=table)
