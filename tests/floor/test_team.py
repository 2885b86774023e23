"""Agents and their legs: raised, lost, raised again, never two; who counts, and what the pacer hears."""

import pytest

from dialer.agents import Word
from dialer.dialplan import endpoint, room
from dialer.floor.actions import Action, HangUp, LookAgain, RaiseLeg, SaveAgent
from dialer.floor.team import LEG_OVERDUE_S, RAISE_PAUSES_S, Team
from dialer.model import Agent, AgentState, Event, Seen

T0 = 1_795_000_000.0


class Play:
    """One team."""

    def __init__(self) -> None:
        self.told: list[tuple[str, str]] = []
        self._ids = 0
        self.team = Team("a", "c1", self._new_id, lambda kind, call, agent, at: self.told.append((kind, agent)))

    def _new_id(self, at: float) -> str:
        self._ids += 1
        return f"id{self._ids}"

    def sign_in(self, agent: str = "101", at: float = T0) -> str:
        return raised(self.team.sign_in(agent, at)[2])[0]

    def see(self, kind: Seen, leg: str, at: float, agent: str = "101") -> list[Action]:
        return self.team.leg_seen(Event(kind, at, leg, room(agent)), at)

    def idle(self, agent: str = "101") -> str:
        leg = self.sign_in(agent)
        self.see(Seen.JOINED, leg, T0, agent)
        return leg

    def state(self, agent: str = "101") -> AgentState:
        return self.team.agents[agent].state


def raised(actions: list[Action]) -> list[str]:
    return [one.leg for one in actions if isinstance(one, RaiseLeg)]


def hung_up(actions: list[Action]) -> list[str]:
    return [one.channel for one in actions if isinstance(one, HangUp)]


@pytest.mark.parametrize("agent", ["", "1", "10a", "101\n", "../1", "1" * 11])
def test_who_is_no_agent_is_told_so(agent: str) -> None:
    ok, text, actions = Play().team.sign_in(agent, T0)
    assert (ok, actions) == (False, [])
    assert "extension" in text


def test_he_counts_from_when_his_leg_is_in_his_room() -> None:
    play = Play()
    leg = play.sign_in()
    assert (play.state(), play.team.has_idle()) == (AgentState.RAISING, False)
    play.see(Seen.JOINED, leg, T0, "102")
    assert play.state() is AgentState.RAISING
    play.see(Seen.JOINED, leg, T0)
    assert (play.state(), play.team.has_idle()) == (AgentState.IDLE, True)
    assert play.told == [("sign_in", "101"), ("idle", "101")]


def test_a_second_sign_in_raises_no_second_leg() -> None:
    play = Play()
    play.sign_in()
    ok, text, actions = play.team.sign_in("101", T0)
    assert (ok, text, raised(actions)) == (True, "already raising", [])


def test_a_leg_that_fails_is_raised_again_with_growing_pauses() -> None:
    play = Play()
    leg, at = play.sign_in(), T0
    for pause_s in (*RAISE_PAUSES_S, RAISE_PAUSES_S[-1]):
        play.see(Seen.FAILED, leg, at)
        assert raised(play.team.tick(at + pause_s - 0.01)) == []
        (leg,) = raised(play.team.tick(at + pause_s))
        at += pause_s
    assert play.state() is AgentState.RAISING


def test_a_phone_that_registers_is_called_at_once() -> None:
    play = Play()
    leg = play.sign_in()
    play.see(Seen.FAILED, leg, T0)
    assert raised(play.team.reachable(endpoint("102"), T0)) == []
    assert len(raised(play.team.reachable(endpoint("101"), T0))) == 1
    assert raised(play.team.reachable(endpoint("101"), T0)) == []


@pytest.mark.parametrize("kind", [Seen.LEFT, Seen.HANGUP])
def test_a_lost_leg_takes_him_out_at_once(kind: Seen) -> None:
    play = Play()
    leg = play.idle()
    play.see(kind, leg, T0 + 1)
    assert (play.state(), play.team.has_idle()) == (AgentState.LOST, False)
    assert play.team.agents["101"].leg == ""


def test_a_leg_that_left_its_room_is_raised_when_it_has_hung_up() -> None:
    play = Play()
    leg = play.idle()
    play.see(Seen.LEFT, leg, T0)
    assert raised(play.team.tick(T0 + 60)) == []
    play.see(Seen.HANGUP, leg, T0 + 60)
    assert len(raised(play.team.tick(T0 + 61))) == 1


def test_an_older_legs_end_means_nothing() -> None:
    play = Play()
    old = play.idle()
    play.see(Seen.HANGUP, old, T0)
    (new,) = raised(play.team.tick(T0 + 1))
    play.see(Seen.JOINED, new, T0 + 1)
    assert not play.team.owns(old)
    assert play.state() is AgentState.IDLE


