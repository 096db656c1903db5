"""Looks how every service is, again and again, keeps the account on disk, and says when a budget burns too fast."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from pathlib import Path

import msgspec
from msgspec import Struct

from miyabi.gateway.slo.ledger import Ledger, Record
from miyabi.gateway.slo.objectives import OBJECTIVES
from miyabi.gateway.slo.report import Alert, alerts

log = logging.getLogger("miyabi.gateway")

LOOK_SECONDS = 15.0
KEEP_SECONDS = 60.0
SEEN_BY_REQUESTS = frozenset({"webui", "gateway", "tasks"})
"""Services whose calls are counted as they pass; of the others each probe is a call, too."""


class State(Struct, frozen=True):
    """How a service is, and how long it took to say so."""

    status: str
    milliseconds: float | None = None


Look = Callable[[], Awaitable[Mapping[str, State]]]
"""How the services are, by name; one that is not there was not looked at. Raises nothing."""


class Watch:
    """Counts what ``look`` sees into ``ledger``, and keeps that in ``file``, if there is one.

    ``sleep`` waits for so many seconds.
    """

    def __init__(
        self,
        ledger: Ledger,
        look: Look,
        file: Path | None,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self.ledger = ledger
        self._look, self._file, self._sleep = look, file, sleep
        self._burning: dict[tuple[str, str], Alert] = {}
        self._kept = True

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Watch for as long as the block takes."""
        task = asyncio.create_task(self._run())
        try:
            yield
        finally:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)
            await self.keep()

    async def look(self) -> None:
        """Look once."""
        states = await self._look()
        for objective in OBJECTIVES:
            if state := states.get(objective.service):
                self._count(objective.service, state)
        self._tell()

    async def keep(self) -> None:
        """Write the account down. A disk that is full costs the account after the next start, and nothing else."""
        if self._file is None:
            return
        try:
            await asyncio.to_thread(write, self._file, msgspec.json.encode(self.ledger.record))
            self._kept = True
        except OSError as error:
            if self._kept:
                log.warning("what was measured can't be kept in %s: %s", self._file, error.strerror)
            self._kept = False

    async def _run(self) -> None:
        looks = 0
        while True:
            await self.look()
            looks += 1
            if looks % round(KEEP_SECONDS / LOOK_SECONDS) == 0:
                await self.keep()
            await self._sleep(LOOK_SECONDS)

    def _count(self, service: str, state: State) -> None:
        found = state.status == "ok"
        self.ledger.probe(service, found=found)
        if service not in SEEN_BY_REQUESTS:
            self.ledger.call(service, (state.milliseconds or 0) / 1000, failed=not found)

    def _tell(self) -> None:
        """Each alert once, and its end."""
        now = {(alert.service, alert.objective): alert for alert in alerts(self.ledger)}
        for key, alert in now.items():
            if key not in self._burning or self._burning[key].severity != alert.severity:
                text = "%s: the budget of its %s burns %s times too fast (%s); see /api/slo"
                log.warning(text, alert.service, alert.objective, f"{alert.burn_rate:g}", alert.severity)
        for key in self._burning.keys() - now.keys():
            log.warning("%s: the budget of its %s does not burn any more", *key)
        self._burning = now


def read(file: Path) -> Record | None:
    """What an earlier process has kept; ``None`` when that is nothing, or can't be read."""
    try:
        return msgspec.json.decode(file.read_bytes(), type=Record)
    except FileNotFoundError:
        return None
    except (OSError, msgspec.MsgspecError) as error:
        log.warning("what was measured before can't be read from %s, so it begins anew: %s", file, error)
        return None


def write(file: Path, data: bytes) -> None:
    """All of it or nothing; a gateway by itself has no folder before."""
    file.parent.mkdir(parents=True, exist_ok=True)
    draft = file.with_suffix(".new")
    draft.write_bytes(data)
    draft.replace(file)
