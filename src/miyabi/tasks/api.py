"""What the operations stand on: the services that wiring gave, and what is asked of all of them."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable, Mapping
from typing import Protocol

from miyabi.logs import Logs
from miyabi.tasks.hub import Hub
from miyabi.tasks.service import TaskService
from miyabi.tasks.shapes import Collected, Health, Reread, ServiceHealth

log = logging.getLogger("miyabi.tasks")

Probe = Callable[[], Awaitable[None]]
"""Returns when a service answers, raises when it does not."""
PROBE_SECONDS = 2.0
FRESH_SECONDS = 0.25
VITAL = frozenset({"database"})
"""Without these no task can be served; without any other one, something is only slower or later."""


class Collecting(Protocol):
    """The collector, here or elsewhere. Raises ``Problem`` ``unavailable``, or what its stores raise."""

    async def collect(self) -> Collected:
        """Run it once."""

    async def reread(self, task_id: str) -> Reread | None:
        """Read a task's lines again from the first; ``None`` when there is no such task."""


class Api:
    """The task API's parts. ``probes`` are asked for ``/health``; ``clock`` gives seconds that only grow."""

    def __init__(
        self,
        service: TaskService,
        logs: Logs,
        hub: Hub,
        collector: Collecting,
        probes: Mapping[str, Probe],
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.service = service
        self.logs = logs
        self.hub = hub
        self.collector = collector
        self._probes = probes
        self._clock = clock
        self._look: asyncio.Task[Health] | None = None
        self._looked_at = 0.0
        self._down: set[str] = set()

    async def health(self) -> Health:
        """Every service's state, at most :data:`FRESH_SECONDS` old.

        Who asks at the same time gets the same: everybody may, as often as they like, and the probes cost the stores.
        """
        if self._look is None or (self._look.done() and self._clock() - self._looked_at >= FRESH_SECONDS):
            self._look = asyncio.create_task(self._looked())
        return await asyncio.shield(self._look)

    async def _looked(self) -> Health:
        """All of them, asked at once."""
        states = await asyncio.gather(*(_probed(probe) for probe in self._probes.values()))
        services = dict(zip(self._probes, states, strict=True))
        down = {name for name, state in services.items() if state.status == "down"}
        self._say(services, down)
        self._looked_at = self._clock()
        return Health("down" if down & VITAL else "degraded" if down else "ok", services)

    def _say(self, services: Mapping[str, ServiceHealth], down: set[str]) -> None:
        """Each once, in the log: not everybody who asks is told why."""
        for name in down - self._down:
            log.warning("%s is down: %s", name, services[name].detail)
        for name in self._down - down:
            log.warning("%s is up again", name)
        self._down = down


async def _probed(probe: Probe) -> ServiceHealth:
    began = time.perf_counter()
    try:
        await asyncio.wait_for(probe(), PROBE_SECONDS)
    except TimeoutError:
        return ServiceHealth("down", f"no answer within {PROBE_SECONDS:g} s")
    except Exception as error:  # whatever a driver raises, the answer is the same: this service is down
        return ServiceHealth("down", str(error) or type(error).__name__)
    return ServiceHealth("ok", milliseconds=round((time.perf_counter() - began) * 1000, 3))
