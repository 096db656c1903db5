"""The shipper: a process beside the pump that sends what the pump has put on disk.

A process and not a thread, so that sending never takes the interpreter from the pump; in a session of its own, so
that no key and no hangup of the terminal ends it before the last line is sent.
"""

from __future__ import annotations

import fcntl
import mmap
import os
import pwd
import select
import struct
import time
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import msgspec
from msgspec import Struct

from miyabi.cli.run.shelf import Header, folder, head, left_behind, remove
from miyabi.cli.run.spool import Exit, Kind, SpoolWriter, now_ms
from miyabi.model import RunStart, group_of
from miyabi.settings import Settings

SMALL = 4_000_000
"""Bytes still to be sent for whose sending the end of a run waits."""
WAIT_SECONDS = 3.5
NICE = 5
"""How far sending stands back behind the command when both want the processor."""
GATHERED = 1 << 16
GATHERED_MS = 10
"""Output that comes without a pause is brought to disk in pieces of so many bytes, or as often as this: a terminal
hands it over 4 KB at a time."""
_ASLEEP = 0
"""Byte of the shared memory: the shipper sleeps and wants to be woken."""
_IN_ORDER = 1
"""Byte of the shared memory: the pump has said all it had to say."""
_ACKNOWLEDGED = struct.Struct("<Q")


class Job(NamedTuple):
    """What a run is: which task, and where its lines go (``url`` ``None``: to the data folder's board)."""

    task_id: str
    name: str
    type: str
    project: str
    command: str
    url: str | None


class Report(Struct, frozen=True):
    """How the sending stands. ``state``: ``sending``, ``sent``, or ``waiting`` on disk for a later run."""

    state: str = "sending"
    address: str | None = None
    problem: str = ""


class Shipment:
    """The pump's end: takes copies of the output, and says in the end what has become of them.

    Never raises once it is made, and never waits before :meth:`finish`.
    """

    def __init__(self, spool: SpoolWriter, shared: mmap.mmap, wake: int, reports: int, lock: int) -> None:
        self.spool = spool
        self._shared = shared
        self._wake = wake
        self._reports = reports
        self._lock = lock
        self._gathered = bytearray()
        self._kind = Kind.OUT
        self._since = 0

    @property
    def unsettled(self) -> bool:
        """Whether some of the output is only in memory yet; never for long."""
        return bool(self._gathered)

    def output(self, kind: Kind, data: bytes) -> None:
        """Keep a copy of a piece of output."""
        if kind != self._kind:
            self.settle()
            self._kind = kind
        if not self._gathered:
            self._since = now_ms()
        self._gathered += data
        if len(self._gathered) >= GATHERED or not 0 <= now_ms() - self._since < GATHERED_MS:
            self.settle()

    def settle(self) -> None:
        """Bring to disk what came since the last time, and wake the shipper."""
        if not self._gathered:
            return
        self.spool.output(self._kind, bytes(self._gathered))
        self._gathered.clear()
        if self._shared[_ASLEEP]:
            try:
                os.write(self._wake, b"\0")
            except OSError:
                return

    def release(self) -> None:
        """Let go of everything, in a process that goes on without recording."""
        for fd in (self._wake, self._reports, self._lock):
            os.close(fd)

    def finish(self, ended: Exit, interrupted: Callable[[float], bool]) -> Report:
        """Record the end, and wait a moment for everything to be sent.

        ``interrupted(seconds)`` waits and says whether the user would rather not wait.
        """
        self.settle()
        self.spool.close(ended)
        self._shared[_IN_ORDER] = 1
        os.close(self._wake)
        os.close(self._lock)
        os.set_blocking(self._reports, False)
        report, done = Report(), False
        until = time.monotonic() + WAIT_SECONDS
        patient = os.getpid() == 1 or bool(os.environ.get("CI"))
        before = -1
        while not done:
            report, done = self._read(report)
            now, sent = time.monotonic(), _ACKNOWLEDGED.unpack_from(self._shared, 8)[0]
            if patient and sent != before:
                until, before = now + WAIT_SECONDS, sent
            large = self.spool.written - sent > SMALL and not report.problem
            if done or now > until or (large and not patient):
                break
            if interrupted(min(0.5, until - now)):
                break
        return report

    @property
    def readable(self) -> int:
        """Becomes readable when there is a report."""
        return self._reports

    def _read(self, report: Report) -> tuple[Report, bool]:
        try:
            data = os.read(self._reports, 1 << 16)
        except BlockingIOError:
            return report, False
        lines = data.splitlines()
        if not lines:
            return report, True
        newest = msgspec.json.decode(lines[-1], type=Report)
        return newest, newest.state != "sending"


