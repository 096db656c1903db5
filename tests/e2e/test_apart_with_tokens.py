"""Services by themselves with sign-in configured: each asks for tokens itself, and sends one to the others."""

from __future__ import annotations

import json
import subprocess
import time
from collections.abc import Iterator
from contextlib import ExitStack, closing
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from tests.support.board import MIYABI, Service, environment, run_line
from tests.support.client import Client
from tests.support.until import until

SECRET = "a-secret-of-this-test-that-is-long-enough"


class Apart(NamedTuple):
    """The services, and what its user's environment is."""

    logs: Service
    collector: Service
    tasks: Service
    gateway: Service
    env: dict[str, str]

    def token(self, *options: str) -> dict[str, str]:
        """The header of a token made with these options."""
        made = subprocess.run(
            [MIYABI, "token", "make", "me", *options], env=self.env, capture_output=True, text=True, check=True
        )
        return {"Authorization": f"Bearer {made.stdout.strip()}"}


@pytest.fixture
def apart(tmp_path: Path) -> Iterator[Apart]:
    env = environment(tmp_path, MIYABI_AUTH_SECRET=SECRET)
    made = [MIYABI, "token", "make", "services", "--role", "service"]
    token = subprocess.run(made, env=env, capture_output=True, text=True, check=True).stdout.strip()
    env["MIYABI_TOKEN"] = token
    with ExitStack() as stack:

        def start(name: str, **settings: str) -> Service:
            return stack.enter_context(closing(Service("serve", name, env=env | settings)))

        logs = start("logs")
        env["MIYABI_LOGS"] = logs.url
        collector = start("collector")
        tasks = start("tasks", MIYABI_COLLECTOR=collector.url)
        gateway = start("gateway", MIYABI_TASKS=tasks.url)
        yield Apart(logs, collector, tasks, gateway, env | {"MIYABI_URL": gateway.url})


def test_a_job_goes_all_the_way_and_nobody_passes_without_a_token(apart: Apart) -> None:
    line = run_line("seq", "3", options=["--task-id", "job", "--project", "house"])
    assert subprocess.run(line, env=apart.env, stdout=subprocess.DEVNULL, check=False).returncode == 0
    house, other = apart.token("--project", "house"), apart.token("--project", "other")
    everything = apart.token("--role", "developer")

    def status(api: Client, method: str, path: str, **headers: str) -> int:
        return api.request(method, path, **headers).status

    for door in (apart.gateway, apart.tasks):
        until(lambda: status(door.api, "GET", "/api/tasks/job", **house) == 200, "the task is known")  # noqa: B023
        assert status(door.api, "GET", "/api/tasks/job", **other) == 404
        assert status(door.api, "GET", "/api/tasks/job/badge.svg", **other) == 404
        assert status(door.api, "GET", "/api/tasks/job") == 401
        token = house["Authorization"].removeprefix("Bearer ")
        assert status(door.api, "GET", f"/api/tasks/job/badge.svg?token={token}") == 200
        assert status(door.api, "POST", "/api/collect", **everything) == 200
    for path in ("/metrics", "/api/slo"):
        assert status(apart.gateway.api, "GET", path, **house) == 403, "its sums tell of all projects"
        assert status(apart.gateway.api, "GET", path, **everything) == 200
    for service in (apart.tasks, apart.collector, apart.logs):
        assert status(service.api, "GET", "/metrics") == 401
        assert status(service.api, "GET", "/health") == 200
    for path in ("/logs/ping", "/logs/changed"):
        assert status(apart.logs.api, "POST", path) == 401
        assert status(apart.logs.api, "POST", path, **apart.token("--role", "developer", "--project", "house")) == 403
    assert status(apart.collector.api, "POST", "/api/collect") == 401
    services = apart.gateway.api.get("/health")["services"]
    assert {each["status"] for each in services.values()} == {"ok"}


def test_the_audit_trail_is_written_by_the_gateway_and_by_no_person(apart: Apart) -> None:
    admin = apart.token("--role", "admin")
    project = {"project_id": "house", "project_name": "House"}
    assert apart.gateway.api.request("POST", "/api/projects", project, **admin).status == 201
    day = time.strftime("%Y-%m-%d", time.gmtime())
    trail = {"group": "/miyabi/system", "stream": f"audit-{day}"}

    def lines() -> list[dict[str, Any]]:
        events = apart.logs.api.request("POST", "/logs/read", trail, **admin).json()["events"]
        return [json.loads(event["message"]) for event in events]

    until(lambda: [line["path"] for line in lines()] == ["/api/projects"], "the change is written down")
    forged = trail | {"events": [{"timestamp": 1, "message": "forged"}]}
    assert apart.logs.api.request("POST", "/logs/append", forged, **admin).status == 403
    assert len(lines()) == 1
    assert apart.gateway.errors() == ""


def test_a_service_without_a_token_says_what_to_set(apart: Apart) -> None:
    env = {name: value for name, value in apart.env.items() if name != "MIYABI_TOKEN"}
    with closing(Service("serve", "tasks", env=env | {"MIYABI_COLLECTOR": apart.collector.url})) as tasks:
        developer = apart.token("--role", "developer")
        answer = tasks.api.request("POST", "/api/collect", **developer)
        assert answer.status == 503
        assert b"MIYABI_TOKEN" in answer.body
        told = tasks.api.request("GET", "/health", **developer)
        assert "MIYABI_TOKEN" in told.json()["services"]["logs"]["detail"]


def test_a_service_that_is_away_is_named_to_strangers_and_its_address_to_who_has_signed_in(apart: Apart) -> None:
    developer = apart.token("--role", "developer")
    apart.logs.stop()
    for door in (apart.gateway, apart.tasks):
        stranger = door.api.request("GET", "/health")
        assert stranger.json()["services"]["logs"] == {"status": "down"}
        assert str(apart.logs.port).encode() not in stranger.body
        assert str(apart.logs.port).encode() in door.api.request("GET", "/health", **developer).body
    apart.tasks.stop()
    stranger = apart.gateway.api.request("GET", "/health")
    assert (stranger.status, stranger.json()["detail"][:26]) == (503, "The task API is not well. ")
    assert str(apart.tasks.port).encode() in apart.gateway.api.request("GET", "/health", **developer).body
    assert apart.gateway.errors().count("is put aside: ") == 1
