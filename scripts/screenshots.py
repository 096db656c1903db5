"""Takes the pictures of the READMEs: a board in a Chromium, with real commands running on it.

``python scripts/screenshots.py`` writes ``docs/images/*.png``. The deploys are recordings of the CDK CLI, played at
their own pace; everything else runs for real.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
import time
from pathlib import Path

from playwright.sync_api import Browser

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT))

from tests.support.board import MIYABI, Board, environment  # noqa: E402
from tests.support.browser import chromium  # noqa: E402

IMAGES = ROOT / "docs" / "images"
PLAY = [sys.executable, "-m", "tests.support.play"]
COUNT = "import time\nfor n in range(1, {total} + 1): print('{line}'.format(n=n), flush=True); time.sleep({pause})"

Job = tuple[str, str, str, list[str]]


def counting(line: str, total: int, pause: float) -> list[str]:
    """A command that counts its steps."""
    return [sys.executable, "-c", COUNT.format(line=line.replace("{total}", str(total)), total=total, pause=pause)]


ENDED: list[Job] = [
    ("Docs site", "build", "handbook", counting("[{n}/{total}] writing output", 12, 0.02)),
    ("Type check", "build", "shop", ["sh", "-c", "echo 'src/cart.ts(15,29): error TS2322: Type string'; exit 2"]),
    ("CDK deploy: MetricsStack", "cdk_deploy", "shop", [*PLAY, "tests/data/cdk/deploy", "8"]),
]
RUNNING: list[Job] = [
    ("Nightly batch", "build", "ledger", [sys.executable, "-c", "import time; print('warming up'); time.sleep(60)"]),
    ("Fine-tune reranker", "build", "search", counting("Epoch {n}/{total} - loss: 0.4{n}", 40, 0.9)),
    ("Agent: fix flaky checkout test", "agent_execution", "shop", counting("Step {n} of {total}: editing", 7, 5)),
    ("pytest tests/", "build", "miyabi", counting("tests/test_api.py::test_case_{n} PASSED [ {n}%]", 99, 0.3)),
    ("CDK deploy: SlowFail", "cdk_deploy", "shop", [*PLAY, "tests/data/cdk/rollback", "0.45"]),
]
SHOTS = [
    ("board", "en-GB", "light", 1280, 800),
    ("board-dark", "en-GB", "dark", 1280, 800),
    ("board-ja", "ja-JP", "light", 1280, 800),
    ("board-phone", "en-GB", "light", 390, 844),
]


def start(board: Board, job: Job) -> subprocess.Popen[bytes]:
    """Run a job on the board, in the background."""
    name, kind, project, command = job
    argv = [MIYABI, "run", "--name", name, "--type", kind, "--project", project, "--", *command]
    return subprocess.Popen(
        argv, cwd=ROOT, env=environment(board.data), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )


def take(browser: Browser, url: str, name: str, locale: str, scheme: str, width: int, height: int) -> None:
    """One picture, at twice the density so that it stays sharp."""
    context = browser.new_context(
        locale=locale,
        color_scheme="dark" if scheme == "dark" else "light",
        viewport={"width": width, "height": height},
        device_scale_factor=2,
    )
    page = context.new_page()
    page.goto(url)
    page.get_by_role("progressbar").first.wait_for()
    page.wait_for_timeout(600)  # bars come to rest
    page.screenshot(path=IMAGES / f"{name}.png")
    context.close()


def main() -> None:
    """Run the jobs, take the pictures."""
    IMAGES.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as folder:
        board = Board(Path(folder))
        jobs: list[subprocess.Popen[bytes]] = []
        try:
            for job in ENDED:
                start(board, job).wait()
            for job in RUNNING:
                jobs.append(start(board, job))
                time.sleep(0.4)
            time.sleep(4)
            with chromium() as browser:
                for shot in SHOTS:
                    take(browser, board.url, *shot)
        finally:
            for process in jobs:
                process.terminate()
                process.wait()
            board.close()


if __name__ == "__main__":
    main()
