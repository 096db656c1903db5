"""Looking at the services, keeping the account, and saying once when a budget burns."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from pathlib import Path

import pytest

from miyabi.gateway.slo.ledger import HOUR, Counts, Ledger
from miyabi.gateway.slo.watch import LOOK_SECONDS, State, Watch, read

FINE = {name: State("ok", 0.5) for name in ("tasks", "cache", "database", "collector", "webui", "gateway")}


class House:
    """A watch on services whose states a test sets."""

    def __init__(self, folder: Path) -> None:
        self.now = 1_790_000_000.0
        self.states: Mapping[str, State] = FINE
        self.file = folder / "slo.json"
        self.watch = Watch(Ledger(lambda: self.now), self._look, self.file, self._sleep)
        self.looks_left = 0

    async def _look(self) -> Mapping[str, State]:
        return self.states

    async def _sleep(self, seconds: float) -> None:
        self.now += seconds
        self.looks_left -= 1
        if self.looks_left <= 0:
            self.done.set()
            await asyncio.Event().wait()

    def looks(self, count: int) -> None:
        async def scenario() -> None:
            self.looks_left = count
            self.done = asyncio.Event()
            async with self.watch.running():
                await self.done.wait()

        asyncio.run(scenario())

    def counts(self, service: str) -> Counts:
        return self.watch.ledger.counts(service, HOUR)


@pytest.fixture
def house(tmp_path: Path) -> House:
    return House(tmp_path)


def test_each_look_is_a_probe_and_a_call_where_no_request_tells(house: House) -> None:
    house.states = {**FINE, "cache": State("ok", 2.5), "database": State("down")}
    house.looks(4)
    assert house.counts("tasks") == Counts(probes=4, found=4)
    assert house.counts("cache") == Counts(probes=4, found=4, calls=4, slow=4)
    assert house.counts("database") == Counts(probes=4, calls=4, failed=4)


def test_a_service_that_nobody_knows_of_is_not_counted(house: House) -> None:
    house.states = {"tasks": State("down")}
    house.looks(1)
    assert house.counts("cache") == Counts()
    assert house.counts("tasks") == Counts(probes=1)


def test_what_was_measured_outlives_the_process(house: House) -> None:
    house.looks(3)
    again = Ledger(lambda: house.now, read(house.file))
    assert again.counts("tasks", HOUR) == house.counts("tasks")


def test_the_folder_is_made_where_there_is_none(tmp_path: Path) -> None:
    house = House(tmp_path / "new" / "folder")
    house.looks(3)
    assert read(house.file)


def test_it_is_kept_every_minute(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    kept = []

    async def keep() -> None:
        kept.append(house.now)

    monkeypatch.setattr(house.watch, "keep", keep)
    house.looks(9)
    assert len(kept) == 2 + 1, "twice in two minutes, and at the end"
    assert kept[1] - kept[0] == 4 * LOOK_SECONDS


def test_a_file_that_is_damaged_is_begun_anew(house: House, caplog: pytest.LogCaptureFixture) -> None:
    house.file.write_text('{"since": "yesterday"}')
    assert read(house.file) is None
    assert "begins anew" in caplog.text


def test_a_disk_that_takes_nothing_is_said_once(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    (tmp_path / "file").touch()
    house = House(tmp_path / "file")
    house.looks(9)
    assert caplog.text.count("can't be kept") == 1
    assert house.counts("tasks").probes == 9


def test_a_burning_budget_is_said_once_and_so_is_its_end(house: House, caplog: pytest.LogCaptureFixture) -> None:
    house.states = {**FINE, "database": State("down")}
    house.looks(5)
    told = [record.getMessage() for record in caplog.records]
    assert any("database: the budget of its availability burns" in line and "page" in line for line in told)
    assert len(told) == len(set(told)) == 2, "availability and errors"
    house.states = FINE
    house.now += 2 * HOUR
    house.looks(2)
    assert caplog.text.count("does not burn any more") == 2
