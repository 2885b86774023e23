"""Our books against Asterisk's list, in every combination; and a takeover with what the engine before left."""

import pytest

from dialer.calls import SETTLED, UNANSWERED
from dialer.dialplan import Context, room
from dialer.floor.actions import Close, LookAgain
from dialer.floor.reconcile import GHOST_S, ask, reconcile
from dialer.model import CALL_BACK, Agent, AgentState, CallState, Fact, LiveChannel, Seen
from dialer.originate import timeout_s
from dialer.outcomes import verdict
from tests.floor.test_floor import CAMPAIGN, T0, Play, attempt, sent

PLACES = [
    ("gone", "", "", False),
    ("ringing", "", "", False),
    ("answered", Context.ANSWERED, "", True),
    ("in room", Context.ROOM, room("101"), True),
    ("in another room", Context.ROOM, room("102"), True),
    ("held", Context.HELD, "", True),
    ("ivr", Context.IVR, "", True),
    ("wants agent", Context.WAIT_AGENT, "", True),
    ("message", Context.MESSAGE, "", True),
    ("voicemail", Context.VOICEMAIL, "", True),
    ("on hold", Context.HOLD, "", True),
    ("elsewhere", "santun-unknown", "", True),
]


def channel(name: str, context: str = "", where: str = "", up: bool = True) -> LiveChannel:
    return LiveChannel(name, f"PJSIP/{name}", up, context, "s", "x", where, 1.0)


def leg(agent: str) -> LiveChannel:
    return channel(f"leg-{agent}-x", Context.AGENT, room(agent))


def adopted(state: CallState, agent_state: AgentState, **fields: object) -> Play:
    """A floor right after a takeover: one call of agent 101, and 102 idle."""
    play = Play()
    in_room = state in (CallState.TALKING, CallState.ON_HOLD, CallState.HELD, CallState.GONE)
    times = {"joined_at": T0 - 60} if in_room else {}
    answered = {} if state in UNANSWERED else {"answered_at": T0 - 61, "waits_until": T0 - 59}
    known = {"state": state, "agent": "101", **times, **answered, **fields}
    play.floor.adopt(attempt("a", T0 - 70, **known))
    play.floor.team.adopt(Agent("101", "a", "c1", agent_state, T0 - 60, "leg-101-x", "a"))
    play.floor.team.adopt(Agent("102", "a", "c1", AgentState.IDLE, T0 - 60, "leg-102-x"))
    return play


def compare(play: Play, *channels: LiveChannel, booted: bool = False) -> None:
    play.after(reconcile(play.floor, ask(play.floor), channels, play.now, booted))


@pytest.mark.parametrize("state", [one for one in CallState if one is not CallState.ENDED])
@pytest.mark.parametrize(("name", "context", "where", "up"), PLACES)
@pytest.mark.parametrize("agent_state", [AgentState.RESERVED, AgentState.TALKING, AgentState.WRAP_UP, AgentState.IDLE])
def test_every_combination_ends_once_and_frees_everybody(
    state: CallState, name: str, context: str, where: str, up: bool, agent_state: AgentState
) -> None:
    play = adopted(state, agent_state)
    there = [] if name == "gone" else [channel("a", context, where, up)]
    for _ in range(2):
        compare(play, leg("101"), leg("102"), *there)
    for agent in play.floor.team.agents.values():
        if agent.state in (AgentState.RESERVED, AgentState.TALKING):
            assert play.call(agent.attempt).state in (CallState.JOINING, CallState.TALKING, CallState.ON_HOLD)
    play.see(Seen.HANGUP, "a")
    play.wait(timeout_s(CAMPAIGN) + GHOST_S + CAMPAIGN.wrap_up_max_s + 10)
    compare(play, leg("101"), leg("102"))
    assert play.closes() == ["a"]
    verdict(play.call("a"), (), CAMPAIGN, play.now)
    assert {play.state("101"), play.state("102")} == {AgentState.IDLE}


@pytest.mark.parametrize(("seen", "asks"), [(True, False), (False, True)])
def test_of_a_call_whose_end_nobody_saw_the_ivr_is_asked(seen: bool, asks: bool) -> None:
    """An engine that was away may have missed the answer, and the IVR have served him."""
    play = adopted(CallState.RINGING, AgentState.IDLE, dialled=True)
    if seen:
        play.see(Seen.HANGUP, "a")
    compare(play, leg("101"), leg("102"), booted=True)
    play.wait(10)
    (close,) = (one for one in play.actions if isinstance(one, Close))
    assert close.facts is asks
    told = (Fact(1, T0, "flow", "payment_reminder@1"), Fact(2, T0, "closed", "hung_up 8.0 menu")) if asks else ()
    assert verdict(play.call("a"), told, CAMPAIGN, play.now).live is asks


