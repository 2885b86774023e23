"""One led campaign (dialer/running/run.py): its holds, its counts, its finishes, new settings."""

import json
from dataclasses import replace

import pytest

from dialer.floor.callbacks import LEAD_S
from dialer.law.abandon import Window
from dialer.model import CallState, Kind, Mode, NumberState, Outcome, Status
from dialer.ports import LinkHealth
from dialer.running.run import Run, Seen
from dialer.stream import iso
from tests import packs
from tests.floor.test_floor import T0, attempt
from tests.site import CAMPAIGN, TRUNK, contacts
from tests.twins import Debtor, TwinAsterisk, TwinClock, TwinStore, new_id, play

UP = LinkHealth(True, 5.0, 0)


def led(**changes: object) -> Run:
    """A run with nothing against it."""
    clock = TwinClock()
    phone = TwinAsterisk.__new__(TwinAsterisk)
    run = Run(CAMPAIGN, Status.RUNNING, 1, 100.0, TRUNK, packs.demo(), phone, TwinStore(clock), new_id)
    run.reconciled, run.due = True, 5
    for name, value in changes.items():
        setattr(run, name, value)
    return run


def test_nothing_against_it() -> None:
    assert led().holds(T0, 50.0, UP, Seen()) == ()


@pytest.mark.parametrize(
    ("changes", "health", "seen", "why"),
    [
        ({"status": Status.PAUSED}, UP, Seen(), "the campaign is paused"),
        ({"lease_until": 50.0}, UP, Seen(), "another engine may lead: the lease has run out"),
        ({}, LinkHealth(False, 0.0, 0), Seen(), "Asterisk cannot be reached"),
        ({"reconciled": False}, UP, Seen(), "Asterisk's calls are being compared with our books"),
        ({}, LinkHealth(True, 1200.0, 0), Seen(), "Asterisk is slow: acks take 1200 ms"),
        ({}, LinkHealth(True, 5.0, 9000), Seen(), "9000 events of Asterisk wait to be read"),
        ({}, UP, Seen(store_error="refused"), "Redis fails: refused"),
        ({}, UP, Seen(store_ping_s=1.5), "Redis is slow: 1.5 s"),
        ({}, UP, Seen(write_lag_s=2.0), "outcomes lag 2.0 s behind"),
        ({"trouble": "its trunk is gone"}, UP, Seen(), "its trunk is gone"),
        ({"due": 0}, UP, Seen(), "the list is empty"),
        ({"due": 0, "later": 7}, UP, Seen(), "nobody may be called now, 7 later"),
    ],
)
def test_each_hold(changes: dict[str, object], health: LinkHealth, seen: Seen, why: str) -> None:
    run = led(**changes)
    assert run.holds(T0, 50.0, health, seen) == (why,)
    decision = run.decide(T0, run.holds(T0, 50.0, health, seen))
    assert decision.start == 0
    assert why in decision.reason


def test_a_trunk_that_fails_is_a_hold() -> None:
    run = led()
    for number in range(5):
        gone = attempt(f"a{number}", T0, state=CallState.GONE, failed=True)
        run.finish(gone, (), contacts(1)[0], T0)
    assert run.holds(T0, 50.0, UP, Seen()) == ("the trunk fails: the next try in 5 s",)


@pytest.mark.parametrize(
    ("changes", "must_start_by", "why"),
    [
        ({}, T0 + 1, ""),
        ({}, T0 - 1, "too late"),
        ({"lease_until": 49.9}, T0 + 1, "lease"),
        ({"status": Status.STOPPED}, T0 + 1, "stopped"),
        ({"draining": True}, T0 + 1, "stopped"),
    ],
)
def test_what_bars_a_claimed_call(changes: dict[str, object], must_start_by: float, why: str) -> None:
    async def scene() -> None:
        run = led(**changes)
        run.phone = TwinAsterisk(TwinClock(), lambda order: Debtor())
        assert run.bars(T0, 50.0, must_start_by) == why
        if not why:
            run.phone.cut()
            assert run.bars(T0, 50.0, must_start_by) == "link"

    play(scene())


def test_our_own_fault_uses_up_no_try_and_no_number() -> None:
    run, contact = led(), replace(contacts(1)[0], numbers=contacts(1)[0].numbers * 2)
    ours = run.finish(attempt("a", T0, state=CallState.GONE, failed=True), (), contact, T0)
    assert ours.contact == contact
    busy = run.finish(attempt("b", T0, state=CallState.GONE, dialled=True, cause=17), (), contact, T0)
    assert busy.contact is not None
    assert (busy.contact.tries, busy.contact.next_number) == (1, 1)
    assert run.outcomes == {Outcome.TRUNK_DOWN: 1, Outcome.BUSY: 1}
    assert run.finish(attempt("c", T0, state=CallState.GONE, kind="inbound"), (), None, T0).contact is None


