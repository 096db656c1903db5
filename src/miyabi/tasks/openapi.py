"""The OpenAPI 3.1 document, made from the table of operations and the model: it can't say what is not so."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from typing import Any

import msgspec
from msgspec import Struct

import miyabi
from miyabi.http import PROBLEM_JSON, TITLES, ProblemDetails
from miyabi.model import ID_PATTERN, Task
from miyabi.tasks import shapes
from miyabi.tasks.operations import OPERATIONS, Operation
from miyabi.tasks.requests import GROUP_NAME, STREAM_NAME

REF = "#/components/schemas/{name}"

TOKEN = {
    "type": "http",
    "scheme": "bearer",
    "bearerFormat": "JWT",
    "description": "Needed where the board has sign-in configured; `miyabi token` makes them.",
}
ANYWHERE = ("uri-too-long", "headers-too-large", "rate-limited", "internal")
REFUSALS = ("unauthorized", "forbidden", "forbidden-host")
"""The gateway's, of every operation but the one that needs no token."""


class Beside(Struct, frozen=True):
    """A ``GET`` that another service answers at the same address."""

    id: str
    path: str
    summary: str
    description: str
    shape: type[Struct]
    needs_token: bool = True


@cache
def document(beside: Sequence[Beside] = (), *, signs_in: bool = False) -> bytes:
    """The document as JSON, indented, the same bytes every time. ``beside`` is a tuple.

    ``signs_in``: it is of a board where a token is needed, not of any board, where it may be.
    """
    made = {
        "openapi": "3.1.0",
        "info": {
            "title": "Miyabi",
            "version": miyabi.__version__,
            "description": "How far long jobs have got. Tasks, their lines and their changes as they happen.",
        },
        "paths": _paths() | {one.path: {"get": _beside(one)} for one in beside},
        "components": {"schemas": _components([one.shape for one in beside]), "securitySchemes": {"token": TOKEN}},
        "security": [{"token": []}] if signs_in else [{}, {"token": []}],
    }
    return msgspec.json.format(msgspec.json.encode(made, order="deterministic"), indent=1) + b"\n"


def _paths() -> dict[str, Any]:
    paths: dict[str, Any] = {}
    for operation in OPERATIONS:
        paths.setdefault(operation.path, {})[operation.method.lower()] = _operation(operation)
    paths["/api/events"] = {"get": _events()}
    return paths


def _operation(operation: Operation) -> dict[str, Any]:
    made: dict[str, Any] = {
        "operationId": operation.id,
        "summary": operation.summary,
        "description": operation.handler.__doc__,
        "parameters": _path_parameters(operation.path) + _query_parameters(operation.query),
        "responses": {str(status): _answer(shape, operation.media) for status, shape in operation.answers.items()},
    }
    if operation.method == "GET" and operation.id != "health":
        made["responses"]["304"] = {"description": "Unchanged since the ETag that `If-None-Match` names."}
    if operation.body is not None:
        made["requestBody"] = {"required": True, "content": {"application/json": {"schema": _schema(operation.body)}}}
    if operation.id == "health":
        made["security"] = []
    made["responses"] |= _problems((*operation.problems, *(REFUSALS if operation.id != "health" else REFUSALS[2:])))
    return made


def _beside(one: Beside) -> dict[str, Any]:
    made: dict[str, Any] = {
        "operationId": one.id,
        "summary": one.summary,
        "description": one.description,
        "responses": {
            "200": _answer(one.shape, "application/json"),
            **_problems(("unavailable", *(REFUSALS if one.needs_token else REFUSALS[2:]))),
        },
    }
    return made if one.needs_token else made | {"security": []}


