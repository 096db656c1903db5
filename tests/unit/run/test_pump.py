"""The pump by itself: what comes in an order that a running command seldom shows."""

from __future__ import annotations

import os
import signal
import subprocess
import threading
from typing import cast

from miyabi.cli.run.command import NEWS, Plan, Running
from miyabi.cli.run.pump import Pump
from miyabi.cli.run.signals import Arrived, Signals
from miyabi.cli.run.terminal import Terminal


class Told:
    """Signals that have come already."""

    def __init__(self, *numbers: int) -> None:
        self.fd, write = os.pipe()
        os.write(write, b"\0")
        os.close(write)
        self._left = [Arrived(number, False) for number in numbers]

    def arrived(self) -> list[Arrived]:
        """Each once."""
        os.read(self.fd, 1)
        told, self._left = self._left, []
        return told


def test_a_signal_that_comes_before_the_command_is_known_reaches_it_afterwards() -> None:
    screen, terminal = os.openpty()
    master, slave = os.openpty()
    news, tell = os.pipe()
    with subprocess.Popen(["sleep", "60"], start_new_session=True) as command:
        try:
            plan = Plan((slave, slave, slave), [], master, Terminal(terminal))
            signals = cast(Signals, Told(signal.SIGTERM))
            pump = Pump(plan, Running(os.getpid(), news, -1), signals, None)

            def lead() -> None:
                """The session's leader: it tells who the command is only when the signal waits, then how it ended."""
                os.write(tell, NEWS.pack(b"p", command.pid))
                status = command.wait()
                os.write(tell, NEWS.pack(b"s", -status))

            pump._signalled(0)
            leader = threading.Thread(target=lead)
            leader.start()
            ended = pump.run()
            leader.join()
            assert ended.signal == signal.SIGTERM
            assert command.returncode == -signal.SIGTERM
        finally:
            command.kill()
            for fd in (screen, terminal, master, slave, news, tell, signals.fd):
                os.close(fd)
