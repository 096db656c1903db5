"""A task's history: its kept versions, and its current state where that is not one of them."""

from __future__ import annotations

from collections.abc import Sequence

from miyabi.database import TaskPage
from miyabi.database.dynamodb_calls import Calls, Json
from miyabi.database.dynamodb_items import Item, Tables, current_key, task_of, text
from miyabi.model import LATEST, Task

_DIGITS = 18


class Histories:
    """Reads histories: one range of the table, in which a task's items lie by their time."""

    def __init__(self, calls: Calls, tables: Tables) -> None:
        self._calls, self._table = calls, tables.tasks

    async def page(self, task_id: str, cursor: str | None, limit: int) -> TaskPage:
        """One page, newest first."""
        before = LATEST + 1 if cursor is None else _before(cursor)
        current = await self._current(task_id)
        tasks: list[Task] = []
        if current and current.timestamp < before:
            tasks, before = [current], current.timestamp  # what follows it meanwhile is in no page before the next
        tasks += map(task_of, await self.versions(task_id, before, limit + 1 - len(tasks)))
        more = len(tasks) > limit
        return TaskPage(tasks[:limit], str(tasks[limit - 1].timestamp) if more else None)

    async def _current(self, task_id: str) -> Task | None:
        request = {"TableName": self._table, "Key": current_key(task_id), "ConsistentRead": True}
        item = (await self._calls.call("GetItem", request)).get("Item")
        return task_of(item) if item else None

    async def versions(self, task_id: str, before: int, limit: int) -> Sequence[Item]:
        """The newest ``limit`` kept versions (without the current state) from before that time (ms), newest first."""
        request = {**kept_before(self._table, task_id, before), "ScanIndexForward": False}
        found: list[Item] = []
        while len(found) < limit:
            answer = await self._calls.call("Query", {**request, "Limit": limit - len(found)})
            found += answer["Items"]
            if not (start := answer.get("LastEvaluatedKey")):
                break
            request["ExclusiveStartKey"] = start
        return found


def kept_before(table: str, task_id: str, before: int) -> Json:
    """The query of a task's kept versions that are older than ``before`` (ms)."""
    return {
        "TableName": table,
        "KeyConditionExpression": "task_id = :id AND #t BETWEEN :first AND :last",
        "ExpressionAttributeNames": {"#t": "timestamp"},
        "ExpressionAttributeValues": {
            ":id": text(task_id),
            ":first": {"N": "0.5"},
            ":last": {"N": str(max(before - 0.5, 0.5))},
        },
        "ConsistentRead": True,
    }


def _before(cursor: str) -> int:
    if not (cursor.isascii() and cursor.isdigit() and len(cursor) <= _DIGITS):
        raise ValueError(f"`{cursor[:80]}` is no cursor of this database; take one from an earlier answer, as it is")
    return int(cursor)
