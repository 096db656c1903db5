"""Targets through apprise: its own JSON to a receiver on this machine, and mail to a mail server."""

from __future__ import annotations

import asyncio
import io
import logging
import socket
from collections.abc import Iterator
from email import message_from_bytes, policy
from email.message import EmailMessage
from typing import Any

import pytest
from aiosmtpd.controller import Controller
from tests.support.receiver import Receiver
from tests.support.tasks import START, a_task

from miyabi.model import Details
from miyabi.notices import Notice, NotTold
from miyabi.notices.news import news_of
from miyabi.notices.through_apprise import AppriseTarget, without_address

FAILED = a_task("a", status="failed", task_name="デプロイ", details=Details(error_message="@everyone <b>bold</b>"))
NOTICE = Notice("msg_1", [news_of(FAILED, START)], "ja")


class Mailbox:
    """Keeps what a mail server is handed."""

    def __init__(self) -> None:
        self.mails: list[EmailMessage] = []

    async def handle_DATA(self, server: Any, session: Any, envelope: Any) -> str:  # noqa: N802 - aiosmtpd's name
        mail = message_from_bytes(envelope.content, policy=policy.default)
        assert isinstance(mail, EmailMessage)
        self.mails.append(mail)
        return "250 OK"


@pytest.fixture
def our_log() -> Iterator[io.StringIO]:
    """What a service of ours would have in its log."""
    written = io.StringIO()
    handler = logging.StreamHandler(written)
    logging.getLogger().addHandler(handler)
    yield written
    logging.getLogger().removeHandler(handler)


@pytest.fixture
def mail() -> Iterator[tuple[Mailbox, Controller]]:
    box = Mailbox()
    with socket.create_server(("127.0.0.1", 0)) as free:
        server = Controller(box, hostname="127.0.0.1", port=free.getsockname()[1])
    server.start()
    yield box, server
    server.stop()


def test_a_notice_reaches_a_service_with_its_title_text_and_kind(receiver: Receiver) -> None:
    target = AppriseTarget(f"json://{receiver.host}/", "https://board.example.org")
    assert asyncio.run(target.tell(NOTICE)) == "taken"
    body = receiver.received[0].json
    assert (body["title"], body["type"]) == ("✗ デプロイ が失敗しました", "failure")
    assert "https://board.example.org/tasks/a" in body["message"]
    assert "<b>bold</b>" in body["message"], "it is plain text"
    assert "@everyone" not in body["message"], "nobody is called by what a job prints"


def test_a_notice_reaches_a_mailbox(mail: tuple[Mailbox, Controller]) -> None:
    box, server = mail
    url = f"mailto://127.0.0.1:{server.port}/?from=board@example.org&to=someone@example.org&mode=insecure"
    asyncio.run(AppriseTarget(url, None).tell(NOTICE))
    (received,) = box.mails
    assert received["Subject"] == "✗ デプロイ が失敗しました"
    assert received["To"] == "someone@example.org"
    text = received.get_body(("plain", "html"))
    assert text is not None
    assert "house · build" in text.get_content()


def test_a_service_that_does_not_take_it_is_tried_again_and_its_address_is_not_told(
    receiver: Receiver, our_log: io.StringIO
) -> None:
    receiver.answer = lambda number: (500, {})
    target = AppriseTarget(f"json://user:password@{receiver.host}/secret-path", None)
    with pytest.raises(NotTold, match="500") as error:
        asyncio.run(target.tell(NOTICE))
    assert error.value.again
    said = f"{error.value} {target.name} {our_log.getvalue()}"
    assert "password" not in said
    assert "secret" not in said


@pytest.mark.parametrize(
    ("url", "hint"),
    [
        ("slack://tooshort", "apprise can't read it as `slack://`"),
        ("nosuch://x/secret", "apprise can't read it as `nosuch://`"),
        ("https://example.org/secret", "write `webhook\\+https://host/path`"),
        ("secret", "write an address like `ntfy://topic`"),
    ],
)
def test_what_apprise_can_not_read_is_refused_and_not_shown(url: str, hint: str, our_log: io.StringIO) -> None:
    with pytest.raises(ValueError, match=hint) as error:
        AppriseTarget(url, None)
    assert "secret" not in f"{error.value}{our_log.getvalue()}"


def test_parts_of_an_address_are_masked_but_for_its_host() -> None:
    url = "slack://T1JJ3T3L2/A1BRTD4JD/TIiajkdnlaz%20kcOX@hooks.example.org"
    assert without_address("POST https://hooks.example.org/T1JJ3T3L2/TIiajkdnlaz kcOX: 404", url) == (
        "POST https://hooks.example.org/…/…: 404"
    )
