"""The pacer's rules: a table of snapshots and decisions, then limits that no snapshot and no history can break."""

from collections.abc import Iterable
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dialer.model import Campaign, Mode
from dialer.pace.price import PRICE_CAREFUL
from dialer.pacing import (
    AgentSeen,
    AttemptSeen,
    Candidate,
    Counters,
    Decision,
    Flight,
    Kind,
    Limits,
    Pacer,
    PacingEvent,
    Snapshot,
    Working,
)

WIDE = Limits(lines_max=1000, lines_per_agent_max=100.0, calls_per_second=1000.0)
GOOD = Counters(live=1000, abandoned=10)


def team(**states: int) -> tuple[AgentSeen, ...]:
    """team(idle=2, talking=1): agents in these states since 0.0."""
    names = [state for state, count in states.items() for _ in range(count)]
    return tuple(AgentSeen(str(100 + number), Working(state), 0.0) for number, state in enumerate(names))


def flights(**states: int) -> tuple[AttemptSeen, ...]:
    names = [state for state, count in states.items() for _ in range(count)]
    return tuple(AttemptSeen(f"c{number}", Flight(state), 0.0) for number, state in enumerate(names))


def decide(limits: Limits, snapshot: Snapshot) -> Decision:
    return Pacer(limits, seed=1).decide(snapshot)


def taught(limits: Limits, calls: int = 300, rate: float = 0.25, talk_s: float = 60.0) -> Pacer:
    """A pacer that has seen `calls` calls, every 1/rate-th of them live after 8 s, the others rung out after 28 s."""
    pacer = Pacer(limits, seed=1)
    for number in range(calls):
        at, call, agent = 10.0 * number, f"old{number}", str(100 + number % 20)
        pacer.observe(PacingEvent(at, Kind.LAUNCH, call))
        pacer.observe(PacingEvent(at + 3, Kind.RING, call))
        if number % round(1 / rate):
            pacer.observe(PacingEvent(at + 28, Kind.NO_ANSWER, call))
            continue
        length = talk_s * (0.5 + number % 5 / 4)
        for delay, kind in (8, Kind.ANSWER), (8, Kind.LIVE), (9, Kind.CONNECT), (9 + length, Kind.TALK_END):
            pacer.observe(PacingEvent(at + delay, kind, call, agent if kind != Kind.LIVE else None))
        pacer.observe(PacingEvent(at + length + 24, Kind.WRAP_END, call, agent))
    return pacer


PROGRESSIVE = [
    ("an agent, a call", {"idle": 1}, {}, 1),
    ("a call under way for each", {"idle": 3}, {"dialing": 1, "ringing": 1}, 1),
    ("one waits for the free one", {"idle": 1}, {"waiting": 1}, 0),
    ("being detected counts", {"idle": 2}, {"detecting": 2}, 0),
    ("never negative", {"idle": 1}, {"ringing": 5}, 0),
    ("busy agents get none", {"talking": 3, "wrap_up": 2, "reserved": 1}, {}, 0),
]


@pytest.mark.parametrize(("why", "agents", "calls", "start"), PROGRESSIVE, ids=[row[0] for row in PROGRESSIVE])
def test_progressive(why: str, agents: dict[str, int], calls: dict[str, int], start: int) -> None:
    for mode in (Mode.PROGRESSIVE, Mode.PREDICTIVE):  # predictive begins like that
        seen = Snapshot(100.0, team(**agents), flights(**calls), GOOD)
        assert decide(replace(WIDE, mode=mode), seen).start == start


STOPS = [
    ("no agent", Snapshot(1.0), "no agent is working"),
    ("all on break", Snapshot(1.0, team(**{"break": 3})), "no agent is working"),
    ("about to leave", Snapshot(1.0, (AgentSeen("11", Working.IDLE, 0.0, leaving=True),)), "no agent is working"),
    ("a hold", Snapshot(1.0, team(idle=3), holds=("AMI lost",)), "AMI lost"),
    ("two holds", Snapshot(1.0, team(idle=3), holds=("Redis slow", "outside hours")), "Redis slow; outside hours"),
    ("drain", Snapshot(1.0, team(idle=3), draining=True), "the shift ends"),
]


