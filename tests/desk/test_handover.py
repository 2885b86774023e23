"""In the call: hold, the IVR, another agent. Nobody is lost on the way, and every call ends once."""

from dataclasses import replace

import pytest

from dialer.desk.handover import paused
from dialer.dialplan import Context, room
from dialer.floor.actions import HangUp, RaiseLink, RecordAgain, SendTo
from dialer.floor.in_talk import MOVE_LIMIT_S
from dialer.model import AgentState, CallState, Seen
from tests.floor.test_floor import CAMPAIGN, Play


def moved(play: Play) -> list[tuple[str, str, str]]:
    """Where callers were sent since the last look."""
    found = [(one.attempt.id, str(one.context), one.exten) for one in play.actions if isinstance(one, SendTo)]
    play.actions.clear()
    return found


def talking(*others: str) -> Play:
    """`a` talks with 101; the others are idle."""
    play = Play(replace(CAMPAIGN, record=True))
    play.agent("101")
    play.talk("a")
    for other in others:
        play.agent(other)
    play.actions.clear()
    return play


def on_hold(play: Play) -> None:
    assert play.order("hold", "101")[0]
    play.see(Seen.LEFT, "a", room("101"))
    play.see(Seen.ON_HOLD, "a", room("101"))


# ---- hold


def test_hold_keeps_the_agent_and_the_talk() -> None:
    play = talking()
    play.order("hold", "101")
    assert moved(play) == [("a", Context.HOLD, "101")]
    play.see(Seen.LEFT, "a", room("101"))
    assert play.state("101") is AgentState.TALKING
    play.see(Seen.ON_HOLD, "a", room("101"))
    assert (play.call("a").state, play.state("101")) == (CallState.ON_HOLD, AgentState.TALKING)
    play.wait(10)
    play.order("unhold", "101")
    assert moved(play) == [("a", Context.ROOM, "101")]
    play.see(Seen.JOINED, "a", room("101"))
    assert (play.call("a").state, round(play.call("a").hold_s)) == (CallState.TALKING, 10)
    play.wait(5)
    play.see_hang_up("a")
    assert round(play.call("a").talk_s) == 15
    assert play.state("101") is AgentState.WRAP_UP


def test_who_hangs_up_on_hold_ends_his_agents_talk() -> None:
    play = talking()
    on_hold(play)
    play.see(Seen.HANGUP, "a")
    assert play.state("101") is AgentState.WRAP_UP
    play.order("wrapped", "101", disposition="refuses")
    assert play.closes() == ["a"]


def test_nobody_stays_on_hold_for_an_agent_who_is_gone() -> None:
    play = talking("102")
    leg = play.floor.team.agents["101"].leg
    on_hold(play)
    moved(play)
    play.see(Seen.LEFT, leg, room("101"))
    assert moved(play) == [("a", Context.HELD, "101")]
    play.see(Seen.HELD, "a", room("101"))
    assert play.call("a").state is CallState.HELD
    play.wait(CAMPAIGN.grace_ms / 2000 + 0.1)
    assert play.call("a").agent == "102", "the next agent takes him"


def test_a_hold_that_fails_leaves_them_talking() -> None:
    play = talking()
    play.order("hold", "101")
    play.after(play.floor.not_moved("a", play.now))
    assert (play.call("a").state, play.state("101")) == (CallState.TALKING, AgentState.TALKING)
    play.see_hang_up("a")
    assert play.state("101") is AgentState.WRAP_UP


def test_one_move_at_a_time() -> None:
    play = talking("102")
    play.order("hold", "101")
    assert play.order("to_agent", "101", to="102") == (False, "he is on his way already")
    assert play.order("to_ivr", "101") == (False, "he is on his way already")


@pytest.mark.parametrize("name", ["hold", "unhold", "to_ivr", "to_agent", "consult", "hand_over"])
def test_who_has_nobody_moves_nobody(name: str) -> None:
    play = talking("102")
    assert play.order(name, "102", to="101")[0] is False
    assert play.order(name, "999", to="101")[0] is False


# ---- the IVR


@pytest.mark.parametrize("held", [False, True])
def test_handed_to_the_ivr_the_outcome_has_both(held: bool) -> None:
    play = talking()
    if held:
        on_hold(play)
    moved(play)
    assert play.order("to_ivr", "101")[0]
    assert moved(play) == [("a", Context.IVR, "s")]
    if not held:
        play.see(Seen.LEFT, "a", room("101"))
    play.see(Seen.IVR_BEGIN, "a")
    assert (play.call("a").state, play.state("101")) == (CallState.IN_IVR, AgentState.WRAP_UP)
    play.order("wrapped", "101", disposition="pay_now")
    assert play.closes() == []
    play.see(Seen.IVR_END, "a", "", "done")
    play.see(Seen.HANGUP, "a")
    assert play.closes() == ["a"]
    one = play.call("a")
    assert (bool(one.joined_at), bool(one.ivr_at), one.ivr_result, one.disposition) == (True, True, "done", "pay_now")


# ---- another agent


