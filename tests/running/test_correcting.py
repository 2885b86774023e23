"""A result that changes after the outcome was written: one correction, with what follows, and no second outcome."""

from collections.abc import Coroutine
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dialer.lists.outlook import Outlook
from dialer.lists.recycling import recycle
from dialer.model import AgentState, Attempt, CallState, Contact, Number, NumberState
from dialer.outcomes import verdict
from dialer.running.correcting import correct, known_attempt
from dialer.stream import record
from tests.site import CAMPAIGN, Stage, staged
from tests.twins import Debtor, TimelessLoop, until

AT = 1_800_000_000.0
CONTACT = Contact("k1", "p1", (Number("+6281234567890", "n1"), Number("+6281234567891", "n2")), zone="Asia/Jakarta")
DAYS = Outlook()


def spoken(disposition: str = "refuses") -> Attempt:
    return Attempt(
        "01kd0000000000000000000000", "c1", "a", "predictive", "trunk", "+6221", "id", "demo", "k1", "p1",
        CONTACT.numbers[0], CallState.GONE, claimed_at=AT - 90, placed_at=AT - 89, dialled=True, ringing_at=AT - 85,
        answered_at=AT - 80, joined_at=AT - 79.5, left_at=AT - 20, ended_at=AT - 20, wrapped_at=AT - 5, talk_s=59.5,
        agent="101", agents="101", cause=16, disposition=disposition, zone="Asia/Jakarta",
    )  # fmt: skip


def written(disposition: str = "refuses") -> tuple[dict[str, str], Contact]:
    attempt = spoken(disposition)
    kept, judged = recycle(CAMPAIGN, CONTACT, attempt, verdict(attempt, (), CAMPAIGN, AT), AT, DAYS)
    return record(attempt, judged, (), CONTACT, CAMPAIGN), kept


@pytest.mark.parametrize(
    ("before", "after", "changed"),
    [
        ("refuses", "stop", {"disposition": "stop", "stop": "1", "rests": "stop", "retry_at": "", "reason": "stop"}),
        ("refuses", "promise:2027-01-20;500000", {"promise_due": "2027-01-20", "promise_amount": "500000"}),
        ("stop", "refuses", {"disposition": "refuses", "stop": "0", "rests": ""}),
        ("refuses", "wrong_number", {"wrong_person": "1", "conversation": "0"}),
        ("refuses", "hardship", {"hardship": "1"}),
    ],
)
def test_the_entry_names_what_changes(before: str, after: str, changed: dict[str, str]) -> None:
    told, kept = written(before)
    found = correct(told, after, (), kept, CAMPAIGN, DAYS, "boss", AT + 60)
    assert found is not None
    assert changed.items() <= found.entry.items()
    assert (found.entry["type"], found.entry["attempt"], found.entry["by"]) == ("correction", told["attempt"], "boss")
    assert not {"outcome", "talk_s", "joined_at", "cause"} & found.entry.keys()


def test_nothing_new_is_no_correction() -> None:
    told, kept = written("told")
    first = correct(told, "told", (), kept, CAMPAIGN, DAYS, "boss", AT)
    assert first is None


def test_the_attempt_is_counted_once() -> None:
    told, kept = written()
    found = correct(told, "call_back", (), kept, CAMPAIGN, DAYS, "boss", AT + 60)
    assert found is not None
    assert found.contact is not None
    assert (found.contact.tries, found.contact.came) == (kept.tries, kept.came)


def test_who_has_been_called_since_stays_where_he_is_unless_he_rests() -> None:
    told, kept = written()
    later = replace(kept, last_at=AT + 3600)
    for word, moved in (("hardship", False), ("stop", True)):
        found = correct(told, word, (), later, CAMPAIGN, DAYS, "boss", AT + 7200)
        assert found is not None
        assert (found.contact is not None) is moved


def test_a_wrong_number_is_marked_and_the_next_has_its_turn() -> None:
    told, kept = written()
    found = correct(told, "wrong_number", (), kept, CAMPAIGN, DAYS, "boss", AT + 60)
    assert found is not None
    assert found.contact is not None
    assert found.contact.numbers[0].state is NumberState.WRONG_PERSON
    assert found.contact.next_number == 1


@given(st.sampled_from(["refuses", "stop", "promise:2027-01-20;5", "hardship", "", "told", "wrong_number"]))
def test_the_record_tells_enough_to_be_judged_again(word: str) -> None:
    told, kept = written(word)
    again = replace(known_attempt(told, kept), disposition=word)
    assert verdict(again, (), CAMPAIGN, AT) == verdict(spoken(word), (), CAMPAIGN, AT)
    assert {**record(again, verdict(again, (), CAMPAIGN, AT), (), CONTACT, CAMPAIGN), "retry_at": ""} == {
        **record(spoken(word), verdict(spoken(word), (), CAMPAIGN, AT), (), CONTACT, CAMPAIGN), "retry_at": ""
    }  # fmt: skip


# ---- on the engine


def play(scene: Coroutine[Any, Any, None]) -> None:
    loop = TimelessLoop()
    try:
        loop.run_until_complete(scene)
    finally:
        loop.close()


async def said(stage: Stage, name: str, **args: str) -> tuple[bool, str]:
    command = stage.command(name, 30.0, **args)
    await until(lambda: command in stage.store.replies)
    return stage.store.replies[command]


async def talked(stage: Stage) -> str:
    """A call that is over and written; its id."""
    await until(lambda: stage.state("101") is AgentState.WRAP_UP)
    await said(stage, "wrapped", agent="101", disposition="refuses")
    await until(lambda: stage.books.outcomes)
    found: str = stage.books.outcomes[0].attempt.id
    return found


def test_a_late_stop_is_a_correction_and_not_a_second_outcome() -> None:
    async def scene() -> None:
        async with staged(debtor=lambda order: Debtor(patience_s=6.0), listed=1, agents=("101",)) as stage:
            attempt = await talked(stage)
            assert await said(stage, "correct", attempt=attempt, disposition="stop") == (True, "corrected")
            assert len(stage.books.outcomes) == 1
            (entry,) = stage.books.corrections
            assert (entry["attempt"], entry["disposition"], entry["stop"]) == (attempt, "stop", "1")
            assert stage.books.due["k00000"] == float("inf")

    play(scene())


@pytest.mark.parametrize(
    ("attempt", "disposition", "says"),
    [("", "", "say what the result was"), ("", "callback:soon", "is no time"), ("nobody", "stop", "no agent's call")],
)
def test_what_cannot_be_corrected(attempt: str, disposition: str, says: str) -> None:
    async def scene() -> None:
        async with staged(debtor=lambda order: Debtor(patience_s=6.0), listed=1, agents=("101",)) as stage:
            known = await talked(stage)
            ok, why = await said(stage, "correct", attempt=attempt or known, disposition=disposition)
            assert not ok
            assert says in why
            assert stage.books.corrections == []

    play(scene())


def test_before_the_outcome_is_written_it_simply_counts() -> None:
    async def scene() -> None:
        async with staged(debtor=lambda order: Debtor(patience_s=30.0), listed=1, agents=("101",)) as stage:
            await until(lambda: stage.state("101") is AgentState.TALKING)
            attempt = stage.run.floor.team.agents["101"].attempt
            assert await said(stage, "correct", attempt=attempt, disposition="hardship") == (True, "noted")
            await until(lambda: stage.books.outcomes)
            assert stage.books.outcomes[0].record["disposition"] == "hardship"
            assert stage.books.corrections == []

    play(scene())