@pytest.mark.parametrize("state", [one for one in CallState if one is not CallState.ENDED])
@pytest.mark.parametrize(("name", "context", "where", "up"), PLACES)
def test_who_is_kept_for_a_call_back_is_kept_as_long_as_it_may_need_him(
    state: CallState, name: str, context: str, where: str, up: bool
) -> None:
    play = adopted(state, AgentState.RESERVED, kind=CALL_BACK)
    there = [] if name == "gone" else [channel("a", context, where, up)]
    compare(play, leg("101"), leg("102"), *there)
    if name == "ringing" and state in UNANSWERED:
        assert (play.state("101"), play.state("102")) == (AgentState.RESERVED, AgentState.IDLE)
    compare(play, leg("101"), leg("102"), *there)
    play.see(Seen.HANGUP, "a")
    play.wait(timeout_s(CAMPAIGN) + GHOST_S + CAMPAIGN.wrap_up_max_s + 10)
    compare(play, leg("101"), leg("102"))
    assert play.closes() == ["a"]
    assert {play.state("101"), play.state("102")} == {AgentState.IDLE}


@pytest.mark.parametrize("state", [one for one in CallState if one not in SETTLED | UNANSWERED])
def test_a_call_that_was_up_and_is_not_there_is_gone(state: CallState) -> None:
    play = adopted(state, AgentState.IDLE)
    compare(play, leg("101"), leg("102"))
    assert play.call("a").state is CallState.GONE


@pytest.mark.parametrize("fields", [{}, {"placed_at": T0 - 69}])
def test_an_unanswered_call_may_still_come_to_be(fields: dict[str, float]) -> None:
    play = adopted(CallState.PLACED, AgentState.IDLE, claimed_at=T0 - 1, **fields)
    compare(play, leg("101"), leg("102"))
    assert play.closes() == []
    actions = play.wait(timeout_s(CAMPAIGN) + GHOST_S)
    assert any(isinstance(one, LookAgain) for one in actions)
    compare(play, leg("101"), leg("102"))
    assert play.closes() == ["a"]
    assert verdict(play.call("a"), (), CAMPAIGN, play.now).outcome == "interrupted"


@pytest.mark.parametrize("fields", [{"dialled": True}, {"failed": True}])
def test_one_of_which_asterisk_has_told_is_gone_when_it_is_not_there(fields: dict[str, bool]) -> None:
    play = adopted(CallState.PLACED, AgentState.IDLE, claimed_at=T0 - 1, **fields)
    compare(play, leg("101"), leg("102"))
    assert play.closes() == ["a"]


def test_an_asterisk_that_started_anew_has_none_of_our_calls() -> None:
    play = adopted(CallState.CLAIMED, AgentState.IDLE, claimed_at=T0 - 1)
    compare(play, booted=True)
    assert play.closes() == ["a"]


def test_what_is_not_yet_given_to_asterisk_is_left_alone() -> None:
    play = Play()
    play.floor.claimed(attempt("a", T0), T0)
    compare(play, booted=True)
    assert play.closes() == []
    assert play.floor.may_place("a")


def test_what_changed_while_asterisk_was_asked_is_left_alone_and_looked_at_later() -> None:
    play = Play()
    play.agent("101")
    play.answer("a")
    asked = ask(play.floor)
    play.join("a")
    play.after(reconcile(play.floor, asked, [channel("a", Context.MESSAGE), leg("101")], play.now))
    assert play.call("a").state is CallState.TALKING
    assert any(isinstance(one, LookAgain) for one in play.wait(6))


def test_a_stale_list_brings_no_customer_back_into_a_room() -> None:
    play = Play()
    leg_ = play.agent("101")
    play.talk("a")
    asked = ask(play.floor)
    play.see(Seen.LEFT, leg_, room("101"))
    play.see(Seen.LEFT, "a", room("101"))
    play.see(Seen.HELD, "a", room("101"))
    play.after(reconcile(play.floor, asked, [channel("a", Context.ROOM, room("101"))], play.now))
    assert play.call("a").state is CallState.HELD
    assert play.state("101") is AgentState.LOST


def test_nobody_is_sent_to_an_agent_whose_answer_nobody_timed() -> None:
    play = adopted(CallState.RINGING, AgentState.IDLE)
    compare(play, leg("101"), leg("102"), channel("a", Context.ANSWERED))
    assert play.call("a").state is CallState.WAITING
    assert sent(play.actions) == []


def test_a_held_customer_who_was_found_gets_an_agent() -> None:
    play = adopted(CallState.TALKING, AgentState.TALKING)
    compare(play, leg("102"), channel("a", Context.HELD))
    play.wait(CAMPAIGN.grace_ms / 2000 + 0.1)
    assert sent(play.actions) == [("a", "102")]


def test_a_wrap_up_taken_over_ends_by_its_time_limit() -> None:
    play = adopted(CallState.GONE, AgentState.WRAP_UP)
    compare(play, leg("101"), leg("102"))
    assert play.closes() == []
    play.wait(1)  # he was in it for a minute already
    assert play.closes() == ["a"]
    assert play.state("101") is AgentState.IDLE


def test_a_wrap_up_without_its_call_ends_too() -> None:
    play = Play()
    play.floor.team.adopt(Agent("101", "a", "c1", AgentState.WRAP_UP, T0, "leg-101-x", "unknown"))
    compare(play, leg("101"))
    play.wait(CAMPAIGN.wrap_up_max_s + 1)
    assert play.state("101") is AgentState.IDLE


def test_a_call_taken_over_when_it_was_over_is_closed() -> None:
    play = adopted(CallState.GONE, AgentState.IDLE, ivr_at=T0 - 60)
    compare(play, leg("101"), leg("102"))
    assert [one.facts for one in play.actions if isinstance(one, Close)] == [True]
