"""Signing in: a board that asks for tokens, looked at by people who have one, have a bad one, or get one elsewhere."""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect
from tests.support.board import Board
from tests.support.browser import Window, enter
from tests.support.client import Client
from tests.support.issuer import AUDIENCE
from tests.support.sign_in import CLIENT, SignInServer
from tests.support.until import until

from miyabi.gateway.mint import make_token
from miyabi.principal import Principal, Role
from miyabi.settings import from_environment
from miyabi.wiring.auth import own_tokens, secret_keys

SECRET = {"MIYABI_AUTH_SECRET": "a-secret-of-this-test-that-is-long-enough", "MIYABI_AUTH_AUDIENCE": AUDIENCE}
STORED = "sessionStorage.getItem('miyabi-token')"
REFUSED = re.compile("status of 401")
FORGOTTEN = re.compile("status of 40[01]")
"""A refresh token that is no longer good is answered with 400."""


def token(role: Role = "viewer", seconds: int = 600, secret: dict[str, str] = SECRET) -> str:
    settings = from_environment(secret)
    groups = ("/ci",) if role == "ingest" else ()
    return make_token(
        secret_keys(settings)[0],
        Principal("ann", role, groups=groups),
        own_tokens(settings),
        int(time.time()),
        seconds,
    )


@pytest.fixture
def guarded(tmp_path: Path) -> Iterator[Board]:
    """A board that lets only tokens in, by its secret."""
    with closing(Board(tmp_path / "data", **SECRET)) as board:
        yield board


@pytest.fixture
def issuer() -> Iterator[SignInServer]:
    with closing(SignInServer()) as issuer:
        yield issuer


@pytest.fixture
def signs_in_at(tmp_path: Path) -> Iterator[Callable[[SignInServer], Board]]:
    """Starts a board that takes tokens of an issuer, too; it is there for as long as the windows on it."""
    with ExitStack() as boards:

        def start(issuer: SignInServer) -> Board:
            settings = {"MIYABI_AUTH_ISSUER": issuer.url, "MIYABI_AUTH_CLIENT": CLIENT}
            return boards.enter_context(closing(Board(tmp_path / "data", **SECRET, **settings)))

        yield start


def post(board: Board, path: str, body: object) -> None:
    answer = Client(board.url).request("POST", path, body, authorization=f"Bearer {token('developer')}")
    assert answer.status in (200, 201), answer


def make_task(board: Board) -> None:
    post(board, "/api/tasks", {"task_id": "deploy", "task_name": "Deploy"})


def print_line(board: Board, done: int) -> None:
    line = {"message": f"Deploying | {done}/20 | RUNNING", "timestamp": int(time.time() * 1000)}
    post(board, "/api/logs/miyabi%2Fjobs/deploy", {"events": [line]})


def status_of(board: Board, given: str) -> int:
    return Client(board.url).request("GET", "/api/projects", authorization=f"Bearer {given}").status


def signed_out(page: Page) -> None:
    expect(page.get_by_role("heading", name="Sign in")).to_be_visible()


def test_a_board_that_asks_for_tokens_shows_nothing_but_how_to_sign_in(
    guarded: Board, look: Callable[[str], Window]
) -> None:
    page = look(guarded.url).page
    signed_out(page)
    expect(page).to_have_title("Sign in · Miyabi")
    expect(page.get_by_label("Token", exact=True)).to_be_visible()
    expect(page.get_by_role("navigation")).to_have_count(0)
    expect(page.get_by_role("button", name="Sign in")).to_have_count(0)


@pytest.mark.parametrize(
    ("bad", "why"),
    [
        ("hello", "not a whole token"),
        (token(seconds=-100), "has expired"),
        (token(secret={"MIYABI_AUTH_SECRET": "another-boards-secret-that-is-long-enough"}), "not for this board"),
        (token("ingest"), "only send log lines"),
    ],
)
def test_a_bad_token_is_told_why_in_plain_words(
    guarded: Board, look: Callable[[str], Window], bad: str, why: str
) -> None:
    page = look(guarded.url).page
    enter(page, bad)
    expect(page.get_by_role("alert")).to_contain_text(why)
    expect(page.get_by_label("Token", exact=True)).to_have_attribute("aria-invalid", "true")
    assert page.evaluate(STORED) is None


