"""``miyabi run``: run a command as if alone, and send what it puts out to the board."""

from __future__ import annotations

import contextlib
import os
import select
import shlex
import signal
from collections.abc import Sequence
from pathlib import Path
from typing import NoReturn

import click

from miyabi.cli.run import closing, naming
from miyabi.cli.run.command import Output, Plan, Running, describe, plan, start
from miyabi.cli.run.pump import Pump
from miyabi.cli.run.shipper import Job, Report, Shipment, ship
from miyabi.cli.run.signals import Signals, die_of
from miyabi.cli.run.spool import Exit, Kind
from miyabi.cli.run.terminal import Terminal, restore
from miyabi.model import ID_PATTERN, is_id, new_id
from miyabi.settings import Settings, SettingsError, from_environment

COMMAND_LENGTH = 4000


@click.command(context_settings={"allow_interspersed_args": False})
@click.option("--name", help="What the task is called.  [default: the command, shortened]")
@click.option("--type", "task_type", help="cdk_deploy, agent_execution, build or a word of yours.  [default: guessed]")
@click.option("--project", help="Id of the project.  [default: the git remote's repository, or the folder]")
@click.option("--task-id", help="Id of the task, to be found by or to add to.  [default: made from the name]")
@click.option("--url", help="The board to send to.  [default: MIYABI_URL, or the one on your data folder]")
@click.argument("command", nargs=-1, required=True, type=click.UNPROCESSED)
def run(
    name: str | None,
    task_type: str | None,
    project: str | None,
    task_id: str | None,
    url: str | None,
    command: tuple[str, ...],
) -> None:
    """Run COMMAND as if alone and show on the board how far it is.

    With `-` for COMMAND, lines are taken from standard input and passed on.
    """
    try:
        settings = from_environment(url=url)
    except SettingsError as error:
        raise click.UsageError(str(error)) from None
    job = job_of(command, settings.url, name=name, task_type=task_type, project=project, task_id=task_id)
    _run(None if command == ("-",) else command, job, settings)


def job_of(
    command: Sequence[str],
    url: str | None,
    *,
    name: str | None = None,
    task_type: str | None = None,
    project: str | None = None,
    task_id: str | None = None,
) -> Job:
    """The task that a command line is, with what was not said guessed. Raises ``click.UsageError``."""
    for option, value in (("--project", project), ("--task-id", task_id)):
        if value is not None and not is_id(value):
            raise click.UsageError(f"{option}: `{value}` can't be an id; it must match {ID_PATTERN}")
    if task_type is not None and not (task_type.isascii() and task_type.isidentifier() and task_type.islower()):
        raise click.UsageError(f"--type: `{task_type}` can't be a type; write a word of a-z, 0-9 and _, like `build`")
    from_input = tuple(command) == ("-",)
    called = " ".join((name or ("input" if from_input else naming.name_of(command))).split())[:200] or "run"
    return Job(
        task_id or new_id(called),
        called,
        task_type or naming.type_of(command),
        project or _project(),
        "" if from_input else shlex.join(command)[:COMMAND_LENGTH],
        url,
    )


def _project() -> str:
    try:
        return naming.project_of(Path.cwd())
    except OSError:
        return "default"


def _run(command: Sequence[str] | None, job: Job, settings: Settings) -> NoReturn:
    """Run, say how it ended, and end in the same way."""
    signals = Signals()
    planned = plan() if command is not None else Plan((0, 1, 2), [Output(Kind.OUT, 0, 1, False)], None, None)
    shipment, trouble = _ship(settings, job, planned.keyboard)
    running = start(command, planned, signals.undo) if command is not None else Running(0, *os.pipe())
    signals.start()
    pump = Pump(planned, running, signals, shipment)
    try:
        ended = pump.run()
    finally:
        if planned.keyboard:
            planned.keyboard.give_back()
    pump.leave_rest(shipment.release if shipment else lambda: None)
    os.close(running.hold)
    report = shipment.finish(ended, lambda seconds: _interrupted(signals, shipment, seconds)) if shipment else None
    if command is not None and pump.exec_error:
        _say(describe(command, pump.exec_error))
    for channel in pump.channels:
        if channel.trouble:
            _say(f"the output could not be passed on: {channel.trouble}")
    _close(pump, ended, report, job, shipment, trouble, command is not None)
    if ended.signal:
        die_of(ended.signal)
    os._exit(ended.code or 0)


def _ship(settings: Settings, job: Job, keyboard: Terminal | None) -> tuple[Shipment | None, str]:
    """Begin to record, or say why that can't be."""

    def rescue() -> None:
        if keyboard is not None:
            with contextlib.suppress(OSError):
                fd = os.open(keyboard.path, os.O_RDWR | os.O_NOCTTY)
                restore(fd, keyboard.saved)
                os.close(fd)

    try:
        return ship(settings, job, rescue), ""
    except OSError as error:
        return None, f"nothing was recorded: {settings.data} can't be written ({error.strerror})"


def _interrupted(signals: Signals, shipment: Shipment | None, seconds: float) -> bool:
    poll = select.poll()
    poll.register(signals.fd, select.POLLIN)
    if shipment is not None:
        poll.register(shipment.readable, select.POLLIN)
    poll.poll(seconds * 1000)
    impatient = {signal.SIGINT, signal.SIGQUIT, signal.SIGTERM, signal.SIGHUP}
    return any(arrived.number in impatient for arrived in signals.arrived())


def _close(
    pump: Pump,
    ended: Exit,
    report: Report | None,
    job: Job,
    shipment: Shipment | None,
    trouble: str,
    has_command: bool,
) -> None:
    terminal = os.isatty(2)
    mark, words = closing.status_of(ended, has_command=has_command)
    color = closing.GREEN if ended.code == 0 else closing.DIM if ended.code is None else closing.RED
    text = f"{closing.paint(mark, color, terminal=terminal)} {words} in {closing.duration(ended.seconds)}"
    if report is not None:
        text += f" · {closing.where(report, job.task_id)}"
    if any(channel.last != b"\n" for channel in pump.channels if os.isatty(channel.terminal) == terminal):
        text = "\n" + text
    _write(text)
    if shipment is not None and (notice := closing.unrecorded(shipment.spool.lost, shipment.spool.trouble)):
        _say(notice)
    if trouble:
        _say(trouble)


def _say(text: str) -> None:
    _write(f"miyabi: {text}")


def _write(text: str) -> None:
    with contextlib.suppress(OSError):
        os.write(2, f"{text}\n".encode())