@pytest.mark.parametrize(("why", "seen", "reason"), STOPS, ids=[row[0] for row in STOPS])
@pytest.mark.parametrize("mode", [Mode.PROGRESSIVE, Mode.PREDICTIVE, Mode.RATIO])
def test_no_call(why: str, seen: Snapshot, reason: str, mode: Mode) -> None:
    decision = decide(replace(WIDE, mode=mode, ratio=3.0), seen)
    assert (decision.start, decision.reason) == (0, f"No calls: {reason}")


def test_a_hold_stops_the_ivr_too_but_it_needs_no_agents() -> None:
    ivr = replace(WIDE, mode=Mode.IVR, lines_max=10)
    assert decide(ivr, Snapshot(1.0)).start == 10
    assert decide(ivr, Snapshot(1.0, attempts=flights(ringing=3), other_lines=5)).start == 2
    assert decide(ivr, Snapshot(1.0, holds=("AMI lost",))).start == 0


def test_inbound_calls_are_served_first() -> None:
    assert decide(WIDE, Snapshot(1.0, team(idle=3), waiting_first=2)).start == 1


RATIO = [
    ("lines for each free agent", 3.0, {"idle": 2}, {}, GOOD, 6),
    ("less those under way", 2.5, {"idle": 2}, {"ringing": 3}, GOOD, 2),
    ("nobody answered yet", 3.0, {"idle": 2}, {}, Counters(), 2),
    ("at the limit", 3.0, {"idle": 2}, {}, Counters(1000, 30), 2),
    ("over the limit", 3.0, {"idle": 2}, {}, Counters(100, 30), 2),
]


@pytest.mark.parametrize(("why", "ratio", "agents", "calls", "counters", "start"), RATIO, ids=[row[0] for row in RATIO])
def test_ratio(
    why: str, ratio: float, agents: dict[str, int], calls: dict[str, int], counters: Counters, start: int
) -> None:
    seen = Snapshot(1.0, team(**agents), flights(**calls), counters)
    assert decide(replace(WIDE, mode=Mode.RATIO, ratio=ratio), seen).start == start


CAPS = [
    ("lines", {"lines_max": 4}, {}, 4, "held to 4 lines"),
    ("lines of the trunk", {}, {"lines": 3}, 3, "held to 3 lines"),
    ("talks use lines too", {"lines_max": 12}, {}, 2, "held to 12 lines"),
    ("lines per agent", {"lines_per_agent_max": 0.2}, {}, 4, "held to 0.2 lines per agent"),
    ("calls per second", {"calls_per_second": 5.0}, {}, 5, "held to 5 calls per second"),
    ("calls per second of the trunk", {}, {"calls_per_second": 2.0}, 2, "held to 2 calls per second"),
    ("a trunk that gives none", {}, {"calls_per_second": 0.0}, 0, "held to 0 calls per second"),
]


@pytest.mark.parametrize(("why", "limits", "share", "start", "reason"), CAPS, ids=[row[0] for row in CAPS])
def test_caps(why: str, limits: dict[str, float], share: dict[str, float], start: int, reason: str) -> None:
    talking = 10 if why == "talks use lines too" else 0
    seen = Snapshot(1.0, team(idle=20 - talking, talking=talking), **share)  # type: ignore[arg-type]
    decision = decide(replace(WIDE, **limits), seen)  # type: ignore[arg-type]
    assert decision.start == start
    assert decision.reason.endswith(reason)


def test_calls_per_second_come_one_by_one() -> None:
    pacer = Pacer(replace(WIDE, calls_per_second=0.5), seed=1)
    starts = [pacer.decide(Snapshot(float(at), team(idle=9))).start for at in range(10)]
    assert starts == [1, 0, 1, 0, 1, 0, 1, 0, 1, 0]


