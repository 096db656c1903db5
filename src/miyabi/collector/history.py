"""What earlier runs of a job took: loaded when a run begins, added to when one comes to a good end."""

from __future__ import annotations

import hashlib
import logging
from collections import OrderedDict
from collections.abc import Sequence

import msgspec

from miyabi.collector.foresight import stage_of, without_numbers
from miyabi.database import Database, DatabaseUnavailable
from miyabi.model import Task, millis
from miyabi.progress.forecast import Earlier, Run, ran, remember, stages_ran
from miyabi.progress.pace import Pace

log = logging.getLogger("miyabi.collector")

KEPT = 1000
"""Runs under way, and stages, whose history is kept in memory."""
_RUNS = msgspec.json.Decoder(list[Run])


class History:
    """Earlier runs of each job and of each stage, as memos in the database."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._jobs: OrderedDict[str, Sequence[Run]] = OrderedDict()
        self._stages: OrderedDict[str, Sequence[Run]] = OrderedDict()

    def runs(self, task: Task) -> Earlier:
        """Earlier runs of the task's job and of the stage that it is in, as far as they are loaded."""
        run = _run_id(task)
        stage = self._stages.get(stage_name(task, stage_of(task.details.phase)), ())
        return Earlier(self._jobs.get(run, ()), [known for known in stage if known.run_id != run])

    async def load(self, task: Task) -> bool:
        """Load them; whether there are any that were not there yet."""
        if task.final:
            return False
        job, stage = await self._load_job(task), await self._load_stage(task)
        return job or stage

    async def _load_job(self, task: Task) -> bool:
        run = _run_id(task)
        if run in self._jobs:
            return False
        found: list[Run] = []
        for name in job_names(task):
            found = found or [known for known in await self._memo(name) if known.run_id != run]
        _keep(self._jobs, run, found)
        return bool(found)

    async def _load_stage(self, task: Task) -> bool:
        stage = stage_of(task.details.phase)
        name = stage_name(task, stage)
        if not stage or name in self._stages:
            return False
        _keep(self._stages, name, await self._memo(name))
        return bool(self._stages[name])

    async def learn(self, task: Task, pace: Pace, *, again: bool = False) -> None:
        """Remember a run that has ended well, and forget one that has not after all.

        ``again``: it ended before and was read again now, so it takes only the place that it has. Two runs that end at
        once may lose one of them: a guess gets less sure.
        """
        run = _run_id(task)
        self._jobs.pop(run, None)
        good = task.status == "completed" and task.completed_at is not None and pace.began > 0
        took = millis(task.completed_at) - pace.began if good and task.completed_at else 0
        made: dict[str, Run | None] = dict.fromkeys(job_names(task), ran(run, pace, took) if good else None)
        for stage in filter(None, pace.stages):
            made[stage_name(task, stage)] = stages_ran(run, pace, took).get(stage) if good else None
        try:
            for name, one in made.items():
                await self._learn(name, run, one, again=again)
        except DatabaseUnavailable:
            log.warning("the database does not answer; how long %s took is not remembered", task.task_id)

    async def _learn(self, name: str, run_id: str, run: Run | None, *, again: bool) -> None:
        self._stages.pop(name, None)
        before = await self._memo(name)
        known = any(one.run_id == run_id for one in before)
        if run is None:
            after = [one for one in before if one.run_id != run_id]
        else:
            after = before if again and not known else remember(before, run)
        if after != before:
            await self._database.set_memo(name, msgspec.json.encode(after).decode())

    async def _memo(self, name: str) -> list[Run]:
        memo = await self._database.memo(name)
        try:
            return _RUNS.decode(memo) if memo else []
        except msgspec.MsgspecError:
            return []


def _keep(known: OrderedDict[str, Sequence[Run]], name: str, runs: Sequence[Run]) -> None:
    known[name] = runs
    while len(known) > KEPT:
        known.popitem(last=False)


def job_names(task: Task) -> list[str]:
    """Names of the job that a task is a run of, the most telling first: its command's, then its name's.

    Numbers within a name tell runs apart (``deploy #41``), those in a command tell jobs apart.
    """
    texts = [task.details.command] if task.details.command else []
    return [_name(task, text) for text in (*texts, without_numbers(task.task_name))]


def stage_name(task: Task, stage: str) -> str:
    """The memo of a stage (a stack, a step), whatever job it is a part of."""
    return _name(task, f"stage\n{stage}")


def _name(task: Task, text: str) -> str:
    text = f"{task.project_id}\n{task.task_type}\n{text}"
    return f"runs-{hashlib.blake2b(text.encode(), digest_size=12).hexdigest()}"


def _run_id(task: Task) -> str:
    """A task that is restarted is another run."""
    return f"{task.task_id} {task.details.started_at or task.created_at}"
