"""``miyabi reread``: have stored logs read again by today's reader."""

from __future__ import annotations

from collections.abc import Iterable

import click

from miyabi.cli.client import BoardClient, open_board
from miyabi.tasks.shapes import Reread


@click.command()
@click.argument("tasks", metavar="TASK...", nargs=-1)
@click.option("--all", "every", is_flag=True, help="Every task that the board knows.")
@click.option("--url", help="The board to ask.  [default: MIYABI_URL, or the one on your data folder]")
def reread(tasks: tuple[str, ...], every: bool, url: str | None) -> None:
    """Read the stored log of each TASK again from its first line.

    A newer miyabi may understand more of it: the task's progress, status and history are made anew from the same lines.
    Names and notes that people gave stay.
    """
    if bool(tasks) == every:
        raise click.UsageError("Name the tasks to read again, or say --all.")
    board = open_board(url)
    changed = gone = total = 0
    for result in _results(board, (task.task_id for task in board.tasks()) if every else tasks):
        total += 1
        changed += result.changed
        gone += not result.lines
        click.echo(_line(result))
    click.echo(_sum(total, changed, gone), err=True)


def _results(board: BoardClient, task_ids: Iterable[str]) -> Iterable[Reread]:
    for task_id in task_ids:
        yield board.reread(task_id)


def _line(result: Reread) -> str:
    task = result.task
    percentage = task.progress.percentage
    far = f"{percentage:.0f} %" if percentage is not None else "–"
    what = "changed" if result.changed else "the same" if result.lines else "no lines are kept"
    return f"{task.task_id}  {far}  {task.status}  {what}"


def _sum(total: int, changed: int, gone: int) -> str:
    words = f"{total} {'task' if total == 1 else 'tasks'} read again, {changed} changed"
    return f"{words}, {gone} without lines." if gone else f"{words}."