def test_a_clock_that_jumps_gives_no_burst() -> None:
    pacer = Pacer(replace(WIDE, calls_per_second=5.0), seed=1)
    seen = Snapshot(100.0, team(idle=50))
    assert pacer.decide(seen).start == 5
    assert pacer.decide(replace(seen, at=50.0)).start == 0
    assert pacer.decide(replace(seen, at=1e9)).start == 5


WRAPPING = tuple(AgentSeen(str(100 + n), Working.WRAP_UP, 3988.0) for n in range(6))
BUSY = Snapshot(4000.0, WRAPPING + tuple(replace(one, state=Working.TALKING) for one in WRAPPING), (), GOOD)


def test_predictive_calls_for_agents_who_will_be_free() -> None:
    pacer = taught(replace(WIDE, mode=Mode.PREDICTIVE))
    decision = pacer.decide(BUSY)
    assert decision.start > 0
    assert decision.numbers["free_soon"] > 0
    assert "0 agents free and" in decision.reason
    assert "answer rate 2" in decision.reason
    assert "left in the budget" in decision.reason


@pytest.mark.parametrize("counters", [Counters(1000, 31), Counters(20, 1)])
def test_predictive_beyond_the_limit_is_progressive(counters: Counters) -> None:
    decision = taught(replace(WIDE, mode=Mode.PREDICTIVE)).decide(replace(BUSY, counters=counters))
    assert decision.start == 0
    assert "one call per free agent because" in decision.reason


@pytest.mark.parametrize("counters", [Counters(), Counters(1000, 30), Counters(20, 0)])
def test_without_a_budget_only_calls_that_hardly_ever_fail_are_started(counters: Counters) -> None:
    pacer = taught(replace(WIDE, mode=Mode.PREDICTIVE))
    decision = pacer.decide(replace(BUSY, counters=counters))
    assert decision.start < pacer.decide(replace(BUSY, at=4001.0)).start
    assert decision.numbers["abandon_chance"] <= decision.numbers["price"] == PRICE_CAREFUL
    assert "careful because" in decision.reason


def test_a_cap_on_predicted_calls_is_told() -> None:
    decision = taught(replace(WIDE, mode=Mode.PREDICTIVE, lines_max=8)).decide(BUSY)
    assert decision.start == 2  # six talk
    assert decision.reason.endswith("; held to 8 lines")


def test_idle_agents_make_the_pacer_patient() -> None:
    """The next call for a team with idle agents is risked less: abandons are spent where they save most waiting."""
    pacer = taught(replace(WIDE, mode=Mode.PREDICTIVE))
    idle = (*BUSY.agents, *(AgentSeen(str(200 + n), Working.IDLE, 3900.0) for n in range(5)))
    covered = flights(ringing=5)
    busy = pacer.decide(BUSY).numbers["price"]
    assert pacer.decide(replace(BUSY, agents=idle, attempts=covered)).numbers["price"] < busy


def test_callers_whom_nobody_can_take_are_taken_off_the_budget() -> None:
    pacer = taught(replace(WIDE, mode=Mode.PREDICTIVE))
    before = pacer.decide(BUSY).numbers["budget"]
    assert pacer.decide(replace(BUSY, attempts=flights(waiting=3))).numbers["budget"] == pytest.approx(before - 3)


def test_a_smaller_answer_rate_asks_for_more_calls() -> None:
    few, many = (taught(replace(WIDE, mode=Mode.PREDICTIVE), rate=rate).decide(BUSY).start for rate in (0.1, 0.5))
    assert few > many


def test_calls_that_ring_already_are_counted() -> None:
    limits = replace(WIDE, mode=Mode.PREDICTIVE)
    ringing = tuple(AttemptSeen(f"c{n}", Flight.RINGING, 3998.0) for n in range(9))
    assert taught(limits).decide(replace(BUSY, attempts=ringing)).start < taught(limits).decide(BUSY).start


