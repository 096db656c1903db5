"""How much one client may have: seconds for its request and its answer, and connections."""

from __future__ import annotations

import resource

import pytest
from tests.support.clock import Clock

from miyabi.settings import SettingsError, from_environment
from miyabi.wiring.http_limits import FILES_KEPT, TURNED_AWAY, Crowd, Limits, limits_of
from miyabi.wiring.http_patience import LEAST_RATE, LINGER_SECONDS, Patience

LIMITS = Limits(head_seconds=10, body_seconds=30, idle_seconds=75, answer_seconds=60)


class Wait:
    """A patience with its clock."""

    def __init__(self) -> None:
        self.clock = Clock()
        self.patience = Patience(LIMITS, self.clock.seconds)

    def after(self, seconds: float, *, paused: bool = False) -> bool:
        """Whether the client's time is over after as many more seconds."""
        self.clock.forward(round(seconds * 1000))
        return self.patience.ends(self.clock.seconds(), paused=paused)


@pytest.fixture
def wait() -> Wait:
    return Wait()


def test_a_head_has_its_seconds_however_often_a_byte_comes(wait: Wait) -> None:
    for _ in range(9):
        wait.patience.head()
        assert not wait.after(1)
    assert wait.after(1)


def test_a_body_may_pause_for_its_seconds(wait: Wait) -> None:
    wait.patience.body()
    assert not wait.after(29)
    wait.patience.came(1_000_000)
    assert not wait.after(29)
    assert wait.after(1)


def test_a_body_that_trickles_is_not_waited_for(wait: Wait) -> None:
    wait.patience.body()
    for _ in range(30):
        assert not wait.after(0.99)
        wait.patience.came(1)
    assert wait.after(1)


def test_a_body_that_comes_at_the_least_rate_may_take_for_ever(wait: Wait) -> None:
    wait.patience.body()
    for _ in range(1000):
        assert not wait.after(1)
        wait.patience.came(LEAST_RATE)


def test_a_client_is_not_blamed_while_we_do_not_read(wait: Wait) -> None:
    wait.patience.body()
    assert not wait.after(300, paused=True)
    assert not wait.after(29)
    assert wait.after(1)


def test_nothing_is_awaited_of_one_whose_request_is_whole(wait: Wait) -> None:
    wait.patience.body()
    wait.patience.whole()
    assert not wait.after(100_000)


def test_a_body_whose_answer_was_sent_is_awaited_for_a_moment_only(wait: Wait) -> None:
    wait.patience.body()
    wait.patience.linger()
    wait.patience.came(1_000_000)
    assert wait.after(LINGER_SECONDS)


def test_behind_such_a_body_the_connection_is_idle_and_a_head_has_its_own_time(wait: Wait) -> None:
    wait.patience.linger()
    wait.patience.whole(idle=True)
    assert not wait.after(74)
    wait.patience.head()
    assert not wait.after(9)
    assert wait.after(1)


def stuck(wait: Wait, *sizes: int, seconds: float = 60) -> bool:
    """Whether the client is given up when that many bytes wait for it, ``seconds`` apart."""
    found = False
    for size in sizes:
        found = wait.patience.stuck(wait.clock.seconds(), size)
        wait.clock.forward(round(seconds * 1000))
    return found


def test_who_takes_nothing_of_an_answer_is_given_up(wait: Wait) -> None:
    assert stuck(wait, 1000, 1000)


def test_who_takes_a_little_is_given_up_too(wait: Wait) -> None:
    assert stuck(wait, 1_000_000, 1_000_000 - LEAST_RATE * 59)


def test_who_takes_it_slowly_is_not(wait: Wait) -> None:
    assert not stuck(wait, *range(1_000_000, 0, -LEAST_RATE * 60))


def test_who_has_taken_all_in_between_is_not(wait: Wait) -> None:
    assert not stuck(wait, 1000, 0, 1000, seconds=40)


def test_there_is_room_for_so_many_and_again_when_one_goes() -> None:
    crowd = Crowd(Limits(connections=2))
    assert [crowd.enter(address) for address in ("::1", "10.0.0.1", "10.0.0.2")] == [True, True, False]
    crowd.leave("10.0.0.1", inside=True)
    assert crowd.enter("10.0.0.2")


def test_one_address_has_its_own_number_but_not_this_machine() -> None:
    crowd = Crowd(Limits(per_address=1))
    assert [crowd.enter("10.0.0.1"), crowd.enter("10.0.0.1"), crowd.enter("10.0.0.2")] == [True, False, True]
    assert all(crowd.enter("127.0.0.1") for _ in range(3))
    crowd.leave("10.0.0.1", inside=True)
    assert crowd.enter("10.0.0.1")


def test_a_trusted_proxy_has_none_either() -> None:
    limits = limits_of(
        from_environment({"MIYABI_TRUSTED_PROXIES": "10.1.0.0/16", "MIYABI_MAX_CONNECTIONS_PER_ADDRESS": "1"})
    )
    crowd = Crowd(limits)
    assert [crowd.enter("10.1.2.3"), crowd.enter("10.1.2.3"), crowd.enter("10.2.0.1"), crowd.enter("10.2.0.1")] == [
        True,
        True,
        True,
        False,
    ]


def test_only_some_are_told_that_there_is_no_room() -> None:
    crowd = Crowd(Limits(connections=1))
    assert crowd.enter("10.0.0.1")
    told = []
    for _ in range(TURNED_AWAY + 2):
        crowd.enter("10.0.0.2")
        told.append(crowd.hears())
    assert told == [True] * TURNED_AWAY + [False] * 2
    crowd.leave("10.0.0.2", inside=False)
    crowd.leave("10.0.0.2", inside=False)
    assert crowd.hears()


def test_no_more_connections_are_promised_than_files_are_to_be_had() -> None:
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    many = limits_of(from_environment({"MIYABI_MAX_CONNECTIONS": str(1 << 40)})).connections
    assert many == hard - FILES_KEPT or hard == resource.RLIM_INFINITY
    assert limits_of(from_environment({"MIYABI_MAX_CONNECTIONS": "10"})).connections == 10


@pytest.mark.parametrize(
    ("name", "value"),
    [("MAX_CONNECTIONS", "-1"), ("MAX_URL_BYTES", "10"), ("HEADER_SECONDS", "0"), ("BODY_SECONDS", "soon")],
)
def test_a_limit_that_is_none_is_refused(name: str, value: str) -> None:
    with pytest.raises(SettingsError, match=f"MIYABI_{name}: "):
        from_environment({f"MIYABI_{name}": value})
