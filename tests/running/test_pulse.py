"""Whether the IVR lives: what a changed beat, a late look and a failing store say; who is taken out of it."""

import asyncio
from dataclasses import replace

import pytest

from dialer.dialplan import Context
from dialer.law.abandon import Fate
from dialer.model import CallState, Fact, Kind, Mode, Order, Overflow
from dialer.running.pulse import DOUBT_S, LATE_S, LOOK_S, STILL_S, Pulse, serves
from tests.site import CAMPAIGN, IVR, Stage, staged
from tests.twins import EPOCH, Debtor, play, until

BEAT_S = 0.25
ONE, TWO = f"{IVR} one:4573", f"{IVR} two:4573"
IVR_CAMPAIGN = replace(CAMPAIGN, kind=Kind.IVR, mode=Mode.IVR, lines_max=10)
LIMIT_S = 3.0  # from the freeze to the message


class Watched:
    """A pulse that is looked at as the engine does; servers beat until they are frozen."""

    def __init__(self, *servers: str) -> None:
        self.pulse, self.now = Pulse(IVR), 1000.0
        self.alive = set(servers)
        self.beats = dict.fromkeys(servers, 0.0)

    def look(self, for_s: float, took_s: float = 0.001) -> bool:
        """Whether it stood still at any look."""
        ends, stood = self.now + for_s, False
        while self.now < ends:
            self.now += LOOK_S
            self.beats |= {server: self.now // BEAT_S for server in self.alive}
            self.pulse.looked(self.beats, self.now, self.now + took_s)
            self.now += took_s
            stood = stood or self.pulse.still
        return stood


def test_a_server_that_beats_is_alive_for_ever() -> None:
    watched = Watched(ONE)
    assert not watched.look(600.0)
    assert watched.pulse.hold == ""


@pytest.mark.parametrize("after_s", [0.0, 0.1, 0.15, 0.24])
def test_one_that_freezes_is_seen_in_time(after_s: float) -> None:
    watched = Watched(ONE)
    watched.look(5.0 + after_s)
    watched.alive.clear()
    frozen_at = watched.now
    while not watched.look(LOOK_S):
        assert watched.now - frozen_at < LIMIT_S
    assert STILL_S - BEAT_S <= watched.now - frozen_at <= STILL_S + 2 * LOOK_S
    assert "stands still" in watched.pulse.hold
    watched.alive.add(ONE)
    watched.look(BEAT_S + LOOK_S)
    assert not watched.pulse.still


def test_an_engine_that_has_just_started_waits() -> None:
    """Whatever is left in Redis of a server that was killed long ago."""
    watched = Watched()
    watched.beats = {ONE: 17.0}
    assert not watched.look(STILL_S - LOOK_S)
    assert watched.look(2 * LOOK_S + 0.1)


def test_one_of_two_that_beats_is_enough() -> None:
    watched = Watched(ONE, TWO)
    watched.look(5.0)
    watched.alive.discard(ONE)
    assert not watched.look(60.0)
    del watched.beats[ONE]
    assert not watched.look(10.0)
    watched.alive.clear()
    assert watched.look(STILL_S + LOOK_S)


def test_the_ivr_of_others_does_not_count() -> None:
    watched = Watched(ONE, "10.0.0.9:4573 x")
    watched.look(5.0)
    watched.alive.discard(ONE)
    assert watched.look(STILL_S + LOOK_S)


def test_what_the_store_does_not_tell_says_nothing() -> None:
    watched = Watched(ONE)
    watched.look(5.0)
    watched.alive.clear()
    watched.pulse.missed(watched.now)
    assert not watched.look(DOUBT_S + STILL_S - LOOK_S)
    watched.alive.add(ONE)
    assert not watched.look(60.0)


def test_a_beat_after_an_outage_is_believed_at_once() -> None:
    watched = Watched(ONE)
    watched.look(5.0)
    watched.pulse.missed(watched.now)
    watched.look(1.0)
    watched.alive.clear()
    assert watched.look(STILL_S + LOOK_S)


def test_a_store_that_halts_says_nothing() -> None:
    """The look went out before the halt, its answer came before the beat that waited too."""
    watched = Watched(ONE)
    watched.look(5.0)
    watched.alive.clear()
    assert not watched.look(0.01, took_s=LATE_S + 2.0)
    watched.alive.add(ONE)
    assert not watched.look(10.0)


def test_time_in_which_we_did_not_look_says_nothing() -> None:
    watched = Watched(ONE)
    watched.look(5.0)
    watched.alive.clear()
    watched.now += 60.0
    assert not watched.look(LOOK_S)
    assert watched.look(STILL_S + LOOK_S)
    watched.now += 60.0
    assert watched.look(LOOK_S), "that it stands still is known until it beats"


def test_one_that_ended_in_order_holds_calls_and_moves_nobody() -> None:
    watched = Watched(ONE)
    watched.look(5.0)
    watched.alive.clear()
    watched.beats.clear()
    assert not watched.look(10.0)
    assert "has ended" in watched.pulse.hold


def test_of_an_ivr_that_never_beat_nothing_is_known() -> None:
    watched = Watched()
    assert not watched.look(60.0)
    assert watched.pulse.hold == ""


@pytest.mark.parametrize(
    ("server", "address", "fits"),
    [
        (ONE, IVR, True),
        ("10.0.0.5:4574 one", IVR, False),
        ("0.0.0.0:4573 one", IVR, True),
        (":::4573 one", IVR, True),
        ("10.0.0.6:4573 one", IVR, False),
        ("10.0.0.6:4573 one", "ivr.lan:4573", True),
        ("127.0.0.1:4573", "127.0.0.1:4573", True),
        ("", IVR, False),
    ],
)
def test_which_server_is_reached_at_the_address(server: str, address: str, fits: bool) -> None:
    assert serves(server, address) is fits


# ---- the engine on twins


def _answers(order: Order) -> Debtor:
    return Debtor(rings_s=1.0, patience_s=60.0)


def _in_ivr(stage: Stage) -> int:
    return sum(one.state is CallState.IN_IVR and one.ivr_at > 0 for one in stage.run.floor.attempts.values())


def _moved(stage: Stage) -> list[str]:
    return [channel for _, channel, exten, _ in stage.asterisk.redirects if exten == "s"]


def test_callers_of_a_frozen_ivr_hear_the_message_and_no_call_starts() -> None:
    async def scene() -> None:
        async with staged(IVR_CAMPAIGN, _answers, listed=40) as stage:
            stage.store.ivrs = {ONE: "alive"}
            await until(lambda: _in_ivr(stage) >= 5)
            stage.store.told[next(iter(stage.run.floor.attempts))] = [Fact(1, EPOCH, "promise", "2027-01-10;5")]
            callers = {one.id for one in stage.run.floor.attempts.values() if one.state is CallState.IN_IVR}
            stage.store.ivrs[ONE] = "frozen"
            stage.asterisk.freeze_ivr()
            await until(lambda: all(stage.asterisk.up[one].place == Context.MESSAGE for one in callers), LIMIT_S)
            assert set(_moved(stage)) >= callers
            assert any("stands still" in why for why in stage.engine._holds(stage.run))
            await asyncio.sleep(15.0)  # what was ringing is answered, falls silent, and is moved too
            placed = len(stage.placed())
            await asyncio.sleep(20.0)
            assert (len(stage.placed()), _in_ivr(stage)) == (placed, 0)
            assert len(_moved(stage)) == len(set(_moved(stage))), "nobody hears the message from its start twice"
            found = {one.attempt.id: one.verdict for one in stage.books.outcomes}
            words = {(found[one].outcome.value, found[one].reason) for one in callers}
            assert words == {("abandoned", "ivr_failed"), ("ivr", "served")}
            assert sum(found[one].outcome.value == "ivr" for one in callers) == 1, "a promise taken before counts"
            assert all(one.record["ivr_result"] == "message" for one in stage.books.outcomes if one.attempt.ivr_at)
            stage.store.ivrs[ONE], stage.asterisk.ivr_frozen = "alive", False
            await until(lambda: len(stage.placed()) > placed, 5.0)

    play(scene())


def test_redis_away_moves_nobody() -> None:
    async def scene() -> None:
        async with staged(IVR_CAMPAIGN, _answers, listed=5) as stage:
            stage.store.ivrs = {ONE: "alive"}
            await until(lambda: _in_ivr(stage) == 5)
            stage.store.down = True
            stage.store.ivrs[ONE] = "frozen"  # its beats fail too, and for a while after
            await asyncio.sleep(4.0)
            stage.store.down = False
            await asyncio.sleep(2.0)
            stage.store.ivrs[ONE] = "alive"
            await stage.quiet()
            assert set(stage.outcomes().values()) == {"ivr"}
            assert _moved(stage) == []

    play(scene())


def test_an_engine_that_takes_over_moves_them_too() -> None:
    async def scene() -> None:
        async with staged(IVR_CAMPAIGN, _answers, listed=4) as stage:
            stage.store.ivrs = {ONE: "alive"}
            await until(lambda: _in_ivr(stage) == 4)
            stage.store.ivrs[ONE] = "frozen"
            stage.asterisk.freeze_ivr()
            second = stage.new_engine("e2")
            stage.engine.stop()
            await asyncio.sleep(0.5)
            assert _moved(stage) == []
            task = asyncio.create_task(second.run())
            await until(lambda: len(_moved(stage)) == 4, 10.0)
            second.stop()
            await task

    play(scene())


def test_calls_that_agents_may_take_go_on() -> None:
    """Only who fell into the IVR is moved: agents take calls all the same."""

    async def scene() -> None:
        campaign = replace(CAMPAIGN, overflow=Overflow.IVR, mode=Mode.RATIO, ratio=2.0)
        async with staged(campaign, _answers, listed=40, agents=("101",)) as stage:
            for _ in range(200):  # within the law's budget a ratio may be dialled
                stage.run.abandons.add(stage.clock.now(), Fate.SERVED)
            stage.store.ivrs = {ONE: "alive"}
            await asyncio.sleep(2.0)
            stage.store.ivrs[ONE] = "frozen"
            stage.asterisk.ivr_frozen = True
            await asyncio.sleep(60.0)
            assert stage.asterisk.talks
            assert not any("IVR" in why for why in stage.engine._holds(stage.run))
            assert _in_ivr(stage) == 0
            assert _moved(stage)

    play(scene())
