"""Pages of other sites, in a real Chromium, against a board on this machine: nothing is read, and nothing changed."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import NamedTuple

import pytest
from playwright.sync_api import Browser, Page, Response, expect
from tests.support.board import Board
from tests.support.browser import Window, chromium, enter
from tests.support.evil import LINES, NEW, READS, WRITES, attacked, evil_site
from tests.support.until import until

from miyabi.gateway.keys import secret_key
from miyabi.gateway.mint import make_token
from miyabi.principal import Principal
from miyabi.settings import from_environment
from miyabi.wiring.auth import own_tokens
from miyabi.wiring.stores import now

SECRET = "a-secret-of-the-deployment-that-nobody-may-read"
HOSTS = ("evil.example", "127.0.0.1", "board.localhost")
"""Another site by name; the board's own, of which only the port differs; a name that means this machine."""
ITS_OWN = "LocalNetworkAccessChecks,BlockInsecurePrivateNetworkRequests,PrivateNetworkAccessSendPreflights"
"""What this Chromium does itself against such pages, and other browsers don't: the board must not rely on it."""
ARRIVE = 10
"""Attacks at least that come as far as the board; a browser keeps the others to itself."""
PAGE = "<!doctype html><title>evil</title><link rel=icon href=data:,><body>"


class Scene(NamedTuple):
    """A board with one task, how its user shows who they are, and the port of a site that is not theirs."""

    board: Board
    headers: dict[str, str]
    evil: int

    def state(self) -> list[bytes]:
        """All that an attack may have changed; reading again is a version."""
        targets = ("/api/tasks?limit=200", "/api/projects", "/api/tasks/one/history")
        answers = [self.board.api.request("GET", target, **self.headers) for target in targets]
        assert {answer.status for answer in answers} == {200}
        return [answer.body for answer in answers]

    def changes(self) -> list[int]:
        """How the changes that a browser asked for were answered, which its own pages are not told."""
        asked = [json.loads(line) for line in self.board.errors().splitlines() if line.startswith("{")]
        asked = [each for each in asked if "Mozilla" in each.get("agent", "")]
        return [each["status"] for each in asked if each["method"] not in ("GET", "HEAD", "OPTIONS")]

    def made(self, body: str = NEW, target: str = "/api/tasks") -> int:
        """The status of a change that the user makes."""
        more = {"content-type": "application/json"} | self.headers
        return self.board.api.request("POST", target, body.encode(), **more).status


