"""A secret that is changed while the gateway runs."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

import pytest

from miyabi.gateway.claims import Expected, TokenRefused
from miyabi.gateway.keys import Key, secret_key
from miyabi.gateway.mint import OWN_AUDIENCE, OWN_ISSUER, make_token
from miyabi.gateway.renewed import EVERY_SECONDS, Renewed
from miyabi.gateway.tokens import Secrets, Verifier
from miyabi.principal import Principal

OLD, NEW = (secret_key(f"a {name} secret that is long enough to be one") for name in ("old", "new"))
OURS = Expected(OWN_ISSUER, OWN_AUDIENCE)
NOW = 1_700_000_000


class House:
    """A verifier, the keys where it reads them, and the time."""

    def __init__(self) -> None:
        self.kept: Sequence[Key] | ValueError = [OLD]
        self.now = 0.0
        self.reads = 0
        renewed = Renewed([OLD], self.read, lambda: self.now)
        self._verifier = Verifier(Secrets(renewed, OURS), None, lambda: NOW + self.now)

    def read(self) -> Sequence[Key]:
        self.reads += 1
        if isinstance(self.kept, ValueError):
            raise self.kept
        return self.kept

    def lets_in(self, key: Key) -> bool:
        token = make_token(key, Principal("ann", "viewer"), OURS, NOW, 86_400)
        try:
            asyncio.run(self._verifier.principal(token))
        except TokenRefused:
            return False
        return True


def test_a_new_secret_is_good_and_one_that_is_gone_is_not_after_five_minutes() -> None:
    house = House()
    house.kept = [NEW, OLD]
    assert not house.lets_in(NEW)
    house.now = EVERY_SECONDS
    assert house.lets_in(NEW)
    assert house.lets_in(OLD)
    house.kept = [NEW]
    house.now *= 2
    assert house.lets_in(NEW)
    assert not house.lets_in(OLD)


def test_it_is_read_no_more_often() -> None:
    house = House()
    house.now = EVERY_SECONDS
    for _ in range(5):
        assert house.lets_in(OLD)
    assert house.reads == 1


def test_a_secret_that_can_t_be_read_again_stays_and_the_log_says_why(caplog: pytest.LogCaptureFixture) -> None:
    house = House()
    house.kept = ValueError("the parameter `/miyabi/secret` can't be read: throttled")
    house.now = EVERY_SECONDS
    assert house.lets_in(OLD)
    assert "throttled" in caplog.text
