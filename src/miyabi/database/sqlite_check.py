"""Whether a restored file is right: looked up again, task by task, in the file that it was made from."""

from __future__ import annotations

import sqlite3
from collections import Counter, defaultdict

from miyabi.database import sqlite_reads as reads
from miyabi.database.restore import Faults, Told
from miyabi.database.sqlite_past import Past
from miyabi.model import STATUSES, Tally, iso

STEP = 1000
"""Tasks between two words of progress."""
_MS = "completed_ms"
_HISTORY = "SELECT timestamp, body FROM versions WHERE task_id = ?"


def faults_of(past: Past, restored: sqlite3.Connection, told: Told) -> list[str]:
    """What is wrong with ``restored``, beside the ``past`` that it should be; each fault a line."""
    faults = Faults()
    for (line,) in restored.execute("PRAGMA integrity_check"):
        if line != "ok":
            faults.add(f"the file is damaged: {line}")
    _check_tasks(past, restored, faults, told)
    _check_projects(past, restored, faults)
    return faults.lines()


def _check_tasks(past: Past, restored: sqlite3.Connection, faults: Faults, told: Told) -> None:
    """Each task is the newest version of then, with its history of then; and none is missing."""
    total = past.count()
    rows = restored.execute("SELECT task_id, timestamp, status, project_id, task_type, body FROM tasks")
    seen = 0
    for task_id, timestamp, *keys, body in rows:
        task = reads.TASK.decode(body)
        state, versions = past.of_task(task_id)
        if state is None:
            faults.add(f"task {task_id}: was not there yet")
        elif task != reads.TASK.decode(state[1]):
            faults.add(f"task {task_id}: is of {iso(timestamp)}, but its newest version is of {iso(state[0])}")
        if [task.timestamp, task.status, task.project_id, task.task_type] != [timestamp, *keys]:
            faults.add(f"task {task_id}: stands in the lists as what it is not")
        if versions != dict(restored.execute(_HISTORY, (task_id,))):
            faults.add(f"task {task_id}: its history is not that of then")
        seen += 1
        if seen % STEP == 0 or seen == total:
            told("checking the tasks", seen, total)
    if seen != total:
        faults.add(f"{seen} tasks came back of {total}")


def _check_projects(past: Past, restored: sqlite3.Connection, faults: Faults) -> None:
    """Each project is as it was, with the counts of the tasks that are there."""
    records = dict(past.projects())
    recounted = _recounted(restored)
    found: set[str] = set()
    for row in (reads.project_row(*row) for row in restored.execute(reads.PROJECTS)):
        name = row.project.project_id
        found.add(name)
        if name in records and row.project != reads.PROJECT.decode(records[name]):
            faults.add(f"project {name}: is not what it was")
        if name not in records and row.project.project_name != name:
            faults.add(f"project {name}: was not there yet")
        if row.tally != recounted.pop(name, Tally()):
            faults.add(f"project {name}: its counts are not those of its tasks")
    for name in {*records, *recounted} - found:
        faults.add(f"project {name}: is missing")


def _recounted(restored: sqlite3.Connection) -> dict[str, Tally]:
    """The counts of each project, from its tasks' records."""
    counts: dict[str, Counter[str]] = defaultdict(Counter)
    for (body,) in restored.execute("SELECT body FROM tasks"):
        task = reads.TASK.decode(body)
        counts[task.project_id][task.status] += 1
        if task.status == "completed":
            counts[task.project_id][_MS] += round((task.duration_seconds or 0) * 1000)
    return {
        name: Tally(**{status: mine[status] for status in STATUSES}, completed_seconds=mine[_MS] / 1000)
        for name, mine in counts.items()
    }
