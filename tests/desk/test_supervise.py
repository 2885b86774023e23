"""Supervisors: they listen, whisper, join and take over; who heard a call is written down, and the agent sees it."""

from dataclasses import replace

import pytest

from dialer.dialplan import Context, room
from dialer.floor.actions import HangUp, RaiseLeg, RaiseSpy, SaveAgent, SendLeg, SendTo
from dialer.floor.reconcile import ask, reconcile
from dialer.floor.spies import Mode
from dialer.model import AgentState, CallState, LiveChannel, Seen
from tests.floor.test_floor import CAMPAIGN, Play


def talking(silently: bool = False) -> Play:
    play = Play(replace(CAMPAIGN, silent_monitoring=silently))
    play.agent("101")
    play.talk("a")
    play.agent("102")
    return play


def spy(play: Play, mode: str = "listen", agent: str = "101") -> str:
    """The supervisor 201 is with him; his leg."""
    assert play.order(mode, agent, supervisor="201")[0]
    channel = [one.spy.channel for one in play.actions if isinstance(one, RaiseSpy)][-1]
    play.see(Seen.ANSWERED, channel)
    return channel


def monitored(play: Play, agent: str = "101") -> str:
    return play.floor.spies.monitored(agent, play.floor.campaign.silent_monitoring)


def legs(play: Play) -> list[tuple[str, str, str]]:
    found = [(one.channel, str(one.context), one.exten) for one in play.actions if isinstance(one, SendLeg)]
    play.actions.clear()
    return found


@pytest.mark.parametrize(
    ("silently", "shown"), [(False, ["listen", "whisper", "join"]), (True, ["", "whisper", "join"])]
)
def test_the_agent_sees_who_is_there(silently: bool, shown: list[str]) -> None:
    play = talking(silently)
    channel = spy(play)
    seen = [monitored(play)]
    legs(play)
    for mode, context in ((Mode.WHISPER, Context.WHISPER), (Mode.JOIN, Context.JOIN)):
        assert play.order(mode, "101", supervisor="201") == (True, mode.value)
        assert any(isinstance(one, SaveAgent) and one.agent.id == "101" for one in play.actions)
        assert legs(play) == [(channel, context, "101")]
        seen.append(monitored(play))
    assert seen == shown
    play.see(Seen.HANGUP, channel)
    assert monitored(play) == ""


def test_who_heard_a_call_is_written_down_with_it() -> None:
    play = talking()
    assert play.call("a").heard_by == ""
    play.order("listen", "101", supervisor="201")
    assert play.call("a").heard_by == "", "his phone still rings"
    channel = [one.spy.channel for one in play.actions if isinstance(one, RaiseSpy)][-1]
    play.see(Seen.ANSWERED, channel)
    assert play.call("a").heard_by == "201"
    play.see_hang_up("a")
    play.order("wrapped", "101")
    play.order("break", "102")
    play.talk("b")
    assert (play.call("b").agent, play.call("b").heard_by) == ("101", "201"), "he stays for the next one"


def test_he_goes_over_to_another_agent_and_leaves() -> None:
    play = talking()
    channel = spy(play)
    legs(play)
    play.order("whisper", "102", supervisor="201")
    assert legs(play) == [(channel, Context.WHISPER, "102")]
    assert (monitored(play), monitored(play, "102")) == ("", "whisper")
    assert play.order("leave", "", supervisor="201")[0]
    assert [one.channel for one in play.actions if isinstance(one, HangUp)] == [channel]


@pytest.mark.parametrize(("supervisor", "agent"), [("102", "101"), ("101", "101"), ("x", "101"), ("201", "999")])
def test_who_cannot_hear_or_be_heard(supervisor: str, agent: str) -> None:
    assert not talking().order("listen", agent, supervisor=supervisor)[0]


def taken_over(play: Play) -> None:
    """The caller comes into 201's room."""
    sent = [(one.attempt.id, str(one.context), one.exten) for one in play.actions if isinstance(one, SendTo)][-1:]
    assert sent == [("a", Context.HAND_OVER, "201")]
    play.see(Seen.LEFT, "a", room("101"))
    play.see(Seen.JOINED, "a", room("201"))
    assert (play.call("a").agent, play.call("a").agents) == ("201", "101 201")
    assert (play.state("101"), play.state("201")) == (AgentState.WRAP_UP, AgentState.TALKING)


@pytest.mark.parametrize("held", [False, True])
def test_taking_over_from_his_phone(held: bool) -> None:
    play = talking()
    if held:
        play.order("hold", "101")
        play.see(Seen.LEFT, "a", room("101"))
        play.see(Seen.ON_HOLD, "a", room("101"))
        play.actions.clear()
    assert play.order("take_over", "101", supervisor="201")[0]
    leg = [one.leg for one in play.actions if isinstance(one, RaiseLeg)][-1]
    play.see(Seen.JOINED, leg, room("201"))
    taken_over(play)
    play.see_hang_up("a")
    play.order("wrapped", "201", disposition="hardship")
    assert play.closes() == ["a"]
    assert play.state("201") is AgentState.SIGNED_OUT
    assert leg in [one.channel for one in play.actions if isinstance(one, HangUp)]


def test_taking_over_from_where_he_listens() -> None:
    play = talking()
    channel = spy(play)
    legs(play)
    assert play.order("take_over", "101", supervisor="201")[0]
    assert legs(play) == [(channel, Context.AGENT, "201")]
    play.see(Seen.JOINED, channel, room("201"))
    taken_over(play)
    assert monitored(play) == ""
    play.see(Seen.HANGUP, "a")
    play.see(Seen.HANGUP, channel)
    assert play.state("201") in (AgentState.WRAP_UP, AgentState.SIGNED_OUT)


def test_who_has_hung_up_meanwhile_is_taken_over_by_nobody() -> None:
    play = talking()
    play.order("take_over", "101", supervisor="201")
    leg = [one.leg for one in play.actions if isinstance(one, RaiseLeg)][-1]
    play.see_hang_up("a")
    play.see(Seen.JOINED, leg, room("201"))
    assert not [one for one in play.actions if isinstance(one, SendTo)]
    assert play.state("201") is AgentState.SIGNED_OUT


def test_a_supervisor_on_the_floor_gets_callers_from_agents_and_none_from_the_queue() -> None:
    play = talking()
    play.after(play.floor.team.sign_in("201", play.now, "supervising")[2])
    leg = [one.leg for one in play.actions if isinstance(one, RaiseLeg)][-1]
    play.see(Seen.JOINED, leg, room("201"))
    assert play.state("201") is AgentState.BREAK
    play.actions.clear()
    assert play.order("to_agent", "101", to="201")[0]
    taken_over(play)
    play.see_hang_up("a")
    play.order("wrapped", "201")
    assert play.state("201") is AgentState.BREAK


def test_a_new_leader_ends_what_it_knows_nothing_of() -> None:
    play = talking()
    channel = spy(play)
    strays = ["spy.c1.x", "link.c1.x", "spy.c2.x", channel]
    there = [LiveChannel(one, f"PJSIP/{one}", True, "santun-listen", "101", "ChanSpy", "", 9.0) for one in strays]
    there += [LiveChannel("a", "PJSIP/a", True, "santun-room", "101", "ConfBridge", room("101"), 9.0)]
    actions = reconcile(play.floor, ask(play.floor), there, play.now)
    hung_up = [one.channel for one in actions if isinstance(one, HangUp)]
    assert [one for one in hung_up if "." in one] == ["spy.c1.x", "link.c1.x"]
    assert play.call("a").state is CallState.TALKING
