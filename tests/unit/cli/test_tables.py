"""``miyabi tables``: the tables are made once and compared with what they should be."""

from __future__ import annotations

import asyncio
from uuid import uuid4

import pytest
from click.testing import CliRunner, Result
from tests.support import ministack
from tests.support.tasks import a_task

from miyabi.cli import main
from miyabi.database import Save


class Tables:
    """The command on tables of the test's own."""

    def __init__(self, endpoint: str) -> None:
        self.endpoint, self.prefix = endpoint, f"test-{uuid4().hex[:12]}"

    def __call__(self, *arguments: str) -> Result:
        where = ("--endpoint", self.endpoint, "--prefix", self.prefix, "--region", ministack.REGION)
        return CliRunner().invoke(main, ["tables", *arguments, *where])


@pytest.fixture
def tables(dynamodb: str, monkeypatch: pytest.MonkeyPatch) -> Tables:
    for name, value in ministack.KEYS.items():
        monkeypatch.setenv(name, value)
    return Tables(dynamodb)


def test_what_is_made_is_as_it_should_be(tables: Tables) -> None:
    assert tables("create").exit_code == 0
    described = tables("describe")
    assert described.exit_code == 0, described.output
    assert "differs" not in described.output
    for words in ("35 days", "5 read, 5 write", "project_id S + updated_at S", "task_type S + created_at S"):
        assert words in described.output


def test_making_them_again_changes_nothing(tables: Tables) -> None:
    tables("create")

    async def save() -> None:
        database = await ministack.open_dynamodb(tables.endpoint, tables.prefix)
        await database.save([Save(a_task("a"))])
        await database.close()

    async def get() -> bool:
        database = await ministack.open_dynamodb(tables.endpoint, tables.prefix)
        found = await database.get(["a"])
        await database.close()
        return found != [None]

    asyncio.run(save())
    again = tables("create")
    assert (again.exit_code, again.output.count("is there")) == (0, 2)
    assert asyncio.run(get())


def test_a_difference_is_shown_and_ends_with_1(tables: Tables) -> None:
    assert tables("describe").exit_code == 1
    tables("create", "--on-demand")
    assert tables("describe", "--on-demand").exit_code == 0
    described = tables("describe")
    assert described.exit_code == 1
    assert "differs" in described.output


def test_an_endpoint_that_is_none_is_refused_in_a_line(tables: Tables) -> None:
    result = CliRunner().invoke(main, ["tables", "create", "--region", "eu-west-1", "--endpoint", "nowhere"])
    assert result.exit_code == 1
    assert "write one like" in result.output
