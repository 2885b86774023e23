"""Breaks: reasons, orders that only an order takes back, and the pause after an abusive call."""

import pytest

from dialer.floor.actions import TellDesk
from dialer.floor.breaks import is_productive
from dialer.model import Agent, AgentState, Seen
from tests.floor.test_floor import CAMPAIGN, Play


def idle() -> Play:
    play = Play()
    play.agent("101")
    return play


def agent(play: Play) -> Agent:
    return play.floor.team.agents["101"]


def reason(play: Play) -> str:
    return agent(play).break_reason


def test_a_break_has_a_reason_of_the_list_or_none() -> None:
    play = idle()
    assert play.order("break", "101", reason="fishing") == (
        False, "'fishing' is no reason for a break here: use desk_work, meal, prayer, rest, training"
    )  # fmt: skip
    assert play.order("break", "101", reason="meal")[0]
    assert (play.state("101"), reason(play)) == (AgentState.BREAK, "meal")
    assert not is_productive(agent(play), CAMPAIGN)
    assert play.order("break", "101", reason="training")[0], "the same break, for something else"
    assert is_productive(agent(play), CAMPAIGN)
    assert play.order("back", "101")[0]
    assert (play.state("101"), reason(play)) == (AgentState.IDLE, "")
    assert play.order("break", "101")[0], "as a phone's own key asks"


def test_one_asked_for_in_a_call_keeps_its_reason() -> None:
    play = idle()
    play.talk("a")
    assert play.order("break", "101", reason="prayer") == (True, "after this call")
    play.order("wrapped", "101")
    assert play.state("101") is AgentState.TALKING
    play.see_hang_up("a")
    play.order("wrapped", "101")
    assert (play.state("101"), reason(play)) == (AgentState.BREAK, "prayer")


@pytest.mark.parametrize("busy", [False, True])
def test_what_was_ordered_only_an_order_takes_back(busy: bool) -> None:
    play = idle()
    if busy:
        play.talk("a")
    play.order("break", "101", reason="training", forced="yes")
    assert agent(play).sent_by == "test"
    assert play.order("back", "101") == (False, "test has ordered it")
    assert play.order("back", "101", forced="yes")[0]
    assert (agent(play).sent_by, agent(play).break_next) == ("", False)
    assert play.state("101") is (AgentState.TALKING if busy else AgentState.IDLE)


def test_a_forced_sign_out_lets_the_call_end() -> None:
    play = Play()
    leg = play.agent("101")
    play.talk("a")
    assert play.order("sign_out", "101", forced="yes") == (True, "after this call")
    play.order("sign_in", "101")
    assert agent(play).sign_out_next, "a reload does not undo it"
    play.see_hang_up("a")
    play.order("wrapped", "101")
    assert play.state("101") is AgentState.SIGNED_OUT
    play.see(Seen.HANGUP, leg)
    play.agent("101")
    assert agent(play).sent_by == "", "the next day is a new one"


def test_an_abused_agent_rests_and_comes_back_by_himself() -> None:
    play = idle()
    play.talk("a")
    play.see_hang_up("a")
    assert play.order("wrapped", "101", disposition="abusive")[0]
    assert (play.state("101"), reason(play)) == (AgentState.BREAK, "cool_down")
    play.wait(CAMPAIGN.cool_down_s - 1)
    assert play.state("101") is AgentState.BREAK
    play.wait(1.1)
    assert (play.state("101"), reason(play), agent(play).break_until) == (AgentState.IDLE, "", 0.0)


def test_he_may_come_back_before_and_his_own_break_has_no_end() -> None:
    play = idle()
    play.talk("a")
    play.see_hang_up("a")
    play.order("wrapped", "101", disposition="abusive")
    assert play.order("back", "101")[0]
    play.order("break", "101", reason="meal")
    play.wait(CAMPAIGN.cool_down_s + 1)
    assert play.state("101") is AgentState.BREAK


def test_a_word_taken_back_takes_the_pause_back() -> None:
    play = idle()
    play.talk("a")
    play.order("disposition", "101", disposition="abusive")
    assert agent(play).break_next
    play.order("disposition", "101", disposition="refuses")
    assert (agent(play).break_next, reason(play)) == (False, "")


def test_messages_reach_those_who_are_here() -> None:
    play = idle()
    play.agent("102")
    play.order("sign_out", "102")
    play.actions.clear()
    assert play.order("message", "all", text="Semangat!") == (True, "told 1")
    (told,) = [one.message for one in play.actions if isinstance(one, TellDesk)]
    assert (told.agent, told.text, told.sender) == ("101", "Semangat!", "test")
    assert not play.order("message", "102", text="hello")[0]
    assert not play.order("message", "101", text="x" * 501)[0]
