"""Webhooks of our own, at a real receiver on this machine."""

from __future__ import annotations

import asyncio
import base64
from collections.abc import Mapping

import pytest
from standardwebhooks import WebhookVerificationError
from tests.support.receiver import SECRET, Receiver
from tests.support.tasks import START, a_task

from miyabi.model import Details, Progress
from miyabi.notices import Notice, NotTold
from miyabi.notices.news import news_of
from miyabi.notices.signing import read_secrets
from miyabi.notices.webhook import Webhook, wait_seconds
from miyabi.wiring.stores import now

BOARD = "https://board.example.org/"
FAILED = a_task(
    "deploy-1",
    status="failed",
    progress=Progress.of(15, 29),
    details=Details(error_message="no such bucket", command="deploy --token=abc"),
    metadata={"user_id": "someone"},
)
NOTICE = Notice("msg_1", [news_of(FAILED, START)])
OTHER = "whsec_" + base64.b64encode(b"o" * 32).decode()


def webhook(receiver: Receiver, secrets: str = SECRET, url: str | None = None) -> Webhook:
    return Webhook(url or receiver.webhook, read_secrets(secrets), BOARD, now)


def told(target: Webhook, notice: Notice = NOTICE) -> str:
    return asyncio.run(target.tell(notice))


def answers(receiver: Receiver, status: int, **headers: str) -> None:
    named: Mapping[str, str] = {name.replace("_", "-"): value for name, value in headers.items()}
    receiver.answer = lambda number: (status, named)


def test_what_is_sent_can_be_verified_by_the_standards_own_library(receiver: Receiver) -> None:
    assert told(webhook(receiver)) == "200 OK"
    (received,) = receiver.received
    body = received.verified()
    assert (received.path, received.id, received.headers["content-type"]) == ("/hook", "msg_1", "application/json")
    assert (body["type"], body["timestamp"]) == ("task.failed", "2026-11-18T11:06:40.000Z")
    assert body["data"]["url"] == "https://board.example.org/tasks/deploy-1"
    assert body["data"]["task"]["progress"] == {"current": 15, "total": 29, "percentage": 51.7}
    assert body["data"]["task"]["details"]["error_message"] == "no such bucket"
    assert body["data"]["title"] == "✗ deploy-1 failed"
    assert b"abc" not in received.body
    assert b"someone" not in received.body


def test_another_secret_does_not_verify_it(receiver: Receiver) -> None:
    told(webhook(receiver))
    with pytest.raises(WebhookVerificationError):
        receiver.received[0].verified(OTHER)


def test_while_a_secret_takes_anothers_place_each_of_them_verifies(receiver: Receiver) -> None:
    told(webhook(receiver, f"{OTHER} {SECRET.removeprefix('whsec_')}"))
    assert receiver.received[0].verified(SECRET) == receiver.received[0].verified(OTHER)


def test_several_news_are_one_digest(receiver: Receiver) -> None:
    two = Notice("msg_2", [news_of(FAILED, START), news_of(a_task("b", status="completed"), START + 1)], more=3)
    told(webhook(receiver), two)
    body = receiver.received[0].verified()
    assert body["type"] == "digest"
    assert [notice["type"] for notice in body["data"]["notices"]] == ["task.failed", "task.completed"]
    assert body["data"]["more"] == 3


@pytest.mark.parametrize(
    ("status", "again"),
    [
        (408, True),
        (425, True),
        (429, True),
        (500, True),
        (503, True),
        (400, False),
        (401, False),
        (404, False),
        (410, False),
        (422, False),
        (301, False),
        (307, False),
    ],
)
def test_what_may_pass_is_tried_again_and_what_is_meant_is_not(receiver: Receiver, status: int, again: bool) -> None:
    answers(receiver, status, Location=f"http://{receiver.host}/elsewhere")
    with pytest.raises(NotTold, match=str(status)) as error:
        told(webhook(receiver))
    assert error.value.again is again
    assert len(receiver.received) == 1, "no redirection is followed"


def test_the_time_that_a_receiver_asks_for_is_kept(receiver: Receiver) -> None:
    answers(receiver, 429, Retry_After="120")
    with pytest.raises(NotTold) as error:
        told(webhook(receiver))
    assert error.value.after == 120


@pytest.mark.parametrize(
    ("header", "seconds"),
    [
        ("7", 7.0),
        ("Wed, 18 Nov 2026 11:07:40 GMT", 60.0),
        ("Wed, 18 Nov 2026 10:00:00 GMT", 0.0),
        ("soon", 0.0),
        ("", 0.0),
        ("-5", 0.0),
        ("9" * 4000, 0.0),
        ("Wed, 99 Nov 2026 10:41:00 GMT", 0.0),
    ],
)
def test_it_may_be_seconds_or_a_date(header: str, seconds: float) -> None:
    assert wait_seconds(header, START) == seconds


def test_a_receiver_that_is_not_there_is_tried_again(receiver: Receiver) -> None:
    target = webhook(receiver)
    receiver.close()
    with pytest.raises(NotTold, match="can't be reached: Connection refused") as error:
        told(target)
    assert error.value.again


@pytest.mark.parametrize(
    "url",
    [
        "webhook+http://127.0.0.1/x",
        "webhook+http://10.1.2.3:80/x",
        "webhook+http://[::1]:8080/x",
        "webhook+http://hub/x",
        "webhook+http://hub.internal/x",
        "webhook+http://localhost/x",
        "webhook+https://example.org/x",
    ],
)
def test_without_tls_only_near_receivers_are_told(receiver: Receiver, url: str) -> None:
    assert webhook(receiver, url=url).name.endswith("/…")


@pytest.mark.parametrize(
    ("url", "hint"),
    [
        ("webhook+http://example.org/x", "without TLS"),
        ("webhook+http://8.8.8.8/x", "without TLS"),
        ("webhook+https://user:secret@example.org/x", "no user stands in it"),
        ("webhook+https:///x", "write it as"),
        ("webhook+https://example.org/x#part", "write it as"),
        ("webhook+https://example.org:port/x", "can't be read"),
    ],
)
def test_an_address_that_can_not_be_used_is_refused_without_its_secrets(
    receiver: Receiver, url: str, hint: str
) -> None:
    with pytest.raises(ValueError, match=hint) as error:
        webhook(receiver, url=url)
    assert "secret" not in str(error.value)
    assert "webhook+https://host/path" in str(error.value)


@pytest.mark.parametrize(
    ("secret", "hint"), [("whsec_no", "is no Base64|has 1 bytes"), ("not base64!", "is no Base64")]
)
def test_a_bad_secret_is_refused_with_a_way_to_make_a_good_one(secret: str, hint: str) -> None:
    with pytest.raises(ValueError, match=f"({hint}).*Make one: python3 -c"):
        read_secrets(secret)
