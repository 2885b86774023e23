"""What a chaos run judges by: each kind of violation is found in books that are cooked, and none in good ones."""

from dataclasses import replace
from pathlib import Path

import pytest

from dialer.adapters.redis_codec import encode
from dialer.demo.carrier import Begun, CarrierCall, Heard, number
from dialer.model import Fact
from tests.chaos import leaks, promised
from tests.chaos.books import Call, Seen, merge, wrong
from tests.chaos.ears import listen, silences
from tests.chaos.faults import BY_NAME, KINDS, Fault, Hand
from tests.chaos.rules import CAP
from tests.chaos.service import Load

HUMAN, HEARS, BUSY = number("human", 1, 1), number("hears", 2, 1), number("busy", 3, 0)
TALK = Call("a1", HUMAN, "00", 100.0, 101.0, 115.0)
WAS_BUSY = Call("a3", BUSY, "30", 100.0, None, 100.1)
CALLS = (TALK, WAS_BUSY)


def record(attempt: str, called: str, outcome: str, **more: str) -> dict[str, str]:
    return {"attempt": attempt, "number": called, "outcome": outcome, "reason": "why"} | more


RECORDS = (record("a1", HUMAN, "connected", conversation="1"), record("a3", BUSY, "busy"))


def broken(name: str, began: float, healed: float, recovered: float) -> Fault:
    return Fault(BY_NAME[name], healed - began, began, healed, recovered)


def test_good_books() -> None:
    assert wrong(Seen(CALLS, RECORDS, ())) == []


@pytest.mark.parametrize(
    ("seen", "says"),
    [
        (Seen(CALLS, RECORDS[:1], ()), "a3: ...0030 was called, and there is no outcome"),
        (Seen(CALLS, (*RECORDS, RECORDS[0]), ()), "a1 has 2 outcomes"),
        (Seen((*CALLS, replace(WAS_BUSY, began_at=300, ended_at=301)), RECORDS, ()), "a3 reached the carrier 2 times"),
        (Seen(CALLS, (RECORDS[0], record("a3", HUMAN, "busy")), ()), "another number was called"),
        (Seen((*CALLS, replace(TALK, attempt="a9", began_at=110.0)), RECORDS, ()), "a9: ...0400 was called while a1"),
        (Seen(CALLS, RECORDS, (), closed=frozenset({3})), "a3: ...0030 was called outside its hours"),
        (
            Seen((*CALLS, replace(TALK, attempt="a9", began_at=200.0)), RECORDS, ()),
            "a9: ...0400 was called again after",
        ),
        (
            Seen(CALLS, (RECORDS[0], record("a3", BUSY, "connected")), ()),
            "a3: connected (why), but the subscriber was busy",
        ),
        (
            Seen(CALLS, (*RECORDS, record("a4", HUMAN, "connected")), ()),
            "a4 is connected, and the carrier never saw it",
        ),
    ],
)
def test_a_cooked_one_is_found(seen: Seen, says: str) -> None:
    assert any(says in why for why in wrong(seen)), wrong(seen)


def test_a_cap_that_is_exceeded_is_found() -> None:
    calls = [replace(WAS_BUSY, attempt=f"b{n}", began_at=n * 10.0, ended_at=n * 10.0 + 1) for n in range(CAP + 1)]
    records = [record(call.attempt, BUSY, "busy") for call in calls]
    assert wrong(Seen(calls[:CAP], records[:CAP], ())) == []
    refused = [replace(calls[CAP], behaviour="33", ended_at=calls[CAP].began_at), *calls[:CAP]]
    congested = [record(calls[CAP].attempt, BUSY, "congestion", counted="0"), *records[:CAP]]
    assert wrong(Seen(refused, congested, ())) == []
    assert any(f"was called {CAP + 1} times" in why for why in wrong(Seen(calls, records, ())))


def test_what_a_fault_excuses_is_only_what_it_touched() -> None:
    lost = (RECORDS[0], record("a3", BUSY, "no_answer"))
    assert wrong(Seen(CALLS, lost, ()))
    assert wrong(Seen(CALLS, lost, (broken("freeze asterisk", 90.0, 99.0, 100.5),))) == []
    assert wrong(Seen(CALLS, lost, (broken("freeze asterisk", 50.0, 60.0, 61.0),)))


def test_a_call_cut_by_the_carriers_death_ends_with_it() -> None:
    begun = [Begun("a1", HUMAN, 100.0), Begun("a3", BUSY, 100.0)]
    ended = [CarrierCall("a3", BUSY, "", "30", 100.0, None, 100.1, "")]
    calls, unended = merge(begun, ended, [107.0])
    assert (unended, calls[0].cut, calls[0].ended_at, calls[1].cut) == ([], True, 107.0, False)
    assert merge(begun, ended, [])[1] == ["attempt a1: the carrier saw it begin and never end"]
    assert merge([], ended, [])[1] == ["attempt a3: the carrier logged its end and no beginning"]


LISTENS = Call("a2", HEARS, "06", 99.0, 100.0, 120.0)
SERVED = record("a2", HEARS, "ivr", ivr_at="then")


def heard(*turns: float) -> Heard:
    """+ at the first, - at the second ..."""
    return Heard("a2", tuple((at % 2 == 0, turn) for at, turn in enumerate(turns)))


def test_silence_is_counted_from_its_beginning() -> None:
    first, second = silences(LISTENS, heard(101.0, 105.0, 106.0))
    assert (first.began_at, first.ended_at, first.first) == (100.0, 101.0, True)
    assert (second.began_at, second.ended_at, second.last) == (104.0, 106.0, False)
    (all_of_it,) = silences(LISTENS, Heard("a2", ()))
    assert (all_of_it.first, all_of_it.last, all_of_it.seconds) == (True, True, 20.0)


