"""Recorded CDK deploys, played at their pace in a terminal, watched on the board."""

from __future__ import annotations

import re
import sys
from collections.abc import Callable
from contextlib import ExitStack, closing
from pathlib import Path

from playwright.sync_api import expect
from tests.support import play
from tests.support.board import Board, run_line
from tests.support.browser import Window
from tests.support.window import Terminal

RECORDINGS = Path(__file__).parents[1] / "data" / "cdk"
TYPE = ["--type", "cdk_deploy", "--project", "shop"]
DEPLOY, ROLLBACK = "Deploy MetricsStack", "Deploy SlowFail"


def played(board: Board, recording: str, name: str) -> Terminal:
    """``miyabi run`` of a recording, in a terminal as large as the recorded one."""
    options = ["--name", name, *TYPE]
    command = [sys.executable, play.__file__, str(RECORDINGS / recording)]
    return Terminal(run_line(*command, options=options), board.env())


def test_a_deploy_that_succeeds_and_one_that_rolls_back_are_told_apart_all_the_way(
    board: Board, look: Callable[[str], Window]
) -> None:
    window = look(board.url)
    with ExitStack() as stack:
        deploy = stack.enter_context(closing(played(board, "deploy", DEPLOY)))
        rollback = stack.enter_context(closing(played(board, "rollback", ROLLBACK)))
        expect(window.row("Running", DEPLOY)).to_be_visible()
        expect(window.row("Running", ROLLBACK)).to_be_visible()
        assert deploy.wait() == 0
        assert rollback.wait() == 1

    done, failed = window.row("Just ended", DEPLOY), window.row("Just ended", ROLLBACK)
    expect(done).to_contain_text("Completed")
    expect(done).to_contain_text("17/17")
    expect(done).to_contain_text("100 %")
    expect(failed).to_contain_text("Failed")
    expect(failed).to_contain_text(re.compile(r"boom: simulated \| pipe failure|SlowFail failed to deploy"))
    expect(failed).not_to_contain_text("100 %")

    shown = [value for value in window.percentages(DEPLOY) if value is not None]
    assert shown == sorted(shown), "a bar that went back"
    assert len(set(shown)) >= 6, f"a bar that moved too rarely: {shown}"
    assert set(shown) <= {100 * n // 17 for n in range(18)}
    fallen = [value for value in window.percentages(ROLLBACK) if value is not None]
    assert 57 in fallen, "8 of 14 was the furthest"
    assert max(fallen) == 57


def test_a_long_name_leaves_room_for_the_project_and_the_type(board: Board, look: Callable[[str], Window]) -> None:
    name = "cdk deploy --all --require-approval never --concurrency 5 --hot"
    with closing(Terminal(run_line("echo", "Step 29/29", options=["--name", name, *TYPE]), board.env())) as run:
        assert run.wait() == 0
    where = look(board.url).page.get_by_text("shop · CDK deploy", exact=True)
    expect(where).to_be_visible()
    assert where.evaluate("each => each.scrollWidth <= each.clientWidth"), "it is cut"
