"""A Lambda function's process: a fresh Python that imports the handler and is given events, one after another."""

from __future__ import annotations

import importlib
import json
import os
import subprocess
import sys
from collections.abc import Mapping
from types import SimpleNamespace
from typing import Any, NamedTuple

SECONDS = 60


class Invoked(NamedTuple):
    """What a function returned for each event (``{"raised": …}`` where it raised), and what it wrote."""

    results: list[Any]
    log: list[dict[str, Any]]
    modules: set[str]


def invoke(handler: str, events: list[Any], env: Mapping[str, str]) -> Invoked:
    """Run ``handler`` (``package.module.name``) over ``events`` in a process of its own."""
    command = [sys.executable, "-m", "tests.support.function", handler]
    given = json.dumps(events)
    done = subprocess.run(
        command, input=given, env={**os.environ, **env}, capture_output=True, text=True, timeout=SECONDS
    )
    assert done.returncode == 0, done.stderr
    told = json.loads(done.stdout.splitlines()[-1])
    lines = [*done.stderr.splitlines(), *done.stdout.splitlines()[:-1]]
    return Invoked(told["results"], [json.loads(line) for line in lines], set(told["modules"]))


def request(method: str, path: str, body: object = None, **headers: str) -> dict[str, Any]:
    """A request as API Gateway's proxy integration hands it to a function (REST API, payload format 1.0)."""
    path, _, query = path.partition("?")
    given = {"Host": "abc.execute-api.eu-west-1.amazonaws.com", "X-Forwarded-Proto": "https"}
    given |= {key.replace("_", "-"): value for key, value in headers.items()}
    if body is not None:
        given["Content-Type"] = "application/json"
    parameters = dict(pair.split("=", 1) for pair in query.split("&")) if query else None
    return {
        "resource": "/api/{proxy+}",
        "path": path,
        "httpMethod": method,
        "headers": given,
        "multiValueHeaders": {key: [value] for key, value in given.items()},
        "queryStringParameters": parameters,
        "multiValueQueryStringParameters": parameters and {key: [value] for key, value in parameters.items()},
        "pathParameters": {"proxy": path.removeprefix("/api/")},
        "stageVariables": None,
        "requestContext": {"requestId": "request-1", "stage": "live", "identity": {"sourceIp": "192.0.2.7"}},
        "body": None if body is None else json.dumps(body),
        "isBase64Encoded": False,
    }


def _main() -> None:
    module, _, name = sys.argv[1].rpartition(".")
    handler = getattr(importlib.import_module(module), name)
    results = []
    for number, event in enumerate(json.load(sys.stdin)):
        try:
            results.append(handler(event, SimpleNamespace(aws_request_id=f"invocation-{number}")))
        except Exception as error:
            results.append({"raised": f"{type(error).__name__}: {error}"})
    modules = sorted(name for name in sys.modules if "." not in name)
    print(json.dumps({"results": results, "modules": modules}), flush=True)


if __name__ == "__main__":
    _main()
