"""The board, attacked by schemathesis from its own description: it breaks nowhere, and its answers are as described."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from tests.support.board import MIYABI, Board
from tests.support.client import Response
from tests.support.until import until

SCHEMATHESIS = str(Path(sys.executable).with_name("schemathesis"))
SUPPORT = Path(__file__).parents[1] / "support"
SECRET = "a-secret-of-the-deployment-that-nobody-may-read"
SECONDS = 30
"""Fuzzing goes on until then; what comes before takes as long as it takes."""
MOST_SECONDS = 300
SIGN_IN = {"MIYABI_AUTH_SECRET": SECRET}
SHOWN = 4000
"""Characters of a report's end; it holds megabytes of targets."""


class Attacked:
    """A board with something on it, and how to show that one may ask it."""

    def __init__(self, data: Path, **settings: str) -> None:
        self.settings = {"MIYABI_RATE_LIMIT": "0", **settings}
        self.board = Board(data, **self.settings)
        self.headers = {"Authorization": f"Bearer {self._token()}"} if "MIYABI_AUTH_SECRET" in settings else {}

    def close(self) -> None:
        """End it."""
        self.board.close()

    def ask(self, method: str, target: str, body: object = None) -> Response:
        """As one who may."""
        return self.board.api.request(method, target, body, **self.headers)

    def fill(self) -> None:
        """Projects, tasks made by hand, and jobs with lines."""
        now = int(time.time() * 1000)
        for number in range(4):
            project = {"project_id": f"p{number}", "project_name": "One"}
            task = {"task_id": f"t{number}", "task_name": "One", "project_id": f"p{number}"}
            lines = {"events": [{"timestamp": now, "message": f"[{step}/9] step"} for step in range(9)]}
            for target, body in (
                ("/api/projects", project),
                ("/api/tasks", task),
                (f"/api/logs/miyabi/jobs/j{number}", lines),
            ):
                assert self.ask("POST", target, body).status in (200, 201)
            assert self.ask("PATCH", f"/api/tasks/t{number}", {"priority": "P1"}).status == 200
        until(lambda: self.ask("GET", "/api/tasks/j3").status == 200, "a task of the last job")

    def places(self) -> dict[str, list[str]]:
        """Real ones, by the document's formats."""

        def told(target: str, *fields: str) -> list[str]:
            page: dict[str, Any] = self.ask("GET", target).json()
            return [page[field] for field in fields]

        return {
            "task-cursor": told("/api/tasks?limit=1", "next_cursor"),
            "version-cursor": told("/api/tasks/t0/history?limit=1", "next_cursor"),
            "project-cursor": told("/api/projects?limit=1", "next_cursor"),
            "log-place": ["", *told("/api/tasks/j0/logs?limit=4", "next", "previous")],
        }

    def _token(self) -> str:
        command = [MIYABI, "token", "make", "ann", "--role", "admin"]
        made = subprocess.run(command, env=self.board.env(**self.settings), check=True, capture_output=True, text=True)
        return made.stdout.split()[-1]


@pytest.fixture(params=[{}, SIGN_IN], ids=["without sign-in", "with sign-in"])
def attacked(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Attacked]:
    with closing(Attacked(tmp_path / "data", **request.param)) as attacked:
        attacked.fill()
        yield attacked


def report(attacked: Attacked, folder: Path) -> subprocess.CompletedProcess[str]:
    """What schemathesis says."""
    config = (SUPPORT / "schemathesis.toml").read_text()
    hooks = f"hooks = {json.dumps(str(SUPPORT / 'schemathesis_places.py'))}\n"
    (folder / "schemathesis.toml").write_text(hooks + config)
    command = [SCHEMATHESIS, "run", f"{attacked.board.url}/api/openapi.json", "--checks", "all", "--seed", "7"]
    command += ["--phases", "examples,coverage,fuzzing,stateful", "--max-examples", "20", "--max-time", str(SECONDS)]
    command += [word for name, value in attacked.headers.items() for word in ("-H", f"{name}: {value}")]
    env = attacked.board.env(MIYABI_TEST_PLACES=json.dumps(attacked.places()))
    return subprocess.run(
        [*command, "--continue-on-failure", "--no-shrink", "--warnings", "off"],
        cwd=folder, env=env, check=False, capture_output=True, text=True, timeout=MOST_SECONDS,
    )  # fmt: skip


@pytest.mark.timeout(2 * MOST_SECONDS)
def test_no_request_that_its_description_leads_to_breaks_it_or_is_answered_otherwise(
    attacked: Attacked, tmp_path: Path
) -> None:
    said = report(attacked, tmp_path)
    assert said.returncode == 0, said.stdout[-SHOWN:] + said.stderr[-SHOWN:]
    assert "Tested: 19" in said.stdout, said.stdout[-SHOWN:]
    assert attacked.board.errors().count("Traceback") == 0
    assert attacked.ask("GET", "/health").json()["status"] == "ok"
