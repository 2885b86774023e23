"""Call-backs end to end on twins: at the minute chosen, to the agent he talked with, never twice, never to nobody."""

import asyncio
from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from random import Random

import pytest

from dialer.floor.callbacks import LEAD_S, agents_wanted, next_due, on_list
from dialer.model import (
    CALL_BACK,
    AgentState,
    Attempt,
    CallState,
    Campaign,
    Contact,
    History,
    Kind,
    Mode,
    Number,
    Order,
)
from dialer.routing import for_call_back, waits_for_own
from tests.floor.test_floor import T0, Play
from tests.site import CAMPAIGN, Stage, contacts, mixed, staged
from tests.test_routing import agent as agent_of
from tests.twins import EPOCH, Debtor, play, until

PREDICTIVE = replace(CAMPAIGN, mode=Mode.PREDICTIVE)
WISH_S = 120.0  # after the start
NUMBER = Number("+62811000001", "wish")


def owed(at: float = EPOCH + WISH_S, agent: str = "101", name: str = "wish") -> Contact:
    return Contact(name, f"p-{name}", (replace(NUMBER, key=name),), callback_at=at, callback_agent=agent)


def talks(order: Order) -> Debtor:
    return Debtor(rings_s=1.0, patience_s=10.0)


def busy_then(seconds: float) -> Callable[[Order], Debtor]:
    """Everybody talks for so long."""
    return lambda order: Debtor(rings_s=1.0, patience_s=seconds)


async def list_wish(stage: Stage, *wishes: Contact) -> None:
    for one in wishes:
        await stage.store.add_contacts(stage.campaign.id, [one], on_list(one.callback_at, EPOCH))


def call_backs(stage: Stage) -> list[Attempt]:
    under_way = [one for one in stage.run.floor.attempts.values() if one.kind == CALL_BACK]
    return [one.attempt for one in stage.books.outcomes if one.attempt.kind == CALL_BACK] + under_way


@pytest.mark.parametrize("campaign", [CAMPAIGN, PREDICTIVE], ids=["progressive", "predictive"])
@pytest.mark.parametrize("listed", [0, 200], ids=["nobody else", "a full list"])
def test_it_goes_out_at_its_minute_to_the_agent_he_talked_with(campaign: Campaign, listed: int) -> None:
    async def scene() -> None:
        async with staged(campaign, talks, listed, ("101", "102", "103", "104")) as stage:
            await list_wish(stage, owed())
            await until(lambda: call_backs(stage), WISH_S + 30)
            await until(lambda: any(one.attempt.kind == CALL_BACK for one in stage.books.outcomes))
            (one,) = call_backs(stage)
            assert 0.0 <= one.claimed_at - (EPOCH + WISH_S) <= (1.0 if not listed else 20.0)
            assert one.agent == "101"
            assert stage.outcomes()[one.id] == "connected"
            assert one.contact == "wish"
            assert [
                record["kind"] for record in (f.record for f in stage.books.outcomes) if record["debtor"] == "wish"
            ] == [CALL_BACK]

    play(scene())


def test_with_room_it_goes_out_on_the_second() -> None:
    """Calls to others ease off before the minute, so that an agent is idle then."""

    async def scene() -> None:
        async with staged(CAMPAIGN, busy_then(4.0), 500, ("101", "102", "103", "104", "105", "106")) as stage:
            wishes = [owed(EPOCH + WISH_S + 40 * n, "", f"w{n}") for n in range(5)]
            await list_wish(stage, *wishes)
            await until(lambda: len(call_backs(stage)) == 5, 400)
            late = sorted(
                one.claimed_at - stage.books.contacts[one.contact].callback_at for one in call_backs(stage)[-1:]
            )
            assert late[0] <= 3.0
            await stage.quiet()
            assert len({one.contact for one in call_backs(stage)}) == 5

    play(scene())


