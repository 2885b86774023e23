"""Results of talks on the engine: offers within the lender's limits, results that come late, orders for calls gone."""

from collections.abc import Coroutine
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from dialer.debts.plans import Limits, for_contact
from dialer.model import AgentState, Contact, Fact, History, Mode, Number
from dialer.outcomes import verdict
from dialer.running.mending import LATE, NOT_YOURS
from dialer.stream import record
from tests.site import CAMPAIGN, Stage, contacts, staged
from tests.twins import EPOCH, Debtor, TimelessLoop, until

LENDER = Limits(parts=3, round_to=1000, first_percent=30, defer_days=14, defer_fee=25_000)
OWES = Contact(
    "k1", "p1", (Number("+6281234567890", "n1"),), zone="Asia/Jakarta", lender="Bank Maju", amount=1_000_000
)  # fmt: skip
TODAY = (datetime.fromtimestamp(EPOCH, UTC) + timedelta(hours=7)).date()
SHORT, LONG, DEFER = map(str, for_contact(OWES, LENDER, TODAY))
FIRST = TODAY + timedelta(days=3)
QUIET = replace(CAMPAIGN, wrap_up_max_s=30)


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


async def wrapping(stage: Stage, agent: str = "101") -> str:
    """His call, which has just ended."""
    await until(lambda: stage.state(agent) is AgentState.WRAP_UP)
    return stage.run.floor.team.agents[agent].attempt


def by_lender(campaign: str, lender: str) -> Limits:
    return LENDER if lender == "Bank Maju" else Limits()


# ---- offers


def test_an_offer_that_an_agent_agrees_is_written_as_the_ivrs_is() -> None:
    async def scene() -> None:
        async with staged(QUIET, lambda order: Debtor(patience_s=6.0), agents=("101",), people=[OWES]) as stage:
            stage.run.floor.limits_of = by_lender
            attempt = await wrapping(stage)
            assert (await said(stage, "wrapped", agent="101", attempt=attempt, disposition=f"offer:{SHORT}"))[0]
            await until(lambda: stage.books.outcomes)
            (finish,) = stage.books.outcomes
            told = finish.record
            assert (told["disposition"], told["reason"], told["offer"]) == ("offer", "offer", SHORT)
            assert (told["promise_due"], told["promise_amount"]) == (f"{FIRST}", "500000")
            assert finish.promise is not None
            assert (finish.promise.by, finish.promise.due, finish.promise.amount) == ("101", FIRST, 500_000)
            heard = [Fact(1, EPOCH, "offer", SHORT), Fact(2, EPOCH, "promise", f"{FIRST};500000")]
            at = finish.attempt.joined_at
            ivr = replace(finish.attempt, joined_at=0.0, disposition="", ivr_at=at, ivr_result="done")
            by_ivr = record(ivr, verdict(ivr, heard, QUIET, EPOCH), heard, OWES, QUIET)
            same = ("offer", "promise_due", "promise_amount", "currency", "conversation")
            assert [by_ivr[name] for name in same] == [told[name] for name in same]

    play(scene())


@pytest.mark.parametrize(
    ("person", "offer", "says"),
    [
        (OWES, SHORT.replace("500000", "400000"), "does not offer this"),
        (OWES, f"gift;{FIRST}=1", "does not offer this"),
        (OWES, "", "does not offer this"),
        (OWES, str(for_contact(OWES, LENDER, TODAY - timedelta(days=1))[0]), "does not offer this"),
        (replace(OWES, lender="Bank Lain"), SHORT, "offers nothing"),
        (replace(OWES, amount=0), SHORT, "offers nothing"),
    ],
)
def test_an_offer_outside_the_limits_is_refused_and_can_be_mended(person: Contact, offer: str, says: str) -> None:
    async def scene() -> None:
        async with staged(QUIET, lambda order: Debtor(patience_s=6.0), agents=("101",), people=[person]) as stage:
            stage.run.floor.limits_of = by_lender
            attempt = await wrapping(stage)
            ok, why = await said(stage, "wrapped", agent="101", attempt=attempt, disposition=f"offer:{offer}")
            assert (ok, says in why) == (False, True), why
            assert stage.state("101") is AgentState.WRAP_UP
            assert (await said(stage, "wrapped", agent="101", attempt=attempt, disposition="refuses"))[0]

    play(scene())


