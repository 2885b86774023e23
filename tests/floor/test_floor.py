"""The floor: who gets which caller, what each event means in each state, and that every call ends once."""

from collections import Counter
from dataclasses import replace
from itertools import permutations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dialer.agents import BUSY
from dialer.calls import SETTLED, TABLE, Word
from dialer.desk.orders import obey
from dialer.dialplan import room
from dialer.floor.actions import Action, Close, HangUp, LookAgain, RaiseLeg, Save, SendToAgent
from dialer.floor.floor import FAILED_S, READY_S, RESPONSE_S, Floor
from dialer.model import (
    CALL_BACK,
    AgentState,
    Attempt,
    CallState,
    Campaign,
    Command,
    Event,
    Kind,
    Number,
    Overflow,
    Seen,
)
from dialer.originate import timeout_s
from dialer.outcomes import verdict
from dialer.routing import JOIN_LIMIT_S, KEPT_IN

T0 = 1_795_000_000.0
CAMPAIGN = Campaign("c1", "Reminder", wrap_up_max_s=30)
LIMIT_S = CAMPAIGN.connect_limit_ms / 1000


class Play:
    """A floor with a clock in the hand: events in, actions gathered, fates counted."""

    def __init__(self, campaign: Campaign = CAMPAIGN) -> None:
        self.now = T0
        self.told: list[tuple[str, str, str]] = []
        self.actions: list[Action] = []
        self._ids = 0
        self.floor = Floor(
            campaign, "a", self._new_id, lambda kind, call, agent, _: self.told.append((kind, call, agent))
        )

    def _new_id(self, at: float) -> str:
        self._ids += 1
        return f"id{self._ids}"

    def after(self, actions: list[Action]) -> list[Action]:
        self.actions += actions
        return actions

    def see(self, kind: Seen, channel: str, where: str = "", result: str = "", late_s: float = 0.0) -> list[Action]:
        event = Event(kind, self.now - late_s, channel, where, result, 16 if kind is Seen.HANGUP else -1)
        return self.after(self.floor.seen(event, self.now))

    def wait(self, seconds: float) -> list[Action]:
        """Time goes by, tick by tick."""
        found: list[Action] = []
        ends = self.now + seconds
        while self.now < ends:
            self.now = min(ends, self.now + 0.05)
            found += self.after(self.floor.tick(self.now))
        return found

    def agent(self, agent_id: str) -> str:
        """Sign in, leg up; the leg."""
        _, _, actions = self.floor.team.sign_in(agent_id, self.now)
        self.after(actions)
        leg = next(one.leg for one in actions if isinstance(one, RaiseLeg))
        self.see(Seen.JOINED, leg, room(agent_id))
        return leg

    def ring(self, call: str) -> None:
        self.floor.claimed(attempt(call, self.now), self.now)
        assert self.floor.may_place(call)
        self.floor.placed(call, self.now)
        self.see(Seen.DIALLED, call)
        self.see(Seen.RINGING, call)

    def answer(self, call: str, late_s: float = 0.0) -> list[Action]:
        self.ring(call)
        return self.see(Seen.ANSWERED, call, late_s=late_s) + self.see(Seen.READY, call, late_s=late_s)

    def join(self, call: str) -> list[Action]:
        return self.see(Seen.JOINED, call, room(self.call(call).agent))

    def talk(self, call: str) -> None:
        self.answer(call)
        self.join(call)
        assert self.call(call).state is CallState.TALKING

    def see_hang_up(self, call: str) -> list[Action]:
        """He has been taken out of his room and hung up."""
        return self.see(Seen.LEFT, call, room(self.call(call).agent)) + self.see(Seen.HANGUP, call)

    def order(self, name: str, agent: str, **args: str) -> tuple[bool, str]:
        command = Command("x", "c1", name, "test", self.now, self.now, {"agent": agent, **args})
        ok, text, actions = obey(self.floor, command, self.now)
        self.after(actions)
        return ok, text

    def call(self, call: str) -> Attempt:
        return self.floor.attempts[call]

    def state(self, agent: str) -> AgentState:
        return self.floor.team.agents[agent].state

    def closes(self) -> list[str]:
        return [one.attempt.id for one in self.actions if isinstance(one, Close)]

    def fates(self, call: str) -> list[str]:
        return [kind for kind, one, _ in self.told if one == call and kind in FATES]


FATES = {"connect", "served", "abandon", "hung_up", "overflow"}


