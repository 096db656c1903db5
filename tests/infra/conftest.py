"""The templates of all stacks, made once for a session."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import pytest
from tests.support.once import once
from tests.support.templates import Template, read, synthesise


@pytest.fixture(scope="session")
def assemblies(tmp_path_factory: pytest.TempPathFactory, worker_id: str) -> Path:
    """A folder for each deployment."""
    return once(tmp_path_factory, worker_id, "assemblies", synthesise)


@pytest.fixture(scope="session")
def default(assemblies: Path) -> Mapping[str, Template]:
    """All stacks as they come."""
    return read(assemblies / "default")


@pytest.fixture(scope="session")
def scaled(assemblies: Path) -> Mapping[str, Template]:
    """All stacks with every scaling step made."""
    return read(assemblies / "scaled")


@pytest.fixture(scope="session")
def snapshots(assemblies: Path) -> Mapping[str, Template]:
    """All stacks with snapshots of the task API, and nothing kept."""
    return read(assemblies / "snapshots")
