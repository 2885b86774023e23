"""Recorded campaigns replayed: read from a stream that an invented shift wrote, by the product's own record."""

import json
from dataclasses import replace
from datetime import date, timedelta
from functools import cache

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dialer.errors import BadInput
from dialer.model import Attempt, Mode, Verdict
from dialer.pace.snapshot import Kind
from dialer.pacing import Pacer
from dialer.simulate import RECORDED, limits_of
from dialer.simulation.recorded import replay
from dialer.simulation.recording import NEEDED_CALLS, parse, recording
from dialer.simulation.replayed import days_of, fit, scenario_of, world_of
from dialer.simulation.result import Result
from dialer.simulation.rules import CAMPAIGN, begin_of, pack_of
from dialer.simulation.scenario import STEADY
from dialer.simulation.world import World
from dialer.stream import correction, iso, record

SCENARIO = replace(STEADY, agents=8, hours=0.5, breaks=False, log_in_s=30.0, speed_spread=0.0, pause_every_s=0.0)
Record = dict[str, str]


def shift(mode: Mode = Mode.PROGRESSIVE) -> tuple[list[Record], Result]:
    records: list[Record] = []
    world = World(SCENARIO, Pacer(limits_of(SCENARIO, mode, 0.03), 1), 1)

    def heard(attempt: Attempt, verdict: Verdict) -> None:
        contact = world.people.contact(int(attempt.contact))
        records.append(record(attempt, verdict, (), contact, CAMPAIGN))

    world.network.heard = heard
    return records, world.run()


@pytest.fixture(scope="module")
def recorded() -> tuple[list[Record], Result]:
    return shift()


def test_what_was_is_read_from_the_stream(recorded: tuple[list[Record], Result]) -> None:
    records, result = recorded
    found = recording(records)
    was = fit(found)
    assert len(found.heard) == was.calls == len(records)
    assert len(days_of(found)) == 8
    assert was.utilisation == pytest.approx(result.utilisation, abs=0.05)
    assert was.abandon_rate == pytest.approx(result.abandon_rate, abs=0.01)
    assert found.campaign == "simulated"


def test_a_replay_in_the_same_mode_comes_to_the_same(recorded: tuple[list[Record], Result]) -> None:
    records, result = recorded
    was, progressive = replay(records, policies=("progressive",), seeds=(1,))
    assert was.name == RECORDED
    assert progressive.utilisation == pytest.approx(result.utilisation, abs=0.06)
    assert progressive.calls_per_hour == pytest.approx(was.calls_per_hour, rel=0.12)


def test_another_pacer_another_team_another_target(recorded: tuple[list[Record], Result]) -> None:
    records, _ = recorded
    _, ours, progressive = replay(records, 12, 0.02, seeds=(1, 2))
    assert ours.utilisation > progressive.utilisation + 0.02
    assert ours.abandon_rate <= 0.02
    assert ours.shifts == 2


def test_each_call_keeps_its_fate_and_the_abandoned_get_a_talk() -> None:
    records, result = shift(Mode.PREDICTIVE)
    assert result.abandoned
    found = recording(records)
    people, days = world_of(found, scenario_of(found), 1, None)
    assert len(days) == 8
    fates = [people.fate(lead, 0, 0.0) for lead in range(len(found.heard))]
    for one, fate in zip(found.heard, fates, strict=True):
        assert replace(fate, talk_s=0, wrap_s=0) == replace(one.fate, talk_s=0, wrap_s=0)
        assert (fate.talk_s > 0) == fate.live
    assert world_of(found, scenario_of(found), 2, None)[0].fate(0, 0, 0.0) != fates[0]
    assert people.size > len(found.heard)  # drawn again


def test_json_lines_with_numbers_flags_and_rubbish(recorded: tuple[list[Record], Result]) -> None:
    records, _ = recorded
    lines = [json.dumps(one) for one in records]
    lines[3] = lines[3][:40]
    lines.insert(5, "[1, 2]")
    lines.insert(6, "")
    typed = dict(records[7]) | {"v": 1, "live": records[7]["live"] == "1", "cause": None}
    lines[9] = json.dumps(typed)
    found = recording(parse(lines))
    assert found.skipped["not an entry of an outcome stream"] == 2
    assert len(found.heard) >= len(records) - 2


def test_corrections_count_and_doubles_do_not(recorded: tuple[list[Record], Result]) -> None:
    records, _ = recorded
    talked = next(one for one in records if one["joined_at"])
    late = correction(talked["attempt"], "simulated", 1e9, "engine", {"wrap_up_s": 500.0})
    lost = correction("unknown", "simulated", 1e9, "engine", {"wrap_up_s": 500.0})
    plain, mended = recording(records), recording([late, lost, *records, *records[:9]])
    assert len(plain.heard) == len(mended.heard)
    assert max(one.fate.wrap_s for one in mended.heard) == 500.0 > max(one.fate.wrap_s for one in plain.heard)