def attempt(call: str, at: float, **fields: object) -> Attempt:
    one = Attempt(call, "c1", "a", "progressive", "t", "", "id", "p", "k", "p1", Number("+6281234567890", "n1"))
    return replace(one, **{"claimed_at": at} | fields)  # type: ignore[arg-type]


def sent(actions: list[Action]) -> list[tuple[str, str]]:
    return [(one.attempt.id, one.agent.id) for one in actions if isinstance(one, SendToAgent)]


def hung_up(actions: list[Action]) -> list[str]:
    return [one.channel for one in actions if isinstance(one, HangUp)]


# ---- routing


def test_the_longest_idle_gets_the_caller() -> None:
    play = Play()
    for agent_id in ("103", "101", "102"):
        play.agent(agent_id)
        play.wait(1)
    assert sent(play.answer("a")) == [("a", "103")]
    assert sent(play.answer("b")) == [("b", "101")]
    assert play.state("103") is AgentState.RESERVED


def test_nobody_is_sent_before_the_dialplan_runs() -> None:
    play = Play()
    play.agent("101")
    play.ring("a")
    assert sent(play.see(Seen.ANSWERED, "a")) == []
    assert sent(play.see(Seen.READY, "a")) == [("a", "101")]


def test_a_lost_word_of_the_dialplan_costs_a_moment() -> None:
    play = Play()
    play.agent("101")
    play.ring("a")
    play.see(Seen.ANSWERED, "a")
    assert sent(play.wait(READY_S + 0.05)) == [("a", "101")]


def test_the_dialplans_word_may_come_first() -> None:
    play = Play()
    play.agent("101")
    play.ring("a")
    assert sent(play.see(Seen.READY, "a")) == [("a", "101")]
    play.see(Seen.ANSWERED, "a")
    assert play.call("a").state is CallState.JOINING
    assert Counter(kind for kind, *_ in play.told)["answer"] == 1


def test_no_redirect_of_a_ringing_channel() -> None:
    play = Play()
    play.ring("a")
    play.agent("101")
    assert sent(play.wait(10)) == []


@pytest.mark.parametrize(("late_s", "goes"), [(0.0, True), (1.9, True), (1.96, False), (2.5, False)])
def test_the_answers_own_time_counts(late_s: float, goes: bool) -> None:
    play = Play()
    play.agent("101")
    assert bool(sent(play.answer("a", late_s))) is goes


def test_no_redirect_after_overflow_was_seen() -> None:
    play = Play()
    play.answer("a")
    play.see(Seen.OVERFLOWED, "a", "", "message")
    assert sent(play.actions) == []
    play.agent("101")
    assert sent(play.actions) == []
    assert play.fates("a") == ["abandon"]


def test_an_overflow_seen_before_the_redirect_is_written_stops_it() -> None:
    play = Play()
    play.agent("101")
    play.answer("a")
    assert play.floor.may_redirect("a", "101", play.now)
    play.see(Seen.OVERFLOWED, "a", "", "ivr")
    assert not play.floor.may_redirect("a", "101", play.now)
    play.after(play.floor.join_failed("a", "101", play.now))
    assert (play.call("a").state, play.state("101")) == (CallState.IN_IVR, AgentState.IDLE)
    assert play.fates("a") == ["overflow"]


@pytest.mark.parametrize("broke_off", [True, False], ids=["killed", "redirected out of it"])
def test_an_ivr_that_broke_off_has_served_nobody(broke_off: bool) -> None:
    campaign = replace(CAMPAIGN, kind=Kind.IVR)
    play = Play(campaign)
    play.answer("a")
    play.see(Seen.IVR_BEGIN, "a")
    if broke_off:
        play.see(Seen.IVR_END, "a")
    play.see(Seen.MESSAGE, "a")
    assert (play.call("a").state, play.call("a").ivr_result) == (CallState.IN_MESSAGE, "message")
    assert play.fates("a") == ["abandon"]
    play.see(Seen.HANGUP, "a")
    judged = verdict(play.call("a"), (), campaign, play.now)
    assert (judged.outcome.value, judged.reason) == ("abandoned", "ivr_failed")


def test_a_redirect_under_way_wins_against_an_overflow_that_has_begun() -> None:
    play = Play()
    play.agent("101")
    play.answer("a")
    play.see(Seen.OVERFLOWED, "a", "", "ivr")
    play.see(Seen.IVR_BEGIN, "a")
    play.join("a")
    assert (play.call("a").state, play.state("101")) == (CallState.TALKING, AgentState.TALKING)
    assert play.fates("a") == ["connect"]


def test_nobody_within_the_limit_is_the_dialplans_case() -> None:
    play = Play()
    play.answer("a")
    play.wait(LIMIT_S)
    play.agent("101")
    assert sent(play.actions) == []