def test_a_live_answer_counts_once() -> None:
    run = led()
    for kind in ("connect", "abandon", "hung_up", "overflow", "served", "talk_end"):
        run._told(kind, "a", "101", T0)
    rate = run.abandons.rate(Window.CAMPAIGN, T0)
    assert (rate.live, rate.abandoned, rate.overflowed) == (5, 2, 1)


def test_the_board_is_what_a_successor_goes_on_with() -> None:
    run = led()
    run._told("abandon", "a", "", T0)
    run.finish(attempt("b", T0, state=CallState.GONE, dialled=True, cause=17), (), contacts(1)[0], T0)
    board = run.board(T0, ("because",), "a", UP)
    shown = json.loads(board)
    assert (shown["holds"], shown["day"]["dialled"], shown["trunk"]["name"]) == (["because"], 1, TRUNK.name)
    assert shown["settings"]["mode"] == CAMPAIGN.mode
    after = led()
    after.take_over(board)
    assert after.abandons.rate(Window.CAMPAIGN, T0).live == 1
    assert after.tally.day == run.tally.day
    shown["kept"]["tally"] = {"v": 9}
    after.take_over(json.dumps(shown).encode())
    assert after.tally.day == run.tally.day
    assert (after.outcomes, after.sequence) == ({"busy": 1}, 1)
    after.take_over(None)


def test_new_settings_reach_every_part_and_keep_the_counts() -> None:
    run = led()
    run._told("abandon", "a", "", T0)
    campaign = replace(CAMPAIGN, lines_max=3, name="New")
    assert run.change(campaign, replace(TRUNK, lines=7), run.pack) == ""
    assert run.floor.campaign == run.placer.campaign == campaign
    assert (run.pacer.limits.lines_max, run.trunk.lines) == (3, 7)
    assert run.abandons.rate(Window.CAMPAIGN, T0).live == 1


def test_some_changes_have_to_wait() -> None:
    run = led()
    run.floor.claimed(attempt("a", T0), T0)
    assert "wait for the calls" in run.change(replace(CAMPAIGN, detection=True), TRUNK, run.pack)
    assert "wait for the calls" in run.change(replace(CAMPAIGN, kind=Kind.IVR, mode=Mode.IVR), TRUNK, run.pack)
    assert "another Asterisk" in run.change(CAMPAIGN, replace(TRUNK, node="b"), run.pack)
    run.floor.recorded("a")
    assert run.change(replace(CAMPAIGN, detection=True), TRUNK, run.pack) == ""
    assert "another Asterisk" in run.change(CAMPAIGN, replace(TRUNK, node="b"), run.pack)


def test_a_wish_is_told_as_it_is_and_stands_on_the_list_a_little_before() -> None:
    run, contact = led(), contacts(1)[0]
    wish = T0 + 3600.0
    talked = attempt("a", T0 - 60, state=CallState.GONE, number=contact.numbers[0], agent="101", joined_at=T0 - 30)
    done = run.finish(
        replace(talked, answered_at=T0 - 31, talk_s=30.0, disposition=f"callback:{wish}"), (), contact, T0
    )
    assert done.contact is not None
    assert (done.contact.callback_at, done.contact.callback_agent) == (wish, "101")
    assert done.record["retry_at"] == done.record["callback_at"] == iso(wish)
    assert done.verdict.retry_at == wish - LEAD_S


def test_a_wrong_person_leaves_the_turn_to_his_other_number() -> None:
    run = led()
    home, work = contacts(2)[0].numbers[0], contacts(2)[1].numbers[0]
    contact = replace(contacts(1)[0], numbers=(home, work))
    talked = attempt("a", T0 - 60, state=CallState.GONE, number=home, joined_at=T0 - 30, disposition="wrong_person")
    done = run.finish(replace(talked, answered_at=T0 - 31, agent="101"), (), contact, T0)
    assert done.contact is not None
    assert done.contact.numbers[0].state is NumberState.WRONG_PERSON
    assert (done.contact.next_number, done.record["wrong_person"], done.record["stop"]) == (1, "1", "0")
    again = run.finish(replace(talked, id="b", answered_at=T0 - 31, number=work), (), done.contact, T0)
    assert (again.verdict.retry_at, again.record["rests"]) == (0.0, "no_number")
