"""The pump: moves bytes between the command and the terminal and keeps a copy of what came out.

It does nothing else, so that the command never waits for anything but the terminal it would have waited for anyway.
"""

from __future__ import annotations

import errno
import os
import select
import signal
import stat
import time
from collections.abc import Callable

from miyabi.cli.run.command import NEWS, Output, Plan, Running, exit_code_of
from miyabi.cli.run.recorder import NoRecorder, Recorder
from miyabi.cli.run.signals import Signals
from miyabi.cli.run.spool import Exit
from miyabi.cli.run.terminal import copy_size

CHUNK = 1 << 16
SETTLE_MS = 1
"""Silence after which what was recorded is brought to disk."""
QUIET_MS = 100
"""Once the command has ended: silence after which what still holds its output open is left to itself."""
LINGER_SECONDS = 1.0
STOP_CHECK_MS = 200
JOB_KEYS = frozenset({signal.SIGINT, signal.SIGQUIT, signal.SIGHUP})


class Channel:
    """One way out: from the command's pipe or pty to our descriptor."""

    def __init__(self, output: Output, pump: Pump) -> None:
        self.kind = output.kind
        self.source = output.source
        self.pty = output.pty
        self.terminal = output.sink
        self.sink = _without_blocking(output.sink)
        self.open = True
        self.last = b"\n"
        self.trouble = ""
        self._pending = memoryview(b"")
        self._pump = pump
        self._piped = not stat.S_ISREG(os.fstat(self.sink).st_mode)
        pump.attend(self)
        if self._piped:
            pump.watch(self.sink, 0, self.writable)

    @property
    def behind(self) -> bool:
        """Something the command has put out is not passed on yet, since nobody takes it."""
        return self.open and bool(self._pending)

    def readable(self, _event: int) -> None:
        """Pass on what the command has put out."""
        try:
            data = os.read(self.source, CHUNK)
        except BlockingIOError:
            return
        except OSError:
            data = b""
        if not data:
            self.close()
            return
        self._write(memoryview(data))
        self.last = data[-1:]
        self._pump.recorder.output(self.kind, data)

    def writable(self, event: int) -> None:
        """Go on with what did not fit; or the reader has gone, and the command is to learn of it."""
        if event & (select.POLLERR | select.POLLNVAL | select.POLLHUP):
            self.close()
        elif self._pending:
            self._write(self._pending)

    def close(self) -> None:
        """Let go of the command's side: what it writes from now on fails, as it would without us."""
        if self.open:
            self.open = False
            self._pump.forget(self.source)
            if self._piped:
                self._pump.forget(self.sink)
            self._pump.closed(self)

    def _write(self, data: memoryview) -> None:
        waited = bool(self._pending)
        try:
            data = data[os.write(self.sink, data) :]
        except BlockingIOError:
            pass
        except OSError as error:
            if error.errno not in (errno.EPIPE, errno.EIO):
                self.trouble = error.strerror or str(error)
            self._pending = memoryview(b"")
            self.close()
            return
        self._pending = data
        if data and not self._piped:
            self._write(data)
        elif data and not waited:
            self._pump.watch(self.sink, select.POLLOUT, self.writable)
            self._pump.attend(self)
        elif waited and not data:
            self._pump.watch(self.sink, 0, self.writable)
            self._pump.attend(self)