def test_an_agent_who_comes_in_time_gets_who_waits_longest() -> None:
    play = Play()
    play.answer("a")
    play.wait(0.5)
    play.answer("b")
    play.wait(0.5)
    play.agent("101")
    assert sent(play.actions) == [("a", "101")]


def test_an_agent_who_went_before_the_join_is_followed_by_the_next() -> None:
    play = Play()
    leg = play.agent("101")
    play.wait(1)
    play.agent("102")
    play.answer("a")
    play.see(Seen.HANGUP, leg)
    assert play.state("101") is AgentState.LOST
    assert sent(play.after(play.floor.join_failed("a", "101", play.now))) == [("a", "102")]


def test_a_join_not_proven_in_time_is_followed_by_the_next_agent() -> None:
    play = Play()
    play.agent("101")
    play.wait(1)
    play.agent("102")
    play.answer("a")
    play.floor.sent("a", "101", play.now)
    assert sent(play.wait(JOIN_LIMIT_S - 0.01)) == []
    actions = play.wait(0.1)
    assert sent(actions) == [("a", "102")]
    assert any(isinstance(one, LookAgain) for one in actions)
    assert play.state("101") is AgentState.IDLE
    play.floor.sent("a", "102", play.now)
    play.wait(0.25)  # the older deadlines must not end the second try
    assert play.call("a").agent == "102"


def test_what_is_told_of_an_earlier_try_does_not_end_this_one() -> None:
    play = Play()
    play.agent("101")
    play.wait(1)
    play.agent("102")
    play.answer("a")
    play.after(play.floor.join_failed("a", "101", play.now))
    assert play.floor.join_failed("a", "101", play.now) == []
    assert play.see(Seen.ROOM_REFUSED, "a", room("101")) == []
    assert play.call("a").agent == "102"


def test_a_customer_who_lands_with_the_agent_before_frees_the_one_he_was_meant_for() -> None:
    play = Play()
    play.agent("101")
    play.wait(1)
    play.agent("102")
    play.answer("a")
    play.after(play.floor.join_failed("a", "101", play.now))
    play.see(Seen.JOINED, "a", room("101"))
    assert (play.state("101"), play.state("102")) == (AgentState.TALKING, AgentState.IDLE)
    play.see(Seen.LEFT, "a", room("101"))
    play.see(Seen.JOINED, "a", room("102"))
    assert (play.state("101"), play.state("102")) == (AgentState.WRAP_UP, AgentState.TALKING)
    assert play.fates("a") == ["connect"]


def test_a_room_that_refused_is_looked_at_and_the_next_agent_tried() -> None:
    play = Play()
    play.agent("101")
    play.wait(1)
    play.agent("102")
    play.answer("a")
    actions = play.see(Seen.ROOM_REFUSED, "a", room("101"))
    assert sent(actions) == [("a", "102")]
    assert any(isinstance(one, LookAgain) for one in actions)


def test_two_campaigns_do_not_share_agents() -> None:
    one, other = Play(), Play(replace(CAMPAIGN, id="c2"))
    one.agent("101")
    other.agent("102")
    assert sent(one.answer("a")) == [("a", "101")]
    assert other.see(Seen.ANSWERED, "a") == []


# ---- detection


def test_a_detected_person_waits_from_the_end_of_detection() -> None:
    play = Play(replace(CAMPAIGN, detection=True))
    play.agent("101")
    assert sent(play.answer("a")) == []
    play.wait(1.7)
    assert sent(play.see(Seen.DETECTED, "a", "", "unsure")) == [("a", "101")]
    assert play.call("a").waits_until == pytest.approx(play.now + LIMIT_S)


def test_a_machine_gets_no_agent() -> None:
    play = Play(replace(CAMPAIGN, detection=True))
    play.agent("101")
    play.answer("a")
    assert sent(play.see(Seen.DETECTED, "a", "", "machine")) == []
    play.see(Seen.HANGUP, "a")
    assert play.closes() == ["a"]
    assert play.fates("a") == []


# ---- the talk


def test_a_talk_its_wrap_up_and_its_result() -> None:
    play = Play()
    play.agent("101")
    play.talk("a")
    play.now += 60
    play.see(Seen.LEFT, "a", room("101"))
    play.see(Seen.HANGUP, "a")
    assert play.state("101") is AgentState.WRAP_UP
    assert play.closes() == []
    play.now += 5
    assert play.order("wrapped", "101", disposition="promise:2026-12-01;5000") == (True, "wrapped")
    assert play.closes() == ["a"]
    done = play.call("a")
    assert (done.talk_s, done.wrapped_at - done.left_at, done.disposition) == (60.0, 5.0, "promise:2026-12-01;5000")
    assert play.state("101") is AgentState.IDLE


