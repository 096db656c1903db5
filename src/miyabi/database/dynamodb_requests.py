"""Requests that write, in the words of DynamoDB's API: each can stand alone or be a part of a transaction."""

from __future__ import annotations

from collections.abc import Mapping

from miyabi.database import Save
from miyabi.database.dynamodb_calls import Json
from miyabi.database.dynamodb_items import (
    COUNTS,
    PROJECTS,
    Item,
    Keys,
    Stored,
    Value,
    binary,
    current_key,
    encoded,
    flag,
    keys_of,
    number,
    saved_at,
    text,
)
from miyabi.model import Project, Task


class _Update:
    """One UpdateItem. Every name stands behind a ``#``, since many are reserved words."""

    def __init__(self, table: str, key: Item) -> None:
        self._table, self._key = table, key
        self._names: dict[str, str] = {}
        self._values: dict[str, Value] = {}
        self._terms: dict[str, list[str]] = {"SET": [], "ADD": [], "REMOVE": []}
        self._conditions: list[str] = []

    def set(self, **values: Value | None) -> None:
        """Give each attribute its value; ``None`` takes it away."""
        for name, value in values.items():
            if value is None:
                self._terms["REMOVE"].append(self._name(name))
            else:
                self._terms["SET"].append(f"{self._name(name)} = {self._value(value)}")

    def set_if_missing(self, name: str, value: Value) -> None:
        """Give an attribute its value, unless it has one."""
        name = self._name(name)
        self._terms["SET"].append(f"{name} = if_not_exists({name}, {self._value(value)})")

    def add(self, name: str, amount: int) -> None:
        """Add to a number, 0 when it is not there."""
        self._terms["ADD"].append(f"{self._name(name)} {self._value(number(amount))}")

    def only_if(self, name: str, value: Value | None, operator: str = "=") -> None:
        """Write only where the attribute compares so; ``None``: where it is not there."""
        name = self._name(name)
        self._conditions.append(
            f"attribute_not_exists({name})" if value is None else f"{name} {operator} {self._value(value)}"
        )

    def only_if_there(self, name: str) -> None:
        """Write only where the attribute is there."""
        self._conditions.append(f"attribute_exists({self._name(name)})")

    def request(self) -> Json:
        """The request. When its condition does not hold, what is stored comes with the error."""
        expression = " ".join(f"{word} {', '.join(terms)}" for word, terms in self._terms.items() if terms)
        request: dict[str, object] = {
            "TableName": self._table,
            "Key": self._key,
            "UpdateExpression": expression,
            "ExpressionAttributeNames": self._names,
            "ReturnValuesOnConditionCheckFailure": "ALL_OLD",
        }
        if self._values:
            request["ExpressionAttributeValues"] = self._values
        if self._conditions:
            request["ConditionExpression"] = " AND ".join(self._conditions)
        return request

    def _name(self, name: str) -> str:
        self._names[f"#{name}"] = name
        return f"#{name}"

    def _value(self, value: Value) -> str:
        name = f":v{len(self._values)}"
        self._values[name] = value
        return name


def current_update(table: str, save: Save, expected: Stored | None, now: int) -> Json:
    """Write a task's current item where ``expected`` is stored (``None``: nothing is).

    The bookmark alone moves when the task is the same; then the item stays where it is in every index.
    """
    task, mark = save.task, save.bookmark
    update = _Update(table, current_key(task.task_id))
    record = encoded(task)
    kept = stays(save, expected)
    if expected is None:
        update.only_if("task_id", None)
    else:
        _expect(update, expected)
    if expected and (expected.version, expected.record) == (task.timestamp, record):
        update.only_if("record", text(record))
        update.set(kept=flag(kept))
    else:
        saved = text(saved_at(now, task.created_at, expected.saved if expected else None))
        if expected:
            update.only_if("updated_at", saved, "<")
        update.set(**current_fields(task, saved, kept))
    if mark:
        update.set(position=text(mark.position), reader=binary(mark.reader))
    return update.request()


