"""The API's description: valid, up to date, and true of what is served."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec
from jsonschema import Draft202012Validator
from openapi_spec_validator import validate
from referencing import Registry
from referencing.jsonschema import DRAFT202012

from miyabi.tasks.openapi import document
from miyabi.tasks.operations import OPERATIONS
from miyabi.wiring.openapi import board_document

from .conftest import Bench, Story

Tell = Callable[[Story], None]
DOCUMENT: dict[str, Any] = msgspec.json.decode(document())
COMMITTED = Path(__file__).parents[3] / "docs" / "openapi.json"


def schema_of(method: str, path: str, status: int) -> dict[str, str]:
    content = DOCUMENT["paths"][path][method.lower()]["responses"][str(status)]["content"]
    return {"$ref": "urn:api" + next(iter(content.values()))["schema"]["$ref"]}


def check(value: Any, schema: dict[str, str]) -> None:
    registry: Registry[Any] = Registry().with_resource("urn:api", DRAFT202012.create_resource(DOCUMENT))
    Draft202012Validator(schema, registry=registry).validate(value)


def test_the_document_is_valid_openapi_3_1() -> None:
    validate(DOCUMENT)
    assert DOCUMENT["openapi"].startswith("3.1")


def test_the_document_in_the_repository_is_the_boards() -> None:
    assert board_document() == COMMITTED.read_bytes()


def test_where_people_sign_in_the_document_says_that_a_token_is_needed() -> None:
    guarded = msgspec.json.decode(board_document(signs_in=True))
    assert guarded["security"] == [{"token": []}]
    assert guarded["paths"]["/health"]["get"]["security"] == guarded["paths"]["/api/sign-in"]["get"]["security"] == []
    assert msgspec.json.decode(board_document())["security"] == [{}, {"token": []}]


def test_every_operation_is_described_and_served(tell: Tell) -> None:
    async def story(bench: Bench) -> None:
        for operation in OPERATIONS:
            assert operation.method.lower() in DOCUMENT["paths"][operation.path]
            target = operation.path.replace("{", "").replace("}", "")
            answer = await bench.ask(operation.method, target, {} if operation.body else b"")
            assert answer.status in (200, 400, 404), operation

    tell(story)


def test_what_is_served_is_what_the_document_says(tell: Tell) -> None:
    async def story(bench: Bench) -> None:
        await bench.made("a", project_id="shop", description="d", github={"pr_number": 5})
        lines = {"events": [{"timestamp": 1, "message": "one"}]}
        asked: list[tuple[str, str, str, Any]] = [
            ("POST", "/api/tasks", "/api/tasks", {"task_name": "b", "metadata": {"agent": "x"}}),
            ("POST", "/api/tasks", "/api/tasks", {"task_name": ""}),
            ("GET", "/api/tasks", "/api/tasks?limit=1", b""),
            ("GET", "/api/tasks", "/api/tasks?limit=0", b""),
            ("GET", "/api/tasks/{task_id}", "/api/tasks/a", b""),
            ("GET", "/api/tasks/{task_id}", "/api/tasks/b", b""),
            ("PATCH", "/api/tasks/{task_id}", "/api/tasks/a", {"status": "cancelled"}),
            ("PATCH", "/api/tasks/{task_id}", "/api/tasks/a", {"status": "cancelled"}),
            ("GET", "/api/tasks/{task_id}/history", "/api/tasks/a/history", b""),
            ("POST", "/api/logs/{group}/{stream}", "/api/logs/miyabi/jobs/a", lines),
            ("GET", "/api/tasks/{task_id}/logs", "/api/tasks/a/logs", b""),
            ("GET", "/api/projects", "/api/projects", b""),
            ("GET", "/api/projects/{project_id}", "/api/projects/shop", b""),
            ("POST", "/api/projects", "/api/projects", {"project_id": "new", "project_name": "New"}),
            ("POST", "/api/collect", "/api/collect", b""),
            ("GET", "/health", "/health", b""),
        ]
        for method, path, target, body in asked:
            answer = await bench.ask(method, target, body)
            check(answer.json(), schema_of(method, path, answer.status))

    tell(story)
