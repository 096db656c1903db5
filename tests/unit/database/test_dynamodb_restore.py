"""Both tables as they were, under new names: what comes back, and that the check finds what does not."""

from __future__ import annotations

import json
import random
from collections.abc import Iterator
from typing import Any

import pytest
from aiodynamo.credentials import Key, StaticCredentials
from aiodynamo.http.aiohttp import AIOHTTP
from aiohttp import ClientSession
from click.testing import CliRunner
from msgspec.structs import replace
from tests.support import ministack
from tests.support.faulty import FaultyHttp
from tests.support.recovery import Past, Recovering
from tests.support.tasks import a_task, later

from miyabi.cli import main
from miyabi.database import Bookmark, Current, Save, TaskQuery
from miyabi.database.dynamodb_aiohttp import new_session
from miyabi.database.dynamodb_calls import Calls, Patience
from miyabi.database.dynamodb_client import Client
from miyabi.database.dynamodb_items import Tables
from miyabi.database.dynamodb_restore import Asked, Restorer
from miyabi.database.dynamodb_tables import Admin, Capacity
from miyabi.database.restore import NotRestored, Restored
from miyabi.model import STATUSES, Tally, Task, iso

from .conftest import Bench, Place, Waits

HOUR = 3600 * 1000


class Site:
    """Tables with a past, and what restores them."""

    def __init__(self, place: Place) -> None:
        self.place, self.past = place, Past()
        self.bench: Bench = place.open()
        self.tables = Tables.of(place.tables)
        self.into = Tables.of(f"{place.tables}-then")
        self.session: ClientSession = place.runner.run(self._session())
        self.http = Recovering(AIOHTTP(self.session), self.past)
        self.waits, self.told = Waits(), list[tuple[str, int, int | None]]()
        self.tasks: dict[str, Task] = {}

    async def _session(self) -> ClientSession:
        return new_session()

    def client(self, http: Any) -> Client:
        credentials = StaticCredentials(Key("test", "test"))
        return Client(http, [credentials], ministack.REGION, self.place.endpoint)

    def calls(self, http: Any = None) -> Calls:
        patience = Patience(self.waits.wait, random.Random(1).random, lambda: self.waits.time, 60.0)
        return Calls(self.client(http or self.http), patience)

    async def call(self, action: str, **request: Any) -> Any:
        return await Calls(self.client(AIOHTTP(self.session)), Patience()).call(action, request)

    async def protect(self) -> None:
        """Turn recovery on."""
        await Admin(self.calls(), self.tables, Capacity()).create(ttl=False)

    async def mark(self) -> int:
        """Now the past remembers this moment (ms)."""
        second = self.place.clock() // 1000
        for table in self.tables:
            await self.call("RestoreTableToPointInTime", SourceTableName=table, TargetTableName=f"{table}.{second}")
        self.past.moments.append(second)
        return second * 1000

    async def save(self, name: str, *, kept: bool = True, **fields: Any) -> Task:
        """The next version of a task, an hour later."""
        now, old = self.place.clock.forward(HOUR), self.tasks.get(name)
        if old is None:
            new = a_task(name, timestamp=now, created_at=iso(now), updated_at=iso(now), **fields)
        else:
            new = replace(old, timestamp=now, updated_at=iso(now), **fields)
        assert await self.bench.database.save([Save(new, Current(old) if old else None, kept=kept)]) == [True]
        self.tasks[name] = new
        return new

    async def restore(self, at: int, http: Any = None, **how: bool) -> Restored:
        calls = self.calls(http)
        admin = Admin(calls, self.into, Capacity())
        restorer = Restorer(calls, self.tables, self.into, admin, self.place.clock, self._tell, self.waits.wait)
        return await restorer.restore(Asked(at, **how))

    def _tell(self, what: str, done: int = 0, total: int | None = None) -> None:
        self.told.append((what, done, total))

    async def refused(self, at: int, **how: bool) -> str:
        with pytest.raises(NotRestored) as error:
            await self.restore(at, **how)
        return str(error.value)

    async def close(self) -> None:
        await self.session.close()


