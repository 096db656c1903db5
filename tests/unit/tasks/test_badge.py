"""Badges: what they say, and that they are good images whatever they say it of."""

from __future__ import annotations

from collections.abc import Callable
from xml.etree import ElementTree

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.support.tasks import START, a_task

from miyabi.database import ProjectRow, Save
from miyabi.model import Details, Estimate, Progress, Project, Status, Stopped, Tally, Task, iso
from miyabi.tasks.badge import COLOURS, LABEL_COLOUR, LONGEST, badge
from miyabi.tasks.badge_words import WORDS, Language, Said, of_nothing, of_project, of_task

from .conftest import Bench, Story

Tell = Callable[[Story], None]
SVG = "{http://www.w3.org/2000/svg}"


def estimated(likely: float, *, whole: bool = True) -> Details:
    return Details(estimate=Estimate(iso(START), likely / 2, likely, 2 * likely, 60, "pace", whole=whole))


def running(percentage: float | None, details: Details = Details()) -> Task:  # noqa: B008 - it is frozen
    return a_task("a", progress=Progress(percentage=percentage), details=details)


@pytest.mark.parametrize(
    ("task", "english", "japanese"),
    [
        (running(52, estimated(240)), "52 % · 4 min left", "52 % · 残り4分"),
        (running(52, estimated(59)), "52 % · under 1 min left", "52 % · 残り1分未満"),
        (running(0.2, estimated(7200)), "1 % · 2 h left", "1 % · 残り2時間"),
        (running(99.9, estimated(200_000)), "99 % · 2 d left", "99 % · 残り2日"),
        (running(52, estimated(240, whole=False)), "52 %", "52 %"),
        (running(None, estimated(240)), "running · 4 min left", "実行中 · 残り4分"),
        (running(None), "running", "実行中"),
        (running(52, Details(stopped=Stopped("output", iso(START), 9))), "52 % · no output", "52 % · 出力なし"),
        (a_task("a", status="failed", progress=Progress(percentage=52)), "failed", "失敗"),
        (a_task("a", status="blocked"), "blocked", "ブロック中"),
    ],
)
def test_a_tasks_badge_says_how_far_it_has_got_and_what_is_left(task: Task, english: str, japanese: str) -> None:
    assert of_task(task, START, "en").text == english
    assert of_task(task, START, "ja").text == japanese


def test_what_is_left_is_counted_down_and_not_said_once_it_is_long_over() -> None:
    task = running(52, estimated(240))
    assert of_task(task, START + 60_000, "en").text == "52 % · 3 min left"
    assert of_task(task, START + 481_000, "en").text == "52 %"


def row(**tally: int) -> ProjectRow:
    project = Project(project_id="p", project_name="P", status="active", created_at=iso(0), updated_at=iso(0))
    return ProjectRow(project, Tally(**tally))


@pytest.mark.parametrize(
    ("found", "tasks", "last", "text"),
    [
        (row(running=1), [running(52, estimated(240))], None, "52 % · 4 min left"),
        (row(running=2), [running(50), running(None)], None, "2 running · 50 %"),
        (row(running=3), [running(50), running(None), running(100)], None, "3 running · 75 %"),
        (row(failed=1), [], a_task("a", status="failed"), "failed"),
        (row(failed=1, blocked=1), [], a_task("a", status="failed"), "blocked"),
        (row(pending=1), [], None, "pending"),
        (row(), [], None, "no tasks yet"),
    ],
)
def test_a_projects_badge_says_what_runs_else_how_the_last_task_ended(
    found: ProjectRow, tasks: list[Task], last: Task | None, text: str
) -> None:
    assert of_project(found, tasks, last, START, "en").text == text


@given(st.text(max_size=200), st.sampled_from(["en", "ja"]))
def test_any_label_makes_a_good_image(label: str, language: Language) -> None:
    image = ElementTree.fromstring(badge(label, of_nothing(language)))
    texts = [text.text or "" for text in image.iter(f"{SVG}text")]
    assert len(texts) == 2
    assert len(texts[0]) <= LONGEST
    assert image.findtext(f"{SVG}title") == image.get("aria-label") == f"{texts[0]}: {texts[1]}"
    assert {element.tag.removeprefix(SVG) for element in image.iter()} <= {"svg", "title", "clipPath", "rect", "g", "path", "text"}  # fmt: skip  # noqa: E501


def test_every_colour_stands_out_from_white() -> None:
    for colour in (*COLOURS.values(), LABEL_COLOUR):
        channels = [int(colour[n : n + 2], 16) / 255 for n in (1, 3, 5)]
        red, green, blue = (c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels)
        assert 1.05 / (0.2126 * red + 0.7152 * green + 0.0722 * blue + 0.05) >= 4.5, colour


def test_both_languages_say_everything() -> None:
    assert WORDS["en"].keys() == WORDS["ja"].keys()


def test_a_badge_is_told_from_an_unchanged_one(tell: Tell) -> None:
    async def story(bench: Bench) -> None:
        await bench.made("a", project_id="house")
        for target in ("/api/tasks/a/badge.svg", "/api/projects/house/badge.svg?lang=ja&label=x&token=t"):
            first = await bench.ask("GET", target)
            assert (first.status, first.headers["content-type"]) == (200, "image/svg+xml")
            assert first.headers["cache-control"] == "no-cache, max-age=0"
            assert (await bench.ask("GET", target, if_none_match=first.headers["etag"])).status == 304

    tell(story)


def test_a_badge_of_what_is_not_there_says_so(tell: Tell) -> None:
    async def story(bench: Bench) -> None:
        for target in ("/api/tasks/nobody/badge.svg", "/api/projects/nobody/badge.svg"):
            answer = await bench.ask("GET", target)
            assert (answer.status, answer.headers["content-type"]) == (404, "image/svg+xml")
            assert b"<title>miyabi: not found</title>" in answer.body

    tell(story)


def test_a_projects_badge_is_of_its_own_tasks(tell: Tell) -> None:
    async def story(bench: Bench) -> None:
        statuses: tuple[Status, ...] = ("completed", "failed")
        ended = [a_task(f"t{n}", age=n, status=status, project_id="house") for n, status in enumerate(statuses)]
        other = a_task("o", age=9, project_id="other")
        await bench.stores.database.save([Save(task) for task in (*ended, other)])
        assert b"<title>house: failed</title>" in (await bench.ask("GET", "/api/projects/house/badge.svg")).body

    tell(story)


def test_a_share_of_the_work_is_drawn() -> None:
    half, none = badge("x", Said("y", "running", "en", 0.5)), badge("x", Said("y", "running", "en"))
    assert (b"h0v2" in half, b"h0v2" in none) == (False, True)
