"""Point-in-time recovery over ministack, which has its calls but keeps no past: that is copies made at each mark."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from aiodynamo.http.types import HttpImplementation, Request, Response


class Past:
    """The moments (s) of which there are copies, and the tables that were restored; one for all ways to a ministack."""

    def __init__(self) -> None:
        self.moments: list[int] = []
        self.restored: dict[str, dict[str, Any]] = {}
        """Name of the restored table → its RestoreSummary."""

    def copy_of(self, table: str, second: int) -> str:
        """The copy that holds ``table`` as it was then."""
        return f"{table}.{max(moment for moment in self.moments if moment <= second)}"


class Recovering:
    """Hands requests on; those of point-in-time recovery are answered as AWS does.

    ``looks``: so often is a restored table seen being made. ``forbidden``: an action that is not allowed.
    """

    def __init__(self, inner: HttpImplementation, past: Past, looks: int = 2) -> None:
        self.inner, self.past, self.looks = inner, past, looks
        self.forbidden = ""
        self.seen: list[str] = []

    async def __call__(self, request: Request) -> Response:
        action = (request.headers or {})["X-Amz-Target"].partition(".")[2]
        self.seen.append(action)
        asked: dict[str, Any] = json.loads(request.body or b"{}")
        if action == self.forbidden:
            message = f"User: arn:aws:iam::1:user/me is not authorized to perform: dynamodb:{action}"
            return _answer(400, {"__type": "com.amazon.coral.service#AccessDeniedException", "Message": message})
        if action == "RestoreTableToPointInTime":
            return await self._restore(request, asked)
        response = await self.inner(request)
        if action == "DescribeContinuousBackups" and response.status == 200:
            return self._window(json.loads(response.body))
        if action == "DescribeTable" and response.status == 200:
            return self._summarised(json.loads(response.body), str(asked["TableName"]))
        return response

    async def _restore(self, request: Request, asked: Mapping[str, Any]) -> Response:
        source, second = asked["SourceTableName"], asked["RestoreDateTime"]
        copy = {"SourceTableName": self.past.copy_of(source, second), "TargetTableName": asked["TargetTableName"]}
        response = await self.inner(Request(request.method, request.url, request.headers, json.dumps(copy).encode()))
        if response.status == 200:
            arn = f"arn:aws:dynamodb:eu-west-1:000000000000:table/{source}"
            summary = {"SourceTableArn": arn, "RestoreDateTime": float(second), "RestoreInProgress": True}
            self.past.restored[asked["TargetTableName"]] = summary | {"looks": self.looks}
        return response

    def _window(self, answer: dict[str, Any]) -> Response:
        found = answer["ContinuousBackupsDescription"]["PointInTimeRecoveryDescription"]
        if "EarliestRestorableDateTime" in found:
            found["EarliestRestorableDateTime"] = min(self.past.moments) - 0.5
            found["LatestRestorableDateTime"] = max(self.past.moments) + 0.5
        return _answer(200, answer)

    def _summarised(self, answer: dict[str, Any], name: str) -> Response:
        summary = self.past.restored.get(name)
        if summary:
            summary["RestoreInProgress"] = summary["looks"] > 0
            if summary["looks"]:
                answer["Table"]["TableStatus"] = "CREATING"
                summary["looks"] -= 1
            answer["Table"]["RestoreSummary"] = {key: summary[key] for key in summary if key != "looks"}
        return _answer(200, answer)


def _answer(status: int, body: Mapping[str, Any]) -> Response:
    return Response(status, json.dumps(body).encode())