@pytest.fixture
def site(place: Place) -> Iterator[Site]:
    site = Site(place)
    place.runner.run(site.protect())
    yield site
    place.runner.run(site.close())


def test_what_was_there_comes_back_with_indexes_counts_history_expiry_and_recovery(site: Site) -> None:
    async def scenario() -> None:
        chance = random.Random(3)
        for number in range(30):
            await site.save(
                f"t{number % 7}", status=chance.choice(STATUSES), project_id=f"p{number % 2}", kept=number % 3 > 0
            )
        await site.bench.database.save([Save(await site.save("m"), Current(site.tasks["m"]), Bookmark("7", b"r"))])
        then, at = dict(site.tasks), await site.mark()
        rows = await site.bench.database.projects()
        history = await site.bench.database.history("t1")
        for number in range(9):
            await site.save(f"t{number}", status="failed", project_id="p0")
        await site.mark()
        report = await site.restore(at + 400, full=True)
        assert (report.wrong, report.notes, report.tasks, report.checked, report.projects) == ([], [], 8, 8, 3)
        assert report.versions is not None
        assert report.at == iso(at)
        restored = await ministack.open_dynamodb(site.place.endpoint, f"{site.place.tables}-then")
        assert {task.task_id: task for task in (await restored.tasks(TaskQuery())).tasks} == then
        assert await restored.projects() == rows
        assert await restored.history("t1") == history
        assert await restored.get(["m"]) == [Current(then["m"], Bookmark("7", b"r"))]
        assert len((await site.bench.database.tasks(TaskQuery(status="failed"))).tasks) == 9, "the old one goes on"
        await restored.close()
        assert all(row.same for row in await Admin(site.calls(), site.into, Capacity()).describe())

    site.place.runner.run(scenario())


def test_it_waits_until_the_tables_are_there_and_says_so(site: Site) -> None:
    async def scenario() -> None:
        await site.save("a")
        assert (await site.restore(await site.mark())).right
        assert site.waits.pauses == [5.0, 5.0]
        steps = [told for told in site.told if told[0] == "restoring the tables"]
        assert steps == [("restoring the tables", done, 2) for done in (0, 0, 2)]

    site.place.runner.run(scenario())


def test_without_recovery_it_says_how_to_turn_it_on(site: Site) -> None:
    async def scenario() -> None:
        at = await site.mark()
        off = {"PointInTimeRecoveryEnabled": False}
        await site.call("UpdateContinuousBackups", TableName=site.tables.projects, PointInTimeRecoverySpecification=off)
        said = await site.refused(at)
        assert site.tables.projects in said
        assert "`miyabi tables create` turns it on" in said

    site.place.runner.run(scenario())


def test_a_time_outside_the_window_is_refused_with_the_window(site: Site) -> None:
    async def scenario() -> None:
        first = await site.mark()
        site.place.clock.forward(HOUR)
        last = await site.mark()
        for at in (first - 2000, last + 2000):
            said = await site.refused(at)
            assert f"between {iso(first)} and {iso(last)}" in said
        assert "RestoreTableToPointInTime" not in site.http.seen

    site.place.runner.run(scenario())


def test_tables_that_are_not_there_are_named(site: Site) -> None:
    async def scenario() -> None:
        at = await site.mark()
        site.tables = Tables.of("nowhere")
        with pytest.raises(Exception, match="nowhere-tasks is not there"):
            await site.restore(at)

    site.place.runner.run(scenario())


def test_nothing_is_overwritten_and_only_what_was_begun_is_gone_on_with(site: Site) -> None:
    async def scenario() -> None:
        await site.save("a")
        first = await site.mark()
        await site.save("b")
        second = await site.mark()
        await site.restore(first)
        assert "is there already" in await site.refused(first)
        assert "was not restored from" in await site.refused(second, resume=True)
        assert (await site.restore(first, resume=True)).right
        site.into = Tables.of(site.place.tables)
        assert "was not restored from" in await site.refused(first, resume=True)

    site.place.runner.run(scenario())


