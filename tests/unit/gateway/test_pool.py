"""Which of several task APIs gets a request."""

from __future__ import annotations

from contextlib import ExitStack

import pytest

from miyabi.gateway.pool import FIRST_REST, LONGEST_REST, Member, Pool


class House:
    """Three task APIs, and the time."""

    def __init__(self) -> None:
        self.now = 0.0
        self.pool = Pool(["http://a", "http://b/", "http://c"], lambda: self.now, lambda: 0.0)
        self.a, self.b, self.c = self.pool.members

    def picks(self, count: int) -> list[Member | None]:
        return [self.pool.pick() for _ in range(count)]


@pytest.fixture
def house() -> House:
    return House()


def test_idle_ones_take_turns(house: House) -> None:
    assert house.picks(6) == [house.a, house.b, house.c] * 2


def test_the_one_with_the_fewest_requests_gets_the_next(house: House) -> None:
    with ExitStack() as work:
        for member, count in ((house.a, 3), (house.b, 1), (house.c, 2)):
            for _ in range(count):
                work.enter_context(member.serving())
        assert house.picks(2) == [house.b, house.b]
    assert house.b.busy == 0


def test_one_that_fails_is_put_aside_for_longer_each_time_and_comes_back(house: House) -> None:
    rests = []
    for _ in range(8):
        began = house.now
        house.pool.failed(house.a, "refused")
        house.pool.failed(house.a, "refused, at the same time")
        assert house.a not in house.picks(4)
        house.now = house.a.rests_until
        rests.append(house.now - began)
        assert house.a in house.picks(3)
    assert rests == [FIRST_REST * factor for factor in (1, 2, 4, 8, 16)] + [LONGEST_REST] * 3
    house.pool.answered(house.a, asked_at=house.now)
    assert house.a.failures == 0


def test_its_rest_is_up_to_half_shorter_so_that_not_all_gateways_try_at_once() -> None:
    pool = Pool(["http://a"], lambda: 0.0, lambda: 1.0)
    pool.failed(pool.members[0], "refused")
    assert pool.members[0].rests_until == FIRST_REST / 2


def test_when_none_is_well_the_one_that_may_be_back_first_is_asked(house: House) -> None:
    for member in (house.b, house.a, house.c):
        house.pool.failed(member, "refused")
        house.now += 0.1
    assert house.pool.pick() is house.b
    assert house.pool.pick(but=[house.b]) is house.a


def test_one_that_was_asked_already_is_not_picked_again(house: House) -> None:
    assert house.pool.pick(but=house.pool.members[:2]) is house.c
    assert house.pool.pick(but=house.pool.members) is None


def test_each_failure_and_each_return_is_said_once(house: House, caplog: pytest.LogCaptureFixture) -> None:
    for _ in range(3):
        house.pool.failed(house.a, "refused")
        house.now += LONGEST_REST
    house.pool.answered(house.a, asked_at=house.now)
    house.pool.answered(house.a, asked_at=house.now)
    assert [record.getMessage() for record in caplog.records] == [
        "the task API at http://a is put aside: refused",
        "the task API at http://a is back",
    ]


def test_a_late_answer_to_what_was_asked_before_it_failed_brings_none_back(house: House) -> None:
    asked_at = house.now
    house.now += 1
    house.pool.failed(house.a, "broke off")
    house.pool.answered(house.a, asked_at)
    assert house.a not in house.picks(4)
