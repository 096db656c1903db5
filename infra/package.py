"""The Lambda functions' zips, from the pinned wheels, without Docker: the same source gives the same hash.

``python -m infra.package`` builds for Lambda (arm64); ``--target host`` for this machine, where an emulator runs them.
"""

from __future__ import annotations

import argparse
import hashlib
import subprocess
import sys
import zipfile
from collections.abc import Mapping, Sequence
from pathlib import Path, PurePosixPath
from typing import Literal, get_args

import msgspec
from msgspec import Struct

from infra.bytecode import compiled, compiler

Target = Literal["aws", "host"]
ROOT = Path(__file__).parents[1]
BUILD = ROOT / "infra" / "build"
LOCK = ROOT / "requirements.lock"
PYTHON = "3.14"
"""The newest runtime of Lambda (Amazon Linux 2023) that all pinned wheels exist for."""
PLATFORMS = ("manylinux2014_aarch64", "manylinux_2_28_aarch64")
_SERVICE = ("aiodynamo", "ahocorasick-rs", "hiredis", "mangum", "msgspec", "prometheus-client", "redis",
            "starlette")  # fmt: skip
REQUIREMENTS: Mapping[str, Sequence[str]] = {
    "tasks": _SERVICE,
    "collector": ("aiohttp", *_SERVICE),
    "notices": ("aiodynamo", "aiohttp", "apprise", "mangum", "msgspec", "prometheus-client", "starlette", "tzdata"),
    "authorizer": ("msgspec", "prometheus-client", "PyJWT[crypto]", "starlette"),
}
"""What each function imports beside boto3, which the runtime has. What these need comes along."""
UNUSED = (".pyi", ".pyx", ".pxd", ".c", ".h", ".hash", "py.typed")
"""Ends of the names of files that are read by compilers and type checkers only."""
LEFT_OUT = ("cli", "webui/dist")
"""Folders of ours that no function runs."""
EPOCH = (1980, 1, 1, 0, 0, 0)


class Package(Struct, frozen=True):
    """One function's zip; ``digest`` is of its content, whatever zlib made of it; sizes in bytes."""

    file: str
    digest: str
    zipped: int
    unzipped: int


def build(target: Target, folder: Path = BUILD) -> Mapping[str, Package]:
    """Write the zips of all functions and ``packages.json`` to ``folder``/``target``; what is there already stays."""
    at = folder / target
    at.mkdir(parents=True, exist_ok=True)
    packages = {name: _package(name, target, at) for name in REQUIREMENTS}
    for old in set(at.glob("*.zip")) - {at / package.file for package in packages.values()}:
        old.unlink()
    (at / "packages.json").write_bytes(msgspec.json.format(msgspec.json.encode(packages)) + b"\n")
    return packages


def built(target: Target, folder: Path = BUILD) -> Mapping[str, Package]:
    """What :func:`build` wrote last. Raises ``FileNotFoundError`` saying how to build it."""
    try:
        data = (folder / target / "packages.json").read_bytes()
    except FileNotFoundError:
        hint = f"The functions are not built; run `python -m infra.package --target {target}`."
        raise FileNotFoundError(hint) from None
    return msgspec.json.decode(data, type=dict[str, Package])


def _package(name: str, target: Target, at: Path) -> Package:
    files = {**_ours(), **_theirs(_wheels(REQUIREMENTS[name], target, at))}
    python = compiler(PYTHON) if target == "aws" else None
    digest = _digest(files, python and PYTHON)
    path = at / f"{name}-{digest[:16]}.zip"
    if not path.exists():
        _zip(path, {**files, **(compiled(files, python) if python else {})})
    with zipfile.ZipFile(path) as archive:
        unzipped = sum(member.file_size for member in archive.infolist())
    return Package(path.name, digest, path.stat().st_size, unzipped)


def _wheels(names: Sequence[str], target: Target, at: Path) -> list[Path]:
    """The wheels of ``names`` and of all that they need, in the versions of the lock file; kept for the next time."""
    asked = ["--only-binary=:all:"]
    if target == "aws":
        asked += ["--python-version", PYTHON, *(f"--platform={platform}" for platform in PLATFORMS)]
    key = hashlib.sha256("\n".join([LOCK.read_text(), sys.version, *asked, *names]).encode()).hexdigest()[:16]
    folder, done = at / "wheels" / key, at / "wheels" / key / ".done"
    if not done.exists():
        command = [sys.executable, "-m", "pip", "download", "-qq", "--disable-pip-version-check", *asked]
        subprocess.run([*command, "-c", str(LOCK), "-d", str(folder), *names], check=True)
        done.touch()
    return sorted(folder.glob("*.whl"))


def _ours() -> dict[str, bytes]:
    source = ROOT / "src"
    left_out = tuple(f"miyabi/{folder}/" for folder in LEFT_OUT)
    paths = ((path.relative_to(source).as_posix(), path) for path in source.glob("miyabi/**/*.py"))
    return {name: path.read_bytes() for name, path in paths if not name.startswith(left_out)}


def _theirs(wheels: Sequence[Path]) -> dict[str, bytes]:
    files: dict[str, bytes] = {}
    for wheel in wheels:
        with zipfile.ZipFile(wheel) as archive:
            files |= {name: archive.read(name) for name in archive.namelist() if _used(PurePosixPath(name))}
    return files


def _used(name: PurePosixPath) -> bool:
    top = name.parts[0]
    if top.endswith(".data"):
        raise ValueError(f"{name}: a wheel with a .data folder; unpack it here as installers do (PEP 427).")
    if top.endswith(".dist-info"):
        return name.name == "METADATA"  # the version, which importlib.metadata reads
    return not name.name.endswith(UNUSED) and "tests" not in name.parts[:-1]


def _digest(files: Mapping[str, bytes], bytecode: str | None) -> str:
    total = hashlib.sha256(f"bytecode {bytecode}\n".encode())
    for name in sorted(files):
        total.update(f"{name} {hashlib.sha256(files[name]).hexdigest()}\n".encode())
    return total.hexdigest()


def _zip(path: Path, files: Mapping[str, bytes]) -> None:
    half = path.with_suffix(".part")
    with zipfile.ZipFile(half, "w", zipfile.ZIP_DEFLATED, compresslevel=9) as archive:
        for name in sorted(files):
            member = zipfile.ZipInfo(name, EPOCH)
            member.external_attr = 0o100644 << 16
            member.create_system = 3  # Unix, wherever this is built
            archive.writestr(member, files[name], zipfile.ZIP_DEFLATED)
    half.replace(path)


def main(arguments: Sequence[str] | None = None) -> None:
    """Build, and say what came of it."""
    parser = argparse.ArgumentParser(prog="python -m infra.package", description=__doc__)
    parser.add_argument("--target", choices=get_args(Target), default="aws")
    target: Target = parser.parse_args(arguments).target
    for name, package in build(target).items():
        sizes = f"{package.zipped / 1e6:.1f} MB zipped, {package.unzipped / 1e6:.1f} MB unzipped"
        print(f"{name:<12}{sizes}   infra/build/{target}/{package.file}")
    if target == "aws" and compiler(PYTHON) is None:
        print(f"There is no python{PYTHON} here to compile modules ahead: each cold start compiles what it imports.")


if __name__ == "__main__":
    main()