def token() -> str:
    """Of somebody who may do anything."""
    given = own_tokens(from_environment({}))
    return make_token(secret_key(SECRET), Principal("ann", "admin"), given, now() // 1000, 600)


@pytest.fixture(scope="module")
def evil() -> Iterator[int]:
    with evil_site() as port:
        yield port


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    rule = "MAP evil.example 127.0.0.1, MAP board.localhost 127.0.0.1"
    with chromium(f"--host-resolver-rules={rule}", f"--disable-features={ITS_OWN}") as browser:
        yield browser


@pytest.fixture(scope="module", params=["", SECRET], ids=["without sign-in", "with sign-in"])
def scene(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory, evil: int) -> Iterator[Scene]:
    settings = {"MIYABI_AUTH_SECRET": request.param} if request.param else {}
    settings |= {"MIYABI_RATE_LIMIT": "0", "MIYABI_ACCESS_LOG": "yes"}
    with closing(Board(tmp_path_factory.mktemp("attacked") / "data", **settings)) as board:
        scene = Scene(board, {"authorization": f"Bearer {token()}"} if request.param else {}, evil)
        assert scene.made('{"task_name": "One", "task_id": "one"}') == 201
        yield scene


@pytest.fixture
def window(browser: Browser, scene: Scene) -> Iterator[Window]:
    """The user's browser with the board open; with sign-in, signed in."""
    window = Window(browser, scene.board.url)
    window.page.goto("/")
    if scene.headers:
        enter(window.page, token())
    expect(window.page.get_by_role("navigation").first).to_be_visible()
    yield window
    window.problems.clear()
    window.close()


def answers(window: Window, url: str) -> list[int]:
    """The status of each answer of ``url`` from now on."""
    found: list[int] = []

    def note(answer: Response) -> None:
        if answer.url.startswith(f"{url}/") and not answer.url.endswith("/first"):
            found.append(answer.status)

    window.page.context.on("response", note)
    return found


def beside(window: Window, url: str) -> Page:
    """Another tab of the same browser."""
    page = window.page.context.new_page()
    page.goto(url)
    return page


@pytest.mark.parametrize("host", HOSTS)
def test_a_page_of_another_site_reads_nothing_and_changes_nothing(scene: Scene, window: Window, host: str) -> None:
    before, known = scene.state(), len(scene.changes())
    read = attacked(lambda: beside(window, f"http://{host}:{scene.evil}/"), scene.board.url)
    assert {attack: text for attack, text in read.items() if text} == {}
    assert scene.state() == before
    until(lambda: len(scene.changes()) >= known + ARRIVE, "the changes that it asks for arrive")
    assert set(scene.changes()[known:]) == {403}


def test_a_name_that_was_pointed_here_reads_nothing_and_changes_nothing(scene: Scene, window: Window) -> None:
    before, rebound = scene.state(), f"http://evil.example:{scene.board.port}"
    answered = answers(window, rebound)

    def visit() -> Page:
        page = window.page.context.new_page()
        page.route(f"{rebound}/first", lambda route: route.fulfill(body=PAGE, content_type="text/html"))
        page.goto(f"{rebound}/first")
        return page

    for attack, read in attacked(visit, rebound).items():
        assert read is None or "forbidden-host" in read, attack
        assert "One" not in (read or ""), attack
    assert scene.state() == before
    assert len(answered) > len(READS)
    assert set(answered) == {403}
    assert window.page.context.new_page().goto(rebound).status == 403  # type: ignore[union-attr]


def test_no_frame_shows_the_page_and_no_window_that_another_site_opened_is_within_its_reach(
    scene: Scene, window: Window
) -> None:
    page = beside(window, f"http://127.0.0.1:{scene.evil}/")
    page.evaluate("(board) => { document.body.innerHTML = `<iframe src='${board}/'></iframe>`; }", scene.board.url)
    page.wait_for_function("document.readyState === 'complete'")
    assert [frame.get_by_role("navigation").count() for frame in page.frames] == [0, 0]
    with page.expect_popup() as opened:
        page.evaluate("(board) => { window.other = window.open(board + '/'); }", scene.board.url)
    opened.value.wait_for_load_state()
    page.wait_for_function("window.other.closed")
    assert opened.value.evaluate("[window.opener, window.name]") == [None, ""]


def test_pages_of_configured_origins_may_read_and_change_but_neither_frame_nor_include(
    tmp_path: Path, browser: Browser, evil: int
) -> None:
    ours = f"http://evil.example:{evil}"
    with closing(Board(tmp_path / "data", MIYABI_ORIGINS=ours)) as board:
        scene = Scene(board, {}, evil)
        assert scene.made('{"task_name": "One", "task_id": "one"}') == 201

        def visit() -> Page:
            page = browser.new_page()
            page.goto(ours)
            return page

        read = attacked(visit, board.url, READS)
        told = {attack for attack, text in read.items() if text}
        assert told >= {"a fetch", "a fetch with a preflight", "an event source", "a fetch of the health"}
        assert not told & {"an image", "a script", "a style sheet", "a frame of the page", "a window of the page"}
        assert re.search('"One"', read["a fetch"] or "")
        changed = attacked(visit, board.url, ("a post of JSON", "a change"))
        assert all(changed.values()), changed
        assert {task["task_id"]: task["status"] for task in board.api.tasks()} == {
            "evil": "pending",
            "one": "cancelled",
        }


def test_what_the_attacks_send_would_change_something_if_it_were_let_in(scene: Scene) -> None:
    assert len(WRITES) > 10
    assert scene.made() == 201
    assert scene.made(LINES, "/api/logs/miyabi/jobs/evil") == 200
