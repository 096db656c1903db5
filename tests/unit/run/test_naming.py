"""What a run is called when nobody says."""

from __future__ import annotations

from pathlib import Path

import pytest

from miyabi.cli.run.naming import NAME_LENGTH, name_of, project_of, type_of


@pytest.mark.parametrize(
    ("command", "name"),
    [
        (["npm", "ci"], "npm ci"),
        (["/usr/bin/make", "-j4", "all"], "make -j4 all"),
        (["pytest", "tests/"], "pytest tests/"),
        (["env", "CI=1", "npx", "--yes", "cdk", "deploy"], "cdk deploy"),
        (["sudo"], "sudo"),
        (["sh", "-c", "echo a;\n echo b"], "sh -c echo a; echo b"),
        (["./build.sh"], "build.sh"),
    ],
)
def test_a_name_is_the_command_as_one_would_say_it(command: list[str], name: str) -> None:
    assert name_of(command) == name


def test_a_long_command_line_makes_a_short_name() -> None:
    name = name_of(["train", *(f"--option{n}={n}" for n in range(99))])
    assert len(name) <= NAME_LENGTH
    assert name.startswith("train --option0=0")
    assert name.endswith("…")


@pytest.mark.parametrize(
    ("command", "task_type"),
    [
        (["cdk", "deploy", "--all"], "cdk_deploy"),
        (["npx", "cdk", "--app", "x", "destroy"], "cdk_deploy"),
        (["npx", "-y", "cdk@2", "deploy"], "cdk_deploy"),
        (["cdk", "synth"], "build"),
        (["claude", "-p", "fix it"], "agent_execution"),
        (["npx", "@anthropic-ai/claude-code"], "agent_execution"),
        (["/opt/bin/codex", "exec"], "agent_execution"),
        (["OPENAI_API_KEY=x", "aider"], "agent_execution"),
        (["make"], "build"),
        (["echo", "cdk", "deploy"], "build"),
        ([], "build"),
    ],
)
def test_the_type_is_guessed_from_the_program(command: list[str], task_type: str) -> None:
    assert type_of(command) == task_type


def repository(folder: Path, url: str | None, remote: str = "origin") -> Path:
    (folder / ".git").mkdir(parents=True)
    section = f'[remote "{remote}"]\n\turl = {url}\n\tfetch = +refs/heads/*:refs/remotes/{remote}/*\n' if url else ""
    (folder / ".git" / "config").write_text(f"[core]\n\tbare = false\n{section}")
    return folder


@pytest.mark.parametrize(
    ("url", "project"),
    [
        ("git@github.com:someone/great-app.git", "great-app"),
        ("https://github.com/someone/great-app", "great-app"),
        ("https://example.com/a/b/great.app.git/", "great.app"),
        ("ssh://host:2222/srv/git/tools.git", "tools"),
        ("/srv/git/local.git", "local"),
        ("https://example.com/名前.git", "default"),
    ],
)
def test_the_project_is_the_repository_that_the_remote_names(tmp_path: Path, url: str, project: str) -> None:
    folder = repository(tmp_path / "checkout", url)
    (folder / "src" / "deep").mkdir(parents=True)
    assert project_of(folder / "src" / "deep") == project


def test_a_remote_by_another_name_will_do(tmp_path: Path) -> None:
    assert project_of(repository(tmp_path / "x", "git@host:a/upstreamed.git", "upstream")) == "upstreamed"


def test_without_a_remote_the_project_is_the_top_folder(tmp_path: Path) -> None:
    folder = repository(tmp_path / "my app", None)
    (folder / "src").mkdir()
    assert project_of(folder / "src") == "my-app"


def test_a_worktree_belongs_to_its_repository(tmp_path: Path) -> None:
    main = repository(tmp_path / "main", "git@host:a/whole.git")
    inner = main / ".git" / "worktrees" / "side"
    inner.mkdir(parents=True)
    (inner / "commondir").write_text("../..\n")
    side = tmp_path / "side"
    side.mkdir()
    (side / ".git").write_text(f"gitdir: {inner}\n")
    assert project_of(side) == "whole"


def test_a_submodule_is_a_project_of_its_own(tmp_path: Path) -> None:
    main = repository(tmp_path / "main", "git@host:a/whole.git")
    repository(tmp_path / "module-git", "git@host:a/module.git")
    (main / "lib").mkdir()
    (main / "lib" / ".git").write_text("gitdir: ../../module-git/.git\n")
    assert project_of(main / "lib") == "module"


def test_a_config_that_makes_no_sense_is_no_obstacle(tmp_path: Path) -> None:
    folder = repository(tmp_path / "odd", None)
    (folder / ".git" / "config").write_bytes(b"\xff\xfe[[[\x00 = ")
    assert project_of(folder) == "odd"