def test_a_wrap_up_ends_by_itself() -> None:
    play = Play()
    play.agent("101")
    play.talk("a")
    play.see(Seen.HANGUP, "a")
    play.wait(29)
    assert play.closes() == []
    play.wait(2)
    assert play.closes() == ["a"]
    assert play.state("101") is AgentState.IDLE


def test_a_result_given_before_the_hang_up_is_told_counts() -> None:
    play = Play()
    play.agent("101")
    play.talk("a")
    play.see(Seen.LEFT, "a", room("101"))
    play.order("wrapped", "101", disposition="refuses")
    play.see(Seen.HANGUP, "a")
    assert play.closes() == ["a"]
    assert play.call("a").disposition == "refuses"


@pytest.mark.parametrize("wish", ["break", "sign_out"])
def test_who_goes_in_his_wrap_up_is_done_with_it(wish: str) -> None:
    play = Play()
    play.agent("101")
    play.talk("a")
    play.see(Seen.HANGUP, "a")
    play.answer("b")
    play.order(wish, "101")
    assert play.closes() == ["a"]
    assert play.state("101") is (AgentState.BREAK if wish == "break" else AgentState.SIGNED_OUT)
    assert ("b", "101") not in sent(play.actions)


@pytest.mark.parametrize(("wish", "then"), [("break", AgentState.BREAK), ("sign_out", AgentState.SIGNED_OUT)])
def test_a_wish_in_a_call_is_kept_for_afterwards(wish: str, then: AgentState) -> None:
    play = Play()
    leg = play.agent("101")
    play.talk("a")
    assert play.order(wish, "101") == (True, "after this call")
    assert play.state("101") is AgentState.TALKING
    play.see(Seen.HANGUP, "a")
    play.order("wrapped", "101")
    assert play.state("101") is then
    assert (leg in hung_up(play.actions)) is (wish == "sign_out")


def test_a_wish_can_be_taken_back() -> None:
    play = Play()
    play.agent("101")
    play.talk("a")
    play.order("break", "101")
    assert play.order("back", "101") == (True, "stays")
    play.see(Seen.HANGUP, "a")
    play.order("wrapped", "101")
    assert play.state("101") is AgentState.IDLE


def test_hang_up_and_disposition_are_for_who_has_a_call() -> None:
    play = Play()
    play.agent("101")
    assert play.order("hang_up", "101") == (False, "agent 101 has no call")
    play.talk("a")
    assert play.order("disposition", "101", disposition="told") == (True, "noted")
    assert play.order("hang_up", "101") == (True, "hanging up")
    assert hung_up(play.actions) == ["a"]
    play.see(Seen.HANGUP, "a")
    assert play.order("hang_up", "101") == (False, "the call is over")
    assert play.order("jump", "101")[0] is False


def test_a_customer_who_comes_into_a_wrap_up_ends_it() -> None:
    play = Play()
    play.agent("101")
    play.talk("a")
    play.see(Seen.HANGUP, "a")
    play.answer("b")
    play.see(Seen.JOINED, "b", room("101"))
    assert play.closes() == ["a"]
    assert play.state("101") is AgentState.TALKING


# ---- the agent's leg goes


def lose_leg(play: Play, leg: str, agent: str, call: str, order: int) -> None:
    """Both leave the room and the customer is held; the events of two channels mix."""
    of_leg = [(Seen.LEFT, leg, room(agent)), (Seen.HANGUP, leg, "")]
    of_call = [(Seen.LEFT, call, room(agent)), (Seen.HELD, call, room(agent))]
    mixed = [
        [of_leg[0], of_call[0], of_call[1], of_leg[1]],
        [of_call[0], of_leg[0], of_leg[1], of_call[1]],
        [of_leg[0], of_leg[1], of_call[0], of_call[1]],
        [of_call[0], of_call[1], of_leg[0], of_leg[1]],
    ][order]
    for kind, channel, where in mixed:
        play.see(kind, channel, where)


@pytest.mark.parametrize("order", range(4))
def test_a_held_customer_gets_his_agent_back(order: int) -> None:
    play = Play()
    leg = play.agent("101")
    play.talk("a")
    play.agent("102")
    lose_leg(play, leg, "101", "a", order)
    assert play.call("a").state is CallState.HELD
    assert play.state("101") is AgentState.LOST
    raised = [one for one in play.wait(1.5) if isinstance(one, RaiseLeg)]
    assert len(raised) == 1
    assert sent(play.see(Seen.JOINED, raised[0].leg, room("101"))) == [("a", "101")]
    play.join("a")
    assert play.fates("a") == ["connect"]