def test_abandons_make_the_pacer_careful() -> None:
    limits = replace(WIDE, mode=Mode.PREDICTIVE)
    careful = taught(limits)
    for number in range(10):
        for kind in (Kind.LAUNCH, Kind.LIVE, Kind.ABANDON):
            careful.observe(PacingEvent(3900.0 + number, kind, f"bad{number}"))
    assert careful.decide(BUSY).numbers["price"] < taught(limits).decide(BUSY).numbers["price"]


def test_a_dead_trunk_teaches_nothing_about_debtors() -> None:
    pacer = taught(replace(WIDE, mode=Mode.PREDICTIVE))
    before = pacer.decide(BUSY).numbers["answer_rate"]
    for number in range(500):
        pacer.observe(PacingEvent(3900.0, Kind.LAUNCH, f"dead{number}"))
        pacer.observe(PacingEvent(3900.0, Kind.FAILED, f"dead{number}"))
    assert pacer.decide(replace(BUSY, at=4001.0)).numbers["answer_rate"] > 0.9 * before


def test_the_pacer_counts_for_itself_when_nobody_does() -> None:
    pacer = taught(replace(WIDE, mode=Mode.PREDICTIVE))
    decision = pacer.decide(replace(BUSY, counters=None))
    assert decision.numbers["live"] == 75
    doubled = PacingEvent(3999.0, Kind.ABANDON, "old0")
    pacer.observe(doubled)
    assert pacer.decide(replace(BUSY, counters=None, at=4002.0)).numbers["abandoned"] == 0


def test_limits_come_from_the_campaign() -> None:
    campaign = Campaign("c", "C", mode=Mode.RATIO, ratio=2.0, lines_max=7, connect_limit_ms=1500)
    limits = Limits.of(campaign)
    assert (limits.mode, limits.ratio, limits.lines_max, limits.connect_limit_s) == (Mode.RATIO, 2.0, 7, 1.5)


def test_plain_words_do() -> None:
    seen = Snapshot(
        1.0, (AgentSeen("11", "idle", 0.0), AgentSeen("12", "break", 0.0)), (AttemptSeen("c", "ringing", 0),)
    )
    assert decide(WIDE, seen).start == 0
    Pacer(WIDE).observe(PacingEvent(1.0, "earthquake", "c"))


# ---- whatever happens

TIMES = st.floats(0.0, 5000.0)
EVENTS = st.builds(
    PacingEvent,
    at=TIMES,
    kind=st.one_of(st.sampled_from(Kind), st.just("earthquake")),
    attempt=st.one_of(st.none(), st.sampled_from([f"c{n}" for n in range(6)])),
    agent=st.one_of(st.none(), st.sampled_from([str(100 + n) for n in range(4)])),
    answer_probability=st.one_of(st.none(), st.floats(0, 1)),
)
AGENTS = st.lists(
    st.builds(AgentSeen, st.sampled_from(["11", "12", "13"]), st.sampled_from(Working), TIMES, st.booleans()),
    max_size=30,
).map(tuple)
ATTEMPTS = st.lists(
    st.builds(AttemptSeen, st.sampled_from([f"c{n}" for n in range(30)]), st.sampled_from(Flight), TIMES), max_size=30
).map(tuple)
SNAPSHOTS = st.builds(
    Snapshot,
    at=TIMES,
    agents=AGENTS,
    attempts=ATTEMPTS,
    counters=st.one_of(st.none(), st.builds(Counters, st.integers(0, 2000), st.integers(0, 60))),
    lines=st.one_of(st.none(), st.integers(-5, 100)),
    calls_per_second=st.one_of(st.none(), st.floats(0, 50)),
    other_lines=st.integers(0, 10),
    candidates=st.lists(st.builds(Candidate, st.just("x"), st.floats(0, 1)), max_size=3).map(tuple),
    waiting_first=st.integers(0, 5),
    holds=st.one_of(st.just(()), st.just(("AMI lost",))),
    draining=st.booleans(),
    ends_at=st.one_of(st.none(), TIMES),
)
LIMITS = st.builds(
    Limits,
    mode=st.sampled_from(Mode),
    ratio=st.floats(0, 20),
    lines_max=st.integers(0, 200),
    lines_per_agent_max=st.floats(0, 20),
    calls_per_second=st.floats(0, 50),
    abandon_rate_max=st.floats(0.001, 0.1),
)