def test_a_pasted_token_shows_the_board_live_is_kept_in_the_tab_alone_and_forgotten_at_sign_out(
    guarded: Board, look: Callable[[str], Window]
) -> None:
    make_task(guarded)
    window = look(guarded.url)
    page = window.page
    enter(page, f"Bearer {token()}")
    expect(page.get_by_role("status").filter(has_text="Live")).to_be_visible()
    for done in (5, 10):
        print_line(guarded, done)
        expect(window.bar("Deploy")).to_have_attribute("aria-valuenow", str(done * 5))
    page.reload()
    expect(window.bar("Deploy")).to_have_attribute("aria-valuenow", "50")
    assert page.evaluate(STORED)
    assert page.evaluate("Object.values(localStorage).concat(document.cookie, location.href).join()").count("eyJ") == 0
    other = page.context.new_page()
    other.goto(guarded.url)
    signed_out(other)
    other.close()
    page.get_by_role("button", name="Language and appearance").click()
    expect(page.get_by_role("menu")).to_contain_text("Signed in as ann")
    expect(page.get_by_role("menu")).to_contain_text("Viewer")
    page.get_by_role("menuitem", name="Sign out").click()
    signed_out(page)
    assert page.evaluate(STORED) is None
    expect(window.bar("Deploy")).to_have_count(0)


def test_a_token_is_tried_as_soon_as_it_is_pasted(guarded: Board, look: Callable[[str], Window]) -> None:
    page = look(guarded.url).page
    page.get_by_label("Token", exact=True).evaluate(
        """(field, text) => {
            const data = new DataTransfer();
            data.setData('text', text);
            field.dispatchEvent(new ClipboardEvent('paste', {clipboardData: data, bubbles: true, cancelable: true}));
        }""",
        token(),
    )
    expect(page.get_by_role("heading", name="No task yet")).to_be_visible()


def test_a_viewer_who_changes_something_is_told_which_role_may(guarded: Board, look: Callable[[str], Window]) -> None:
    make_task(guarded)
    window = look(f"{guarded.url}/tasks/deploy")
    enter(window.page, token())
    window.page.get_by_role("button", name="Cancel", exact=True).click()
    window.page.get_by_role("button", name="Cancel task").click()
    expect(window.page.get_by_text("This needs the role Developer")).to_be_visible()
    window.problems = [each for each in window.problems if "status of 403" not in each]


def test_a_token_that_ends_during_use_leads_to_sign_in_and_back_to_the_same_view(
    guarded: Board, look: Callable[[str], Window]
) -> None:
    make_task(guarded)
    window = look(f"{guarded.url}/tasks/deploy")
    page = window.page
    enter(page, token(seconds=-27))  # three more seconds, by the 30 s that clocks may be apart
    expect(window.bar("Deploy")).to_be_visible()
    expect(page.get_by_role("alert")).to_contain_text("go on where you were", timeout=60_000)
    enter(page, token())
    expect(window.bar("Deploy")).to_be_visible()
    assert page.url == f"{guarded.url}/tasks/deploy"
    window.problems = [each for each in window.problems if not REFUSED.search(each)]