def test_cut_short_between_the_tables_it_can_be_gone_on_with(site: Site) -> None:
    async def scenario() -> None:
        await site.save("a")
        at = await site.mark()
        request = {"SourceTableName": site.tables.tasks, "TargetTableName": site.into.tasks}
        await site.calls().call("RestoreTableToPointInTime", {**request, "RestoreDateTime": at // 1000})
        assert (await site.restore(at, resume=True)).right

    site.place.runner.run(scenario())


def test_a_missing_right_is_told_with_all_that_are_needed(site: Site) -> None:
    async def scenario() -> None:
        at = await site.mark()
        site.http.forbidden = "RestoreTableToPointInTime"
        said = await site.refused(at)
        assert "not authorized to perform: dynamodb:RestoreTableToPointInTime" in said
        assert "UpdateContinuousBackups" in said

    site.place.runner.run(scenario())


def test_it_gets_through_where_half_of_all_requests_fail(site: Site) -> None:
    async def scenario() -> None:
        for number in range(20):
            await site.save(f"t{number % 9}")
        at = await site.mark()
        assert (await site.restore(at, FaultyHttp(site.http, rate=0.5, seed=4), full=True)).right

    site.place.runner.run(scenario())


def test_what_was_read_again_since_then_can_t_be_compared_and_is_no_fault(site: Site) -> None:
    async def scenario() -> None:
        await site.save("a")
        task = await site.save("a", status="blocked")
        at = await site.mark()
        newest = later(task, by=9000)
        told_anew = [later(task, by=-5, task_name="anew")]
        assert await site.bench.database.save([Save(newest, Current(task), history=told_anew)]) == [True]
        report = await site.restore(at)
        assert report.wrong == []
        assert "1 of the 1 checked tasks could not be compared" in report.notes[0]

    site.place.runner.run(scenario())


def test_counts_that_expired_tasks_have_put_wrong_are_set_right(site: Site) -> None:
    async def scenario() -> None:
        await site.save("a", status="completed", duration_seconds=2.5)
        await site.save("b", status="failed")
        await site.call("DeleteItem", TableName=site.tables.tasks, Key=key("b"))
        report = await site.restore(await site.mark())
        assert (report.wrong, report.tasks) == ([], 1)
        assert "1 of 1 projects did not count the tasks that they have" in report.notes[0]
        restored = await ministack.open_dynamodb(site.place.endpoint, f"{site.place.tables}-then")
        row = await restored.project("house")
        assert row is not None
        assert row.tally == Tally(completed=1, completed_seconds=2.5)
        await restored.close()

    site.place.runner.run(scenario())


def key(name: str, timestamp: int = 0) -> dict[str, Any]:
    return {"task_id": {"S": name}, "timestamp": {"N": str(timestamp)}}


async def set_field(site: Site, name: str, field: str, value: str) -> None:
    await site.call(
        "UpdateItem",
        TableName=site.into.tasks,
        Key=key(name),
        UpdateExpression="SET #f = :v",
        ExpressionAttributeNames={"#f": field},
        ExpressionAttributeValues={":v": {"S": value}},
    )


async def lose_task(site: Site) -> None:
    await site.call("DeleteItem", TableName=site.into.tasks, Key=key("a"))


async def lose_version(site: Site) -> None:
    await site.call("DeleteItem", TableName=site.into.tasks, Key=key("a", site.tasks["a"].timestamp - 2 * HOUR))


async def lose_project(site: Site) -> None:
    await site.call("DeleteItem", TableName=site.into.projects, Key={"project_id": {"S": "house"}})


async def change_record(site: Site) -> None:
    items = await site.call("GetItem", TableName=site.into.tasks, Key=key("a"))
    await set_field(site, "a", "record", items["Item"]["record"]["S"].replace('"a"', '"b"'))


async def change_name(site: Site) -> None:
    items = await site.call("GetItem", TableName=site.into.tasks, Key=key("a"))
    record = items["Item"]["record"]["S"].replace('"task_name":"a"', '"task_name":"z"')
    await set_field(site, "a", "record", record)


async def change_status(site: Site) -> None:
    await set_field(site, "a", "status", "pending")


async def leave_the_indexes(site: Site) -> None:
    await site.call("UpdateItem", TableName=site.into.tasks, Key=key("a"), UpdateExpression="REMOVE updated_at")


async def go_back(site: Site) -> None:
    """The state before the one that it was."""
    version = site.tasks["a"].timestamp - 2 * HOUR
    items = await site.call("GetItem", TableName=site.tables.tasks, Key=key("a", version))
    await set_field(site, "a", "record", items["Item"]["record"]["S"])
    await site.call("DeleteItem", TableName=site.into.tasks, Key=key("a", version))
    await site.call(
        "UpdateItem",
        TableName=site.into.tasks,
        Key=key("a"),
        UpdateExpression="SET version = :v",
        ExpressionAttributeValues={":v": {"N": str(version)}},
    )


@pytest.mark.parametrize(
    ("damage", "words"),
    [
        (lose_version, "is missing"),
        (lose_project, "project house: is missing"),
        (change_record, "its attributes are not those of its record"),
        (change_name, "is not the one in the old table"),
        (change_status, "its attributes are not those of its record"),
        (leave_the_indexes, "task a: is not in the StatusIndex"),
        (go_back, "but the old table has a version of"),
    ],
)
def test_the_check_finds_what_is_wrong(site: Site, damage: Any, words: str) -> None:
    async def scenario() -> None:
        await site.save("a")
        await site.save("a", task_name="a")
        await site.save("a", description="then")
        at = await site.mark()
        assert (await site.restore(at)).right
        await damage(site)
        report = await site.restore(at, resume=True, full=damage is leave_the_indexes)
        assert not report.right
        assert any(words in line for line in report.wrong), report.wrong

    site.place.runner.run(scenario())


def test_the_command_reports_and_says_how_to_switch_and_to_drop(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    async def prepare() -> int:
        await site.save("a")
        return await site.mark()

    at = site.place.runner.run(prepare())
    monkeypatch.setattr(
        "miyabi.wiring.dynamodb_admin.client_of",
        lambda options, session: site.client(Recovering(AIOHTTP(session), site.past, looks=0)),
    )
    monkeypatch.setenv("MIYABI_CACHE", "redis://127.0.0.1:1")
    place = f"region={ministack.REGION}&prefix={{}}&endpoint={site.place.endpoint}"
    monkeypatch.setenv("MIYABI_DATABASE", f"dynamodb:?{place.format(site.place.tables)}")
    done = CliRunner().invoke(main, ["restore", "--at", iso(at), "--json"])
    assert done.exit_code == 0, done.output
    report = json.loads(done.stdout)
    name = f"{site.place.tables}-restored-{iso(at)[:19].replace('-', '').replace(':', '')}Z"
    assert (report["right"], report["where"], report["tasks"]) == (True, name, 1)
    assert report["setting"] == f"dynamodb:?{place.format(name)}"
    assert "empty it" in report["notes"][0]
    assert [line.split()[:5] for line in report["drop"]] == [
        ["aws", "dynamodb", "delete-table", "--table-name", table] for table in Tables.of(name)
    ]
    again = CliRunner().invoke(main, ["restore", "--at", iso(at)])
    assert again.exit_code == 1
    assert f"{name}-tasks is there already" in again.output
    site.place.runner.run(break_it(site, name))
    wrong = CliRunner().invoke(main, ["restore", "--at", iso(at), "--resume"])
    assert wrong.exit_code == 3, wrong.output
    assert "WRONG" in wrong.output


async def break_it(site: Site, prefix: str) -> None:
    site.into = Tables.of(prefix)
    await change_status(site)
