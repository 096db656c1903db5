"""The gateway's rate limit: who pays for a request, and what the answer says."""

from __future__ import annotations

import asyncio
import time

import pytest
from starlette.responses import PlainTextResponse
from tests.support.asgi import Answer, call
from tests.support.clock import Clock
from tests.support.limit import a_limit

from miyabi.gateway.app import Gateway
from miyabi.gateway.auth import Auth
from miyabi.gateway.client import networks
from miyabi.gateway.guard import Guard
from miyabi.gateway.mint import make_token
from miyabi.principal import Principal, Role
from miyabi.settings import from_environment
from miyabi.wiring.auth import make_verifier, own_tokens, secret_keys

SETTINGS = from_environment({"MIYABI_AUTH_SECRET": "a-secret-of-this-test-that-is-long-enough"})
RATE, BURST, SHARE = 10, 500, 10
RESERVED = 10


class Door:
    """A gateway of 10 requests a second, burst 500, a tenth of the rate for each; ``signs_in``: it asks for tokens."""

    def __init__(self, *, signs_in: bool = True, rate: float = RATE) -> None:
        self.clock = Clock()
        limit = a_limit(rate, BURST, self.clock, proxies=networks("127.0.0.1"))
        auth = Auth(make_verifier(SETTINGS)) if signs_in else None
        self._app = Gateway(PlainTextResponse("tasks"), PlainTextResponse("page"), Guard("127.0.0.1"), limit, auth)

    def ask(self, token: str = "", path: str = "/api/tasks", method: str = "GET", at: str = "192.0.2.1") -> Answer:
        headers = {"x-forwarded-for": at, **({"authorization": f"Bearer {token}"} if token else {})}
        return asyncio.run(call(self._app, method, path, headers=headers))

    def statuses(self, count: int, token: str = "", **given: str) -> list[int]:
        return [self.ask(token, **given).status for _ in range(count)]


def a_token(subject: str, role: Role = "viewer") -> str:
    """Good for a day: the whole run of the tests uses the ones below."""
    principal = Principal(subject, role, None, ())
    return make_token(secret_keys(SETTINGS)[0], principal, own_tokens(SETTINGS), int(time.time()), 86_400)


ANN, BOB = a_token("ann"), a_token("bob")
FORGED = ANN[:-6] + "AAAAAA"


def test_past_the_limit_the_answer_says_what_to_do_and_when_and_then_it_passes() -> None:
    door = Door()
    assert door.statuses(BURST - RESERVED, ANN) == [200] * (BURST - RESERVED)
    refused = door.ask(ANN)
    assert (refused.status, refused.headers["retry-after"]) == (429, "1")
    assert refused.headers["ratelimit"] == '"board";r=0;t=1'
    assert refused.json()["type"] == "urn:miyabi:problem:rate-limited"
    assert "Wait 1 s, then send the same again" in refused.json()["detail"]
    door.clock.forward(1000)
    assert door.ask(ANN).status == 200


def test_every_answer_within_the_limit_says_how_much_is_left() -> None:
    first = Door().ask(ANN)
    assert first.headers["ratelimit-policy"] == '"board";q=500;w=50'
    assert first.headers["ratelimit"] == '"board";r=489;t=49'


@pytest.mark.parametrize("path", ["/health", "/"])
def test_health_and_the_page_are_answered_whatever_the_limit_and_take_nothing(path: str) -> None:
    door = Door()
    assert set(door.statuses(2 * BURST, path=path)) == {200}
    assert door.ask(ANN).headers["ratelimit"] == '"board";r=489;t=49'
    door.statuses(BURST, ANN)
    answer = door.ask(path=path)
    assert (answer.status, "ratelimit" in answer.headers) == (200, False)


def test_who_asks_for_too_much_takes_nothing_from_others_share() -> None:
    door = Door()
    door.statuses(2 * BURST, ANN)
    assert door.statuses(2, BOB) == [200, 200]


def test_one_subject_is_one_client_wherever_it_asks_from() -> None:
    door = Door()
    spent = [door.ask(ANN, at=f"192.0.2.{number % 250}").status for number in range(BURST)]
    assert spent.count(200) == BURST - RESERVED


def test_a_refused_token_costs_its_address_own_share_and_nobody_else() -> None:
    door = Door()
    assert door.statuses(SHARE + 5, FORGED) == [401] * SHARE + [429] * 5
    refused = door.ask(FORGED)
    assert refused.headers["ratelimit-policy"] == '"address";q=10;w=10'
    assert "good token" in refused.json()["detail"]
    assert door.ask(FORGED, at="192.0.2.2").status == 401
    assert door.ask(ANN).headers["ratelimit"] == '"board";r=489;t=49'


def test_no_flood_of_forged_tokens_keeps_out_who_has_a_good_one_even_at_the_same_address() -> None:
    door = Door()
    for number in range(20):
        door.statuses(2 * SHARE, FORGED, at=f"192.0.2.{number % 5}")
    assert door.statuses(BURST - RESERVED, ANN) == [200] * (BURST - RESERVED)


def test_a_request_without_a_token_costs_its_address_share_too() -> None:
    assert Door().statuses(SHARE + 1) == [401] * SHARE + [429]


def test_what_a_role_may_not_do_costs_the_subject() -> None:
    door = Door()
    first = door.ask(ANN, method="POST")
    assert (first.status, first.headers["ratelimit"]) == (403, '"board";r=489;t=49')
    assert set(door.statuses(BURST, ANN, method="DELETE")) == {403, 429}


def test_how_to_sign_in_is_told_without_a_token_and_costs_the_address() -> None:
    door = Door()
    assert set(door.statuses(BURST - RESERVED, path="/api/sign-in")) == {200}
    assert door.ask(path="/api/sign-in").status == 429
    assert door.ask(path="/api/sign-in", at="192.0.2.2").status == 200


def test_a_preflight_costs_the_address() -> None:
    door = Door(signs_in=False)
    assert door.statuses(BURST, method="OPTIONS").count(200) == BURST - RESERVED
    assert Door().statuses(SHARE + 1, method="OPTIONS") == [401] * SHARE + [429]
    door = Door()
    door.statuses(SHARE, method="OPTIONS")
    assert door.ask(ANN, method="OPTIONS").headers["ratelimit"] == '"board";r=489;t=49'
    assert door.ask(FORGED).status == 429, "the share of the address, not of ann"


def test_without_sign_in_each_address_is_a_client() -> None:
    door = Door(signs_in=False)
    assert door.statuses(BURST).count(200) == BURST - RESERVED
    assert door.statuses(2, at="2001:db8::1") == [200, 200]


def test_without_a_limit_no_header_speaks_of_one() -> None:
    door = Door(rate=0)
    assert "ratelimit" not in door.ask(ANN).headers
    assert door.statuses(2 * BURST, FORGED) == [401] * 2 * BURST
