"""A job of ten steps that makes one when it is told to."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from subprocess import DEVNULL, PIPE, Popen

from tests.support.board import run_line

JOB = """
import sys
for number in range(1, 11):
    sys.stdin.readline()
    print(f"step {number}/10", flush=True)
"""
STEPS = [f"step {number}/10" for number in range(1, 11)]
"""Its lines."""


@contextmanager
def stepping(env: Mapping[str, str]) -> Iterator[Popen[bytes]]:
    """The job, called Steps with the id ``steps``, under ``miyabi run``."""
    line = run_line(sys.executable, "-c", JOB, options=["--task-id", "steps", "--name", "Steps"])
    with Popen(line, env=env, stdin=PIPE, stdout=DEVNULL, stderr=DEVNULL) as process:
        yield process


def step(job: Popen[bytes]) -> None:
    """Let the job make a step."""
    assert job.stdin is not None
    job.stdin.write(b"\n")
    job.stdin.flush()
