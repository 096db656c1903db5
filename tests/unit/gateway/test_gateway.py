"""The gateway: what it lets through, and what it adds to every answer."""

from __future__ import annotations

import asyncio

import pytest
from starlette.responses import PlainTextResponse
from starlette.types import Receive, Scope, Send
from tests.support.asgi import Answer, call
from tests.support.clock import Clock
from tests.support.limit import a_limit

from miyabi.gateway.app import Gateway
from miyabi.gateway.auth import Auth
from miyabi.gateway.guard import Guard
from miyabi.gateway.slo.ledger import Ledger
from miyabi.gateway.told import Told
from miyabi.http import Problem
from miyabi.settings import from_environment
from miyabi.wiring.auth import make_verifier


def gateway(rate: float = 0, burst: int = 1, host: str = "127.0.0.1", clock: Clock | None = None) -> Gateway:
    limit = a_limit(rate, burst, clock)
    return Gateway(PlainTextResponse("tasks"), PlainTextResponse("page"), Guard(host), limit)


def ask(app: Gateway, method: str, target: str, **headers: str) -> Answer:
    return asyncio.run(call(app, method, target, headers={k.replace("_", "-"): v for k, v in headers.items()}))


@pytest.mark.parametrize("path", ["/api/tasks", "/api/anything", "/health", "/metrics"])
def test_the_api_goes_to_the_task_api(path: str) -> None:
    assert ask(gateway(), "GET", path).body == b"tasks"


@pytest.mark.parametrize("path", ["/", "/tasks/x", "/assets/a.js", "/apix"])
def test_everything_else_is_the_page(path: str) -> None:
    assert ask(gateway(), "GET", path).body == b"page"


def test_past_the_limit_the_answer_is_429_and_says_when_to_come_back() -> None:
    clock = Clock()
    app = gateway(rate=1, burst=2, clock=clock)
    assert [ask(app, "GET", "/api/tasks").status for _ in range(3)] == [200, 200, 429]
    refused = ask(app, "GET", "/api/tasks")
    assert refused.headers["Retry-After".lower()] == "1"
    assert refused.json()["type"] == "urn:miyabi:problem:rate-limited"
    clock.forward(1000)
    assert ask(app, "GET", "/api/tasks").status == 200


def test_the_page_is_not_limited() -> None:
    app = gateway(rate=1, burst=1)
    assert {ask(app, "GET", "/").status for _ in range(5)} == {200}


@pytest.mark.parametrize("host", ["evil.example", "127.0.0.1.evil.example", "localhost.evil:8420", "", "[bad"])
def test_another_name_that_points_here_is_refused(host: str) -> None:
    answer = ask(gateway(), "GET", "/api/tasks", host=host)
    assert answer.status == 403
    assert answer.json()["type"] == "urn:miyabi:problem:forbidden-host"


@pytest.mark.parametrize("host", ["localhost:8420", "127.0.0.1:8420", "127.0.0.1", "[::1]:8420"])
def test_this_machines_own_names_are_served(host: str) -> None:
    assert ask(gateway(), "GET", "/api/tasks", host=host).status == 200


def test_a_board_that_listens_elsewhere_answers_to_any_name() -> None:
    assert ask(gateway(host="0.0.0.0"), "GET", "/", host="board.example").status == 200


def test_another_sites_page_can_change_nothing() -> None:
    app = gateway()
    assert ask(app, "POST", "/api/tasks", origin="http://evil.example").status == 403
    assert ask(app, "POST", "/api/tasks", origin="null").status == 403
    assert ask(app, "POST", "/api/tasks", origin="http://[").status == 403
    assert ask(app, "POST", "/api/tasks", origin="http://127.0.0.1:8420").status == 200
    assert ask(app, "POST", "/api/tasks").status == 200


def test_every_answer_has_a_request_id_and_the_apis_are_never_taken_for_another_type() -> None:
    app = gateway()
    first, second = ask(app, "GET", "/api/tasks"), ask(app, "GET", "/")
    assert first.headers["x-request-id"] != second.headers["x-request-id"]
    assert first.headers["x-content-type-options"] == "nosniff"


def test_a_refusal_is_as_careful_as_an_answer() -> None:
    refused = ask(gateway(), "GET", "/api/tasks", host="evil.example")
    assert {"x-request-id", "x-content-type-options"} <= refused.headers.keys()


def test_what_a_page_needs_is_left_to_the_page() -> None:
    page = PlainTextResponse("page", headers={"content-security-policy": "default-src 'self'"})
    app = Gateway(page, page, Guard("127.0.0.1"), a_limit())
    assert ask(app, "GET", "/").headers["content-security-policy"] == "default-src 'self'"