def within_limits(decision: Decision, seen: Snapshot, limits: Limits) -> None:
    assert decision.start >= 0
    assert decision.end == ()
    assert decision.reason
    working = [agent for agent in seen.agents if agent.state != Working.BREAK and not agent.leaving]
    if decision.start:
        assert not seen.holds
        assert not seen.draining
        if limits.mode not in (Mode.IVR, Mode.PREVIEW):
            assert seen.ends_at is None or seen.ends_at > seen.at
        lines = limits.lines_max if seen.lines is None else min(limits.lines_max, seen.lines)
        talking = sum(agent.state in (Working.TALKING, Working.RESERVED) for agent in seen.agents)
        assert len(seen.attempts) + talking + seen.other_lines + decision.start <= lines
        if limits.mode is not Mode.IVR:
            assert working
            assert len(seen.attempts) + decision.start <= limits.lines_per_agent_max * len(working)


@given(LIMITS, st.booleans(), st.lists(st.one_of(EVENTS, SNAPSHOTS), max_size=20))
def test_no_history_breaks_a_limit(limits: Limits, warm: bool, history: Iterable[PacingEvent | Snapshot]) -> None:
    pacer = taught(limits, calls=60) if warm else Pacer(limits, seed=1)
    for one in history:
        if isinstance(one, PacingEvent):
            pacer.observe(one)
        else:
            within_limits(pacer.decide(one), one, limits)


@given(st.floats(0.2, 30), st.lists(st.floats(0, 3), min_size=1, max_size=40))
def test_asterisk_is_never_burst(rate: float, gaps: list[float]) -> None:
    pacer = Pacer(replace(WIDE, calls_per_second=rate), seed=1)
    at, started = 0.0, 0
    for gap in gaps:
        at += gap
        started += pacer.decide(Snapshot(at, team(idle=200))).start
        assert started <= rate * at + max(1.0, rate) + 1e-6


@settings(max_examples=20)
@given(st.lists(SNAPSHOTS, max_size=6))
def test_the_same_history_gives_the_same_decisions(history: list[Snapshot]) -> None:
    limits = replace(WIDE, mode=Mode.PREDICTIVE)
    once, twice = taught(limits, calls=60), taught(limits, calls=60)
    for seen in history:
        assert once.decide(seen) == twice.decide(seen)


# ---- forecasts per number, and odd hours


def told(probability: float | None, many: int = 60) -> tuple[Candidate, ...]:
    return tuple(Candidate(f"d{n}", probability) for n in range(many))


def believing(limits: Limits) -> Pacer:
    """A pacer that was told 5 % or 60 % at every launch, and saw it come true."""
    pacer = taught(limits)
    for number in range(400):
        at, call, probability = 3000.0 + number, f"told{number}", 0.6 if number % 2 else 0.05
        pacer.observe(PacingEvent(at, Kind.LAUNCH, call, None, probability))
        live = (number % 2 and number % 10 < 6) or number % 40 == 0
        pacer.observe(PacingEvent(at + 8, Kind.LIVE if live else Kind.BUSY, call))
        if live:
            pacer.observe(PacingEvent(at + 9, Kind.CONNECT, call, "199"))
    return pacer


