"""Signals as bytes on a pipe, with who sent them, so that one loop can wait for them and for output alike."""

from __future__ import annotations

import _thread
import os
import signal
import struct
from typing import NamedTuple

CAUGHT = frozenset(
    getattr(signal, name)
    for name in ("SIGINT", "SIGQUIT", "SIGTERM", "SIGHUP", "SIGUSR1", "SIGUSR2", "SIGALRM", "SIGCHLD", "SIGWINCH",
                 "SIGCONT", "SIGVTALRM", "SIGPROF", "SIGIO")
    if hasattr(signal, name)
)  # fmt: skip
_RECORD = struct.Struct("<ii")
_FROM_KERNEL = 0x80


class Arrived(NamedTuple):
    """A signal, and whether the kernel sent it (a key, a hangup) and not a process."""

    number: int
    from_kernel: bool


class Signals:
    """Blocks :data:`CAUGHT` (but what is ignored stays so) and hands them out.

    Made before a child is forked, it must be :meth:`start`-ed after the last fork; the child calls :meth:`undo`.
    """

    def __init__(self) -> None:
        ignored = {number for number in CAUGHT if signal.getsignal(number) is signal.SIG_IGN}
        self._set = CAUGHT - ignored
        self._before = signal.pthread_sigmask(signal.SIG_BLOCK, self._set)
        self.fd, self._write = os.pipe()
        os.set_blocking(self.fd, False)

    def start(self) -> None:
        """Begin to collect."""
        _thread.start_new_thread(self._collect, ())

    def undo(self) -> None:
        """In a child, before exec: signals as they were when we were started."""
        signal.signal(signal.SIGPIPE, signal.SIG_DFL)
        if hasattr(signal, "SIGXFSZ"):
            signal.signal(signal.SIGXFSZ, signal.SIG_DFL)
        signal.pthread_sigmask(signal.SIG_SETMASK, self._before)

    def arrived(self) -> list[Arrived]:
        """What came since the last call."""
        try:
            data = os.read(self.fd, 1 << 16)
        except BlockingIOError:
            return []
        return [Arrived(number, code == _FROM_KERNEL) for number, code in _RECORD.iter_unpack(data)]

    def _collect(self) -> None:
        wait_info = getattr(signal, "sigwaitinfo", None)
        while True:
            if wait_info is not None:
                info = wait_info(self._set)
                record = _RECORD.pack(info.si_signo, info.si_code)
            else:
                number = signal.sigwait(self._set)
                record = _RECORD.pack(number, _FROM_KERNEL if number in (signal.SIGINT, signal.SIGQUIT) else 0)
            os.write(self._write, record)


def die_of(number: int) -> None:
    """End this process by that signal, without a core dump of our own. Returns when the signal does not kill."""
    import resource

    resource.setrlimit(resource.RLIMIT_CORE, (0, resource.getrlimit(resource.RLIMIT_CORE)[1]))
    if number not in (signal.SIGKILL, signal.SIGSTOP):
        signal.signal(number, signal.SIG_DFL)
        signal.pthread_sigmask(signal.SIG_UNBLOCK, [number])
    os.kill(os.getpid(), number)