@pytest.mark.parametrize("word", ["sign_out", "break"])
def test_who_leaves_after_this_call_gets_his_held_customer_back_before(word: str) -> None:
    play = Play()
    leg = play.agent("101")
    play.talk("a")
    assert play.order(word, "101") == (True, "after this call")
    lose_leg(play, leg, "101", "a", 0)
    raised = [one for one in play.wait(1.5) if isinstance(one, RaiseLeg)]
    assert sent(play.see(Seen.JOINED, raised[0].leg, room("101"))) == [("a", "101")]
    play.join("a")
    play.see(Seen.HANGUP, "a")
    play.order("wrapped", "101")
    assert play.state("101") in (AgentState.SIGNED_OUT, AgentState.BREAK)


def test_who_leaves_after_this_call_leaves_when_his_customer_has_gone() -> None:
    play = Play()
    leg = play.agent("101")
    play.talk("a")
    play.order("sign_out", "101")
    lose_leg(play, leg, "101", "a", 0)
    play.see(Seen.HANGUP, "a")
    play.wait(1.5)
    raised = [one for one in play.actions if isinstance(one, RaiseLeg)]
    play.see(Seen.JOINED, raised[-1].leg, room("101"))
    assert play.state("101") is AgentState.SIGNED_OUT


def test_a_held_customer_gets_another_agent_when_his_own_stays_away() -> None:
    play = Play()
    leg = play.agent("101")
    play.talk("a")
    play.agent("102")
    lose_leg(play, leg, "101", "a", 0)
    assert ("a", "102") not in sent(play.wait(CAMPAIGN.grace_ms / 2000 - 0.2))
    assert sent(play.wait(0.4)) == [("a", "102")]
    play.join("a")
    play.see(Seen.HANGUP, "a")
    play.order("wrapped", "102")
    assert play.closes() == ["a"]


def test_a_held_customer_nobody_takes_goes_on_and_ends_once() -> None:
    play = Play()
    leg = play.agent("101")
    play.talk("a")
    lose_leg(play, leg, "101", "a", 0)
    play.see(Seen.OVERFLOWED, "a", "", "message")
    play.see(Seen.MESSAGE, "a")
    play.see(Seen.HANGUP, "a")
    assert play.closes() == ["a"]
    assert play.fates("a") == ["connect"]
    assert verdict(play.call("a"), (), CAMPAIGN, play.now).outcome == "connected"


def test_a_leg_lost_in_wrap_up_keeps_the_wrap_up() -> None:
    play = Play()
    leg = play.agent("101")
    play.talk("a")
    play.see(Seen.HANGUP, "a")
    play.see(Seen.HANGUP, leg)
    assert play.state("101") is AgentState.WRAP_UP
    play.order("wrapped", "101", disposition="told")
    assert play.closes() == ["a"]
    assert play.state("101") is AgentState.RAISING


# ---- the IVR


def test_a_debtor_who_asks_the_ivr_for_an_agent_gets_one() -> None:
    play = Play(replace(CAMPAIGN, kind=Kind.IVR))
    play.answer("a")
    play.see(Seen.IVR_BEGIN, "a")
    play.agent("101")
    assert sent(play.actions) == []
    play.see(Seen.IVR_END, "a", "", "agent")
    assert sent(play.see(Seen.WANTS_AGENT, "a")) == [("a", "101")]
    play.join("a")
    assert play.fates("a") == ["connect"]


def test_who_was_held_or_asked_for_an_agent_comes_before_a_new_answer() -> None:
    play = Play(replace(CAMPAIGN, overflow=Overflow.IVR))
    leg = play.agent("101")
    play.talk("held")
    lose_leg(play, leg, "101", "held", 0)
    for asked in ("first", "second"):
        play.answer(asked)
        play.see(Seen.OVERFLOWED, asked, "", "ivr")
        play.see(Seen.IVR_END, asked, "", "agent")
        play.see(Seen.WANTS_AGENT, asked)
        play.wait(2.0)
    play.answer("new")  # the most urgent of them all
    play.wait(1.0)
    served = [call for agent in ("102", "103", "104", "105") for call, _ in sent(arrives(play, agent))]
    assert served == ["held", "first", "second", "new"]