def _events() -> dict[str, Any]:
    """The one operation that answers a stream and no record."""
    return {
        "operationId": "watchEvents",
        "summary": "Watch changes as they happen",
        "description": (
            "Server-Sent Events. `hello` on every connection; `task` with a Task; with `task_id` also `lines` with "
            "`{events, next}`. Comes back where it was by `Last-Event-ID`, or `last_event_id`. A board on AWS Lambda "
            "ends each answer with `again` and `{milliseconds, place}`: come back then, with that place."
        ),
        "parameters": _query_parameters(shapes.EventsQuery),
        "responses": {
            "200": {"description": "The stream.", "content": {"text/event-stream": {"schema": _event()}}},
            **_problems(("invalid-parameter", "not-found", "unavailable", *REFUSALS)),
        },
    }


def _event() -> dict[str, Any]:
    """Each of a stream's events: OpenAPI has no other place for it before 3.2."""
    kinds = {
        "hello": {"type": "object", "properties": {"resumed": {"type": "boolean"}}, "additionalProperties": False},
        "task": _schema(Task),
        "lines": _schema(shapes.NewLines),
        "again": _schema(shapes.Again),
    }
    return {"description": "One event of the stream.", "oneOf": [_kind(*kind) for kind in kinds.items()]}


def _kind(name: str, content: dict[str, Any]) -> dict[str, Any]:
    """Events of one name; only the last of a burst has an ``id``."""
    data = {"type": "string", "contentMediaType": "application/json", "contentSchema": content}
    properties = {"event": {"const": name}, "id": {"type": "string"}, "data": data}
    return {"type": "object", "properties": properties, "required": ["event", "data"]}


def _answer(shape: type, media: str) -> dict[str, Any]:
    if shape is bytes:
        return {"description": "The image.", "content": {media: {"schema": {"type": "string"}}}}
    summary = (shape.__doc__ or "").strip().partition("\n")[0]
    return {"description": summary, "content": {media: {"schema": _schema(shape)}}}


def _problems(names: tuple[str, ...]) -> dict[str, Any]:
    """Problems by their status; several of one status share an entry."""
    made: dict[str, Any] = {}
    for name in (*names, *ANYWHERE):
        status, title = TITLES[name]
        known = made.get(str(status))
        description = f"{known['description']}; {name}: {title}" if known else f"{name}: {title}"
        content = {PROBLEM_JSON: {"schema": {"$ref": REF.format(name="ProblemDetails")}}}
        made[str(status)] = {"description": description, "content": content}
    return made


def _path_parameters(path: str) -> list[dict[str, Any]]:
    names = [part[1:-1] for part in path.split("/") if part.startswith("{")]
    return [{"name": name, "in": "path", "required": True, "schema": _path_schema(name)} for name in names]


def _path_schema(name: str) -> dict[str, Any]:
    if name.endswith("_id"):
        return {"type": "string", "pattern": ID_PATTERN}
    return {"type": "string", "pattern": (GROUP_NAME if name == "group" else STREAM_NAME).pattern}


def _query_parameters(shape: type[Struct]) -> list[dict[str, Any]]:
    _, components = msgspec.json.schema_components([shape], ref_template=REF)
    properties = components[shape.__name__]["properties"]
    return [{"name": name, "in": "query", "schema": _given(schema)} for name, schema in properties.items()]


def _given(schema: dict[str, Any]) -> dict[str, Any]:
    """A parameter that may be left out: not ``null``, but absent."""
    schema = {key: value for key, value in schema.items() if not (key == "default" and value is None)}
    options = [option for option in schema.pop("anyOf", []) if option != {"type": "null"}]
    return schema | options[0] if options else schema


def _schema(shape: type) -> dict[str, Any]:
    return {"$ref": REF.format(name=shape.__name__)}


def _components(beside: Sequence[type[Struct]]) -> dict[str, Any]:
    bodies = [operation.body for operation in OPERATIONS if operation.body is not None]
    answers = [shape for operation in OPERATIONS for shape in operation.answers.values() if shape is not bytes]
    told = [Task, shapes.NewLines, shapes.Again, ProblemDetails]
    _, components = msgspec.json.schema_components([*told, *bodies, *answers, *beside], ref_template=REF)
    return components