@pytest.mark.parametrize(
    ("talk_s", "expected", "earliest_s", "latest_s"), [(60.0, "101", 50.0, 75.0), (600.0, "102", 120.0, 122.0)]
)
def test_an_own_agent_who_is_busy_is_waited_for_and_then_another_takes_it(
    talk_s: float, expected: str, earliest_s: float, latest_s: float
) -> None:
    async def scene() -> None:
        patience = iter((WISH_S + talk_s,))
        async with staged(
            CAMPAIGN, lambda order: Debtor(rings_s=1.0, patience_s=next(patience, 5.0)), 1, ("101",)
        ) as stage:
            wish = owed(stage.clock.now() + WISH_S)
            await until(lambda: stage.state("101") is AgentState.TALKING)
            await stage.sign_in("102")
            await list_wish(stage, wish)
            await until(lambda: any(one.attempt.kind == CALL_BACK for one in stage.books.outcomes), 600)
            (one,) = call_backs(stage)
            assert one.agent == expected
            assert earliest_s <= one.claimed_at - wish.callback_at <= latest_s

    play(scene())


@pytest.mark.parametrize("away", ["sign_out", "break"])
def test_an_own_agent_who_is_away_is_not_waited_for(away: str) -> None:
    async def scene() -> None:
        async with staged(CAMPAIGN, talks, 0, ("101", "102")) as stage:
            stage.command(away, agent="101")
            await list_wish(stage, owed())
            await until(lambda: call_backs(stage), WISH_S + 10)
            await until(lambda: stage.books.outcomes)
            (one,) = call_backs(stage)
            assert one.agent == "102"
            assert one.claimed_at - (EPOCH + WISH_S) <= 1.0

    play(scene())


def test_without_an_agent_nobody_is_called_back() -> None:
    async def scene() -> None:
        async with staged(CAMPAIGN, talks, 0, ()) as stage:
            await list_wish(stage, owed())
            await asyncio.sleep(WISH_S + 300)
            assert stage.placed() == []
            await stage.sign_in("105")
            await until(lambda: stage.placed(), 5.0)
            await stage.quiet()
            assert list(stage.outcomes().values()) == ["connected"]

    play(scene())


def test_his_agent_is_his_alone_while_it_rings() -> None:
    """Other live callers do not get the agent who is kept for a call-back, and he keeps his break for afterwards."""

    async def scene() -> None:
        async with staged(CAMPAIGN, lambda order: Debtor(rings_s=15.0, patience_s=5.0), 0, ("101",)) as stage:
            await list_wish(stage, owed())
            await until(lambda: stage.placed(), WISH_S + 10)
            assert stage.state("101") is AgentState.RESERVED
            await stage.store.add_contacts("c1", contacts(5), EPOCH)
            stage.command("break", agent="101")
            await until(lambda: stage.asterisk.talks, 30)
            assert len(stage.placed()) == 1
            await until(lambda: stage.state("101") is AgentState.BREAK, 30)

    play(scene())


def test_an_unanswered_one_gives_the_agent_back_and_is_tried_soon_once_more() -> None:
    async def scene() -> None:
        async with staged(CAMPAIGN, lambda order: Debtor(answers=False, rings_s=5.0), 0, ("101",)) as stage:
            await list_wish(stage, owed())
            await until(lambda: stage.books.outcomes, WISH_S + 60)
            await until(lambda: stage.state("101") is AgentState.IDLE)
            (missed,) = stage.books.outcomes
            assert (missed.attempt.kind, missed.verdict.outcome.value, missed.attempt.agent) == (CALL_BACK, "busy", "")
            assert missed.verdict.retry_at == pytest.approx(missed.attempt.ended_at + 900, abs=5)
            await until(lambda: len(stage.books.outcomes) == 2, 1000)
            assert stage.books.outcomes[1].attempt.kind == "progressive"

    play(scene())


def test_a_wish_by_disposition_is_kept() -> None:
    """The whole way: a talk, a disposition with a time, silence until then, a call at that minute to the same agent."""

    async def scene() -> None:
        async with staged(CAMPAIGN, talks, 1, ("101", "102")) as stage:
            await until(lambda: stage.asterisk.talks)
            agent = stage.asterisk.talks[0][1]
            wish = round(stage.clock.now()) + 600
            stage.command("disposition", agent=agent, disposition=f"callback:{wish}")
            await until(lambda: stage.books.outcomes, 60)
            (first,) = stage.books.outcomes
            assert first.record["disposition"] == CALL_BACK
            assert stage.books.contacts["k00000"].callback_at == wish
            await until(lambda: len(stage.books.outcomes) == 2, 700)
            second = stage.books.outcomes[1].attempt
            assert (second.kind, second.agent) == (CALL_BACK, agent)
            assert 0.0 <= second.claimed_at - wish <= 1.0
            assert stage.books.contacts["k00000"].callback_at == 0.0
            assert len(stage.placed()) == 2

    play(scene())


