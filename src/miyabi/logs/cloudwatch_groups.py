"""Log groups of CloudWatch Logs: the product's own, made with their retention, and a list of all."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from contextlib import suppress
from typing import Any

from miyabi.logs import Group, default_retention
from miyabi.logs.cloudwatch_retry import AlreadyThere, Caller, NotFound
from miyabi.model import GROUP_OF_TYPE, OTHER_GROUP, SYSTEM_GROUP

PRODUCT = sorted({*GROUP_OF_TYPE.values(), OTHER_GROUP, SYSTEM_GROUP})
PREFIX = "/miyabi/"
MOST_PAGES = 200
"""Of 50 groups or streams each: a bound on one answer, beyond what an account has by default (1,000,000 groups are
allowed); what is behind it is left out."""


class Groups:
    """The account's log groups. ``retention`` of a group that was not looked at is what it would be made with."""

    def __init__(self, call: Caller) -> None:
        self._call = call
        self._retention: dict[str, int] = {}

    def retention(self, group: str) -> int:
        """Days that ``group`` keeps its events, as far as is known; 0 is for ever."""
        return self._retention.get(group, default_retention(group))

    async def make_product(self) -> None:
        """Make those of the product's groups that are missing, and set the retention of those that have none."""
        async for found in self._described(PREFIX):
            if "retentionInDays" not in found and found["logGroupName"] in PRODUCT:
                await self._keep_for(found["logGroupName"])
        for group in PRODUCT:
            if group not in self._retention:
                await self.make(group)

    async def make(self, group: str) -> None:
        """Make a group with its retention; one that somebody else has made stays as it is."""
        with suppress(AlreadyThere):
            await self._call("create_log_group", logGroupName=group)
            await self._keep_for(group)

    async def make_stream(self, group: str, stream: str) -> None:
        """Make a stream, and its group when that is missing too."""
        with suppress(AlreadyThere):
            try:
                await self._call("create_log_stream", logGroupName=group, logStreamName=stream)
            except NotFound:
                await self.make(group)
                await self._call("create_log_stream", logGroupName=group, logStreamName=stream)

    async def list(self) -> list[Group]:
        """All groups by name.

        CloudWatch Logs counts the bytes (``storedBytes``, some hours late), and neither streams nor events: 0 here.
        """
        groups = [
            Group(found["logGroupName"], found.get("retentionInDays", 0), 0, 0, found.get("storedBytes", 0))
            async for found in self._described()
        ]
        return sorted(groups, key=lambda group: group.name)

    async def ping(self) -> None:
        """One cheap call."""
        await self._call("describe_log_groups", limit=1)

    async def _described(self, prefix: str = "") -> AsyncIterator[Mapping[str, Any]]:
        asked: dict[str, str] = {"logGroupNamePrefix": prefix} if prefix else {}
        for _ in range(MOST_PAGES):
            answer = await self._call("describe_log_groups", limit=50, **asked)
            for found in answer.get("logGroups", ()):
                self._retention[found["logGroupName"]] = found.get("retentionInDays", 0)
                yield found
            if not answer.get("nextToken"):
                return
            asked["nextToken"] = answer["nextToken"]

    async def _keep_for(self, group: str) -> None:
        days = default_retention(group)
        await self._call("put_retention_policy", logGroupName=group, retentionInDays=days)
        self._retention[group] = days
