"""The arithmetic, line by line, with figures worked out by hand from us-east-1's list prices."""

from __future__ import annotations

import pytest
from msgspec.structs import replace

from miyabi.cost import ours, specified
from miyabi.cost.bill import SERVICES, Bill, Item, tiered
from miyabi.cost.load import Load, LoadError
from miyabi.cost.prices import UnknownPrice, prices_of, regions
from miyabi.deployment import Deployment

US = prices_of("us-east-1")
LOAD = Load()


def line(bill: Bill, what: str, service: str | None = None) -> float:
    """Dollars of the one item that is so called."""
    (found,) = [i for i in bill.items if i.what == what and service in (None, i.service)]
    return found.dollars


@pytest.mark.parametrize(
    ("service", "what", "dollars"),
    [
        ("Network", "NAT gateway", 32.85),  # 730 h × 0.045
        ("Network", "public IPv4 address of it", 3.65),  # 730 h × 0.005
        # logs 1 GB + 80,800 lists of 50 × 1,594 B (6.440 GB) + 100,000 saves × 3,188 B (0.319 GB), × 0.045
        ("Network", "NAT gateway, data", 0.3491),
        ("Cache", "ElastiCache, 1 × cache.t4g.micro", 11.68),  # 730 h × 0.016
        ("Cache", "RedisConnectionFailures", 0.30),
        ("Database", "DynamoDB, read units", 0.4745),  # 5 × 730 h × 0.00013
        ("Database", "DynamoDB, write units", 2.3725),  # 5 × 730 h × 0.00065
        ("API gateway", "API Gateway, REST", 3.50),
        ("API gateway", "data out to the internet", 0.18),  # 1 M × 2 KB × 0.09
        ("API gateway", "Cognito, active users", 0.075),  # 5 × 0.015
        ("Task API", "Lambda, requests", 0.20),
        ("Task API", "Lambda, duration", 0.0833),  # 1 M × 25 ms × 0.25 GB × 0.0000133334
        ("Progress collector", "Lambda, requests", 0.02),
        ("Progress collector", "Lambda, duration", 0.1667),  # 100 k × 0.5 s × 0.25 GB × 0.0000133334
        ("Logging", "CloudWatch Logs, ingestion", 0.50),
        ("Logging", "CloudWatch Logs, storage, 30 days", 0.03),
    ],
)
def test_each_line_of_the_specified_design_is_amount_times_list_price(service: str, what: str, dollars: float) -> None:
    assert line(specified.bill(LOAD, US), what, service) == pytest.approx(dollars, abs=5e-5)


@pytest.mark.parametrize(
    ("what", "dollars"),
    [
        ("CloudFront, HTTPS: the API", 1.00),
        ("CloudFront, data out: the API", 0.17),  # 2 GB × 0.085
        ("DynamoDB, writes on demand", 0.4569),  # (100,000 × 7 + 1,000 × 31) × 0.625 / M
        # (100,000 + 80,800 × 34 + 192,000 × 3 + 100,000 × 160 / 730) × 0.125 / M
        ("DynamoDB, reads on demand", 0.4306),
        ("DynamoDB, storage", 0.0794),  # 3 × (1,000 × 2,180 B + 100,000 × 1,037 B) × 0.25
        ("egress-only internet gateway, IPv6", 0.0),
        ("dashboard", 3.00),
        ("alarms", 4.10),  # 41 × 0.10
        ("composite alarms", 1.00),  # 2 × 0.50
        ("custom metrics", 2.70),  # 9 × 0.30
        ("X-Ray, traces recorded", 0.75),  # (1 M × 5 % + 100,000) × 5 / M
    ],
)
def test_each_line_of_ours_is_amount_times_list_price(what: str, dollars: float) -> None:
    assert line(ours.bill(LOAD, Deployment(), US), what) == pytest.approx(dollars, abs=5e-5)


def test_the_specified_design_costs_57_dollars() -> None:
    assert round(specified.bill(LOAD, US).total) == 57


def test_ours_costs_at_most_20_dollars_for_the_same_services_and_load() -> None:
    assert ours.bill(LOAD, Deployment(), US).comparable <= 20