def test_two_at_once_have_an_agent_each_and_a_third_waits() -> None:
    async def scene() -> None:
        async with staged(PREDICTIVE, busy_then(20.0), 0, ("101", "102")) as stage:
            await list_wish(stage, *(owed(name=f"w{n}", agent="") for n in range(3)))
            await until(lambda: len(stage.placed()) == 2, WISH_S + 5)
            await asyncio.sleep(5.0)
            assert len(stage.placed()) == 2
            await until(lambda: len(stage.books.outcomes) == 3, 120)
            assert set(stage.outcomes().values()) == {"connected"}

    play(scene())


def test_an_engine_that_takes_over_calls_nobody_twice() -> None:
    async def scene() -> None:
        async with staged(CAMPAIGN, lambda order: Debtor(rings_s=12.0, patience_s=5.0), 0, ("101",)) as stage:
            await list_wish(stage, owed())
            await until(lambda: stage.placed(), WISH_S + 10)
            await asyncio.sleep(1.0)
            stage.engine.stop()
            await asyncio.sleep(0.5)
            stage.engine = stage.new_engine("e2")
            task = asyncio.create_task(stage.engine.run())
            await until(lambda: stage.books.outcomes, 120)
            stage.engine.stop()
            await task
            assert len(stage.placed()) == 1
            assert list(stage.outcomes().values()) == ["connected"]

    play(scene())


@pytest.mark.parametrize("deaf", ["lock", "claim", "write", "reply"])
def test_where_an_answer_of_redis_is_lost_no_agent_is_and_nobody_is_called_twice(deaf: str) -> None:
    async def scene() -> None:
        async with staged(CAMPAIGN, talks, 0, ("101",)) as stage:
            await list_wish(stage, owed())
            await asyncio.sleep(WISH_S - 5)
            stage.store.deaf = {deaf}
            await asyncio.sleep(15.0)
            stage.store.deaf = set()
            await until(lambda: "connected" in stage.outcomes().values(), 400)
            await until(lambda: stage.state("101") is AgentState.IDLE)
            assert len(stage.asterisk.talks) == len(stage.placed()) == 1

    play(scene())


def test_what_holds_calls_back_holds_call_backs_too() -> None:
    async def scene() -> None:
        async with staged(CAMPAIGN, talks, 0, ("101",)) as stage:
            await list_wish(stage, owed())
            await asyncio.sleep(WISH_S - 5)
            stage.command("pause")
            await asyncio.sleep(60.0)
            assert stage.placed() == []
            assert stage.state("101") is AgentState.IDLE
            stage.command("start")
            await until(stage.placed, 5.0)

    play(scene())


def test_a_minute_at_which_the_law_forbids_it_waits_for_the_law() -> None:
    async def scene() -> None:
        async with staged(CAMPAIGN, talks, 0, ("101",)) as stage:
            stage.store.past["p:p-wish"] = History(silent_until=EPOCH + WISH_S + 600)
            await list_wish(stage, owed())
            await until(lambda: stage.books.refusals, WISH_S + 10)
            await asyncio.sleep(5.0)
            assert stage.state("101") is AgentState.IDLE
            assert stage.books.due["wish"] == EPOCH + WISH_S + 600
            await until(lambda: stage.books.outcomes, 700)
            assert call_backs(stage)[0].claimed_at - (EPOCH + WISH_S + 600) <= 3.0

    play(scene())