def test_a_forecast_that_came_true_moves_the_number_of_calls() -> None:
    pacer = believing(replace(WIDE, mode=Mode.PREDICTIVE))
    unlikely = pacer.decide(replace(BUSY, candidates=told(0.05))).start
    unknown = pacer.decide(replace(BUSY, at=4001.0, candidates=told(None))).start
    likely = pacer.decide(replace(BUSY, at=4002.0, candidates=told(0.6))).start
    assert unlikely > unknown > likely > 0


def test_calls_under_way_are_weighed_by_their_forecasts() -> None:
    pacer = believing(replace(WIDE, mode=Mode.PREDICTIVE))
    starts = []
    for step, probability in enumerate((0.05, 0.6)):
        ringing = tuple(AttemptSeen(f"r{n}", Flight.RINGING, 3998.0, 0.0, probability) for n in range(9))
        starts.append(pacer.decide(replace(BUSY, at=4000.0 + step, attempts=ringing)).start)
    assert starts[0] > starts[1]


@pytest.mark.parametrize("nonsense", [-1.0, 2.0, float("nan"), float("inf")])
def test_a_forecast_that_is_no_probability_is_none(nonsense: float) -> None:
    limits = replace(WIDE, mode=Mode.PREDICTIVE)
    pacer = taught(limits)
    pacer.observe(PacingEvent(3999.0, Kind.LAUNCH, "odd", None, nonsense))
    pacer.observe(PacingEvent(3999.5, Kind.BUSY, "odd", None))
    plain = taught(limits)
    plain.observe(PacingEvent(3999.0, Kind.LAUNCH, "odd"))
    plain.observe(PacingEvent(3999.5, Kind.BUSY, "odd"))
    assert pacer.decide(replace(BUSY, candidates=told(nonsense))).start == plain.decide(BUSY).start


def test_a_bad_half_hour_stops_dialling_ahead() -> None:
    limits = replace(WIDE, mode=Mode.PREDICTIVE)
    pacer = taught(limits)
    for number in range(60):
        for kind in (Kind.LAUNCH, Kind.LIVE, Kind.ABANDON if number % 5 == 0 else Kind.CONNECT):
            pacer.observe(PacingEvent(3900.0 + number, kind, f"bad{number}"))
    assert pacer.decide(BUSY).numbers["price"] == PRICE_CAREFUL
    assert pacer.decide(replace(BUSY, at=4001.0)).start < taught(limits).decide(BUSY).start


@given(st.lists(st.floats(-1e9, 1e10), min_size=1, max_size=12))
def test_a_clock_that_jumps_breaks_nothing(times: list[float]) -> None:
    limits = replace(WIDE, mode=Mode.PREDICTIVE, lines_max=30)
    pacer = taught(limits, calls=60)
    for number, at in enumerate(times):
        pacer.observe(PacingEvent(at, Kind.LAUNCH, f"j{number}"))
        seen = replace(BUSY, at=at, attempts=(AttemptSeen(f"j{number}", Flight.RINGING, times[0]),))
        within_limits(pacer.decide(seen), seen, limits)
        pacer.observe(PacingEvent(at + 1, Kind.LIVE, f"j{number}"))
        pacer.observe(PacingEvent(times[0], Kind.ABANDON, f"j{number}"))


@settings(max_examples=25)
@given(st.sets(st.integers(0, 200)), st.integers(0, 3))
def test_lost_events_break_nothing(lost: set[int], doubled: int) -> None:
    """Any events of a day may be missing, others come twice: limits hold, and what is predicted stays finite."""
    limits = replace(WIDE, mode=Mode.PREDICTIVE, lines_max=40)
    pacer = Pacer(limits, seed=1)
    kinds = (Kind.LAUNCH, Kind.RING, Kind.ANSWER, Kind.LIVE, Kind.CONNECT, Kind.TALK_END, Kind.WRAP_END)
    count = 0
    for call in range(40):
        for step, kind in enumerate(kinds if call % 3 else (*kinds[:2], Kind.NO_ANSWER)):
            count += 1
            if count not in lost:
                for _ in range(2 if count % 7 == doubled else 1):
                    pacer.observe(PacingEvent(20.0 * call + 3 * step, kind, f"c{call}", str(100 + call % 9)))
    seen = replace(BUSY, at=900.0, counters=None)
    decision = pacer.decide(seen)
    within_limits(decision, seen, limits)
    assert all(number == number for number in decision.numbers.values())