def stays(save: Save, expected: Stored | None) -> bool:
    """Whether the state that is written is kept: also when it was, and only its bookmark moves."""
    return save.kept or (expected is not None and expected.kept and expected.version == save.task.timestamp)


def current_fields(task: Task, saved: Value, kept: bool) -> dict[str, Value | None]:
    """The attributes of a current item besides its key and its bookmark; ``None``: it has none of that name."""
    return {
        "version": number(task.timestamp),
        "status": text(task.status),
        "project_id": text(task.project_id),
        "task_type": text(task.task_type),
        "created_at": text(task.created_at),
        "updated_at": saved,
        "completed_ms": number(keys_of(task).completed_ms),
        "record": text(encoded(task)),
        "kept": flag(kept),
        "ttl": None if task.ttl is None else number(task.ttl),
    }


def _expect(update: _Update, expected: Stored) -> None:
    """What the writer had read, and what the counts and the history depend on besides."""
    update.only_if("kept", flag(expected.kept))
    update.only_if("version", number(expected.version))
    update.only_if("position", None if expected.position is None else text(expected.position))
    update.only_if("status", text(expected.keys.status))
    update.only_if("project_id", text(expected.keys.project_id))
    update.only_if("completed_ms", number(expected.keys.completed_ms))


def count_deltas(before: Keys | None, after: Keys) -> dict[str, dict[str, int]]:
    """What a task's change adds to the counts of its projects; the last of them is the one it is in now."""
    deltas: dict[str, dict[str, int]] = {}
    for keys, sign in ((before, -1), (after, 1)):
        if keys is not None:
            counts = deltas.setdefault(keys.project_id, {})
            counts[keys.status] = counts.get(keys.status, 0) + sign
            counts["completed_ms"] = counts.get("completed_ms", 0) + sign * keys.completed_ms
    return {project: left for project, counts in deltas.items() if (left := _nonzero(counts))}


def _nonzero(counts: Mapping[str, int]) -> dict[str, int]:
    return {name: counts[name] for name in COUNTS if counts.get(name)}


def count_update(table: str, project_id: str, counts: Mapping[str, int], *, there: bool) -> Json:
    """Add to the counts of a project; with ``there`` only when it is there."""
    update = _Update(table, {"project_id": text(project_id)})
    if there:
        update.only_if_there("record")
    for name, amount in counts.items():
        update.add(name, amount)
    return update.request()


def project_made(table: str, task: Task, counts: Mapping[str, int]) -> Json:
    """The same for a project that may not be there: then it is made, named by its id."""
    update = _Update(table, {"project_id": text(task.project_id)})
    for name, amount in counts.items():
        update.add(name, amount)
    project = Project(
        project_id=task.project_id,
        project_name=task.project_id,
        status="active",
        created_at=task.updated_at,
        updated_at=task.updated_at,
    )
    update.set_if_missing("record", text(encoded(project)))
    return update.request()


def project_update(table: str, project: Project, *, there: bool) -> Json:
    """Write a project's record where there is one (or, with ``there`` false, none) of its id."""
    update = _Update(table, {"project_id": text(project.project_id)})
    if there:
        update.only_if_there("record")
    else:
        update.only_if("record", None)
    update.set(record=text(encoded(project)))
    return update.request()


def project_listed(table: str, project_id: str) -> Json:
    """Put a project into the list of projects."""
    item = {**current_key(f"project:{project_id}"), "status": text(PROJECTS), "updated_at": text(project_id)}
    return {"TableName": table, "Item": item}


def memo_is(was: str, now: int) -> Json:
    """The condition of a write that a memo is ``was``; empty: none, or one that has expired by ``now``."""
    condition = "#value = :was" if was else "attribute_not_exists(#value) OR #value = :was OR #ttl <= :now"
    names = {"#value": "value"} | ({} if was else {"#ttl": "ttl"})
    values = {":was": text(was)} | ({} if was else {":now": number(now)})
    return {
        "ConditionExpression": condition,
        "ExpressionAttributeNames": names,
        "ExpressionAttributeValues": values,
        "ReturnValuesOnConditionCheckFailure": "ALL_OLD",
    }