def test_signing_out_hangs_up() -> None:
    play = Play()
    leg = play.idle()
    ok, text, actions = play.team.ask("101", Word.SIGN_OUT, T0)
    assert (ok, text, hung_up(actions)) == (True, "signed_out", [leg])
    play.see(Seen.HANGUP, leg, T0)
    assert raised(play.team.tick(T0 + 100)) == []
    assert play.team.ask("101", Word.SIGN_OUT, T0)[0] is False
    assert play.team.ask("999", Word.BREAK, T0)[0] is False


def test_a_leg_that_comes_up_after_signing_out_is_hung_up() -> None:
    play = Play()
    leg = play.sign_in()
    play.team.ask("101", Word.SIGN_OUT, T0)
    assert hung_up(play.see(Seen.JOINED, leg, T0)) == [leg]


def test_signing_in_while_the_old_leg_hangs_up_raises_a_new_one() -> None:
    play = Play()
    leg = play.idle()
    play.team.ask("101", Word.SIGN_OUT, T0)
    assert raised(play.team.sign_in("101", T0)[2]) == []
    play.see(Seen.HANGUP, leg, T0)
    assert len(raised(play.team.tick(T0 + 1))) == 1


def test_back_from_a_break_without_a_leg_raises_one() -> None:
    play = Play()
    leg = play.idle()
    play.team.ask("101", Word.BREAK, T0)
    play.see(Seen.HANGUP, leg, T0)
    assert play.state() is AgentState.BREAK
    assert len(raised(play.team.ask("101", Word.BACK, T0)[2])) == 1


# ---- against Asterisk's own list


def test_a_leg_of_the_engine_before_us_is_taken() -> None:
    play = Play()
    play.team.adopt(Agent("101", "a", "c1", AgentState.RAISING, T0))
    play.team.legs_up_now({"leg-101-x": room("101")}, T0, {})
    assert play.state() is AgentState.IDLE
    assert play.team.agents["101"].leg == "leg-101-x"


def test_a_second_leg_is_hung_up() -> None:
    play = Play()
    play.idle()
    actions = play.team.legs_up_now({"leg-101-id1": room("101"), "leg-101-x": room("101")}, T0, play.team.legs())
    assert hung_up(actions) == ["leg-101-x"]
    assert hung_up(play.team.stray("leg-101-y", room("101"), T0)) == ["leg-101-y"]


@pytest.mark.parametrize("channel", ["leg-102-x", "customer", "leg-", "leg-101"])
def test_what_is_not_his_leg_is_left_alone(channel: str) -> None:
    play = Play()
    play.idle()
    play.team.ask("101", Word.SIGN_OUT, T0)
    assert play.team.stray(channel, room("101"), T0) == []


def test_a_leg_that_is_gone_is_raised_again_but_not_one_just_ordered() -> None:
    play = Play()
    play.idle("101")
    play.sign_in("102")
    play.team.legs_up_now({}, T0 + 1, play.team.legs())
    assert (play.state("101"), play.state("102")) == (AgentState.LOST, AgentState.RAISING)
    legs = raised(play.team.tick(T0 + 1))
    assert [leg.split("-")[1] for leg in legs] == ["101"]


def test_an_agent_who_changed_meanwhile_is_left_alone() -> None:
    play = Play()
    leg = play.sign_in()
    asked = play.team.legs()
    play.see(Seen.JOINED, leg, T0)
    play.team.legs_up_now({}, T0 + 100, asked)
    assert play.state() is AgentState.IDLE


def test_a_leg_of_which_nothing_is_heard_is_looked_for() -> None:
    play = Play()
    play.sign_in()
    assert play.team.tick(T0 + LEG_OVERDUE_S - 1) == []
    assert any(isinstance(one, LookAgain) for one in play.team.tick(T0 + LEG_OVERDUE_S + 1))
    play.team.legs_up_now({}, T0 + LEG_OVERDUE_S + 1, play.team.legs())
    assert len(raised(play.team.tick(T0 + LEG_OVERDUE_S + 1))) == 1


def test_a_link_that_came_back_ends_the_pauses() -> None:
    play = Play()
    leg, at = play.sign_in(), T0
    for _ in range(6):
        play.see(Seen.FAILED, leg, at)
        (leg,) = raised(play.team.tick(at + 60))
        at += 60
    play.see(Seen.FAILED, leg, at)
    play.team.legs_up_now({}, at, play.team.legs())
    assert len(raised(play.team.tick(at))) == 1


def test_whoever_moves_is_written_down() -> None:
    play = Play()
    leg = play.sign_in()
    saved = [one.agent for one in play.see(Seen.JOINED, leg, T0) if isinstance(one, SaveAgent)]
    assert [(one.state, one.leg) for one in saved] == [(AgentState.IDLE, leg)]
