"""The heartbeat: there while the server is, gone with it, and no trouble when the store is away."""

import threading

import pytest

from dialer.errors import StoreDown
from ivr.adapters import heart
from ivr.adapters.heart import Heart
from tests.ivr import twins

LIMIT_S = 60.0


class Beats:
    """Where beats are kept; away for the first `away` of them."""

    def __init__(self, away: int = 0) -> None:
        self.away = away
        self.asked = 0
        self.alive: dict[str, float] = {}
        self.beaten = threading.Event()

    def beat(self, server: str, at: float) -> None:
        self.asked += 1
        if self.asked <= self.away:
            raise StoreDown("a test")
        self.alive[server] = at
        self.beaten.set()

    def retire(self, server: str) -> None:
        if self.asked <= self.away:
            raise StoreDown("a test")
        del self.alive[server]


def test_it_beats_at_once_and_is_taken_back() -> None:
    beats = Beats()
    beating = Heart(beats, twins.Clock(), "ivr-1")
    beating.start()
    assert beats.beaten.wait(LIMIT_S)
    assert beats.alive == {"ivr-1": twins.NOW}
    beating.stop()
    assert beats.alive == {}


def test_it_beats_again_when_the_store_is_back(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(heart, "BEAT_S", 0.01)
    beats = Beats(away=3)
    beating = Heart(beats, twins.Clock(), "ivr-1")
    beating.start()
    assert beats.beaten.wait(LIMIT_S)
    beating.stop()
    assert beats.asked >= 4


def test_it_ends_while_the_store_is_away() -> None:
    beats = Beats(away=10**6)
    beating = Heart(beats, twins.Clock(), "ivr-1")
    beating.start()
    beating.stop()
    assert not beating._thread.is_alive()
