"""The settings that a larger load needs, by Little's law: at once = arrivals a second × seconds that each stays."""

from __future__ import annotations

import math

from msgspec import Struct
from msgspec.structs import replace

from miyabi.cost.load import REQUEST_COMMANDS, RUN_COMMANDS, Load, LoadError
from miyabi.cost.prices import SECONDS
from miyabi.deployment import Deployment

STEPS = (10, 100, 1000)
HEADROOM = 2
"""Settings are this far above what the busiest second needs: calls are not spaced evenly, and some start cold."""
COMMANDS = 50_000
"""Redis commands a second on a whole CPU of Graviton2 with TLS; cautious, plain GET and SET reach twice that."""
NODES = {"cache.t4g.micro": 0.2, "cache.t4g.small": 0.4, "cache.t4g.medium": 0.4}
"""CPUs that a node may use all the time: 2 vCPU at 10 % or 20 %."""
_LARGER = {"cache.t4g.micro": "cache.t4g.small"}
"""What has more of a CPU; after that, pairs of nodes are added. One that is not in :data:`NODES` stays as it is."""
ACCOUNT_REQUESTS = 10_000
ACCOUNT_CONCURRENCY = 1000
"""AWS's default quotas of an account in a region: API Gateway's requests a second, Lambda's concurrent runs."""
_FIRST_UNITS = 3
"""Write units of one save in the table itself, which is the first to be short of them."""


class Change(Struct, frozen=True):
    """One setting to write into ``deployment.toml``."""

    setting: str
    before: object
    after: object
    why: str


class Step(Struct, frozen=True):
    """A load ``factor`` times as large, and the settings for it."""

    factor: int
    load: Load
    settings: Deployment
    changes: tuple[Change, ...]
    quotas: tuple[str, ...]
    """Quotas of the account that must be raised by AWS first."""


def step(factor: int, load: Load, settings: Deployment) -> Step:
    """What ``settings`` must become for ``factor`` times ``load``; no setting is lowered.

    Raises :class:`LoadError` when one deployment can't carry it.
    """
    larger = load.times(factor)
    changes = tuple(change for change in _changes(larger, settings) if change.before != change.after)
    try:
        found = replace(settings, **{change.setting: change.after for change in changes})
    except ValueError as error:
        message = f"{factor} times this load is too much for one deployment ({error}). Divide it among several."
        raise LoadError(message) from None
    return Step(factor, larger, found, changes, tuple(_quotas(found)))


def _changes(load: Load, settings: Deployment) -> list[Change]:
    return [*_gateway(load, settings), *_functions(load, settings), *_database(load, settings), *_cache(load, settings)]


def _gateway(load: Load, settings: Deployment) -> list[Change]:
    wanted = HEADROOM * load.peak_requests
    rate = max(settings.rate, _up(wanted, 1000))
    why = f"{load.peak_requests:,.0f} requests in the busiest second × {HEADROOM}"
    burst = max(settings.burst, 2 * rate)
    return [Change("rate", settings.rate, rate, why), Change("burst", settings.burst, burst, "2 × rate")]


def _functions(load: Load, settings: Deployment) -> list[Change]:
    return [
        _concurrency("tasks_concurrency", settings.tasks_concurrency, load.peak_requests, load.task_ms, 100),
        _concurrency("collector_concurrency", settings.collector_concurrency, load.peak_runs, load.run_ms, 10),
    ]


def _concurrency(name: str, now: int, peak: float, ms: float, unit: int) -> Change:
    """0 is no limit and stays."""
    inside = peak * ms / 1e3
    wanted = max(now, _up(HEADROOM * inside, unit)) if now else 0
    return Change(name, now, wanted, f"{peak:,.0f}/s × {ms / 1e3:g} s = {inside:,.0f} at once × {HEADROOM}")


def _database(load: Load, settings: Deployment) -> list[Change]:
    """Units are those of each table: once they are short, on demand is cheaper than units for the busiest second."""
    busiest = load.updates / SECONDS * load.peak * _FIRST_UNITS
    if settings.capacity == "on-demand" or busiest <= max(settings.write_units, settings.most_units):
        return []
    why = f"{busiest:,.0f} write units in the busiest second, {settings.write_units} there"
    return [Change("capacity", settings.capacity, "on-demand", why)]


def _cache(load: Load, settings: Deployment) -> list[Change]:
    """A larger node before more of them."""
    commands = load.peak_requests * REQUEST_COMMANDS + load.peak_runs * RUN_COMMANDS
    cpus, kind = HEADROOM * commands / COMMANDS, settings.cache_node_type
    if kind not in NODES or cpus <= NODES[kind] * _primaries(settings.cache_nodes):
        return []
    large = _LARGER.get(kind, kind)
    short = cpus > NODES[large] * _primaries(settings.cache_nodes)
    nodes = 2 * math.ceil(cpus / NODES[large]) if short else settings.cache_nodes
    why = f"{commands:,.0f} commands in the busiest second × {HEADROOM} / {COMMANDS:,} = {cpus:.1f} CPUs"
    return [
        Change("cache_node_type", settings.cache_node_type, large, why),
        Change("cache_nodes", settings.cache_nodes, nodes, why),
    ]


def _primaries(nodes: int) -> int:
    """Nodes that take writes: an even number are pairs of a primary and a replica."""
    return nodes if nodes % 2 else nodes // 2


def _quotas(settings: Deployment) -> list[str]:
    reserved = settings.tasks_concurrency + settings.collector_concurrency
    found = []
    if settings.rate > ACCOUNT_REQUESTS:
        found.append(f"API Gateway's {ACCOUNT_REQUESTS:,} requests/s")
    if reserved > ACCOUNT_CONCURRENCY - 100:
        found.append(f"Lambda's {ACCOUNT_CONCURRENCY:,} concurrent runs (100 of them can't be reserved)")
    return found


def _up(wanted: float, unit: int) -> int:
    """``wanted``, rounded up to whole units of ``unit``."""
    return math.ceil(wanted / unit) * unit
