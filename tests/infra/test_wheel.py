"""The wheel: what a user installs serves the page without Node, and nothing else comes along."""

from __future__ import annotations

import subprocess
import sys
import urllib.request
import zipfile
from pathlib import Path

import pytest
from tests.support.board import environment

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel of this checkout, unpacked as an installer does."""
    folder = tmp_path_factory.mktemp("wheel")
    build = [sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", str(folder), str(ROOT)]
    subprocess.run(build, check=True, capture_output=True)
    [wheel] = folder.glob("miyabi-*-py3-none-any.whl")
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(folder / "site")
    return folder / "site"


def test_it_holds_the_package_the_page_and_the_types_and_nothing_else(installed: Path) -> None:
    assert (installed / "miyabi" / "webui" / "dist" / "index.html").is_file()
    assert (installed / "miyabi" / "py.typed").is_file()
    assert {path.name.split("-")[0] for path in installed.iterdir()} == {"miyabi"}


def test_its_board_serves_the_page(installed: Path, tmp_path: Path) -> None:
    command = [sys.executable, "-c", "from miyabi.cli import main; main()", "up", "--port", "0"]
    env = environment(tmp_path, PYTHONPATH=str(installed))
    with subprocess.Popen(command, env=env, cwd=tmp_path, stdout=subprocess.PIPE) as board:
        try:
            assert board.stdout is not None
            url = board.stdout.readline().decode().partition("is on ")[2].split()[0]
            with urllib.request.urlopen(url) as answer:
                page = answer.read().decode()
            assert "<title>Miyabi" in page
            script = page.partition('src="/assets/')[2].partition('"')[0]
            with urllib.request.urlopen(f"{url}/assets/{script}") as answer:
                assert answer.headers["content-type"].startswith("text/javascript")
        finally:
            board.terminate()
