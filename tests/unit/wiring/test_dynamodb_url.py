"""What ``MIYABI_DATABASE=dynamodb:…`` may say."""

from __future__ import annotations

import asyncio
from pathlib import Path
from uuid import uuid4

import pytest
from tests.support import ministack
from tests.support.tasks import a_task

from miyabi.database import DatabaseUnavailable, Save
from miyabi.database.dynamodb import DynamoDatabase
from miyabi.database.dynamodb_client import Options
from miyabi.settings import SettingsError, aws_region, from_environment
from miyabi.wiring import open_database
from miyabi.wiring.dynamodb import read_url
from miyabi.wiring.stores import open_stores


@pytest.fixture(autouse=True)
def region(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_REGION", "us-east-1")
    monkeypatch.delenv("AWS_DEFAULT_REGION", raising=False)


@pytest.mark.parametrize(
    ("url", "options"),
    [
        ("dynamodb:", Options(region="us-east-1")),
        ("dynamodb:?region=eu-west-1", Options(region="eu-west-1")),
        ("dynamodb:?prefix=my-board.2&region=us-gov-west-1", Options(region="us-gov-west-1", prefix="my-board.2")),
        (
            "dynamodb:?region=eu-west-1&endpoint=http://127.0.0.1:4566",
            Options(region="eu-west-1", endpoint="http://127.0.0.1:4566"),
        ),
    ],
)
def test_a_url_names_region_prefix_and_endpoint(url: str, options: Options) -> None:
    assert read_url(url) == options


@pytest.mark.parametrize(
    "url",
    [
        "dynamodb://miyabi",
        "dynamodb:miyabi",
        "dynamodb:?region",
        "dynamodb:?region=",
        "dynamodb:?region=Ireland",
        "dynamodb:?regoin=eu-west-1",
        "dynamodb:?region=eu-west-1&region=eu-west-2",
        "dynamodb:?prefix=a/b",
        "dynamodb:?prefix=",
        "dynamodb:?endpoint=localhost:4566",
        "dynamodb:?endpoint=http://",
        "dynamodb:?endpoint=http://x:99999",
        "dynamodb:?endpoint=http://x/path",
    ],
)
def test_rubbish_is_refused_with_what_to_write_instead(url: str) -> None:
    with pytest.raises(SettingsError, match=r"write|use|there are"):
        read_url(url)


def test_without_a_region_it_says_how_to_name_one(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("AWS_REGION")
    with pytest.raises(SettingsError, match="AWS_REGION"):
        read_url("dynamodb:")
    assert aws_region({"AWS_DEFAULT_REGION": "eu-west-3"}) == "eu-west-3"


def test_the_settings_choose_it_and_a_start_without_tables_says_how_to_make_them(
    tmp_path: Path, dynamodb: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in ministack.KEYS.items():
        monkeypatch.setenv(name, value)
    prefix = f"test-{uuid4().hex[:12]}"
    url = f"dynamodb:?region={ministack.REGION}&prefix={prefix}&endpoint={dynamodb}"
    settings = from_environment({}, data=tmp_path, database=url)

    async def scenario() -> None:
        with pytest.raises(DatabaseUnavailable, match="miyabi tables create"):
            async with open_stores(settings):
                pass
        database = await open_database(settings)
        for use in (database.get(["a"]), database.save([Save(a_task("a"))])):
            with pytest.raises(DatabaseUnavailable, match="miyabi tables create"):
                await use
        await ministack.make_tables(dynamodb, prefix)
        assert await database.get(["a"]) == [None]
        await database.close()
        async with open_stores(settings) as stores:
            assert isinstance(stores.database, DynamoDatabase)

    asyncio.run(scenario())
