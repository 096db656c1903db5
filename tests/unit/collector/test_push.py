"""What a subscription delivers makes the collector read; what is damaged in it harms nothing else."""

from __future__ import annotations

import asyncio
import gzip
import json
from base64 import b64encode
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.support.clock import Clock
from tests.support.cloudwatch import FakeCloudWatch, failure
from tests.support.cloudwatch_logs import Waits, process
from tests.support.deliveries import GROUP, STREAM, delivery, message, packed

from miyabi.cache.memory import MemoryCache
from miyabi.collector.collect import Collector
from miyabi.collector.loop import PUSH_SECONDS, Loop
from miyabi.collector.push import MAX_BYTES, Delivery, Pushed, collect_pushed, unpack
from miyabi.database import Current, Database, DatabaseUnavailable
from miyabi.database.sqlite import open_database
from miyabi.logs import LogsUnavailable
from miyabi.model import LogEvent, NewEvent, Writer

WAYS = ("pushed", "lost", "late", "twice", "read", "foreign")
EVENT = {"id": "3195310660696698337880902507980421114328961542429", "timestamp": 1_795_000_000_000, "message": "5/10"}


EXPECTED = Pushed(GROUP, STREAM, [LogEvent(str(EVENT["id"]), 1_795_000_000_000, "5/10")])


@pytest.mark.parametrize(
    "payload",
    [
        delivery(message(EVENT)),
        [delivery(message(EVENT))],
        {"Records": [{"kinesis": {"data": packed(message(EVENT))}}]},
        {"records": [{"recordId": "1", "data": packed(message(EVENT))}]},
    ],
)
def test_events_are_unpacked_however_they_are_delivered(payload: object) -> None:
    assert unpack(payload) == Delivery([EXPECTED], [])


def test_a_control_message_is_no_event() -> None:
    control = message(EVENT, messageType="CONTROL_MESSAGE", logGroup="", logStream="")
    assert unpack([delivery(control), delivery(message(EVENT))]) == Delivery([EXPECTED], [], controls=1)


def test_several_records_in_one_piece_are_all_read() -> None:
    found = unpack(delivery(message(EVENT), message(EVENT, logStream="other")))
    assert [pushed.stream for pushed in found.pushed] == [STREAM, "other"]


FULL = json.dumps(message(messageType="CONTROL_MESSAGE")).encode().ljust(MAX_BYTES)
"""A message that takes up all the room there is for a record."""


@pytest.mark.parametrize(
    ("record", "reason"),
    [
        ({"awslogs": {}}, "awslogs.data"),
        ({"awslogs": {"data": 5}}, "awslogs.data"),
        (None, "awslogs.data"),
        ({"awslogs": {"data": "§"}}, ""),
        ({"awslogs": {"data": "abc"}}, "Base64"),
        ({"awslogs": {"data": b64encode(b"plain").decode()}}, "gzip"),
        ({"awslogs": {"data": b64encode(gzip.compress(b"{}" * 500)[:-9]).decode()}}, "end is missing"),
        ({"awslogs": {"data": b64encode(gzip.compress(b"\0" * (MAX_BYTES + 1))).decode()}}, "longer"),
        ({"awslogs": {"data": b64encode(gzip.compress(FULL) + gzip.compress(b"\0" * 99)).decode()}}, "longer"),
        ({"awslogs": {"data": b64encode(gzip.compress(b"no json")).decode()}}, "JSON"),
        (delivery({"messageType": "DATA_MESSAGE"}), "logGroup"),
        (delivery(message(EVENT, messageType="NEWS")), "NEWS"),
        (delivery([]), "object"),
    ],
)
def test_a_damaged_record_is_set_aside_with_its_reason_and_the_rest_goes_on(record: object, reason: str) -> None:
    found = unpack([delivery(message(EVENT)), record, delivery(message(EVENT, logStream="other"))])
    assert [pushed.stream for pushed in found.pushed] == [STREAM, "other"]
    assert [damaged.where for damaged in found.damaged] == ["record 2"]
    assert reason in found.damaged[0].reason


def test_a_damaged_event_is_set_aside_and_its_neighbours_go_on() -> None:
    found = unpack(delivery(message({"id": "1"}, EVENT, EVENT | {"timestamp": -1}, EVENT | {"message": None})))
    assert found.pushed == [EXPECTED]
    assert [damaged.where for damaged in found.damaged] == [f"event {number} of the record" for number in (1, 3, 4)]


@given(st.recursive(st.none() | st.integers() | st.text(), lambda inner: st.lists(inner) | st.dictionaries(
    st.sampled_from(["awslogs", "data", "Records", "records", "kinesis"]), inner)))  # fmt: skip
def test_no_payload_at_all_breaks_anything(payload: object) -> None:
    assert unpack(payload).pushed == []


class Story:
    """A collector over CloudWatch Logs."""

    def __init__(self, database: Database) -> None:
        self.clock, self.waits = Clock(), Waits()
        self.cloud = FakeCloudWatch(self.clock)
        self.logs = process(self.cloud, self.clock)
        self.writer = process(self.cloud, self.clock)
        collector = Collector(self.logs, database, MemoryCache(), self.clock)
        self.loop = Loop(collector, self.logs, database, clock=self.clock.seconds, sleep=self._slept)
        self.database = database

    async def write(self, *numbers: int) -> dict[str, Any]:
        """Somebody else's lines, and the delivery that tells of them."""
        events = [NewEvent(self.clock.forward(10), f"[{number}/100] Building") for number in numbers]
        await self.writer.append(GROUP, STREAM, events, Writer("w", numbers[0] - 1))
        return delivery(self.newest(len(numbers)))

    def newest(self, count: int) -> dict[str, object]:
        """The newest events of the stream as a subscription delivers them."""
        stored = [event for _, event in self.cloud.hidden] or self.cloud.groups[GROUP].streams[STREAM]
        return message(*({"id": e.event_id, "timestamp": e.time, "message": e.message} for e in stored[-count:]))

    async def shown(self) -> object:
        """The task's progress."""
        current = (await self.database.get([STREAM]))[0]
        return current and current.task.progress.current

    async def _slept(self, seconds: float) -> None:
        await self.waits(seconds)
        self.cloud.show()


