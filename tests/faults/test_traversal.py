"""No path leads out of the page's files, however it is written; by raw sockets, since clients would tidy it first."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from tests.support.board import Board
from tests.support.wire import statuses, talk

import miyabi

SECRET = "what-nobody-may-read-by-the-page"
INDEX, APP = "<!doctype html><title>the page</title>", "the script"
UP = (
    *("../", "..;/", "%2e%2e/", "%2E%2E%2F", "..%2f", ".%2e/", "%252e%252e%252f", "..%255c", "..\\", "..%5c"),
    *("%2e%2e%5c", "....//", "..%c0%af", "%c0%ae%c0%ae/", "..%ef%bc%8f", "%uff0e%uff0e/", "../%00", "..%0d/", ".%00./"),
)
"""Ways to write one step up."""
FROM = ("/", "//", "/assets/", "/assets//", "/assets/./", "/assets/%2e/", "/api/", "/health/", "/.")
GOALS = ("secret", "secret%00.js", "secret%00", "secret/", "secret?x", "secret#x", "secret;x.js", "../../etc/passwd")
LINKED = ("/out.txt", "/assets/out.js", "/folder/secret", "/folder/../folder/secret", "/assets/chain.js")
ABSOLUTE = ("{0}", "/{0}", "//{0}", "/assets/{0}", "/%2f{0}", "/assets/%2f{0}", "/file://{0}", "/..{0}", "/@fs{0}")


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of the package whose page is two files, beside a secret and links to it."""
    home = tmp_path_factory.mktemp("home")
    package = Path(miyabi.__file__).parent
    shutil.copytree(package, home / "src" / "miyabi", ignore=shutil.ignore_patterns("dist", "__pycache__"))
    dist = home / "src" / "miyabi" / "webui" / "dist"
    (dist / "assets").mkdir(parents=True)
    (dist / "index.html").write_text(INDEX)
    (dist / "assets" / "app.js").write_text(APP)
    for folder in (home, dist.parent, home / "src"):
        (folder / "secret").write_text(SECRET)
    (dist / "out.txt").symlink_to(home / "secret")
    (dist / "assets" / "out.js").symlink_to("../../secret")
    (dist / "assets" / "chain.js").symlink_to("out.js")
    (dist / "assets" / "within.js").symlink_to("app.js")
    (dist / "folder").symlink_to(home)
    return home


@pytest.fixture(scope="module")
def board(home: Path) -> Iterator[Board]:
    with closing(Board(home / "data", PYTHONPATH=str(home / "src"), MIYABI_RATE_LIMIT="0")) as board:
        yield board


def ask(board: Board, target: str) -> bytes:
    """The answer to a GET of ``target`` as it is."""
    head = f"GET {target} HTTP/1.1\r\nHost: 127.0.0.1:{board.port}\r\nConnection: close\r\n\r\n"
    return talk(board.port, head.encode("latin-1"))


def shut(board: Board, target: str) -> None:
    """It is the page, nothing, or refused."""
    answer = ask(board, target)
    assert SECRET.encode() not in answer, target
    assert b"root:" not in answer, target
    assert statuses(answer) in ([200], [400], [401], [404]), target
    if statuses(answer) == [200]:
        assert answer.endswith((INDEX.encode(), APP.encode())), target


def test_what_is_of_the_page_is_served_also_by_a_link_within_it(board: Board) -> None:
    assert ask(board, "/").endswith(INDEX.encode())
    assert ask(board, "/assets/app.js").endswith(APP.encode())
    assert ask(board, "/assets/within.js").endswith(APP.encode())


@pytest.mark.parametrize("step", UP)
def test_no_way_up_leads_out(board: Board, step: str) -> None:
    for begin in FROM:
        for goal in GOALS:
            for steps in (1, 2, 3, 9):
                shut(board, begin + step * steps + goal)


@pytest.mark.parametrize("form", ABSOLUTE)
def test_no_address_of_a_file_on_the_disk_is_one_on_the_board(board: Board, home: Path, form: str) -> None:
    for path in (f"{home}/secret", "/etc/passwd", "/proc/self/environ", f"{home}/data/board.json"):
        shut(board, form.format(path))
        shut(board, f"http://127.0.0.1:{board.port}" + form.format(path))


@pytest.mark.parametrize("target", LINKED)
def test_no_link_leads_out(board: Board, target: str) -> None:
    shut(board, target)


def test_a_file_that_is_put_there_later_is_not_served(board: Board, home: Path) -> None:
    (home / "src" / "miyabi" / "webui" / "dist" / "assets" / "later.js").symlink_to(home / "secret")
    shut(board, "/assets/later.js")
    assert statuses(ask(board, "/assets/later.js")) == [404]
