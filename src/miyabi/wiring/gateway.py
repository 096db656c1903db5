"""Service 2, the gateway, with the page (service 1) that it hands out."""

from __future__ import annotations

import time
from pathlib import Path

from starlette.types import ASGIApp

import miyabi.webui
from miyabi.gateway.app import Gateway
from miyabi.gateway.client import Clients
from miyabi.gateway.cors import Cors, origins_of
from miyabi.gateway.guard import Guard
from miyabi.gateway.limit import LocalLimit, Rates
from miyabi.gateway.limited import RateLimit
from miyabi.gateway.slo.ledger import Ledger
from miyabi.gateway.slo.report import PATH as SLO
from miyabi.gateway.slo.shown import encoded
from miyabi.gateway.told import METRICS, OPENAPI, Told, metrics
from miyabi.gateway.upstream import Upstream
from miyabi.settings import Settings, SettingsError
from miyabi.webui.app import page
from miyabi.wiring.addresses import addresses_of
from miyabi.wiring.openapi import board_document
from miyabi.wiring.proxies import proxies_of
from miyabi.wiring.trust import trusting

JSON = "application/json"
DIST = Path(miyabi.webui.__file__).parent / "dist"


def make_gateway(settings: Settings, tasks: ASGIApp, ledger: Ledger | None = None) -> ASGIApp:
    """The gateway before the task API ``tasks``, counting into ``ledger``. Raises ``SettingsError``."""
    origins = _origins(settings)
    gateway = _gateway(settings, tasks, Guard(settings.host, origins), ledger or Ledger(time.time))
    return Cors(gateway, origins) if origins else gateway


def _gateway(settings: Settings, tasks: ASGIApp, guard: Guard, ledger: Ledger) -> Gateway:
    limit = make_limit(settings)
    own = {
        METRICS: metrics(),
        OPENAPI: Told(lambda: (board_document(signs_in=settings.signs_in), JSON)),
        SLO: Told(lambda: (encoded(ledger), JSON), whole=True),
    }
    if not settings.signs_in:
        return Gateway(tasks, page(DIST), guard, limit, own=own, ledger=ledger)
    from miyabi.gateway.auth import Auth
    from miyabi.gateway.discreet import Discreet
    from miyabi.wiring.auth import make_verifier, make_ways, sign_in_origins

    auth, ways = Auth(make_verifier(settings)), make_ways(settings)
    tasks = Discreet(tasks, "The task API", auth)
    return Gateway(tasks, page(DIST, sign_in_origins(settings)), guard, limit, auth, ways, own, ledger)


def make_limit(settings: Settings) -> RateLimit:
    """The rate limit, shared where the cache is. Raises ``SettingsError``."""
    rates = Rates(settings.rate_limit, settings.rate_burst, settings.rate_share)
    local, clients = LocalLimit(rates, time.monotonic), Clients(proxies_of(settings))
    if settings.cache.startswith(("redis:", "rediss:")) and rates.rate:
        from miyabi.gateway.shared_limit import SharedLimit
        from miyabi.wiring.limit import ANSWER_SECONDS, RedisLimit
        from miyabi.wiring.shared import redis_at

        redis = redis_at(settings.cache, answer_seconds=ANSWER_SECONDS)
        return RateLimit(SharedLimit(RedisLimit(redis, rates), local), rates, clients)
    return RateLimit(local, rates, clients)


def _origins(settings: Settings) -> tuple[str, ...]:
    try:
        return origins_of(settings.origins)
    except ValueError as error:
        raise SettingsError(f"MIYABI_ORIGINS: {error}.") from None


def make_upstream(settings: Settings) -> Upstream:
    """The way to one task API in another process, or to several that share the work."""
    example = "`http://127.0.0.1:8421`, several with spaces between"
    return Upstream(addresses_of("MIYABI_TASKS", settings.tasks, example), trust=trusting(settings))


async def page_is_there() -> None:
    """Service 1's probe: the built page is in the package."""
    if not (DIST / "index.html").is_file():
        raise RuntimeError("the page is not built; run `make setup`")
