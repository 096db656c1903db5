"""Whose request it is, by address."""

from __future__ import annotations

import pytest
from starlette.types import Scope

from miyabi.gateway.client import UNKNOWN, Clients, networks

TRUSTED = "10.0.0.0/8 127.0.0.1 2001:db8:1::/48"


def scope(peer: str | None, *forwarded: str) -> Scope:
    headers = [(b"x-forwarded-for", line.encode("latin-1")) for line in forwarded]
    return {"client": (peer, 50000) if peer is not None else None, "headers": headers}


@pytest.mark.parametrize(
    ("peer", "forwarded", "client"),
    [
        ("192.0.2.1", [], "192.0.2.1"),
        ("192.0.2.1", ["203.0.113.7"], "192.0.2.1"),
        ("10.0.0.1", [], "10.0.0.1"),
        ("10.0.0.1", ["203.0.113.7"], "203.0.113.7"),
        ("10.0.0.1", ["1.1.1.1, 203.0.113.7"], "203.0.113.7"),
        ("10.0.0.1", ["203.0.113.7, 10.9.9.9,127.0.0.1"], "203.0.113.7"),
        ("10.0.0.1", ["203.0.113.7", "10.9.9.9"], "203.0.113.7"),
        ("10.0.0.1", ["10.1.1.1, 10.2.2.2"], "10.1.1.1"),
        ("10.0.0.1", ["203.0.113.7:4711"], "203.0.113.7"),
        ("10.0.0.1", ["[2001:db8:2:3::9]:4711"], "2001:db8:2:3::/64"),
        ("10.0.0.1", ["1.1.1.1, unknown"], "10.0.0.1"),
        ("10.0.0.1", ["1.1.1.1, nonsense, 10.2.2.2"], "10.2.2.2"),
        ("10.0.0.1", [""], "10.0.0.1"),
        ("10.0.0.1", [", ,"], "10.0.0.1"),
        ("10.0.0.1", ["1.1.1.1, \xff"], "10.0.0.1"),
        ("10.0.0.1", ["999.1.1.1"], "10.0.0.1"),
        ("::ffff:10.0.0.1", ["203.0.113.7"], "203.0.113.7"),
        ("::ffff:192.0.2.1", [], "192.0.2.1"),
        ("2001:db8:1::5", ["203.0.113.7"], "203.0.113.7"),
        ("2001:db8:2:3:4:5:6:7", [], "2001:db8:2:3::/64"),
        ("2001:db8:2:3:8:8:8:8", [], "2001:db8:2:3::/64"),
        ("fe80::1%eth0", [], "fe80::/64"),
        (None, [], UNKNOWN),
        ("", ["203.0.113.7"], UNKNOWN),
        ("testclient", [], UNKNOWN),
    ],
)
def test_who_is_heard_last_of_those_that_are_not_trusted_is_the_client(
    peer: str | None, forwarded: list[str], client: str
) -> None:
    assert Clients(networks(TRUSTED)).address(scope(peer, *forwarded)) == client


def test_by_default_no_proxy_is_trusted() -> None:
    assert Clients(networks("")).address(scope("127.0.0.1", "203.0.113.7")) == "127.0.0.1"


def test_a_long_list_of_trusted_hops_is_not_followed_to_its_end() -> None:
    lying = ["203.0.113.7, " + ", ".join(["127.0.0.1"] * 10_000)]
    assert Clients(networks(TRUSTED)).address(scope("127.0.0.1", *lying)) == "127.0.0.1"


@pytest.mark.parametrize("text", ["10.0.0.1/8", "proxy.example", "10.0.0.0/8,127.0.0.1"])
def test_what_is_no_network_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=text.split("/")[0].split(",")[0]):
        networks(text)
