"""Notices of real processes: told once by two collectors of which one is killed, and not lost."""

from __future__ import annotations

import asyncio
import sys
import threading
from collections import Counter
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest
from tests.support.board import Board, Service, environment
from tests.support.receiver import SECRET, Receiver
from tests.support.tasks import a_task
from tests.support.until import until

from miyabi.database import Save
from miyabi.database.sqlite import open_database
from miyabi.model import iso
from miyabi.wiring.stores import now


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    receiver = Receiver()
    yield receiver
    receiver.close()


def settings(receiver: Receiver) -> dict[str, str]:
    return {
        "MIYABI_NOTIFY": receiver.webhook,
        "MIYABI_NOTIFY_SECRET": SECRET,
        "MIYABI_PUBLIC_URL": "http://127.0.0.1:8420",
    }


@pytest.fixture
def collectors(tmp_path: Path, receiver: Receiver) -> Iterator[list[Service]]:
    """Two collectors' processes over one database, which have begun to follow."""
    services: list[Service] = []
    try:
        env = environment(tmp_path, **settings(receiver))
        services.append(Service("serve", "collector", env=env))
        services.append(Service("serve", "collector", env=env))
        until(lambda: memo(tmp_path), "the collectors follow")
        yield services
    finally:
        for service in services:
            service.close()


def memo(data: Path) -> str:
    """The ledger, as it is stored."""

    async def read() -> str:
        database = await open_database(data)
        try:
            return await database.memo("notices")
        finally:
            await database.close()

    return asyncio.run(read())


def fail(data: Path, *task_ids: str) -> None:
    """Tasks that fail now."""

    async def save() -> None:
        database = await open_database(data)
        time = now()
        times = {"timestamp": time, "created_at": iso(time), "updated_at": iso(time)}
        tasks = [a_task(task_id, status="failed", **times) for task_id in task_ids]  # type: ignore[arg-type]
        assert all(await database.save([Save(task) for task in tasks]))
        await database.close()

    asyncio.run(save())


def test_whichever_collector_is_killed_each_failure_is_told(
    tmp_path: Path, receiver: Receiver, collectors: list[Service]
) -> None:
    """What was under way when one was killed may be told twice, then under the same id."""
    names = [f"t{number}" for number in range(24)]
    for number in range(0, len(names), 3):
        fail(tmp_path, *names[number : number + 3])
        until(lambda count=number: len(receiver.received) > count, "notices arrive")  # type: ignore[misc]
        killed = collectors[number // 3 % 2]
        killed.kill9()
        killed.restart()
    until(lambda: len(set(receiver.types())) == len(names), "all are told", 60)
    assert set(receiver.types()) == {f"task.failed {name}" for name in names}
    ids = Counter(received.id for received in receiver.received)
    assert len(ids) == len(names)
    assert sum(ids.values()) - len(ids) <= len(names) // 3, "none twice but what was under way at a kill"
    for received in receiver.received:
        received.verified()


def test_what_was_on_its_way_when_its_collector_was_killed_comes_again_by_the_other(
    tmp_path: Path, receiver: Receiver, collectors: list[Service]
) -> None:
    asked, go_on = threading.Event(), threading.Event()

    def answer(number: int) -> tuple[int, Mapping[str, str]]:
        if not asked.is_set():
            asked.set()
            go_on.wait(30)
        return 200, {}

    receiver.answer = answer
    fail(tmp_path, "a")
    assert asked.wait(30)
    collectors[0].kill9()
    collectors[1].kill9()
    go_on.set()
    collectors[1].restart()
    until(lambda: len(receiver.received) == 2, "it is told again", 90)
    first, second = receiver.received
    assert first.id == second.id
    assert receiver.types() == ["task.failed a"] * 2


def test_a_command_that_fails_is_told_with_the_line_that_says_why(tmp_path: Path, receiver: Receiver) -> None:
    board = Board(tmp_path, **settings(receiver))
    try:
        until(lambda: memo(tmp_path), "the board follows")
        job = "print('step 1/4'); print('step 2/4'); raise ValueError('no such bucket')"
        assert board.run(sys.executable, "-c", job, options=["--name", "ship it"]).returncode == 1
        until(lambda: receiver.received, "the failure is told")
        body = receiver.received[0].verified()
        assert body["type"] == "task.failed"
        assert body["data"]["title"] == "✗ ship it failed"
        assert "stopped at 50 % (2/4)" in body["data"]["text"]
        assert "ValueError: no such bucket" in body["data"]["text"]
        task_id = body["data"]["task"]["task_id"]
        assert body["data"]["url"] == f"http://127.0.0.1:8420/tasks/{task_id}"
        assert board.api.task(task_id) is not None
        assert board.metric("miyabi_notices_sent_total") == 1
        assert board.stop() == 0
    finally:
        board.close()


def test_a_board_with_rules_that_can_not_be_used_does_not_start(tmp_path: Path) -> None:
    with pytest.raises(AssertionError, match=r"MIYABI_NOTIFY, address 1 \(`slack://…`\)") as error:
        Board(tmp_path, MIYABI_NOTIFY="slack://very-secret")
    assert "very-secret" not in str(error.value)
