"""A larger load costs more, and its settings carry its busiest second."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from miyabi.cost import ours
from miyabi.cost.load import Load, LoadError
from miyabi.cost.prices import prices_of
from miyabi.cost.scale import NODES, Step, step
from miyabi.deployment import Deployment

US = prices_of("us-east-1")
loads = st.builds(
    lambda share, **values: Load(viewers=share * values["requests"] * 3 / (160 * 3600), viewer_hours=160.0, **values),
    share=st.floats(0, 0.99),
    requests=st.floats(1e3, 1e7),
    runs=st.floats(1, 1e6),
    updates=st.floats(1, 1e7),
    tasks=st.floats(1, 1e6),
    log_gb=st.floats(0.01, 1e3),
    peak=st.floats(1, 20),
)
deployments = st.builds(
    Deployment,
    capacity=st.sampled_from(["on-demand", "provisioned"]),
    cache_node_type=st.sampled_from(list(NODES)),
    cache_nodes=st.integers(1, 6),
    rate=st.integers(100, 10_000),
    tasks_concurrency=st.integers(0, 500),
)
factors = st.integers(1, 100)


def changes(found: Step) -> dict[str, object]:
    return {change.setting: change.after for change in found.changes}


def dollars(found: Step) -> float:
    return ours.bill(found.load, found.settings, US).total


@given(loads, factors, factors)
def test_more_of_the_same_load_costs_more(load: Load, one: int, other: int) -> None:
    less, more = sorted((one, other))
    settings = Deployment()
    assert dollars(step(less, load, settings)) <= dollars(step(more, load, settings)) * (1 + 1e-9)


@given(loads, deployments, factors)
def test_no_setting_is_lowered(load: Load, settings: Deployment, factor: int) -> None:
    found = step(factor, load, settings).settings
    for name in ("rate", "burst", "tasks_concurrency", "collector_concurrency", "cache_nodes"):
        assert getattr(found, name) >= getattr(settings, name)


@given(loads, deployments, factors)
def test_the_settings_carry_twice_the_busiest_second(load: Load, settings: Deployment, factor: int) -> None:
    found = step(factor, load, settings)
    larger, ready = found.load, found.settings
    assert ready.rate >= 2 * larger.peak_requests
    assert ready.tasks_concurrency == 0 or ready.tasks_concurrency >= 2 * larger.peak_requests * larger.task_ms / 1e3
    assert ready.collector_concurrency >= 2 * larger.peak_runs * larger.run_ms / 1e3


@given(loads, deployments, factors)
def test_settings_that_were_changed_need_no_change(load: Load, settings: Deployment, factor: int) -> None:
    found = step(factor, load, settings)
    assert not step(1, found.load, found.settings).changes


def test_the_reference_load_needs_no_setting() -> None:
    assert step(1, Load(), Deployment()).changes == ()


def test_a_thousand_times_the_reference_load() -> None:
    """1 G / 2,628,000 s × 10 = 3,805 requests in the busiest second, × 25 ms = 95 at once; 381 runs × 0.5 s = 190."""
    found = step(1000, Load(), Deployment())
    assert changes(found) == {
        "rate": 8000,
        "burst": 16_000,
        "tasks_concurrency": 200,
        "collector_concurrency": 390,
        "cache_node_type": "cache.t4g.small",
    }
    assert found.quotas == ()


def test_provisioned_units_give_way_to_on_demand_when_they_are_short() -> None:
    """100 k saves / 2,628,000 s × 10 × 3 units = 1.1 in the busiest second; ten times that is more than 5."""
    settings = Deployment(capacity="provisioned")
    assert "capacity" not in changes(step(1, Load(), settings))
    assert changes(step(10, Load(), settings))["capacity"] == "on-demand"


def test_a_cache_grows_first_and_then_gets_more_nodes() -> None:
    """91,324 commands in the busiest second × 2 / 50,000 = 3.7 CPUs; a small node has 0.4 all the time: 10 pairs."""
    found = step(10_000, Load(), Deployment()).settings
    assert (found.cache_node_type, found.cache_nodes) == ("cache.t4g.small", 20)


def test_a_load_that_one_deployment_cant_carry_is_refused() -> None:
    with pytest.raises(LoadError, match=r"cache_nodes: must be 1 to 90\)\. Divide it among several"):
        step(1000, Load(requests=1e9), Deployment())


def test_quotas_of_the_account_are_told() -> None:
    quotas = step(10_000, Load(), Deployment()).quotas
    assert any("10,000 requests/s" in quota for quota in quotas)
    assert any("concurrent runs" in quota for quota in quotas)


@pytest.mark.parametrize("factor", [10, 100, 1000])
def test_each_step_costs_less_for_a_request_than_the_load_as_it_is(factor: int) -> None:
    assert dollars(step(factor, Load(), Deployment())) / factor < dollars(step(1, Load(), Deployment()))