def test_with_dashboard_and_alarms_the_always_free_tier_leaves_at_most_21_dollars() -> None:
    assert ours.bill(LOAD, Deployment(), US).with_free_tier().total <= 21


def test_mails_of_alarms_need_two_keys() -> None:
    told = ours.bill(LOAD, Deployment(alarms_to="ops@example.org"), US)
    assert line(told, "KMS, keys of the alarms' topics") == 2.00


def test_every_item_is_in_a_service_and_the_services_add_up() -> None:
    for bill in (specified.bill(LOAD, US), ours.bill(LOAD, Deployment(), US)):
        assert sum(bill.of(service) for service in SERVICES) == pytest.approx(bill.total)
        assert all(bill.of(service) > 0 for service in SERVICES[:7])


def test_an_allowance_is_given_once_however_many_items_draw_on_it() -> None:
    items = tuple(Item("Task API", name, 700_000, "requests", 1e-6, "lambda requests") for name in "ab")
    paid = Bill(items).with_free_tier()
    assert [item.amount for item in paid.items] == [0, 400_000]


def test_a_tier_is_charged_for_what_lies_in_it() -> None:
    items = tiered("API gateway", "x", 1_200, "requests", [(333, 3.5), (667, 2.8), (float("inf"), 2.38)])
    assert [(item.amount, item.price) for item in items] == [(333, 3.5), (667, 2.8), (200, 2.38)]


def test_provisioned_units_are_those_of_two_tables_and_three_indexes() -> None:
    bill = ours.bill(LOAD, Deployment(capacity="provisioned"), US)
    assert line(bill, "DynamoDB, read units") == pytest.approx(2.3725)  # 5 × 5 × 730 × 0.00013
    assert line(bill, "DynamoDB, write units") == pytest.approx(11.8625)  # 5 × 5 × 730 × 0.00065


def test_an_interface_endpoint_is_paid_in_two_zones() -> None:
    bill = ours.bill(LOAD, Deployment(egress="endpoint"), US)
    assert line(bill, "interface endpoint, 2 zones") == pytest.approx(14.60)  # 2 × 730 h × 0.01


def test_functions_that_are_kept_started_are_paid_by_the_hour() -> None:
    bill = ours.bill(LOAD, Deployment(provisioned_concurrency=2), US)
    assert line(bill, "kept started") == pytest.approx(4.38, abs=0.005)  # 2 × 0.25 GB × 2,628,000 s × 0.0000033334


def test_a_snapshot_is_paid_by_the_second() -> None:
    bill = ours.bill(LOAD, Deployment(snap_start=True), US)
    assert line(bill, "SnapStart, snapshot") == pytest.approx(0.9885, abs=5e-4)  # 0.25 × 2,628,000 × 0.0000015046


def test_an_issuer_of_ones_own_needs_no_cognito() -> None:
    own = Deployment(issuer="https://login.example.org/", audience="miyabi")
    assert not any("Cognito" in item.what for item in ours.bill(LOAD, own, US).items)


def test_open_pages_are_a_part_of_the_requests() -> None:
    assert LOAD.polls == 192_000  # 160 h × 3,600 s / 3 s
    with pytest.raises(LoadError, match="Give more `--requests`, or fewer `--viewers`"):
        replace(LOAD, viewers=6.0)


def test_every_region_has_each_price_and_its_own_node() -> None:
    for region in regions():
        prices = prices_of(region)
        assert prices.cache_node("cache.t4g.micro") > 0
        assert ours.bill(LOAD, Deployment(region=region), prices).total > 0


def test_a_region_is_never_cheaper_than_virginia() -> None:
    """No region of the table has a lower price of anything but S3's GET requests."""
    for region in regions():
        prices = prices_of(region)
        assert specified.bill(LOAD, prices).total >= specified.bill(LOAD, US).total


def test_an_unknown_region_or_node_is_refused_with_those_that_are_known() -> None:
    with pytest.raises(UnknownPrice, match="`moon-1` are known; choose one of us-east-1, us-east-2"):
        prices_of("moon-1")
    with pytest.raises(UnknownPrice, match=r"no price of `cache.x9.huge` in us-east-1 is known; there is cache.t4g"):
        ours.bill(LOAD, Deployment(cache_node_type="cache.x9.huge"), US)