def ship(settings: Settings, job: Job, rescue: Callable[[], None]) -> Shipment:
    """Begin a shipment: the spool, its head with the lock, and the process that sends it.

    ``rescue`` is called in that process when this one has died without a word. Raises ``OSError`` when nothing can
    be written in the data folder.
    """
    start = _start(job)
    header = Header(job.url, group_of(job.type), job.task_id, now_ms(), start)
    base = folder(settings.data) / start.run
    base.parent.mkdir(parents=True, exist_ok=True)
    spool = SpoolWriter(base, now_ms)
    lock = os.open(head(base), os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o600)
    text = msgspec.json.encode(header)
    fcntl.flock(lock, fcntl.LOCK_EX)
    if spool.trouble or os.write(lock, text) < len(text):
        os.close(lock)
        spool.close(None)
        remove(base)
        raise OSError(28, spool.trouble or os.strerror(28))
    shared = mmap.mmap(-1, 16)
    wake_read, wake = os.pipe()
    reports, report = os.pipe()
    os.set_blocking(wake, False)
    if os.fork() == 0:
        try:
            os.close(wake)
            _detach(keep=(lock, wake_read, report))
            _main(settings, base, header, _Woken(wake_read, shared, rescue), shared, report)
        finally:
            os._exit(0)
    os.close(wake_read)
    os.close(report)
    return Shipment(spool, shared, wake, reports, lock)


class _Woken:
    """Waits for the pump: a byte on a pipe that it writes only while the shared flag says that we sleep."""

    def __init__(self, fd: int, shared: mmap.mmap, rescue: Callable[[], None]) -> None:
        self.gone = False
        self._rescue = rescue
        self._fd = fd
        self._shared = shared
        self._poll = select.poll()
        os.set_blocking(fd, False)

    def wait(self, more: Callable[[], bool], seconds: float | None) -> None:
        self._shared[_ASLEEP] = 1
        if not more():
            self._poll.register(self._fd, select.POLLIN)
            self._poll.poll(None if seconds is None else seconds * 1000 + 1)
        self._shared[_ASLEEP] = 0
        self._drain()

    def pause(self, seconds: float) -> None:
        if self.gone:
            time.sleep(seconds)
            return
        self._poll.register(self._fd, 0)
        self._poll.poll(seconds * 1000)
        self._drain()

    def _drain(self) -> None:
        try:
            self.gone = os.read(self._fd, 4096) == b""
        except BlockingIOError:
            return
        if self.gone and not self._shared[_IN_ORDER]:
            self._rescue()


def _main(
    settings: Settings,
    base: Path,
    header: Header,
    waiter: _Woken,
    shared: mmap.mmap,
    report_fd: int,
) -> None:
    from miyabi.cli.run.delivery import Delivery
    from miyabi.cli.run.senders import Sender, open_sender

    last = Report()
    sender: Sender | None = None

    def tell(state: str, problem: str) -> None:
        nonlocal last
        now = Report(state, sender.address if sender else None, problem)
        if now != last:
            last = now
            try:
                os.write(report_fd, msgspec.json.encode(now) + b"\n")
            except OSError:
                return

    def changed(acknowledged: int, problem: str) -> None:
        _ACKNOWLEDGED.pack_into(shared, 8, acknowledged)
        tell("sending", problem)

    try:
        _flush_others(settings)
        sender = open_sender(header.url, settings)
        done = Delivery(base, header, sender, waiter, changed).run()
        tell("sent" if done else "waiting", "" if done else last.problem)
    except Exception as error:
        tell("waiting", str(error) or type(error).__name__)
        raise


def _flush_others(settings: Settings) -> None:
    """Send what earlier runs have left, in a process of its own."""
    if left_behind(settings.data) and os.fork() == 0:
        try:
            os.closerange(3, 1 << 20)
            from miyabi.cli.run.flush import flush_all

            flush_all(settings)
        finally:
            os._exit(0)


def _detach(keep: tuple[int, ...]) -> None:
    """Leave the session and every descriptor but ``keep``: nobody may wait for us by mistake."""
    os.setsid()
    os.chdir("/")
    null = os.open(os.devnull, os.O_RDWR)
    for fd in range(3):
        os.dup2(null, fd)
    os.nice(NICE)
    low = 3
    for fd in sorted(keep):
        os.closerange(low, fd)
        low = fd + 1
    os.closerange(low, 1 << 20)


def _start(job: Job) -> RunStart:
    writer, host = os.urandom(8).hex(), os.uname().nodename
    return RunStart(writer, job.name, job.type, job.project, job.command, host, _user(), _directory())


def _user() -> str:
    try:
        return pwd.getpwuid(os.getuid()).pw_name
    except KeyError:
        return str(os.getuid())


def _directory() -> str:
    try:
        return str(Path.cwd())
    except OSError:
        return ""
