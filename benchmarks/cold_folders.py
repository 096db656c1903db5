"""What the cold start's two functions are run from: folders as Lambda would unpack them, compiled alike."""

from __future__ import annotations

import hashlib
import shutil
import subprocess
import sys
import tempfile
import zipfile
from collections.abc import Callable
from pathlib import Path

from infra.package import LOCK, ROOT
from infra.package import build as build_zips

BUILD = ROOT / "build" / "bench-cold"
PEER = Path(__file__).with_name("cold_peer.py")
PEER_NEEDS = ("fastapi==0.165.0", "boto3", "redis", "hiredis", "mangum")
"""FastAPI's newest when this was written; what is in our lock file comes in the version that stands there."""
SHARED = ("boto3", "botocore", "s3transfer", "redis", "hiredis", "mangum", "starlette", "anyio", "idna")


def ours() -> Path:
    """The task API's zip, unpacked."""
    zips = BUILD / "zips"
    package = build_zips("host", zips)["tasks"]
    return _made(f"ours-{package.digest[:16]}", lambda folder: _unpack(zips / "host" / package.file, folder))


def peer() -> Path:
    """The peer with what it needs, in the versions of our lock file where that has them."""
    pins = [line for line in LOCK.read_text().splitlines() if line.partition("==")[0] in SHARED]
    key = hashlib.sha256("\n".join([sys.version, *PEER_NEEDS, *pins, PEER.read_text()]).encode()).hexdigest()
    return _made(f"peer-{key[:16]}", lambda folder: _install(pins, folder))


def _install(pins: list[str], folder: Path) -> None:
    with tempfile.NamedTemporaryFile("w", suffix=".txt") as constraints:
        constraints.write("\n".join(pins))
        constraints.flush()
        pip = [sys.executable, "-m", "pip", "install", "-qq", "--disable-pip-version-check", "--no-compile"]
        command = [*pip, "-c", constraints.name, "--target", str(folder), *PEER_NEEDS]
        subprocess.run(command, check=True, stderr=subprocess.DEVNULL)
    shutil.copy(PEER, folder)


def _unpack(package: Path, folder: Path) -> None:
    with zipfile.ZipFile(package) as archive:
        archive.extractall(folder)


def _made(name: str, make: Callable[[Path], None]) -> Path:
    """The folder of that name, made and compiled when it is not there yet."""
    folder = BUILD / name
    if not folder.exists():
        half = BUILD / f"{name}.part"
        shutil.rmtree(half, ignore_errors=True)
        half.mkdir(parents=True)
        make(half)
        command = [sys.executable, "-m", "compileall", "-q", "--invalidation-mode", "unchecked-hash", str(half)]
        subprocess.run(command, check=True)
        half.rename(folder)
    return folder