def large(idle: int = 2, talking: int = 40) -> Snapshot:
    agents = tuple(
        AgentSeen(str(100 + n), Working.WRAP_UP if n % 2 else Working.TALKING, 3988.0) for n in range(talking)
    )
    return Snapshot(4000.0, (*agents, *(AgentSeen(f"i{n}", Working.IDLE, 3900.0) for n in range(idle))), (), GOOD)


def test_a_large_team_without_a_budget_calls_carefully() -> None:
    pacer = taught(replace(WIDE, mode=Mode.PREDICTIVE))
    rich = pacer.decide(large()).start
    spent = pacer.decide(replace(large(), at=4001.0, counters=Counters(1000, 30)))
    assert 2 < spent.start < rich
    assert spent.numbers["abandon_chance"] <= spent.numbers["price"] == 0.001
    assert "one more abandon would pass" in spent.reason


VAIN = tuple(AttemptSeen(f"c{n}", Flight.RINGING, 4000.0 - n) for n in range(24))


def test_calls_that_ring_in_vain_are_ended_where_that_is_allowed() -> None:
    limits = replace(WIDE, mode=Mode.PREDICTIVE, end_ringing=True)
    talking = tuple(replace(one, state=Working.TALKING, since=3999.0) for one in BUSY.agents)
    ringing = tuple(replace(one, since=3984.5 - n / 100) for n, one in enumerate(VAIN))
    seen = replace(BUSY, agents=talking, attempts=(*ringing, AttemptSeen("young", Flight.RINGING, 3990.0)))
    bad = taught(limits, rate=0.5)
    for number in range(300):  # some answer late
        for at, kind in (0, Kind.LAUNCH), (3, Kind.RING), (20 + number % 4, Kind.LIVE), (24, Kind.CONNECT):
            bad.observe(
                PacingEvent(3000.0 + number + at, kind, f"late{number}", "199" if kind == Kind.CONNECT else None)
            )
    ended = bad.decide(seen).end
    assert ended
    assert ended[0] == "c23"  # the oldest first
    assert "young" not in ended
    bad.limits = replace(limits, end_ringing=False)
    assert bad.decide(replace(seen, at=4001.0)).end == ()
    bad.limits = replace(limits, ring_min_s=60.0)
    assert bad.decide(replace(seen, at=4002.0)).end == ()


# ---- the end of the shift, and accounts to offer


def answered_within(seconds: float = 20.0) -> Pacer:
    """Every answer came within this of the launch."""
    return taught(replace(WIDE, mode=Mode.PREDICTIVE), talk_s=seconds)


def test_near_the_end_of_the_shift_it_becomes_progressive_then_starts_nothing() -> None:
    seen = replace(BUSY, agents=(*BUSY.agents, AgentSeen("11", Working.IDLE, 3999.0)))
    starts = [answered_within().decide(replace(seen, ends_at=4000.0 + left)).start for left in (3600, 20, 5, 0, -9)]
    assert starts[0] > 1
    assert starts[1:] == [1, 0, 0, 0]


def test_the_end_of_the_shift_is_told() -> None:
    soon = answered_within().decide(replace(BUSY, ends_at=4020.0))
    last = answered_within().decide(replace(BUSY, ends_at=4006.0))
    assert soon.reason.endswith("one call per free agent because the shift ends soon")
    assert last.reason == "No calls: the shift ends in 6 s, and a call of now may be answered after that"


