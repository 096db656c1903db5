"""CloudWatch Logs for the contract: over our model of its documentation, over moto where moto is right, over AWS."""

from __future__ import annotations

from contextlib import ExitStack
from pathlib import Path

import boto3
from moto import mock_aws
from tests.support.cloudwatch import FakeCloudWatch

from miyabi.logs import Logs
from miyabi.logs.cloudwatch import CloudWatchLogs, Options
from miyabi.logs.cloudwatch_limits import Limiter
from miyabi.logs.cloudwatch_retry import Caller

from . import aws
from .aws import Apart

OPTIONS = Options(poll=0.05)
_POSITION = "CloudWatch Logs tells a stream's newest time, not its newest line: the collector reads on to an empty page"
_COUNTS = "CloudWatch Logs counts neither a group's streams nor its events; the bytes are held to in the unit tests"
CANNOT = {
    name: {
        "test_a_changed_stream_tells_the_position_of_its_newest_line": _POSITION,
        "test_a_group_counts_its_streams_lines_and_bytes": _COUNTS,
    }
    for name in ("cloudwatch", "cloudwatch-moto", "cloudwatch-aws")
}
"""Promises that the service itself makes impossible, with the reason."""
_ACCOUNTS: dict[Path, FakeCloudWatch] = {}
_MOCKS: dict[Path, ExitStack] = {}
_GROUPS: dict[Path, Apart] = {}


async def open_cloudwatch(folder: Path) -> Logs:
    """Logs over the model; those opened for one folder share an account."""
    return await _open(_ACCOUNTS.setdefault(folder, FakeCloudWatch(page_events=1000, empty_pages=1)))


async def open_moto(folder: Path) -> Logs:
    """Logs over boto3 and moto."""
    if folder not in _MOCKS:
        _MOCKS[folder] = ExitStack()
        _MOCKS[folder].enter_context(mock_aws())
    return await _open(Apart(boto3.client("logs", region_name="eu-west-1"), "/a-test"))


async def open_aws(folder: Path) -> Logs:
    """Logs over AWS."""
    if folder not in _GROUPS:
        _GROUPS[folder] = aws.apart()
    return await aws.open_cloudwatch(_GROUPS[folder])


def close_cloudwatch(folder: Path) -> None:
    """Forget the account of a folder, and leave nothing behind in a real one."""
    _ACCOUNTS.pop(folder, None)
    if groups := _GROUPS.pop(folder, None):
        groups.remove_groups()
    if mock := _MOCKS.pop(folder, None):
        mock.close()


async def _open(client: object) -> Logs:
    logs = CloudWatchLogs(Caller(client, Limiter(100_000), "SQLite"), OPTIONS)
    await logs.make_groups()
    return logs
