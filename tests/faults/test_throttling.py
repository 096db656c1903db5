"""Real processes while DynamoDB and CloudWatch Logs throttle them: no event lost, none doubled, waits as specified."""

from __future__ import annotations

import os
import re
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack, closing
from itertools import pairwise
from pathlib import Path
from threading import Thread
from typing import Any, NamedTuple
from urllib.parse import quote

import pytest
from tests.support import ministack
from tests.support.board import Service, environment
from tests.support.cloudwatch import FakeCloudWatch
from tests.support.fronts import CloudWatchFront, DynamoFront
from tests.support.jobs import BEGAN, GROUP, STEPS, lines_of, telling, undisturbed
from tests.support.until import until

from miyabi.database.dynamodb_calls import FIRST_SECONDS, LONGEST_SECONDS
from miyabi.logs.cloudwatch_retry import ATTEMPTS, FIRST_WAIT, JITTER

SPAN_SECONDS = float(os.environ.get("MIYABI_TEST_FAULT_SECONDS", "0"))
"""How long each share of throttled calls lasts at least; with 60 the waits are those of production."""
HURRY = 1.0 if SPAN_SECONDS else 0.05
PATIENCE = 60.0
STREAMS = 3
PARTS = (0, 10, 20, 25, 30, STEPS + 2)
"""Where the lines of a job are cut into what is written under each condition."""
WARNING = "CloudWatch Logs unavailable, using DynamoDB fallback"


class House(NamedTuple):
    dynamodb: DynamoFront
    cloudwatch: CloudWatchFront
    collector: Service
    tasks: Service

    def throttle(self, dynamodb: float, cloudwatch: float) -> None:
        """These shares of the calls; of some others the answers get lost."""
        self.dynamodb.rate, self.cloudwatch.rate = dynamodb, cloudwatch
        self.dynamodb.lost = self.cloudwatch.lost = min(dynamodb, cloudwatch) / 4


@pytest.fixture
def house(dynamodb: str, tmp_path: Path) -> Iterator[House]:
    """A collector and a task API that find both services of AWS behind fronts of ours."""
    with ExitStack() as stack:
        database = stack.enter_context(closing(DynamoFront(dynamodb)))
        logs = stack.enter_context(closing(CloudWatchFront(FakeCloudWatch(page_events=20))))
        env = environment(tmp_path / "data", HURRY=str(HURRY), PYTHONPATH=os.pathsep.join(sys.path))
        env |= ministack.setting(database.url, tmp_path.name)
        env["MIYABI_LOGS"] = f"cloudwatch:?region={ministack.REGION}&endpoint={logs.url}&poll=0.2&fresh=0.1&calls=500"
        hurried = [sys.executable, "-m", "tests.support.hurried"]
        both = [
            stack.enter_context(closing(Service("serve", name, env=env, prefix=hurried)))
            for name in ("collector", "tasks")
        ]
        yield House(database, logs, *both)


class Writers:
    """A client for each job, which sends a part of its lines until they are acknowledged."""

    def __init__(self, tasks: Service, part: int) -> None:
        first, last = list(pairwise(PARTS))[part]
        self._threads = [
            Thread(target=_write, args=(tasks, stream, first, last), daemon=True) for stream in range(STREAMS)
        ]
        for thread in self._threads:
            thread.start()

    def wait(self) -> None:
        """Until all are."""
        for thread in self._threads:
            thread.join(2 * PATIENCE)
            assert not thread.is_alive()


def _write(tasks: Service, stream: int, first: int, last: int) -> None:
    for number in range(first, last):
        event = {"timestamp": BEGAN + number * 1000, "message": lines_of(stream)[number]}
        body = {"events": [event], "writer": {"id": f"w{stream}", "sequence": number}}
        until(lambda: _acknowledged(tasks, stream, body), "an acknowledgement", 2 * PATIENCE)  # noqa: B023