def test_a_request_id_that_is_given_is_kept() -> None:
    assert ask(gateway(), "GET", "/", x_request_id="mine").headers["x-request-id"] == "mine"


def test_every_answer_is_counted_to_whom_it_was_the_fault_of() -> None:
    ledger = Ledger(lambda: 1_790_000_000.0)

    async def refuses(scope: Scope, receive: Receive, send: Send) -> None:
        raise Problem("unavailable", "The database does not answer.")

    door = Gateway(refuses, PlainTextResponse("page"), Guard("127.0.0.1"), a_limit(), ledger=ledger)
    asyncio.run(call(door, "GET", "/api/tasks"))
    asyncio.run(call(door, "GET", "/"))
    asyncio.run(call(door, "GET", "/api/tasks", headers={"host": "evil.example.org"}))
    counted = {name: ledger.counts(name, 3600) for name in ("gateway", "tasks", "webui")}
    assert {name: (one.calls, one.failed) for name, one in counted.items()} == {
        "gateway": (3, 0),
        "tasks": (1, 1),
        "webui": (1, 0),
    }


@pytest.mark.parametrize(("whole", "slow"), [(1.0, 0), (0.0, 1)])
def test_a_client_that_sends_slowly_is_no_fault_of_a_service(
    whole: float, slow: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The answer begins after a second, in which the body came (``whole`` at its end), or was read long before."""
    ledger, seconds = Ledger(lambda: 1_790_000_000.0), iter((0.0, 0.0, whole, 1.0))
    monkeypatch.setattr("miyabi.gateway.app.time.perf_counter", lambda: next(seconds))

    async def reads(scope: Scope, receive: Receive, send: Send) -> None:
        while (await receive()).get("more_body"):
            pass
        await PlainTextResponse("done")(scope, receive, send)

    door = Gateway(reads, reads, Guard("127.0.0.1"), a_limit(), ledger=ledger)
    asyncio.run(call(door, "POST", "/api/tasks", b"{}"))
    assert ledger.counts("tasks", 3600).slow == slow


def test_what_nobody_foresaw_is_logged_counted_and_answered_as_carefully_as_all_else(
    caplog: pytest.LogCaptureFixture,
) -> None:
    ledger = Ledger(lambda: 1_790_000_000.0)

    async def breaks(scope: Scope, receive: Receive, send: Send) -> None:
        raise ValueError("a fault of ours")

    door = Gateway(breaks, breaks, Guard("127.0.0.1"), a_limit(), ledger=ledger)
    answer = asyncio.run(call(door, "GET", "/api/tasks"))
    assert (answer.status, answer.json()["type"]) == (500, "urn:miyabi:problem:internal")
    assert "fault of ours" not in answer.body.decode()
    assert {"x-request-id", "x-content-type-options"} <= answer.headers.keys()
    assert ledger.counts("tasks", 3600).failed == 1
    assert "a request failed" in caplog.text


def test_an_answer_that_breaks_in_the_middle_is_not_answered_again() -> None:
    async def breaks(scope: Scope, receive: Receive, send: Send) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": []})
        raise ValueError("a fault of ours")

    door = Gateway(breaks, breaks, Guard("127.0.0.1"), a_limit())
    with pytest.raises(ValueError, match="ours"):
        asyncio.run(call(door, "GET", "/api/tasks"))


@pytest.mark.parametrize("path", ["/metrics", "/api/slo"])
def test_what_the_gateway_answers_itself_needs_a_token_too(path: str) -> None:
    own = {path: Told(lambda: (b"figures", "text/plain"), whole=True)}
    auth = Auth(make_verifier(from_environment({"MIYABI_AUTH_SECRET": "a-secret-of-this-test-that-is-long-enough"})))
    door = Gateway(PlainTextResponse("tasks"), PlainTextResponse("page"), Guard("127.0.0.1"), a_limit(), auth, own=own)
    assert asyncio.run(call(door, "GET", path)).status == 401
    open_door = Gateway(PlainTextResponse("tasks"), PlainTextResponse("page"), Guard("127.0.0.1"), a_limit(), own=own)
    assert asyncio.run(call(open_door, "GET", path)).body == b"figures"
    assert asyncio.run(call(open_door, "POST", path)).status == 405
    length = asyncio.run(call(open_door, "HEAD", path)).headers["content-length"]
    assert length == str(len(b"figures")), "as of a GET; the server sends no body"
