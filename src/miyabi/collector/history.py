"""What earlier runs of a job took: loaded when a run begins, added to when one comes to a good end."""

from __future__ import annotations

import hashlib
import logging
import re
from collections import OrderedDict
from collections.abc import Sequence

import msgspec

from miyabi.database import Database, DatabaseUnavailable
from miyabi.model import Task, millis
from miyabi.progress.forecast import Run, remember
from miyabi.progress.pace import Pace

log = logging.getLogger("miyabi.collector")

KEPT = 1000
"""Runs under way whose history is kept in memory."""
_RUNS = msgspec.json.Decoder(list[Run])
_NUMBERS = re.compile(r"\d+")


class History:
    """Earlier runs of each job, as memos in the database."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._known: OrderedDict[str, Sequence[Run]] = OrderedDict()

    def runs(self, task: Task) -> Sequence[Run]:
        """Earlier runs of the task's job, the newest last, as far as they are loaded."""
        return self._known.get(_run_id(task), ())

    async def load(self, task: Task) -> bool:
        """Load them; whether they were not there yet and there are any."""
        run = _run_id(task)
        if task.final or run in self._known:
            return False
        found: list[Run] = []
        for name in job_names(task):
            earlier = _decoded(await self._database.memo(name))
            found = found or [known for known in earlier if known.run_id != run]
        self._known[run] = found
        while len(self._known) > KEPT:
            self._known.popitem(last=False)
        return bool(found)

    async def learn(self, task: Task, pace: Pace, *, again: bool = False) -> None:
        """Remember a run that has ended well, and forget one that has not after all.

        ``again``: it ended before and was read again now, so it takes only the place that it has. Two runs that end at
        once may lose one of them: a guess gets less sure.
        """
        run = _run_id(task)
        self._known.pop(run, None)
        try:
            for name in job_names(task):
                before = _decoded(await self._database.memo(name))
                after = _after(before, task, pace, run, again=again)
                if after != before:
                    await self._database.set_memo(name, msgspec.json.encode(after).decode())
        except DatabaseUnavailable:
            log.warning("the database does not answer; how long %s took is not remembered", task.task_id)


def _after(before: list[Run], task: Task, pace: Pace, run: str, *, again: bool) -> list[Run]:
    if task.status != "completed" or not task.completed_at or not pace.began:
        return [known for known in before if known.run_id != run]
    if again and all(known.run_id != run for known in before):
        return before
    return remember(before, run, pace, millis(task.completed_at) - pace.began)


def job_names(task: Task) -> list[str]:
    """Names of the job that a task is a run of, the most telling first: its command's, then its name's.

    Numbers within a name tell runs apart (``deploy #41``), those in a command tell jobs apart.
    """
    where = f"{task.project_id}\n{task.task_type}\n"
    texts = [task.details.command] if task.details.command else []
    return [_memo(where + text) for text in (*texts, _NUMBERS.sub("0", task.task_name))]


def _memo(text: str) -> str:
    return f"runs-{hashlib.blake2b(text.encode(), digest_size=12).hexdigest()}"


def _run_id(task: Task) -> str:
    """A task that is restarted is another run."""
    return f"{task.task_id} {task.details.started_at or task.created_at}"


def _decoded(memo: str) -> list[Run]:
    try:
        return _RUNS.decode(memo) if memo else []
    except msgspec.MsgspecError:
        return []
