"""CloudWatch Logs as the settings name it, with boto3 over moto."""

from __future__ import annotations

import asyncio
import logging
import subprocess
import sys
from pathlib import Path

import pytest
from moto import mock_aws

from miyabi.logs import LogsUnavailable
from miyabi.logs.cloudwatch import CloudWatchLogs
from miyabi.model import NewEvent
from miyabi.settings import Settings, SettingsError
from miyabi.wiring import open_logs
from miyabi.wiring.stores import now


def test_the_settings_choose_it_and_its_groups_are_made(tmp_path: Path) -> None:
    async def scenario() -> None:
        logs = await open_logs(Settings(data=tmp_path, logs="cloudwatch:?region=eu-west-1&calls=1000"))
        assert isinstance(logs, CloudWatchLogs)
        assert {group.retention_days for group in await logs.groups()} == {30}
        await logs.append("/miyabi/jobs", "job", [NewEvent(now(), "1/2")])
        assert [event.message for event in (await logs.read("/miyabi/jobs", "job")).events] == ["1/2"]
        await logs.close()

    with mock_aws():
        asyncio.run(scenario())


def test_options_that_make_no_sense_are_told_with_the_settings_name(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match=r"MIYABI_LOGS: .*`region`"):
        asyncio.run(open_logs(Settings(data=tmp_path, logs="cloudwatch:?where=here")))


def test_a_region_that_nobody_names_is_asked_for(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("AWS_REGION", "AWS_DEFAULT_REGION", "AWS_PROFILE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "none"))
    with pytest.raises(LogsUnavailable, match=r"cloudwatch:\?region="):
        asyncio.run(open_logs(Settings(data=tmp_path, logs="cloudwatch:")))


def test_while_it_does_not_answer_the_logs_open_and_name_the_database_in_use(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:

    async def scenario() -> None:
        logs = await open_logs(Settings(data=tmp_path, logs="cloudwatch:?region=eu-west-1&endpoint=http://127.0.0.1:9"))
        with pytest.raises(LogsUnavailable, match="does not answer after 5 attempts"):
            await logs.ping()
        await logs.close()

    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "testing")
    monkeypatch.setattr("miyabi.logs.cloudwatch_retry.FIRST_WAIT", 0.0)
    with caplog.at_level(logging.WARNING):
        asyncio.run(scenario())
    assert {record.getMessage() for record in caplog.records} == {"CloudWatch Logs unavailable, using SQLite fallback"}


def test_boto3_is_imported_only_where_it_is_used() -> None:
    services = "from miyabi.wiring import collector, gateway, tasks"
    code = f"import sys; {services}; print(sorted({{'boto3', 'botocore'}} & set(sys.modules)))"
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert found.stdout.strip() == "[]"