@pytest.mark.parametrize("mode", [Mode.PROGRESSIVE, Mode.PREDICTIVE, Mode.RATIO])
def test_nothing_is_known_yet_of_answers_so_the_last_minute_is_left(mode: Mode) -> None:
    limits = replace(WIDE, mode=mode)
    assert decide(limits, Snapshot(1.0, team(idle=2), ends_at=100.0)).start == 2
    assert decide(limits, Snapshot(1.0, team(idle=2), ends_at=60.0)).start == 0


DRAIN = [
    ("nobody is free: all that rang long enough", {"talking": 3}, 3),
    ("two are free", {"talking": 2, "idle": 2}, 2),
    ("all can be taken", {"idle": 4}, 0),
    ("all have left", {}, 3),
]


@pytest.mark.parametrize(("why", "agents", "ended"), DRAIN, ids=[row[0] for row in DRAIN])
@pytest.mark.parametrize("mode", [Mode.PROGRESSIVE, Mode.PREDICTIVE, Mode.RATIO])
def test_a_drain_ends_what_nobody_can_take(why: str, agents: dict[str, int], ended: int, mode: Mode) -> None:
    ringing = [AttemptSeen(f"c{n}", Flight.RINGING, 80.0 - n) for n in range(3)]
    seen = Snapshot(100.0, team(**agents), (*ringing, AttemptSeen("young", Flight.RINGING, 90.0)), draining=True)
    decision = decide(replace(WIDE, mode=mode, end_ringing=True), seen)
    assert (decision.start, list(decision.end)) == (0, ["c2", "c1", "c0"][:ended])
    assert decide(replace(WIDE, mode=mode), seen).end == ()


PREVIEW = [
    ("an account for each", {"idle": 2}, {}, "2 accounts to offer: 2 agents free, 0 under way"),
    ("one has his", {"idle": 2, "talking": 4}, {"dialing": 1}, "1 account to offer: 2 agents free, 1 under way"),
    ("nobody is free", {"talking": 2}, {}, "No accounts to offer: 0 agents free, 0 under way"),
]


@pytest.mark.parametrize(("why", "agents", "calls", "reason"), PREVIEW, ids=[row[0] for row in PREVIEW])
@pytest.mark.parametrize("counters", [Counters(), GOOD, Counters(10, 10)])
def test_preview(why: str, agents: dict[str, int], calls: dict[str, int], reason: str, counters: Counters) -> None:
    seen = Snapshot(100.0, team(**agents), flights(**calls), counters)
    assert decide(replace(WIDE, mode=Mode.PREVIEW), seen).reason == reason


def test_what_the_forecasts_gain_is_kept() -> None:
    limits = replace(WIDE, mode=Mode.PREDICTIVE)
    told_of = believing(limits).decide(replace(BUSY, candidates=told(0.6))).numbers
    assert 0.0 < told_of["forecast_slope"] <= 2.0
    assert told_of["lives_next"] > told_of["lives_next_pooled"] > 0.0
    plain = taught(limits).decide(BUSY).numbers
    assert plain["forecast_slope"] == plain["lives_next"] - plain["lives_next_pooled"] == 0.0


@pytest.mark.parametrize("agents", [6, 40])
def test_a_storm_takes_no_more_than_the_budget_bears(agents: int) -> None:
    """A trunk that says busy to everybody looks like a bad list; when it is well again, all answer."""
    limits = replace(WIDE, mode=Mode.PREDICTIVE)
    wrapping = tuple(AgentSeen(str(100 + n), Working.WRAP_UP, 3980.0) for n in range(agents))
    started = []
    for counters in (Counters(10_000, 20), Counters(1000, 26)):
        pacer = taught(limits)
        for number in range(80):
            pacer.observe(PacingEvent(3900.0 + number, Kind.LAUNCH, f"busy{number}"))
            pacer.observe(PacingEvent(3901.0 + number, Kind.BUSY, f"busy{number}"))
        started.append(pacer.decide(Snapshot(4000.0, wrapping, (), counters)).start)
    assert started[1] < started[0]
    assert 0.25 * started[1] < agents  # as many lives as before the trunk failed