def arrives(play: Play, agent: str) -> list[Action]:
    """What follows when his leg comes up."""
    before = len(play.actions)
    play.agent(agent)
    return play.actions[before:]


@pytest.mark.parametrize("order", list(permutations([Seen.ANSWERED, Seen.READY, Seen.IVR_BEGIN])))
def test_an_ivr_call_is_seen_in_the_ivr_in_any_order(order: tuple[Seen, ...]) -> None:
    campaign = replace(CAMPAIGN, kind=Kind.IVR)
    play = Play(campaign)
    play.ring("a")
    for kind in order:
        play.see(kind, "a")
    play.see(Seen.HANGUP, "a")
    assert play.closes() == ["a"]
    assert play.fates("a") == ["served"]
    close = next(one for one in play.actions if isinstance(one, Close))
    assert close.facts
    assert verdict(close.attempt, (), campaign, play.now).outcome == "ivr"


# ---- the end, in any order


@pytest.mark.parametrize("order", list(permutations([Seen.DIALLED, Seen.FAILED, Seen.HANGUP])))
def test_a_call_nobody_answered_ends_once(order: tuple[Seen, ...]) -> None:
    play = Play()
    play.floor.claimed(attempt("a", T0), T0)
    assert play.floor.may_place("a")
    for kind in order:
        play.see(kind, "a")
    play.wait(3)
    assert play.closes() == ["a"]


@pytest.mark.parametrize("order", list(permutations([Seen.ANSWERED, Seen.HANGUP, Seen.READY])))
def test_an_answer_told_after_its_hang_up_counts(order: tuple[Seen, ...]) -> None:
    play = Play()
    play.ring("a")
    for kind in order:
        play.see(kind, "a")
    play.wait(3)
    assert play.closes() == ["a"]
    assert play.fates("a") == ["hung_up"]
    close = next(one for one in play.actions if isinstance(one, Close))
    assert verdict(close.attempt, (), CAMPAIGN, play.now).live


def test_a_hang_up_alone_is_believed_after_a_moment() -> None:
    play = Play()
    play.ring("a")
    play.see(Seen.HANGUP, "a")
    assert play.closes() == []
    assert play.floor.lines() == 0
    play.wait(RESPONSE_S + 0.1)
    assert play.closes() == ["a"]


def test_a_failed_call_whose_channel_stays_is_hung_up() -> None:
    play = Play()
    play.ring("a")
    play.see(Seen.FAILED, "a", "", "0")
    actions = play.wait(FAILED_S + 0.1)
    assert hung_up(actions) == ["a"]
    assert play.closes() == []
    assert any(isinstance(one, LookAgain) for one in play.wait(FAILED_S + 0.1))
    play.see(Seen.HANGUP, "a")
    assert play.closes() == ["a"]


def test_a_failure_without_a_channel_ends_the_call() -> None:
    play = Play()
    play.floor.claimed(attempt("a", T0), T0)
    assert play.floor.may_place("a")
    play.see(Seen.FAILED, "a", "", "0")
    play.wait(FAILED_S + 0.1)
    assert play.closes() == ["a"]


def test_what_was_never_placed_is_closed_and_may_not_be_placed() -> None:
    play = Play()
    play.floor.claimed(attempt("a", T0), T0)
    play.after(play.floor.cancel("a", "no agent will be free", T0))
    assert play.closes() == ["a"]
    assert not play.floor.may_place("a")
    play.floor.claimed(attempt("b", T0), T0)
    play.after(play.floor.not_placed("b", "refused", T0))
    assert play.closes() == ["a", "b"]
    assert verdict(play.call("b"), (), CAMPAIGN, T0).outcome == "not_placed"


def test_ringing_is_counted_from_its_begin_and_ended_then() -> None:
    play = Play()
    play.ring("c")
    assert not [one for one in play.wait(CAMPAIGN.ring_s - 0.2) if isinstance(one, HangUp)]
    rang_out = HangUp("c", "rang out", if_sure=True)
    assert rang_out in play.wait(0.4)
    assert rang_out in play.wait(1.1), "asked again, should it not have been sure"
    play.see(Seen.FAILED, "c")
    play.see(Seen.HANGUP, "c")
    closed = next(one.attempt for one in play.actions if isinstance(one, Close))
    found = verdict(closed, (), CAMPAIGN, play.now)
    assert (found.outcome, found.reason) == ("no_answer", "rang_out")


def test_a_call_that_rings_too_long_is_looked_for() -> None:
    play = Play()
    play.ring("a")
    actions = play.wait(timeout_s(CAMPAIGN) + 20)
    assert any(isinstance(one, LookAgain) for one in actions)
    assert play.closes() == []


