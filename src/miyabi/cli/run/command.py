"""Starting the command: what its input, output and errors are, and who waits for it."""

from __future__ import annotations

import contextlib
import fcntl
import os
import signal
import struct
import sys
import termios
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import NamedTuple

from miyabi.cli.run.spool import Kind
from miyabi.cli.run.terminal import Terminal, open_pty

NEWS = struct.Struct("<ci")
"""What comes on :attr:`Running.news`: ``p`` pid, ``s`` wait status, ``e`` errno of the exec that failed."""


class Output(NamedTuple):
    """Something to pass on: read from ``source``, write to the descriptor ``sink``; ``pty``: source is a master."""

    kind: Kind
    source: int
    sink: int
    pty: bool


class Plan(NamedTuple):
    """What the command gets as descriptors 0, 1, 2, and what comes out at our end.

    ``keyboard`` is set when the command gets a terminal of its own; its job control then runs through ``master``.
    """

    child: tuple[int, int, int]
    outputs: list[Output]
    master: int | None
    keyboard: Terminal | None

    def close_child_side(self) -> None:
        """In the parent, once the command has its descriptors."""
        for fd in {fd for fd in self.child if fd > 2}:
            os.close(fd)


class Running(NamedTuple):
    """A started command. ``pid`` is our child (the command itself, or with a keyboard its session's leader);
    ``news`` says what becomes of it, and while ``hold`` is open the leader keeps the session."""

    pid: int
    news: int
    hold: int


def plan() -> Plan:
    """Choose by what our own descriptors are.

    Input and output both terminals: the command gets a session of its own on a new pty, and we type for it.
    Else it stays in our process group, where the terminal's keys reach it without us, and where only its output
    is a terminal it writes to a pty that is for looks alone. Output and errors that go to one place share one way.
    """
    if os.isatty(0) and os.isatty(1):
        master, slave = open_pty(1, translate=True)
        error, outputs = (slave, []) if os.isatty(2) else _pipe(Kind.ERR, 2)
        whole = [Output(Kind.OUT, master, 1, True), *outputs]
        return Plan((slave, slave, error), whole, master, Terminal(0))
    if _same(1, 2):
        out, outputs = _way(Kind.OUT, 1)
        return Plan((0, out, out), outputs, None, None)
    out, outputs = _way(Kind.OUT, 1)
    error, more = _way(Kind.ERR, 2)
    return Plan((0, out, error), outputs + more, None, None)


def start(argv: Sequence[str], plan: Plan, undo_signals: Callable[[], None]) -> Running:
    """Fork and exec. That the program can't be started comes as news, and as exit code 127 or 126."""
    news, tell = os.pipe()
    hold, held = os.pipe()
    sys.stdout.flush()
    pid = os.fork()
    if pid == 0:
        try:
            os.close(held)
            if plan.keyboard is None:
                _become(argv, plan, undo_signals, tell)
            else:
                _lead(argv, plan, undo_signals, tell, hold)
        finally:
            os._exit(126)
    os.close(tell)
    os.close(hold)
    plan.close_child_side()
    return Running(pid, news, held)


def exit_code_of(number: int) -> int:
    """What a shell answers when exec fails with that errno."""
    return 127 if number in (2, 20) else 126


def _become(argv: Sequence[str], plan: Plan, undo_signals: Callable[[], None], tell: int) -> None:
    undo_signals()
    high = [fcntl.fcntl(fd, fcntl.F_DUPFD_CLOEXEC, 3) for fd in plan.child]
    for fd, copy in enumerate(high):
        os.dup2(copy, fd)
    try:
        os.execvp(argv[0], list(argv))  # noqa: S606 - running what the user asks for is the job
    except OSError as error:
        os.write(tell, NEWS.pack(b"e", error.errno or 0))
        os._exit(exit_code_of(error.errno or 0))


def _lead(argv: Sequence[str], plan: Plan, undo_signals: Callable[[], None], tell: int, hold: int) -> None:
    """Lead the pty's session. Were the command the leader, its process group would be an orphaned one, and the
    kernel lets no key stop those."""
    os.setsid()
    slave = plan.child[0]
    fcntl.ioctl(slave, termios.TIOCSCTTY, 0)
    signal.signal(signal.SIGTTOU, signal.SIG_IGN)
    pid = os.fork()
    if pid == 0:
        os.setpgid(0, 0)
        os.tcsetpgrp(slave, os.getpid())
        signal.signal(signal.SIGTTOU, signal.SIG_DFL)
        _become(argv, plan, undo_signals, tell)
    signal.pthread_sigmask(signal.SIG_SETMASK, [])
    for number in (signal.SIGINT, signal.SIGQUIT, signal.SIGTERM):
        signal.signal(number, signal.SIG_IGN)
    os.write(tell, NEWS.pack(b"p", pid))
    for output in plan.outputs:
        os.close(output.source)
    for fd in {0, 1, 2, *plan.child}:
        os.close(fd)
    _watch(pid, tell, hold)


def _watch(pid: int, tell: int, hold: int) -> None:
    while True:
        status = os.waitpid(pid, os.WUNTRACED)[1]
        os.write(tell, NEWS.pack(b"s", status))
        if not os.WIFSTOPPED(status):
            break
    while os.read(hold, 1):
        pass
    signal.signal(signal.SIGHUP, signal.SIG_IGN)
    with contextlib.suppress(OSError):
        own = os.open("/dev/tty", os.O_RDWR)
        os.tcsetpgrp(own, os.getpgrp())
    os._exit(0)


def _way(kind: Kind, fd: int) -> tuple[int, list[Output]]:
    """The child's descriptor for an output that goes to our ``fd``."""
    if not os.isatty(fd):
        return _pipe(kind, fd)
    master, slave = open_pty(fd, translate=False)
    return slave, [Output(kind, master, fd, True)]


def _pipe(kind: Kind, fd: int) -> tuple[int, list[Output]]:
    source, sink = os.pipe()
    os.set_blocking(source, False)
    with contextlib.suppress(OSError, AttributeError):
        fcntl.fcntl(sink, fcntl.F_SETPIPE_SZ, 1 << 18)
    return sink, [Output(kind, source, fd, False)]


def _same(one: int, other: int) -> bool:
    try:
        return os.path.samestat(os.fstat(one), os.fstat(other))
    except OSError:
        return False


def describe(argv: Sequence[str], number: int) -> str:
    """Why the program could not be started, in a sentence."""
    if number in (2, 20):
        there = "is no such file" if "/" in argv[0] else "is not a command that is installed here"
        return f"`{argv[0]}` {there}."
    if number == 13 and not Path(argv[0]).is_dir():
        return f"`{argv[0]}` may not be run; make it executable with `chmod +x`."
    return f"`{argv[0]}` can't be run: {os.strerror(number)}."
