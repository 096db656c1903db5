"""Modules compiled ahead: Lambda can't keep what an import compiles, so it would be done at every cold start.

The bytecode is of the kind that is never compared with its source (PEP 552), so it holds no time stamp.
"""

from __future__ import annotations

import shutil
import subprocess
import tempfile
from collections.abc import Mapping
from pathlib import Path

_COMPILE = "import compileall, py_compile, sys; sys.exit(not compileall.compile_dir(sys.argv[1], quiet=1, \
ddir='/var/task', invalidation_mode=py_compile.PycInvalidationMode.UNCHECKED_HASH))"


def compiler(version: str) -> str | None:
    """The interpreter whose bytecode a runtime of Python ``version`` (``"3.14"``) runs, where there is one."""
    return shutil.which(f"python{version}")


def compiled(files: Mapping[str, bytes], python: str) -> dict[str, bytes]:
    """The bytecode of all modules in ``files``, by the path where imports look for it."""
    with tempfile.TemporaryDirectory(prefix="miyabi-bytecode-") as folder:
        for name, source in files.items():
            if name.endswith(".py"):
                path = Path(folder) / name
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_bytes(source)
        subprocess.run([python, "-I", "-c", _COMPILE, folder], check=True)
        return {path.relative_to(folder).as_posix(): path.read_bytes() for path in Path(folder).rglob("*.pyc")}