def test_a_hang_up_in_each_state_frees_the_agent() -> None:
    for words in ([], [Seen.ANSWERED], [Seen.ANSWERED, Seen.READY], [Seen.ANSWERED, Seen.READY, Seen.JOINED]):
        play = Play()
        play.agent("101")
        play.ring("a")
        for kind in words:
            play.see(kind, "a", room("101") if kind is Seen.JOINED else "")
        play.see(Seen.HANGUP, "a")
        play.wait(40)
        assert play.closes() == ["a"], words
        assert play.state("101") is AgentState.IDLE, words


# ---- any sequence at all

KINDS = [
    Seen.DIALLED, Seen.PROGRESS, Seen.RINGING, Seen.ANSWERED, Seen.READY, Seen.FAILED, Seen.HANGUP, Seen.JOINED,
    Seen.LEFT, Seen.DETECTED, Seen.OVERFLOWED, Seen.IVR_BEGIN, Seen.IVR_END, Seen.WANTS_AGENT, Seen.HELD,
    Seen.ROOM_REFUSED, Seen.MESSAGE, Seen.VOICEMAIL, Seen.ON_HOLD,
]  # fmt: skip
RESULTS = {
    Seen.DETECTED: ["human", "machine", "unsure", "hangup"],
    Seen.OVERFLOWED: ["ivr", "message"],
    Seen.IVR_END: ["done", "agent", ""],
}
ORDERS = ["sign_in", "sign_out", "break", "back", "wrapped", "disposition", "hang_up"]
MOVES = ["hold", "unhold", "to_ivr", "to_agent", "consult", "consult_end", "hand_over", "help"]
CALLS, AGENTS = ["a", "b", "c", "d"], ["101", "102", "103"]


@st.composite
def steps(draw: st.DrawFn) -> list[tuple[str, ...]]:
    found: list[tuple[str, ...]] = []
    for _ in range(draw(st.integers(1, 60))):
        match draw(
            st.sampled_from(
                ["event", "event", "event", "leg", "order", "move", "wait", "sent", "failed", "not_moved", "unlink"]
            )
        ):
            case "event":
                kind = draw(st.sampled_from(KINDS))
                result = draw(st.sampled_from(RESULTS.get(kind, [""])))
                where = draw(st.sampled_from(AGENTS))
                found.append(("event", kind, draw(st.sampled_from(CALLS)), room(where), result))
            case "leg":
                kind = draw(st.sampled_from([Seen.JOINED, Seen.LEFT, Seen.HANGUP]))
                found.append(("leg", kind, draw(st.sampled_from(AGENTS))))
            case "order":
                found.append(
                    (
                        "order",
                        draw(st.sampled_from(ORDERS)),
                        draw(st.sampled_from(AGENTS)),
                        draw(st.sampled_from(AGENTS)),
                    )
                )
            case "move":
                found.append(
                    (
                        "order",
                        draw(st.sampled_from(MOVES)),
                        draw(st.sampled_from(AGENTS)),
                        draw(st.sampled_from(AGENTS)),
                    )
                )
            case "wait":
                found.append(("wait", draw(st.sampled_from(["0.05", "0.3", "1", "3", "12"]))))
            case what:
                found.append((what, draw(st.sampled_from(CALLS)), draw(st.sampled_from(AGENTS))))
    return found


@settings(max_examples=300)
@given(
    steps(), st.sampled_from([Kind.AGENTS, Kind.IVR]), st.booleans(), st.sampled_from(list(Overflow)), st.integers(0, 3)
)
def test_any_sequence_ends_every_call_once(
    sequence: list[tuple[str, ...]], kind: Kind, detection: bool, overflow: Overflow, call_backs: int
) -> None:
    campaign = replace(CAMPAIGN, kind=kind, detection=detection, overflow=overflow)
    play = Play(campaign)
    for agent in AGENTS:
        play.agent(agent)
    kept_for = dict(zip(CALLS, AGENTS[:call_backs], strict=False))
    for call in CALLS:
        if call in kept_for:
            play.after(play.floor.team.promise(play.floor.team.agents[kept_for[call]], call, play.now))
        one = attempt(call, play.now, kind=CALL_BACK if call in kept_for else "predictive")
        play.floor.claimed(one, play.now)
        assert play.floor.may_place(call)
    for step in sequence:
        do(play, step)
        check(play)
    for call in CALLS:
        play.see(Seen.HANGUP, call)
        check(play)
    play.wait(40)
    check(play)
    assert sorted(play.closes()) == CALLS
    told = Counter((kind, call) for kind, call, _ in play.told if kind in FATES | {"live", "answer", "launch"})
    assert not [one for one, times in told.items() if times > 1]
    assert {call for kind, call in told if kind in FATES} == {call for kind, call in told if kind == "live"}
    for call in CALLS:
        verdict(play.call(call), (), campaign, play.now)
        play.floor.recorded(call)
    assert len(play.floor.deadlines) == 0
    books = play.floor.books
    assert not [*books.attempts, *books.notes, *books.waiting(), *play.floor.moves.kept, *play.floor.moves.links]
    assert not [agent for agent in AGENTS if play.state(agent) in BUSY]