@pytest.mark.parametrize(
    ("turns", "says"),
    [
        ((101.0, 120.5), ""),
        ((101.0, 105.0, 111.0), ""),  # the IVR waits 6 s for a key
        ((104.0,), "nothing for 4.0 s after his answer"),
        ((), "20.0 s of silence, and then we hung up"),
        ((101.0, 112.0), "9.0 s of silence, and then we hung up"),
        ((101.0, 103.0, 113.0), "a silence of 11.0 s"),
    ],
)
def test_silences_that_nothing_followed_are_found(turns: tuple[float, ...], says: str) -> None:
    found, sample = listen(Seen((LISTENS,), (SERVED,), ()), [heard(*turns)])
    assert sample.calls == 1
    assert (says in found[0]) if says else (found == [])


def test_who_is_left_in_a_frozen_ivr_is_found() -> None:
    frozen = Seen((LISTENS,), (SERVED,), (broken("freeze ivr", 104.0, 110.0, 111.0),))
    assert listen(frozen, [heard(101.0, 105.0, 106.9)])[0] == []
    found, sample = listen(frozen, [heard(101.0, 106.0, 111.0)])
    assert sample.frozen_s == [6.0]
    assert "was left 6.0 s in an IVR after freeze ivr" in found[0]


def test_what_nobody_could_hear_is_not_judged() -> None:
    stopped = Seen((LISTENS,), (SERVED,), (broken("freeze asterisk", 104.0, 110.0, 111.0),))
    assert listen(stopped, [heard(101.0, 104.0, 119.0)]) == ([], listen(Seen((), (), ()), [])[1])


def test_a_promise_that_is_nowhere_is_found() -> None:
    told = {"a1": {"promise_due": "2026-12-01", "disposition": "promise:2026-12-01"}}
    assert promised.lost({"a1": "x"}, {"a1": "promise:2026-12-01"}, told, frozenset({"a1"})) == []
    assert "not in the outcome stream" in promised.lost({"a2": "x"}, {}, told, frozenset())[0]
    assert "not among the person's" in promised.lost({"a1": "x"}, {}, told, frozenset())[0]
    assert "an agent was told that dispute is noted" in promised.lost({}, {"a1": "dispute"}, told, frozenset())[0]


def test_whom_the_ivr_spoke_to_and_nobody_knows_of_is_found() -> None:
    told = {"a1": {"outcome": "ivr", "live": "1"}, "a2": {"outcome": "interrupted", "live": "0"}}
    assert promised.unheard(["a1", "a9"], told) == []
    assert "a2: the IVR spoke to him" in promised.unheard(["a2"], told)[0]


def test_what_the_ivr_wrote_is_read_from_redis_s_own_file(tmp_path: Path) -> None:
    """Whole commands; the half-written one of a killed Redis is left."""

    def command(*words: bytes) -> bytes:
        return b"*%d\r\n" % len(words) + b"".join(b"$%d\r\n%s\r\n" % (len(word), word) for word in words)

    fact = encode(Fact(1, 1.0, "promise", "2026-12-01"))
    other = encode(Fact(1, 1.0, "step", "menu"))
    text = command(b"SELECT", b"0") + b"#TS:1\r\n" + command(b"HSETNX", b"{demo}:facts:a1", b"1", fact)
    text += command(b"HSET", b"{demo}:facts:a2", b"1", other) + command(b"HSET", b"{demo}:facts:a3", b"1", fact)[:-9]
    (tmp_path / "appendonly.aof.1.incr.aof").write_bytes(text)
    noted = promised.noted_by_ivr(tmp_path)
    assert (noted.promises, noted.served) == ({"a1": "2026-12-01"}, {"a1", "a2"})


def test_a_number_in_any_spelling_and_a_secret_are_found_in_a_log(tmp_path: Path) -> None:
    numbers, here = frozenset({HUMAN}), tmp_path / "engine.log"
    digits = HUMAN.removeprefix("+62")
    for spelled in (HUMAN, f"62{digits}", f"0{digits}", digits):
        assert "1 full numbers" in leaks.in_logs({here: f'{{"number": "{spelled}"}}'}, numbers, ())[0]
    assert leaks.in_logs({here: f"...{digits[-4:]} and 62812000099999"}, numbers, ("s3cret",)) == []
    assert "a secret in it, 2 times" in leaks.in_logs({here: "s3cret s3cret"}, numbers, ("s3cret",))[0]


def test_what_waits_in_the_spool_for_ever_is_found(tmp_path: Path) -> None:
    (tmp_path / "engine").write_bytes(b"")
    assert leaks.left_on_disk(tmp_path) == []
    (tmp_path / "engine.broken").write_bytes(b"x")
    assert leaks.left_on_disk(tmp_path) == ["engine.broken is left in the spool, 1 bytes"]


def test_a_process_that_grows_is_found() -> None:
    assert leaks.grown("engine", Load(20, 5), Load(25, 8)) == []
    assert len(leaks.grown("engine", Load(20, 5), Load(200, 80))) == 2


def test_the_same_seed_breaks_the_same_things() -> None:
    plans = [[(one.kind.name, one.lasts_s) for one in Hand(None, seed).plan(KINDS)] for seed in (1, 1, 2)]  # type: ignore[arg-type]
    assert plans[0] == plans[1] != plans[2]
    assert all(sum(name == kind.name for name, _ in plans[0]) == 2 for kind in KINDS)
    for kind in KINDS:
        assert all(kind.lasts_s[0] <= lasts <= kind.lasts_s[1] for name, lasts in plans[0] if name == kind.name)
