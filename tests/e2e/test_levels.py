"""Service levels of a real board: ``GET /api/slo``, the gauges, and what outlives a restart."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path
from typing import Any

from tests.support.board import Board, Service, environment
from tests.support.until import until


def windows(service: Service, name: str, window: str = "1h") -> dict[str, Any]:
    [found] = [one for one in service.api.get("/api/slo")["services"] if one["service"] == name]
    shown: dict[str, Any] = found["windows"][window]
    return shown


def looked(service: Service, name: str) -> bool:
    return windows(service, name)["availability"]["measured"] is not None


def test_a_board_measures_all_its_services_and_goes_on_after_a_restart(tmp_path: Path) -> None:
    with closing(Board(tmp_path / "data")) as board:
        for name in ("webui", "gateway", "tasks", "collector", "cache", "database"):
            until(lambda: looked(board, name), f"{name} was looked at")  # noqa: B023
            assert windows(board, name)["availability"]["met"], name
        calls = windows(board, "tasks")["calls"]
        for _ in range(20):
            board.api.get("/api/tasks")
        assert windows(board, "tasks")["calls"] >= calls + 20
        assert board.api.get("/api/slo")["alerts"] == []
        labels = 'objective="availability",service="database",window="30d"'
        assert board.metric(f"miyabi_slo_good_ratio{{{labels}}}") == 1
        assert "/api/slo" in board.api.get("/api/openapi.json")["paths"]
        board.stop()
        board.restart()
        assert windows(board, "tasks", "30d")["calls"] >= calls + 20


def test_a_gateway_counts_a_task_api_that_is_away(tmp_path: Path) -> None:
    env = environment(tmp_path, MIYABI_TASKS="http://127.0.0.1:9")
    with closing(Service("serve", "gateway", env=env)) as gateway:
        until(lambda: looked(gateway, "tasks"), "it has looked")
        assert windows(gateway, "tasks")["availability"]["measured"] == 0
        assert windows(gateway, "gateway")["availability"]["measured"] == 1
        assert not looked(gateway, "database"), "nobody knows"
        assert gateway.api.request("GET", "/api/tasks").status == 503
        errors = windows(gateway, "tasks")["errors"]
        assert (errors["measured"], errors["met"]) == (0, False)


def test_a_gateway_keeps_its_account_under_its_port_and_leaves_none_of_a_port_by_chance(tmp_path: Path) -> None:
    env = environment(tmp_path, MIYABI_TASKS="http://127.0.0.1:9")
    with closing(Service("serve", "gateway", env=env)) as gateway:
        until(lambda: looked(gateway, "tasks"), "it has looked")
        assert gateway.stop() == 0
        assert not list(tmp_path.glob("slo*")), "the port was 0, which names no gateway"
        gateway.restart()
        until(lambda: looked(gateway, "tasks"), "it has looked")
        gateway.stop()
        assert [file.name for file in tmp_path.glob("slo*")] == [f"slo-gateway-{gateway.port}.json"]
