"""What ``GET /api/slo`` answers, its gauges, and the look at ``/health`` that they stand on."""

from __future__ import annotations

import asyncio

import msgspec
from prometheus_client import CollectorRegistry, generate_latest
from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Receive, Scope, Send

from miyabi.gateway.slo.ledger import Ledger
from miyabi.gateway.slo.look import Looker
from miyabi.gateway.slo.shown import encoded, publish
from miyabi.http import Problem


async def fine() -> None:
    pass


async def gone() -> None:
    raise RuntimeError("not built")


def ledger() -> Ledger:
    made = Ledger(lambda: 1_790_000_000.0)
    for _ in range(3):
        made.probe("database", found=False)
    return made


def test_it_answers_with_every_window_and_every_alert() -> None:
    found = msgspec.json.decode(encoded(ledger()))
    assert {one["service"] for one in found["services"]} == {
        "webui", "gateway", "tasks", "collector", "cache", "database",
    }  # fmt: skip
    assert list(found["services"][0]["windows"]) == ["1h", "24h", "30d"]
    assert found["alerts"] == [
        {"service": "database", "objective": "availability", "severity": "page", "burn_rate": 10000.0}
    ]


def test_prometheus_gets_the_same_figures() -> None:
    registry = CollectorRegistry()
    publish(ledger(), registry)
    lines = generate_latest(registry).decode().splitlines()
    assert 'miyabi_slo_good_ratio{objective="availability",service="database",window="1h"} 0.0' in lines
    assert 'miyabi_slo_alert{objective="availability",service="database",severity="page"} 1.0' in lines
    assert not any("cache" in line for line in lines)


def looked(tasks: ASGIApp) -> dict[str, str]:
    found = asyncio.run(Looker(tasks, fine)())
    return {name: state.status for name, state in found.items()}


def test_a_look_asks_the_task_api_for_all_behind_it() -> None:
    services = {"tasks": {"status": "ok"}, "cache": {"status": "down", "detail": "refused"}}
    tasks = JSONResponse({"status": "degraded", "services": services}, 503)
    assert looked(tasks) == {"tasks": "ok", "cache": "down", "gateway": "ok", "webui": "ok"}


def test_of_a_task_api_that_does_not_answer_nothing_else_is_known() -> None:
    async def away(scope: Scope, receive: Receive, send: Send) -> None:
        raise Problem("unavailable", "The task API can't be reached.")

    for tasks in (away, JSONResponse({"hello": 1}), JSONResponse([], 500)):
        assert looked(tasks) == {"tasks": "down", "gateway": "ok", "webui": "ok"}


def test_a_page_that_is_not_there_is_seen() -> None:
    found = asyncio.run(Looker(JSONResponse({"services": {}}), gone)())
    assert found["webui"].status == "down"