def _acknowledged(tasks: Service, stream: int, body: dict[str, Any]) -> bool:
    answer = tasks.api.request("POST", f"/api/logs/{quote(GROUP, safe='')}/s{stream}", body)
    assert answer.status in (200, 503), answer
    assert answer.status == 200 or answer.headers["retry-after"]
    return answer.status == 200


def shown(house: House, stream: int) -> float:
    """A job's progress as far as it is known; -1 when that can't be told."""
    answer = house.tasks.api.request("GET", f"/api/tasks/s{stream}")
    if answer.status == 503:
        assert answer.headers["retry-after"]
        return -1
    return answer.json()["progress"].get("current", 0) if answer.status == 200 else 0


def refused_to_read(house: House) -> bool:
    """Look at lines; whether CloudWatch Logs has ever refused that."""
    assert house.tasks.api.request("GET", "/api/tasks/s0/logs").status in (200, 503)
    return bool(house.cloudwatch.refused["FilterLogEvents"])


def test_whatever_is_throttled_no_event_is_lost_or_doubled_and_every_wait_is_within_its_bounds(house: House) -> None:
    for part, share in enumerate((0.1, 0.5)):
        house.throttle(share, share)
        Writers(house.tasks, part).wait()
        time.sleep(SPAN_SECONDS)

    house.throttle(1.0, 0.0)
    Writers(house.tasks, 2).wait()
    until(lambda: "collecting again in 1.0 s: DynamoDB is throttled" in house.collector.errors(), "a warning", PATIENCE)
    assert shown(house, 0) == -1
    time.sleep(SPAN_SECONDS)

    house.throttle(0.0, 0.0)
    for stream in range(STREAMS):
        until(lambda: shown(house, stream) == PARTS[3] - 1, "the collector catches up", PATIENCE)  # noqa: B023
    house.throttle(0.0, 1.0)
    writers = Writers(house.tasks, 3)
    before = [service.errors().count(WARNING) for service in (house.collector, house.tasks)]
    for service, count in zip((house.collector, house.tasks), before, strict=True):
        until(lambda: service.errors().count(WARNING) > count, "the fallback's warning", PATIENCE)  # noqa: B023
    assert [shown(house, stream) for stream in range(STREAMS)] == [PARTS[3] - 1] * STREAMS
    until(lambda: refused_to_read(house), "a read of lines that is refused", PATIENCE)
    time.sleep(SPAN_SECONDS)

    house.throttle(0.0, 0.0)
    writers.wait()
    Writers(house.tasks, 4).wait()
    for stream in range(STREAMS):
        expected = undisturbed(stream, numbered=False)
        until(lambda: telling(house.tasks.api.task(f"s{stream}")) == expected, f"s{stream}")  # noqa: B023
        assert house.tasks.api.lines(f"s{stream}") == lines_of(stream)[1:-1]
    assert house.collector.metric("miyabi_collector_lines_total") == STREAMS * PARTS[-1]
    assert all(house.cloudwatch.refused[action] for action in ("PutLogEvents", "FilterLogEvents"))
    check_waits(house.collector.errors() + house.tasks.errors())


def check_waits(log: str) -> None:
    """As the processes logged them."""
    waits = re.findall(r"again in ([\d.]+) s, attempt (\d) of 5", log)
    assert {int(attempt) for _, attempt in waits} == set(range(2, ATTEMPTS + 1))
    for wait, attempt in waits:
        usual = HURRY * FIRST_WAIT * 2 ** (int(attempt) - 2)
        assert usual * (1 - JITTER) - 0.001 <= float(wait) <= usual * (1 + JITTER) + 0.001
    pauses = re.findall(r"again in ([\d.]+) s of at most ([\d.]+) s: DynamoDB is throttled", log)
    assert pauses
    bounds = {f"{min(FIRST_SECONDS * 2**step, LONGEST_SECONDS):.2f}" for step in range(10)}
    assert {bound for _, bound in pauses} <= bounds
    assert all(float(pause) <= float(bound) for pause, bound in pauses)