def told(folder: Path, story: Any) -> None:
    async def run() -> None:
        database = await open_database(folder)
        try:
            await story(Story(database))
        finally:
            await database.close()

    asyncio.run(run())


@pytest.mark.parametrize("known", [True, False])
def test_a_delivery_makes_the_collector_read_and_delivered_again_changes_nothing(tmp_path: Path, known: bool) -> None:
    async def story(s: Story) -> None:
        given = [s.logs.pushed] if known else []
        await collect_pushed(s.loop, await s.write(1), *given)
        assert await s.shown() == 1
        payload = await s.write(2, 3)
        s.cloud.calls.clear()
        assert (await collect_pushed(s.loop, payload, *given)).lines == 2
        assert await s.shown() == 3
        again = await collect_pushed(s.loop, payload, *given)
        assert (again.streams, again.lines, again.damaged) == (1, 0, [])
        assert await s.shown() == 3
        assert s.cloud.count("describe_log_streams") == 0
        assert bool(s.cloud.count("filter_log_events")) is not known

    told(tmp_path, story)


@pytest.mark.parametrize("known", [True, False])
def test_a_delivery_that_is_lost_or_late_leaves_no_gap(tmp_path: Path, known: bool) -> None:
    async def story(s: Story) -> None:
        given = [s.logs.pushed] if known else []
        first, second = await s.write(1, 2), await s.write(3, 4)
        assert (await collect_pushed(s.loop, second, *given)).lines == 4
        assert (await collect_pushed(s.loop, first, *given)).lines == 0
        assert await s.shown() == 4

    told(tmp_path, story)


@settings(deadline=None, max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.tuples(st.sampled_from(WAYS), st.integers(1, 4)), max_size=12))
def test_every_line_is_collected_once_whatever_becomes_of_deliveries(
    tmp_path_factory: pytest.TempPathFactory, steps: list[tuple[str, int]]
) -> None:
    async def story(s: Story) -> None:
        counted, kept, number, theirs = 0, list[dict[str, Any]](), 1, 0
        await s.logs.make_groups()
        for what, count in steps:
            s.clock.forward(5000)
            if what == "read":
                counted += (await s.loop.collect()).lines
                continue
            if what == "foreign":
                theirs += 1
                s.cloud.arrive(GROUP, STREAM, s.clock.ms, "theirs")
                payload = delivery(s.newest(1))
            else:
                payload = await s.write(*range(number, number + count))
                number += count
            kept.append(payload)
            for _ in range({"pushed": 1, "foreign": 1, "twice": 2}.get(what, 0)):
                counted += (await collect_pushed(s.loop, payload, s.logs.pushed)).lines
            if what == "late":
                counted += (await collect_pushed(s.loop, kept[0], s.logs.pushed)).lines
        s.clock.forward(60_000)
        s.logs.pushed(GROUP, STREAM, "", [])
        counted += (await s.loop.collect()).lines
        assert counted == number - 1 + theirs

    told(tmp_path_factory.mktemp("push"), story)


def test_lines_that_can_not_be_read_yet_are_waited_for(tmp_path: Path) -> None:
    async def story(s: Story) -> None:
        s.cloud.hide = True
        payload = await s.write(7)
        assert (await collect_pushed(s.loop, payload)).lines == 1
        assert s.waits.seconds == [PUSH_SECONDS[0]]

    told(tmp_path, story)


def test_what_can_not_be_read_now_is_read_by_the_next_trigger(tmp_path: Path) -> None:
    async def story(s: Story) -> None:
        payload = await s.write(5)
        s.cloud.fault = lambda operation: failure("ThrottlingException")
        with pytest.raises(LogsUnavailable):
            await collect_pushed(s.loop, payload)
        s.cloud.fault = lambda operation: None
        await s.loop.collect()
        assert await s.shown() == 5

    told(tmp_path, story)


def test_what_can_not_be_saved_now_is_read_by_the_next_trigger(tmp_path: Path) -> None:
    async def story(s: Story) -> None:
        await collect_pushed(s.loop, await s.write(1), s.logs.pushed)
        await s.loop.collect()
        payload, get = await s.write(5), s.database.get

        async def away(task_ids: Sequence[str]) -> list[Current | None]:
            s.database.get = get  # type: ignore[method-assign]
            raise DatabaseUnavailable

        s.database.get = away  # type: ignore[method-assign]
        with pytest.raises(DatabaseUnavailable):
            await collect_pushed(s.loop, payload, s.logs.pushed)
        assert (await s.loop.collect()).lines == 1
        assert await s.shown() == 5

    told(tmp_path, story)


def test_a_control_message_reads_nothing(tmp_path: Path) -> None:
    async def story(s: Story) -> None:
        result = await collect_pushed(s.loop, delivery(message(messageType="CONTROL_MESSAGE")))
        assert (result.streams, result.lines) == (0, 0)
        assert not s.cloud.calls

    told(tmp_path, story)