def test_people_sign_in_at_the_issuer_and_come_back_to_where_they_were(
    signs_in_at: Callable[[SignInServer], Board], look: Callable[[str], Window], issuer: SignInServer
) -> None:
    board = signs_in_at(issuer)
    make_task(board)
    window = look(f"{board.url}/tasks/deploy")
    page = window.page
    page.get_by_role("button", name="Sign in").click()
    page.get_by_role("link", name="Continue as ann").click()
    expect(window.bar("Deploy")).to_be_visible()
    assert page.url == f"{board.url}/tasks/deploy"
    expect(page.get_by_role("status").filter(has_text="Live")).to_be_visible()
    page.reload()
    expect(window.bar("Deploy")).to_be_visible()
    page.get_by_role("button", name="Language and appearance").click()
    expect(page.get_by_role("menu")).to_contain_text("Developer")
    page.get_by_role("menuitem", name="Sign out").click()
    signed_out(page)
    assert page.evaluate("Object.values(sessionStorage).join()").count("eyJ") == 0
    assert (issuer.granted, issuer.refusals) == (["authorization_code"], [])
    assert "/logout" in issuer.asked


def test_who_refuses_at_the_issuer_is_back_at_sign_in(
    signs_in_at: Callable[[SignInServer], Board], look: Callable[[str], Window], issuer: SignInServer
) -> None:
    board = signs_in_at(issuer)
    page = look(board.url).page
    page.get_by_role("button", name="Sign in").click()
    page.get_by_role("link", name="Refuse").click()
    expect(page.get_by_role("alert")).to_contain_text("not finished")
    assert page.url == f"{board.url}/"


def test_a_user_of_the_issuer_without_a_role_is_told_so(
    signs_in_at: Callable[[SignInServer], Board], look: Callable[[str], Window]
) -> None:
    with closing(SignInServer(role=None)) as issuer:
        board = signs_in_at(issuer)
        page = look(board.url).page
        page.get_by_role("button", name="Sign in").click()
        page.get_by_role("link", name="Continue as ann").click()
        expect(page.get_by_role("alert")).to_contain_text("does not know you yet")


def test_a_token_of_an_issuer_is_renewed_unseen_and_when_that_ends_one_signs_in_again(
    signs_in_at: Callable[[SignInServer], Board], look: Callable[[str], Window]
) -> None:
    with closing(SignInServer(seconds=-28)) as issuer:
        board = signs_in_at(issuer)
        make_task(board)
        window = look(f"{board.url}/tasks/deploy")
        page = window.page
        page.get_by_role("button", name="Sign in").click()
        page.get_by_role("link", name="Continue as ann").click()
        expect(window.bar("Deploy")).to_be_visible()
        issuer.seconds = 600
        given = page.evaluate(STORED)
        until(lambda: status_of(board, given) == 401, "the token has ended")
        page.reload()
        expect(window.bar("Deploy")).to_be_visible()
        assert issuer.granted == ["authorization_code", "refresh_token"]
        issuer.forget_everyone()
        page.evaluate(f"sessionStorage.setItem('miyabi-token', '{given}')")
        page.reload()
        expect(page.get_by_role("alert")).to_contain_text("go on where you were")
        page.get_by_role("button", name="Sign in").click()
        page.get_by_role("link", name="Continue as ann").click()
        expect(window.bar("Deploy")).to_be_visible()
        window.problems = [each for each in window.problems if not FORGOTTEN.search(each)]


def test_with_both_ways_a_token_is_one_more_step_away(
    signs_in_at: Callable[[SignInServer], Board], look: Callable[[str], Window], issuer: SignInServer
) -> None:
    board = signs_in_at(issuer)
    page = look(board.url).page
    page.get_by_role("button", name="Use a token").click()
    expect(page.get_by_label("Token", exact=True)).to_be_focused()
    enter(page, token())
    expect(page.get_by_role("heading", name="No task yet")).to_be_visible()


def test_the_sign_in_page_speaks_japanese_and_never_scrolls_sideways_on_a_phone(
    guarded: Board, browser: Browser
) -> None:
    context = browser.new_context(locale="ja-JP", viewport={"width": 360, "height": 640})
    with closing(context):
        page = context.new_page()
        page.goto(guarded.url)
        expect(page.get_by_role("heading", name="サインイン")).to_be_visible()
        page.get_by_label("トークン", exact=True).fill("x")
        page.get_by_role("button", name="続ける").click()
        expect(page.get_by_role("alert")).to_contain_text("トークン全体ではありません")
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
