"""The collector by itself answers whatever goes wrong as a problem, like every other service."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from tests.support.asgi import Answer, call

from miyabi.collector.app import CollectorApp
from miyabi.database import DatabaseUnavailable
from miyabi.logs import LogsUnavailable


class Broken:
    """A loop that fails."""

    def __init__(self, error: Exception) -> None:
        self._error = error

    async def collect(self) -> Any:
        raise self._error

    async def ping(self) -> None:
        raise self._error


def ask(method: str, path: str, error: Exception) -> Answer:
    loop: Any = Broken(error)
    return asyncio.run(call(CollectorApp(loop), method, path))


@pytest.mark.parametrize("error", [DatabaseUnavailable("no database"), LogsUnavailable("no logs")])
def test_a_store_that_is_away_is_503_and_when_to_come_back(error: Exception) -> None:
    answer = ask("POST", "/api/collect", error)
    assert (answer.status, answer.headers["retry-after"]) == (503, "1")
    assert answer.json()["detail"] == str(error)


def test_one_that_stands_still_says_so() -> None:
    answer = ask("GET", "/health", RuntimeError("it stands still"))
    assert (answer.status, answer.json()["detail"]) == (503, "it stands still")


@pytest.mark.parametrize(("method", "path", "status"), [("GET", "/nothing", 404), ("GET", "/api/collect", 405)])
def test_what_is_not_served_is_a_problem(method: str, path: str, status: int) -> None:
    answer = ask(method, path, RuntimeError())
    assert (answer.status, answer.headers["content-type"]) == (status, "application/problem+json")


def test_what_nobody_foresaw_is_logged_and_not_told(caplog: pytest.LogCaptureFixture) -> None:
    answer = ask("POST", "/api/collect", KeyError("inside"))
    assert answer.status == 500
    assert b"inside" not in answer.body
    assert "KeyError: 'inside'" in caplog.text