@pytest.mark.parametrize("seed", range(6))
def test_whatever_happens_nobody_is_called_back_twice_and_every_agent_comes_back(seed: int) -> None:
    """Debtors of all kinds, agents who come and go, a lost link, a slow Redis."""

    async def scene() -> None:
        chance = Random(seed)
        names = tuple(str(101 + n) for n in range(5))
        campaign = replace(chance.choice([CAMPAIGN, PREDICTIVE]), callback_own_agent_s=30)
        async with staged(campaign, mixed(seed), 300, names, seed) as stage:
            stage.asterisk.lose = 0.01
            wishes = [owed(EPOCH + 60 + 12 * n, chance.choice(names), f"w{n}") for n in range(20)]
            await list_wish(stage, *wishes)
            for _ in range(40):
                await asyncio.sleep(chance.uniform(1, 15))
                match chance.randrange(6):
                    case 0:
                        stage.command(chance.choice(["break", "back"]), agent=chance.choice(names))
                    case 1:
                        stage.store.slow_s = chance.choice([0.0, 0.3])
                    case 2:
                        stage.asterisk.cut()
                        await asyncio.sleep(1.0)
                        stage.asterisk.join()
                    case 3:
                        for leg in list(stage.asterisk.legs())[:1]:
                            stage.asterisk.end(leg)
                for one in stage.run.floor.team.agents.values():
                    assert one.state is not AgentState.RESERVED or one.attempt
                under_way = [one.contact for one in stage.run.floor.attempts.values()]
                assert len(under_way) == len(set(under_way))
            stage.store.slow_s = stage.asterisk.lose = 0.0
            await stage.quiet(600.0)
            ids = [one.attempt.id for one in stage.books.outcomes]
            assert len(ids) == len(set(ids))
            reserved = [one for one in stage.run.floor.team.agents.values() if one.state is AgentState.RESERVED]
            assert reserved == []
            owed_still = {one.id for one in stage.books.contacts.values() if one.callback_at}
            called = {one.contact for one in call_backs(stage)}
            assert {one.id for one in wishes} <= called | owed_still
            counted = Counter(
                one.attempt.contact
                for one in stage.books.outcomes
                if one.attempt.kind == CALL_BACK and one.verdict.count and not one.verdict.callback_at
            )
            assert set(counted.values()) <= {1}
            assert len(called) > 10

    play(scene())


def test_an_ivr_campaign_keeps_no_agent() -> None:
    async def scene() -> None:
        ivr = replace(CAMPAIGN, kind=Kind.IVR, mode=Mode.IVR)
        async with staged(ivr, talks, 0) as stage:
            await stage.store.add_contacts("c1", [owed()], EPOCH + WISH_S)
            await until(lambda: stage.books.outcomes, WISH_S + 60)
            assert list(stage.outcomes().values()) == ["ivr"]

    play(scene())


# ---- the parts


@pytest.mark.parametrize(
    ("own", "since_s", "waits", "taken_by"),
    [
        (AgentState.IDLE, 0, False, "101"),
        (AgentState.TALKING, 0, True, None),
        (AgentState.WRAP_UP, 119, True, None),
        (AgentState.WRAP_UP, 120, False, "102"),
        (AgentState.BREAK, 0, False, "102"),
        (AgentState.SIGNED_OUT, 0, False, "102"),
    ],
)
def test_who_takes_it(own: AgentState, since_s: float, waits: bool, taken_by: str | None) -> None:
    agents = {"101": agent_of("101", T0, own), "102": agent_of("102", T0 - 60)}
    contact, at = owed(T0), T0 + since_s
    assert waits_for_own(contact, agents, at, 120) is waits
    found = for_call_back(contact, agents, "a", at, 120)
    assert (found and found.id) == taken_by


def test_in_progressive_the_agents_of_calls_under_way_are_not_taken() -> None:
    floor = Play(replace(CAMPAIGN, mode=Mode.PROGRESSIVE))
    floor.agent("101")
    floor.ring("a")
    assert next_due(floor.floor, [owed(T0, "")], T0) is None
    assert agents_wanted(floor.floor, [owed(T0, "")], T0) == 1
    floor.agent("102")
    assert next_due(floor.floor, [owed(T0, "")], T0) is not None
    assert next_due(floor.floor, [owed(T0 + 1, "")], T0) is None
    floor.floor.campaign = replace(CAMPAIGN, mode=Mode.PREDICTIVE)
    floor.answer("b")
    assert floor.call("b").state is CallState.JOINING


def test_who_is_wanted_for_a_call_back_is_the_last_choice_for_others() -> None:
    floor = Play()
    floor.agent("101")
    floor.now += 1
    floor.agent("102")
    floor.floor.spared = frozenset({"101"})
    floor.answer("a")
    assert floor.call("a").agent == "102"
    floor.answer("b")
    assert floor.call("b").agent == "101"


def test_the_list_gives_it_out_before_its_minute_but_never_in_the_past() -> None:
    assert on_list(T0 + 100, T0) == T0 + 100 - LEAD_S
    assert on_list(T0 + 10, T0) == T0