def test_what_counts_is_what_the_lender_takes_and_what_is_owed_when_it_is_sent() -> None:
    async def scene() -> None:
        async with staged(QUIET, lambda order: Debtor(patience_s=6.0), agents=("101",), people=[OWES]) as stage:
            stage.run.floor.limits_of = by_lender
            attempt = await wrapping(stage)
            stage.books.contacts["k1"] = now = replace(
                stage.books.contacts["k1"], amount=800_000
            )  # the list came again
            ok, _ = await said(stage, "disposition", agent="101", attempt=attempt, disposition=f"offer:{SHORT}")
            assert not ok
            newer = str(for_contact(now, LENDER, TODAY)[0])
            assert (await said(stage, "disposition", agent="101", attempt=attempt, disposition=f"offer:{newer}"))[0]
            stage.run.floor.limits_of = lambda campaign, lender: Limits()  # the lender takes his word back
            ok, why = await said(stage, "disposition", agent="101", attempt=attempt, disposition=f"offer:{newer}")
            assert (ok, "offers nothing" in why) == (False, True)

    play(scene())


# ---- late results


def test_a_first_result_that_comes_when_the_call_is_closed_is_a_correction() -> None:
    async def scene() -> None:
        async with staged(debtor=lambda order: Debtor(patience_s=6.0), listed=2, agents=("101",)) as stage:
            stage.run.floor.limits_of = by_lender
            attempt = await wrapping(stage)
            await until(lambda: stage.books.outcomes)  # his wrap-up ended by itself
            assert stage.books.outcomes[0].record["disposition"] == ""
            await until(lambda: stage.state("101") is AgentState.TALKING)
            other = stage.run.floor.team.agents["101"].attempt
            assert await said(stage, "wrapped", agent="101", attempt=attempt, disposition="hardship") == (True, LATE)
            (entry,) = stage.books.corrections
            assert (entry["attempt"], entry["disposition"], entry["hardship"]) == (attempt, "hardship", "1")
            assert stage.run.floor.attempts[other].disposition == "", "the next call has not got it"
            assert stage.state("101") is AgentState.TALKING
            assert await said(stage, "wrapped", agent="102", attempt=attempt, disposition="stop") == (False, NOT_YOURS)

    play(scene())


def test_a_result_waits_for_an_outcome_that_is_still_being_written() -> None:
    async def scene() -> None:
        async with staged(debtor=lambda order: Debtor(patience_s=6.0), listed=1, agents=("101",)) as stage:
            attempt = await wrapping(stage)
            stage.store.slow_s = 0.8
            await until(lambda: attempt not in stage.run.floor.attempts)
            assert not stage.books.outcomes
            ok, text = await said(stage, "disposition", agent="101", attempt=attempt, disposition="stop")
            assert (ok, text) == (True, LATE)
            assert [one["stop"] for one in stage.books.corrections] == ["1"]

    play(scene())


# ---- orders about a call that is over


@pytest.mark.parametrize("name", ["hang_up", "hold", "to_ivr", "record_pause", "help"])
def test_a_key_pressed_for_the_last_call_does_nothing_to_the_next(name: str) -> None:
    async def scene() -> None:
        campaign = replace(CAMPAIGN, record=True)
        async with staged(campaign, lambda order: Debtor(patience_s=8.0), listed=2, agents=("101",)) as stage:
            attempt = await wrapping(stage)
            await until(lambda: stage.state("101") is AgentState.TALKING)
            before = stage.run.floor.attempts[stage.run.floor.team.agents["101"].attempt]
            assert await said(stage, name, agent="101", attempt=attempt) == (False, "that call is over")
            assert stage.run.floor.attempts[before.id].state is before.state

    play(scene())


def test_a_skip_pressed_twice_leaves_the_next_account_alone() -> None:
    async def scene() -> None:
        preview = replace(CAMPAIGN, mode=Mode.PREVIEW, preview_s=30)
        async with staged(preview, listed=3, agents=()) as stage:
            stage.command("sign_in", agent="101")
            offers = stage.run.offers
            await until(lambda: offers.get("101"))
            assert (await said(stage, "preview_skip", agent="101", reason="busy", contact="k00000"))[0]
            await until(lambda: offers.get("101"))
            for name in ("preview_skip", "preview_call"):
                again = await said(stage, name, agent="101", reason="busy", contact="k00000")
                assert again == (False, "another account is shown now")
            assert [contact.id for contact, _, _ in stage.books.refusals] == ["k00000"]
            assert stage.placed() == []

    play(scene())


def test_a_call_by_hand_that_the_gate_refuses_is_counted_and_changes_nothing() -> None:
    async def scene() -> None:
        person = replace(contacts(1)[0], zone="Asia/Jayapura")
        async with staged(agents=(), people=[person]) as stage:
            stage.books.due[person.id] = EPOCH + 86400.0
            await stage.sign_in("101")
            stage.store.past["p:p0"] = History(stop=True)
            ok, why = await said(stage, "dial", agent="101", contact=person.id, number="0")
            assert (ok, bool(why), stage.placed()) == (False, True, [])
            ((contact, _, refused),) = stage.books.refusals
            assert (contact.id, refused.rule) == (person.id, "stop")
            assert stage.run.tally.day.refused == {"stop": 1}
            assert stage.books.due[person.id] == EPOCH + 86400.0

    play(scene())