def do(play: Play, step: tuple[str, ...]) -> None:
    match step:
        case ("event", kind, call, where, result):
            play.see(Seen(kind), call, where if kind in (Seen.JOINED, Seen.LEFT, Seen.ROOM_REFUSED) else "", result)
        case ("leg", kind, agent):
            leg = play.floor.team.agents[agent].leg or next((one.leg for one in reversed(play.actions)
                if isinstance(one, RaiseLeg) and one.agent.id == agent), "")  # fmt: skip
            play.see(Seen(kind), leg, room(agent))
        case ("order", name, agent, to):
            play.order(name, agent, disposition="told", to=to)
        case ("not_moved", call, _):
            play.after(play.floor.not_moved(call, play.now))
        case ("unlink", call, _) if call in play.floor.moves.links:
            play.see(Seen.HANGUP, play.floor.moves.links[call].channel)
        case ("wait", seconds):
            play.wait(float(seconds))
        case ("sent", call, agent):
            play.floor.sent(call, agent, play.now)
        case ("failed", call, agent):
            play.after(play.floor.join_failed(call, agent, play.now))


def check(play: Play) -> None:
    """What holds at any moment."""
    floor = play.floor
    assert len(set(play.closes())) == len(play.closes())
    for agent in floor.team.agents.values():
        if agent.state is AgentState.RESERVED:
            call = floor.attempts[agent.attempt]
            kept = call.kind == CALL_BACK and call.state in KEPT_IN
            kept = kept or floor.moves.kept.get(call.id) == agent.id
            assert kept or (call.state is CallState.JOINING and call.agent == agent.id)
        if agent.state is AgentState.TALKING:
            assert floor.attempts[agent.attempt].state in (CallState.TALKING, CallState.ON_HOLD)
            assert floor.attempts[agent.attempt].agent == agent.id
        if agent.state is AgentState.IDLE:
            assert agent.leg
    busy = [one for one in floor.team.agents.values() if one.state in BUSY]
    reserved = [one.attempt for one in busy if floor.moves.kept.get(one.attempt) != one.id]
    assert len(set(reserved)) == len(reserved)
    for one in floor.attempts.values():
        if one.state is CallState.JOINING:
            assert floor.books.notes[one.id].closing is False
        if one.state in SETTLED and not floor.awaits(one):
            assert one.id in play.closes()
    assert Word.JOINED in TABLE[CallState.JOINING]


def test_saves_are_of_calls_that_moved() -> None:
    play = Play()
    play.agent("101")
    play.talk("a")
    saved = [one.attempt.state for one in play.actions if isinstance(one, Save)]
    assert saved == [CallState.TALKING]  # joining is written with the reservation


# ---- what a lost link kept from us


@pytest.mark.parametrize(
    ("kind", "state", "heard", "fates", "answered"),
    [
        (Kind.AGENTS, "up", None, ["hung_up"], True),
        (Kind.IVR, "up", None, ["hung_up"], True),
        (Kind.AGENTS, "", None, [], False),
        (Kind.AGENTS, "up", Seen.ANSWERED, ["hung_up"], True),  # the word itself comes late
        (Kind.AGENTS, "", Seen.FAILED, [], False),
    ],
)
def test_a_channel_that_was_up_when_it_hung_up_had_been_answered(
    kind: Kind, state: str, heard: Seen | None, fates: list[str], answered: bool
) -> None:
    play = Play(replace(CAMPAIGN, kind=kind))
    play.ring("a")
    play.see(Seen.HANGUP, "a", result=state)
    assert play.closes() == []
    if heard:
        play.see(heard, "a")
    play.wait(RESPONSE_S + 0.1)
    assert play.closes() == ["a"]
    assert play.fates("a") == fates
    assert bool(play.call("a").answered_at) is answered
    found = verdict(play.call("a"), (), play.floor.campaign, play.now)
    assert (found.outcome == "no_answer") is not answered
