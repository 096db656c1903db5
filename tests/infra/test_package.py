"""The functions' zips: small, the same for the same source, and with all that an import needs."""

from __future__ import annotations

import shutil
import subprocess
import sys
import zipfile
from collections.abc import Mapping
from pathlib import Path

import pytest
from infra.bytecode import compiled
from infra.package import BUILD, Package, build, built
from tests.support.once import once

MOST_BYTES = 12_000_000


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory, worker_id: str) -> Path:
    """Built for Lambda and for this machine."""

    def make(folder: Path) -> None:
        for target in ("aws", "host"):
            wheels = BUILD / target / "wheels"
            if wheels.exists():
                shutil.copytree(wheels, folder / target / "wheels")
        build("aws", folder)
        build("host", folder)

    return once(tmp_path_factory, worker_id, "packages", make)


@pytest.fixture(scope="module")
def packages(folder: Path) -> Mapping[str, Package]:
    return built("aws", folder)


def names(folder: Path, package: Package, target: str = "aws") -> set[str]:
    with zipfile.ZipFile(folder / target / package.file) as archive:
        return set(archive.namelist())


def test_a_zip_is_at_most_12_mb(packages: Mapping[str, Package], folder: Path) -> None:
    for package in packages.values():
        assert package.zipped == (folder / "aws" / package.file).stat().st_size
        assert package.zipped <= MOST_BYTES


def test_boto3_is_left_to_the_runtime_and_the_page_to_its_bucket(packages: Mapping[str, Package], folder: Path) -> None:
    for package in packages.values():
        tops = {name.split("/")[0] for name in names(folder, package)}
        assert not tops & {"boto3", "botocore", "uvicorn", "rich"}
        assert not [name for name in names(folder, package) if name.startswith(("miyabi/webui/dist", "miyabi/cli"))]


def test_only_the_authorizer_has_cryptography(packages: Mapping[str, Package], folder: Path) -> None:
    having = [name for name, one in packages.items() if "cryptography/__init__.py" in names(folder, one)]
    assert having == ["authorizer"]


def test_only_the_notices_have_apprise(packages: Mapping[str, Package], folder: Path) -> None:
    for module in ("apprise", "click"):
        having = [name for name, one in packages.items() if f"{module}/__init__.py" in names(folder, one)]
        assert having == ["notices"]


def _machine(path: Path, name: str) -> str:
    """The machine in an ELF header."""
    with zipfile.ZipFile(path) as archive, archive.open(name) as file:
        return {0xB7: "aarch64", 0x3E: "x86_64"}[int.from_bytes(file.read(20)[18:20], "little")]


def test_every_extension_is_code_for_its_machine(folder: Path) -> None:
    for target, machine in (("aws", "aarch64"), ("host", "x86_64")):
        for package in built("aws" if target == "aws" else "host", folder).values():
            extensions = [name for name in names(folder, package, target) if name.endswith(".so")]
            assert {_machine(folder / target / package.file, name) for name in extensions} == {machine}


def test_the_same_source_gives_the_same_bytes(packages: Mapping[str, Package], folder: Path, tmp_path: Path) -> None:
    shutil.copytree(folder / "aws" / "wheels", tmp_path / "aws" / "wheels")
    again = build("aws", tmp_path)
    assert again == packages
    for package in again.values():
        assert (tmp_path / "aws" / package.file).read_bytes() == (folder / "aws" / package.file).read_bytes()


def test_other_source_gives_another_hash(
    packages: Mapping[str, Package], folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "src" / "miyabi").mkdir(parents=True)
    (tmp_path / "src" / "miyabi" / "__init__.py").write_text("# another\n")
    monkeypatch.setattr("infra.package.ROOT", tmp_path)
    shutil.copytree(folder / "aws" / "wheels", tmp_path / "aws" / "wheels")
    assert {one.digest for one in build("aws", tmp_path).values()}.isdisjoint(one.digest for one in packages.values())


def test_older_zips_are_cleared_away(folder: Path, tmp_path: Path) -> None:
    shutil.copytree(folder / "aws", tmp_path / "aws")
    (tmp_path / "aws" / "tasks-0000.zip").touch()
    files = {one.file for one in build("aws", tmp_path).values()}
    assert {path.name for path in (tmp_path / "aws").glob("*.zip")} == files


@pytest.mark.parametrize(
    ("name", "imported"),
    [
        ("tasks", "miyabi.tasks.app, miyabi.wiring.dynamodb_light, aiodynamo.credentials, miyabi.cache.redis, mangum"),
        ("collector", "miyabi.collector.collect, miyabi.database.dynamodb_aiohttp, miyabi.cache.redis"),
        ("authorizer", "miyabi.gateway.guard, jwt, cryptography.hazmat.primitives.asymmetric.rsa"),
        ("notices", "miyabi.wiring.aws_lambda.notices, miyabi.wiring.dynamodb_light, aiohttp, apprise, tzdata"),
    ],
)
def test_a_zip_has_all_that_its_service_imports(folder: Path, name: str, imported: str) -> None:
    path = folder / "host" / built("host", folder)[name].file
    unpacked = folder / f"unpacked-{name}"
    with zipfile.ZipFile(path) as archive:
        archive.extractall(unpacked)
    code = f"import sys; sys.path.insert(0, {str(unpacked)!r}); import {imported}"
    subprocess.run([sys.executable, "-I", "-S", "-c", code], check=True)


def test_bytecode_holds_no_time_and_is_never_compared_with_its_source() -> None:
    files = {"room/__init__.py": b"", "room/door.py": b"OPEN = True\n", "room/data.txt": b"x"}
    first, second = (compiled(files, sys.executable) for _ in range(2))
    assert first == second
    assert len(first) == 2
    for data in first.values():
        assert int.from_bytes(data[4:8], "little") == 0b01  # by hash, unchecked
