"""What a run is called when nobody says: its name, its type and its project, from the command and the folder."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path

from miyabi.model import slug

NAME_LENGTH = 60
AGENTS = frozenset({"claude", "codex", "aider", "gemini", "opencode", "goose", "cursor-agent", "amp", "crush", "qwen"})
"""Programs that are coding agents."""
LAUNCHERS = frozenset({"npx", "bunx", "uvx", "sudo", "env", "time", "nice", "nohup", "command", "exec", "stdbuf"})
"""Programs that start the one named behind them."""
CDK_DOES = frozenset({"deploy", "destroy", "rollback", "bootstrap"})

_REMOTE = re.compile(r'^\s*\[remote "([^"\n]+)"\][^\[]*?^\s*url\s*=\s*"?([^"\s]+)', re.MULTILINE)
"""A remote's name and address in a Git config."""
_ASSIGNMENT = re.compile(r"^[A-Za-z_][A-Za-z0-9_]*=")


def name_of(command: Sequence[str]) -> str:
    """A short name for a command line: its program without the folder, and its words until it gets long.

    >>> name_of(["/usr/bin/npm", "ci"])
    'npm ci'
    """
    words = _without_launchers(command) or list(command)
    words = [words[0].rstrip("/").rpartition("/")[2] or words[0], *words[1:]]
    text = " ".join(" ".join(words).split())
    if len(text) > NAME_LENGTH:
        text = text[: NAME_LENGTH - 1].rstrip() + "…"
    return text or "run"


def type_of(command: Sequence[str]) -> str:
    """The task type that a command line suggests: ``cdk_deploy``, ``agent_execution`` or ``build``."""
    words = _without_launchers(command)
    if not words:
        return "build"
    program = words[0].rpartition("/")[2].partition("@")[0]
    if program == "cdk" and CDK_DOES.intersection(words[1:]):
        return "cdk_deploy"
    package = words[0].rpartition("/")[2]
    if program in AGENTS or package.startswith(("claude-code", "codex")):
        return "agent_execution"
    return "build"


def project_of(folder: Path) -> str:
    """The project a folder belongs to, as an id: its git remote's repository, else the name of its top folder."""
    for place in (folder, *folder.parents):
        marker = place / ".git"
        if marker.exists():
            remote = _remote(marker)
            return slug(_repository(remote) if remote else place.name, "default")
    return slug(folder.name, "default")


def _without_launchers(command: Sequence[str]) -> list[str]:
    words = list(command)
    launched = False
    while words:
        program = words[0].rpartition("/")[2]
        if _ASSIGNMENT.match(words[0]) or program in LAUNCHERS:
            launched = True
        elif not (launched and words[0].startswith("-")):
            break
        words.pop(0)
    return words


def _remote(marker: Path) -> str | None:
    try:
        text = (_git_folder(marker) / "config").read_text("utf-8", "replace")
    except OSError:
        return None
    remotes = dict(_REMOTE.findall(text))
    return remotes.get("origin") or next(iter(remotes.values()), None)


def _git_folder(marker: Path) -> Path:
    """Where ``config`` is: ``.git`` itself, or for a worktree or submodule the place that the file ``.git`` names."""
    if marker.is_dir():
        return marker
    text = marker.read_text("utf-8", "replace")
    folder = (marker.parent / text.removeprefix("gitdir:").strip()).resolve()
    common = folder / "commondir"
    return (folder / common.read_text().strip()).resolve() if common.exists() else folder


def _repository(remote: str) -> str:
    return re.split(r"[/:\\]", remote.rstrip("/"))[-1].removesuffix(".git")
