"""A running board, as the command line asks it."""

from __future__ import annotations

import http.client
import ssl
from collections.abc import Iterator
from typing import TypeVar
from urllib.error import HTTPError, URLError
from urllib.parse import quote, urlencode
from urllib.request import Request, urlopen

import click
import msgspec

from miyabi.http import ProblemDetails
from miyabi.model import Task
from miyabi.settings import Settings, SettingsError, from_environment
from miyabi.tasks.shapes import Reread, TaskList
from miyabi.wiring.addresses import board_address
from miyabi.wiring.board import read_board
from miyabi.wiring.trust import trusting

T = TypeVar("T")
TIMEOUT_SECONDS = 60.0
PAGE = 200


class BoardClient:
    """Asks the board at ``url``. What fails is a ``click.ClickException`` that says what to do."""

    def __init__(self, url: str, token: str | None = None, trust: ssl.SSLContext | None = None) -> None:
        self._url = url.rstrip("/")
        self._trust = trust
        self._headers = {"Authorization": f"Bearer {token}"} if token else {}

    def tasks(self) -> Iterator[Task]:
        """Every task, newest first."""
        cursor: str | None = ""
        while cursor is not None:
            query = urlencode({"limit": PAGE} | ({"cursor": cursor} if cursor else {}))
            page = self._ask("GET", f"/api/tasks?{query}", TaskList)
            yield from page.tasks
            cursor = page.next_cursor

    def reread(self, task_id: str) -> Reread:
        """Have a task's lines read again."""
        return self._ask("POST", f"/api/tasks/{quote(task_id, safe='')}/reread", Reread)

    def _ask(self, method: str, path: str, kind: type[T]) -> T:
        request = Request(self._url + path, method=method, headers=self._headers)  # noqa: S310
        try:
            with urlopen(request, timeout=TIMEOUT_SECONDS, context=self._trust) as answer:  # noqa: S310
                return msgspec.json.decode(answer.read(), type=kind)
        except HTTPError as error:
            raise click.ClickException(_detail(error.read()) or f"{self._url} answers {error.code}.") from None
        except (URLError, OSError, http.client.HTTPException) as error:
            why = getattr(error, "reason", error)
            raise click.ClickException(f"The board at {self._url} can't be reached: {why}.") from None
        except msgspec.MsgspecError:
            raise click.ClickException(f"What answers at {self._url} is no board.") from None


def open_board(url: str | None) -> BoardClient:
    """The board at ``url``, else the one of the settings, else the one that runs on the data folder."""
    try:
        settings = from_environment()
        trust = trusting(settings)
    except SettingsError as error:
        raise click.UsageError(str(error)) from None
    found = url or settings.url or read_board(settings.data)
    if found is None:
        raise click.ClickException(_nowhere(settings))
    try:
        address = board_address(found).geturl()
    except SettingsError as error:
        raise click.ClickException(f"{error}.") from None
    return BoardClient(address, settings.token, trust)


def _nowhere(settings: Settings) -> str:
    return f"No board runs on {settings.data}. Start one with `miyabi up`, or name one: --url http://127.0.0.1:8420."


def _detail(body: bytes) -> str:
    try:
        problem = msgspec.json.decode(body, type=ProblemDetails)
    except msgspec.MsgspecError:
        return ""
    return problem.detail or problem.title