class Pump:
    """Runs until the command has ended and its output is passed on."""

    def __init__(self, plan: Plan, running: Running, signals: Signals, recorder: Recorder | None) -> None:
        self.recorder: Recorder = recorder or NoRecorder()
        self.ended: Exit | None = None
        self.exec_error: int | None = None
        self.interrupted = 0
        """Signal that asked us to end while there was no command to give it to."""
        self._poll = select.poll()
        self._handlers: dict[int, Callable[[int], None]] = {}
        self._plan = plan
        self._running = running
        self._signals = signals
        self._pid = running.pid if plan.keyboard is None else 0
        self._no_command = running.pid == 0
        self._began = time.monotonic()
        self._until = 0.0
        self._stopped = False
        self._typed = memoryview(b"")
        self._early: list[tuple[int, bool]] = []
        self.channels = [Channel(output, self) for output in plan.outputs]
        self.watch(signals.fd, select.POLLIN, self._signalled)
        self.watch(running.news, select.POLLIN, self._news)
        self._listen()

    def run(self) -> Exit:
        """Pump until the end; says how the command ended."""
        poll, handlers = self._poll.poll, self._handlers
        while self.ended is None or self._draining():
            events = poll(self._timeout())
            for fd, event in events:
                if handler := handlers.get(fd):
                    handler(event)
            if not events and not self._idle():
                break
        self.recorder.settle()
        if self._plan.keyboard:
            self._plan.keyboard.give_back()
        return self.ended or Exit(None)

    def leave_rest(self, forked: Callable[[], None]) -> None:
        """When something the command left behind still holds its output, go on passing it on in the background.

        ``forked`` is called in the process that does.
        """
        if self._no_command or not self._draining() or os.fork():
            return
        forked()
        self._signals.undo()
        self.recorder = NoRecorder()
        for fd in (0, self._signals.fd, self._running.news):
            self.forget(fd)
        while self._draining():
            for fd, event in self._poll.poll():
                self._handlers[fd](event)
        os._exit(0)

    def watch(self, fd: int, events: int, handler: Callable[[int], None]) -> None:
        """Have ``handler`` called with what happens to ``fd``."""
        self._handlers[fd] = handler
        self._poll.register(fd, events)

    def attend(self, channel: Channel) -> None:
        """Watch a channel's source for what there is to do. When that is nothing, not at all: a hangup always shows."""
        typing = bool(self._typed) and channel.source == self._plan.master
        events = (0 if channel.behind else select.POLLIN) | (select.POLLOUT if typing else 0)
        if events and channel.open:
            self.watch(channel.source, events, self._master if typing else channel.readable)
        else:
            self.forget(channel.source)

    def forget(self, fd: int) -> None:
        """Watch ``fd`` no more."""
        if self._handlers.pop(fd, None):
            self._poll.unregister(fd)

    def closed(self, channel: Channel) -> None:
        """A channel has come to its end. A pty that the keyboard still needs stays open until the command ends."""
        if channel.source != self._plan.master:
            os.close(channel.source)
        if self._no_command:
            self._end(Exit(None, 0, time.monotonic() - self._began))

    def _draining(self) -> bool:
        return any(channel.open for channel in self.channels)

    def _timeout(self) -> int | None:
        if self.recorder.unsettled:
            return SETTLE_MS
        if self.ended is not None:
            if any(channel.behind for channel in self.channels):
                return None
            return QUIET_MS if time.monotonic() < self._until else 0
        return STOP_CHECK_MS if self._stopped else None

    def _idle(self) -> bool:
        """Nothing happened for the time that was given: whether to go on."""
        if self.recorder.unsettled:
            self.recorder.settle()
            return True
        if self.ended is not None:
            return False
        if self._stopped:
            self._resume()
        return True

    def _listen(self) -> None:
        """Read the keyboard if it is ours now."""
        keyboard = self._plan.keyboard
        if keyboard is None or self._stopped or self.ended is not None:
            return
        if keyboard.take():
            self.watch(keyboard.fd, select.POLLIN, self._key)
        else:
            self.forget(keyboard.fd)

    def _key(self, _event: int) -> None:
        assert self._plan.keyboard is not None
        assert self._plan.master is not None
        try:
            data = os.read(self._plan.keyboard.fd, CHUNK)
        except OSError:
            data = b""
        self.forget(self._plan.keyboard.fd)
        if data:
            self._typed = memoryview(data)
            self._type(0)

    def _type(self, _event: int) -> None:
        """Give the command what was typed; while it does not take it, nothing more is read."""
        assert self._plan.master is not None
        try:
            self._typed = self._typed[os.write(self._plan.master, self._typed) :]
        except BlockingIOError:
            pass
        except OSError:
            self._typed = memoryview(b"")
        self.attend(self.channels[0])
        if not self._typed:
            self._listen()

    def _master(self, event: int) -> None:
        """The command's terminal while it has not taken all that was typed."""
        channel = self.channels[0]
        if event & select.POLLOUT:
            self._type(event)
        if event & ~select.POLLOUT and channel.open and not channel.behind:
            channel.readable(event)

    def _news(self, _event: int) -> None:
        data = os.read(self._running.news, NEWS.size * 64)
        if not data:
            self.forget(self._running.news)
            if self._plan.keyboard is not None and self.ended is None:
                self._end(Exit(None))
        for what, value in NEWS.iter_unpack(data):
            if what == b"p":
                self._pid = value
                while self._early:
                    self._pass_on(*self._early.pop(0))
            elif what == b"e":
                self.exec_error = value
            else:
                self._status(value)

    def _status(self, status: int) -> None:
        if os.WIFSTOPPED(status):
            self._stop(os.WSTOPSIG(status))
        elif os.WIFSIGNALED(status):
            number = os.WTERMSIG(status)
            self._end(Exit(128 + number, number, time.monotonic() - self._began))
        else:
            code = exit_code_of(self.exec_error) if self.exec_error else os.WEXITSTATUS(status)
            self._end(Exit(code, 0, time.monotonic() - self._began))

    def _end(self, ended: Exit) -> None:
        if self.interrupted and not ended.signal:
            ended = Exit(128 + self.interrupted, self.interrupted, ended.seconds)
        self.ended = ended
        self._until = time.monotonic() + LINGER_SECONDS
        if self._plan.keyboard:
            self.forget(self._plan.keyboard.fd)

    def _stop(self, number: int) -> None:
        """The command was stopped by a key: our job stops as a whole, and goes on together."""
        assert self._plan.keyboard is not None
        self.forget(self._plan.keyboard.fd)
        self._plan.keyboard.give_back()
        self.recorder.settle()
        self._stopped = True
        if number == signal.SIGSTOP:
            os.kill(os.getpid(), signal.SIGSTOP)
        else:
            os.kill(0, number)

    def _resume(self) -> None:
        self._stopped = False
        if not self._typed:
            self._listen()
        self._kill_group(signal.SIGCONT)

    def _signalled(self, _event: int) -> None:
        for number, from_kernel in self._signals.arrived():
            if number == signal.SIGCHLD:
                self._child()
            elif number == signal.SIGWINCH:
                self._resize()
            elif number == signal.SIGCONT:
                self._resume()
            elif self.ended is None:
                self._pass_on(number, from_kernel)
            else:
                self._until = 0.0

    def _child(self) -> None:
        if self._plan.keyboard is not None or self.ended is not None:
            return
        pid, status = os.waitpid(self._pid, os.WNOHANG)
        if pid:
            self._read_news_now()
            self._status(status)

    def _read_news_now(self) -> None:
        if select.select([self._running.news], [], [], 0)[0]:
            self._news(select.POLLIN)

    def _resize(self) -> None:
        for channel in self.channels:
            if channel.pty and channel.open:
                copy_size(channel.terminal, channel.source)
        if self._plan.keyboard is None and self.ended is None and self._pid:
            os.kill(self._pid, signal.SIGWINCH)

    def _pass_on(self, number: int, from_kernel: bool) -> None:
        if self._no_command:
            self._interrupt(number)
        elif not self._pid:
            self._early.append((number, from_kernel))  # until the session's leader has told who the command is
        elif self._plan.keyboard is None:
            if not (from_kernel and number in JOB_KEYS):
                os.kill(self._pid, number)
        elif from_kernel:
            self._kill_group(number)
        else:
            os.kill(self._pid, number)

    def _interrupt(self, number: int) -> None:
        """Without a command: Ctrl-C ends those who feed us, so their last words are awaited; told twice, we end."""
        if number == signal.SIGINT and not self.interrupted:
            self.interrupted = number
        else:
            self._end(Exit(128 + number, number, time.monotonic() - self._began))
            self._until = 0.0

    def _kill_group(self, number: int) -> None:
        """Signal what is in the foreground of the command's own terminal; what was left of it when it ended, none."""
        if self._plan.master is None or not self._pid or self.ended is not None:
            return
        try:
            os.killpg(os.tcgetpgrp(self._plan.master) or self._pid, number)
        except OSError:
            return


def _without_blocking(fd: int) -> int:
    """A descriptor of the same pipe or terminal that does not block, without changing ``fd`` for those who share it."""
    mode = os.fstat(fd).st_mode
    if not (stat.S_ISFIFO(mode) or os.isatty(fd)):
        return fd
    try:
        return os.open(f"/proc/self/fd/{fd}", os.O_WRONLY | os.O_NONBLOCK | os.O_NOCTTY)
    except OSError:
        return fd