@pytest.mark.parametrize("held", [False, True])
def test_without_a_word_he_goes_to_the_other_agent(held: bool) -> None:
    play = talking("102")
    if held:
        on_hold(play)
    moved(play)
    assert play.order("to_agent", "101", to="102")[0]
    assert (play.state("101"), play.state("102")) == (AgentState.TALKING, AgentState.RESERVED)
    assert moved(play) == [("a", Context.HAND_OVER, "102")]
    if not held:
        play.see(Seen.LEFT, "a", room("101"))
    play.see(Seen.JOINED, "a", room("102"))
    assert (play.state("101"), play.state("102")) == (AgentState.WRAP_UP, AgentState.TALKING)
    assert (play.call("a").agent, play.call("a").agents) == ("102", "101 102")
    play.see_hang_up("a")
    play.order("wrapped", "101", disposition="wants_agent")
    assert play.closes() == [], "the second one has not said how it ended"
    play.order("wrapped", "102", disposition="promise:2099-01-01")
    assert play.closes() == ["a"] or play.order("wrapped", "102", disposition="refuses")[0]
    assert play.closes() == ["a"]


@pytest.mark.parametrize("refused", [True, False])
def test_who_is_not_taken_comes_back(refused: bool) -> None:
    play = talking("102")
    play.order("to_agent", "101", to="102")
    play.see(Seen.LEFT, "a", room("101"))
    if refused:
        play.see(Seen.ROOM_REFUSED, "a", room("102"))
    else:
        play.wait(MOVE_LIMIT_S + 0.1)
    assert play.state("102") is AgentState.IDLE
    play.see(Seen.JOINED, "a", room("101"))
    assert (play.call("a").agent, play.state("101")) == ("101", AgentState.TALKING)
    play.see_hang_up("a")
    assert play.state("101") is AgentState.WRAP_UP


def test_who_hangs_up_on_the_way_frees_both() -> None:
    play = talking("102")
    play.order("to_agent", "101", to="102")
    play.see(Seen.LEFT, "a", room("101"))
    play.see(Seen.HANGUP, "a")
    assert (play.state("101"), play.state("102")) == (AgentState.WRAP_UP, AgentState.IDLE)


@pytest.mark.parametrize("to", ["101", "103", ""])
def test_only_a_free_colleague_is_asked(to: str) -> None:
    play = talking("102")
    play.order("break", "102")
    for name in ("to_agent", "consult"):
        assert play.order(name, "101", to=to)[0] is False
        assert play.order(name, "101", to="102") == (False, "agent 102 is not free: break")


def test_with_a_word_before() -> None:
    play = talking("102")
    assert play.order("consult", "101", to="102")[0]
    link = next(one.link for one in play.actions if isinstance(one, RaiseLink))
    assert (link.agent, link.to) == ("101", "102")
    assert moved(play) == [("a", Context.HOLD, "101")]
    play.see(Seen.LEFT, "a", room("101"))
    play.see(Seen.ON_HOLD, "a", room("101"))
    assert play.state("102") is AgentState.RESERVED
    assert play.order("hand_over", "101")[0]
    assert moved(play) == [("a", Context.HAND_OVER, "102")]
    play.see(Seen.JOINED, "a", room("102"))
    assert [one.channel for one in play.actions if isinstance(one, HangUp)] == [link.channel]
    assert (play.state("101"), play.state("102")) == (AgentState.WRAP_UP, AgentState.TALKING)
    play.see(Seen.HANGUP, link.channel)
    assert play.state("102") is AgentState.TALKING


def test_a_word_and_no_more() -> None:
    play = talking("102")
    play.order("consult", "101", to="102")
    play.see(Seen.LEFT, "a", room("101"))
    play.see(Seen.ON_HOLD, "a", room("101"))
    assert play.order("consult_end", "101")[0]
    assert (play.state("102"), play.call("a").state) == (AgentState.IDLE, CallState.ON_HOLD)
    assert play.order("hand_over", "101") == (False, "no colleague has been asked")


@pytest.mark.parametrize("ends", ["link", "caller", "first"])
def test_whatever_ends_a_consultation_frees_the_colleague(ends: str) -> None:
    play = talking("102")
    leg = play.floor.team.agents["101"].leg
    play.order("consult", "101", to="102")
    link = next(one.link for one in play.actions if isinstance(one, RaiseLink))
    play.see(Seen.LEFT, "a", room("101"))
    play.see(Seen.ON_HOLD, "a", room("101"))
    if ends == "link":
        play.see(Seen.HANGUP, link.channel)
    elif ends == "caller":
        play.see(Seen.HANGUP, "a")
    else:
        play.see(Seen.HANGUP, leg)
        play.see(Seen.HANGUP, link.channel)
    assert play.state("102") is AgentState.IDLE
    assert not play.floor.moves.links


def test_a_recording_goes_on_with_the_next_agent() -> None:
    play = talking("102")
    play.after(paused(play.floor, "a", True))
    play.order("to_agent", "101", to="102")
    play.see(Seen.LEFT, "a", room("101"))
    assert not [one for one in play.actions if isinstance(one, RecordAgain)]
    play.see(Seen.JOINED, "a", room("102"))
    assert [one.attempt.id for one in play.actions if isinstance(one, RecordAgain)] == ["a"]


def test_help_is_a_flag_that_goes_with_the_call() -> None:
    play = talking()
    play.order("help", "101")
    assert play.floor.team.agents["101"].help
    play.see_hang_up("a")
    assert not play.floor.team.agents["101"].help
