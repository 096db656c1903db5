"""Plays a recorded command: the same bytes at the same pace, the same exit code. ``python play.py NAME [SPEED]``

``NAME.log`` is what it wrote; ``NAME.pace.json`` has ``exit_code`` and ``chunks`` of ``[seconds since start, bytes]``.
"""

from __future__ import annotations

import json
import os
import sys
import time
from pathlib import Path


def play(name: Path, speed: float = 1.0) -> int:
    """Write the recording to stdout; its exit code."""
    data = name.with_suffix(".log").read_bytes()
    pace = json.loads(name.with_suffix(".pace.json").read_text())
    began, offset = time.monotonic(), 0
    for seconds, size in pace["chunks"]:
        time.sleep(max(0.0, began + seconds / speed - time.monotonic()))
        piece = memoryview(data)[offset : offset + size]
        while piece:
            piece = piece[os.write(1, piece) :]
        offset += size
    return int(pace["exit_code"])


if __name__ == "__main__":
    sys.exit(play(Path(sys.argv[1]), float(sys.argv[2]) if len(sys.argv) > 2 else 1.0))