def test_several_campaigns_ask_for_a_name(recorded: tuple[list[Record], Result]) -> None:
    records, _ = recorded
    other = [one | {"campaign": "other", "attempt": "x" + one["attempt"]} for one in records[:5]]
    with pytest.raises(BadInput, match=r"simulated \(\d+ calls\), other \(5 calls\). Name one with --campaign"):
        recording([*records, *other])
    found = recording([*records, *other], "simulated")
    assert len(found.heard) == len(records)
    assert found.skipped == {"of another kind or campaign": 5}


@pytest.mark.parametrize(
    ("change", "why"),
    [
        ({"direction": "in"}, "that no pacer started"),
        ({"kind": "manual"}, "that no pacer started"),
        ({"outcome": "interrupted"}, "whose fate is not known"),
        ({"placed_at": "", "claimed_at": ""}, "without usable times"),
        ({"ended_at": iso(1.0)}, "without usable times"),
        ({"ringing_at": iso(2e9)}, "without usable times"),
        ({"live": "perhaps"}, "not an entry of an outcome stream"),
        ({"attempt": ""}, "not an entry of an outcome stream"),
        ({"campaign": ""}, "not an entry of an outcome stream"),
    ],
)
def test_what_is_of_no_use_is_left_out_and_told(
    recorded: tuple[list[Record], Result], change: Record, why: str
) -> None:
    records, _ = recorded
    rang = next(one for one in records if one["ringing_at"] and one["outcome"] == "no_answer")
    found = recording([*(one for one in records if one is not rang), rang | change])
    assert found.skipped == {why: 1}


def test_too_few_are_refused_with_what_is_needed(recorded: tuple[list[Record], Result]) -> None:
    records, _ = recorded
    with pytest.raises(BadInput, match=f"5 calls with . talks can be used; a replay needs at least {NEEDED_CALLS}"):
        recording(records[:5])
    with pytest.raises(BadInput, match=r"0 calls .*left out: 2 not an entry"):
        recording(parse(["rubbish", "{}"]))


def test_an_agent_who_came_late_went_early_and_had_a_break() -> None:
    begin = begin_of(pack_of(), 1.0)

    def call(number: int, agent: str, at: float) -> Record:
        times = {"placed_at": at - 12, "ringing_at": at - 9, "answered_at": at - 1, "joined_at": at}
        times |= {"left_at": at + 60, "ended_at": at + 60, "wrapped_at": at + 70}
        return {
            "v": "1", "type": "outcome", "attempt": f"a{number}", "campaign": "c", "outcome": "connected", "live": "1",
            "kind": "predictive", "agent": agent, "talk_s": "60", "wrap_up_s": "10",
        } | {name: iso(begin + when) for name, when in times.items()}  # fmt: skip

    steady = [call(n, "11", 20 + 80.0 * n) for n in range(60)]
    other = [call(100 + n, "12", 1000 + 80.0 * n + (1200 if n > 10 else 0)) for n in range(20)]
    eleven, twelve = days_of(recording(steady + other))
    assert (eleven.sign_in_at, eleven.breaks) == (0.0, [])
    assert twelve.sign_in_at == pytest.approx(992.0, abs=1.0)
    assert twelve.sign_out_at < 4700
    assert [round(length) for _, length in twelve.breaks] == [1210]


def test_days_are_joined_and_long_ago_is_left_out() -> None:
    records = some_records()
    times = [name for name in records[0] if name.endswith("_at")]

    def later(one: Record, days: int) -> Record:
        day = (date(2026, 11, 23) + timedelta(days)).isoformat()
        moved = {name: one[name].replace("2026-11-23", day) for name in times}
        return one | moved | {"attempt": f"{one['attempt']}-{days}"}

    one_day = recording(records)
    two_days = recording([*records, *(later(one, 2) for one in records)])
    assert len(two_days.heard) == 2 * len(one_day.heard)
    assert two_days.seconds == pytest.approx(2 * one_day.seconds + 60, abs=1)
    assert len(days_of(two_days)) == len(days_of(one_day))
    assert fit(two_days).utilisation == pytest.approx(fit(one_day).utilisation, abs=0.1)
    many = recording(later(one, day) for day in range(70) for one in records)
    assert many.seconds <= 9.5 * 3600
    assert many.skipped == {"before the last 9.5 h of calling": 70 * len(records) - len(many.heard)}


@settings(max_examples=40)
@given(st.data())
def test_no_record_whatever_its_fields_breaks_the_reader(data: st.DataObject) -> None:
    records = some_records()
    one = dict(data.draw(st.sampled_from(records)))
    for name in data.draw(st.lists(st.sampled_from(sorted(one)), max_size=4)):
        others = st.sampled_from([other[name] for other in records])
        one[name] = data.draw(st.one_of(others, st.text(max_size=8), st.just("")))
    found = recording([one, *records[1:]], "simulated")
    assert len(found.heard) + sum(found.skipped.values()) >= len(records) - 1
    for heard in found.heard:
        fate = heard.fate
        assert min(fate.delay_s, fate.ring_s, fate.detect_s, fate.patience_s, fate.talk_s, fate.wrap_s) >= 0
        assert fate.live <= (fate.ends is None)
        assert fate.ends in (None, Kind.BUSY, Kind.FAILED, Kind.NO_ANSWER)


@cache
def some_records() -> list[Record]:
    return shift()[0][:90]
