"""Calls that agents start: an account shown first, a number dialled by hand; nobody who answers is left alone."""

import asyncio
from collections.abc import Coroutine
from dataclasses import replace
from typing import Any

import pytest

from dialer.floor.desknote import DeskNote
from dialer.floor.team import SUPERVISING
from dialer.model import (
    AfterPreview,
    AgentState,
    Contact,
    History,
    Mode,
    Number,
)
from tests.site import CAMPAIGN, Stage, contacts, staged
from tests.twins import EPOCH, Debtor, TimelessLoop, until

PREVIEW = replace(CAMPAIGN, mode=Mode.PREVIEW, preview_s=30, preview_skip_s=600)


def play(scene: Coroutine[Any, Any, None]) -> None:
    loop = TimelessLoop()
    try:
        loop.run_until_complete(scene)
    finally:
        loop.close()


async def said(stage: Stage, name: str, **args: str) -> tuple[bool, str]:
    """The engine's answer."""
    command = stage.command(name, 30.0, **args)
    await until(lambda: command in stage.store.replies)
    return stage.store.replies[command]


def shown(stage: Stage, agent: str) -> DeskNote | None:
    """The last note of his desk, if an account is shown."""
    notes = [note for note in stage.store.desks if note.agent == agent]
    return notes[-1] if notes and notes[-1].state == "preview" else None


async def looks(stage: Stage, agent: str) -> DeskNote:
    await until(lambda: shown(stage, agent))
    note = shown(stage, agent)
    assert note is not None
    return note


async def here(stage: Stage, agent: str) -> None:
    """Signed in, with or without an account before him."""
    stage.command("sign_in", agent=agent)
    await until(lambda: stage.state(agent) in (AgentState.IDLE, AgentState.PREVIEW))


def answers(order: object) -> Debtor:
    return Debtor(patience_s=8.0)


def test_each_free_agent_sees_an_account_of_his_own_and_nobody_is_called() -> None:
    async def scene() -> None:
        async with staged(PREVIEW, answers, 5, ("101", "102")) as stage:
            one, two = await looks(stage, "101"), await looks(stage, "102")
            assert {one.contact, two.contact} == {"k00000", "k00001"}
            assert (one.kind, one.preview_until > one.at, one.attempt) == ("preview", True, "")
            await asyncio.sleep(20.0)
            assert stage.placed() == []
            assert {stage.state("101"), stage.state("102")} == {AgentState.PREVIEW}

    play(scene())


def test_he_calls_the_account_that_he_sees() -> None:
    async def scene() -> None:
        async with staged(PREVIEW, answers, 3, ("101",)) as stage:
            note = await looks(stage, "101")
            ok, attempt = await said(stage, "preview_call", agent="101")
            assert ok
            assert stage.state("101") is AgentState.RESERVED
            await until(lambda: stage.state("101") is AgentState.TALKING)
            told = [one.call for one in stage.store.desks if one.attempt == attempt]
            assert "ringing" in told
            await until(lambda: stage.state("101") is AgentState.WRAP_UP)
            await said(stage, "wrapped", agent="101", disposition="refuses")
            await until(lambda: stage.books.outcomes)
            (finish,) = stage.books.outcomes
            assert (finish.attempt.id, finish.attempt.contact, finish.attempt.kind) == (
                attempt,
                note.contact,
                "preview",
            )
            assert finish.record["kind"] == "preview"
            assert (await looks(stage, "101")).contact == "k00001", "the next one"

    play(scene())


def test_who_does_not_answer_costs_no_wrap_up() -> None:
    async def scene() -> None:
        async with staged(PREVIEW, lambda order: Debtor(answers=False), 3, ("101",)) as stage:
            await looks(stage, "101")
            assert (await said(stage, "preview_call", agent="101"))[0]
            await until(lambda: stage.books.outcomes)
            assert (await looks(stage, "101")).contact == "k00001"

    play(scene())


def test_a_skipped_account_is_due_again_later_and_says_why() -> None:
    async def scene() -> None:
        async with staged(PREVIEW, answers, 2, ("101",)) as stage:
            assert (await looks(stage, "101")).contact == "k00000"
            assert not (await said(stage, "preview_skip", agent="101", reason=" "))[0]
            assert (await said(stage, "preview_skip", agent="101", reason="spoke with him today"))[0]
            await until(lambda: shown(stage, "101") and shown(stage, "101").contact == "k00001")  # type: ignore[union-attr]
            ((contact, _, refused),) = stage.books.refusals
            assert (contact.id, refused.rule, refused.reason) == ("k00000", "skipped", "spoke with him today")
            assert round(refused.until - stage.clock.now()) in range(595, 601)
            assert stage.placed() == []

    play(scene())


@pytest.mark.parametrize(("then", "called"), [(AfterPreview.SKIP, 0), (AfterPreview.CALL, 1)])
def test_time_is_up(then: AfterPreview, called: int) -> None:
    async def scene() -> None:
        async with staged(replace(PREVIEW, preview_then=then), answers, 2, ("101",)) as stage:
            await looks(stage, "101")
            await until(lambda: stage.placed() or stage.books.refusals)
            assert len(stage.placed()) == called
            assert [refused.reason for _, _, refused in stage.books.refusals] == ([] if called else ["time is up"])

    play(scene())


@pytest.mark.parametrize("leaves", ["break", "sign_out", "leg"])
def test_who_goes_from_his_account_leaves_it_to_the_next(leaves: str) -> None:
    async def scene() -> None:
        async with staged(PREVIEW, answers, 1, ("101",)) as stage:
            await looks(stage, "101")
            if leaves == "leg":
                stage.asterisk.phones_off.add("101")
                stage.asterisk.end(next(iter(stage.asterisk.legs())))
            else:
                await said(stage, leaves, agent="101")
            stage.command("sign_in", agent="102")
            assert (await looks(stage, "102")).contact == "k00000"

    play(scene())


def test_the_gate_decides_under_the_lock_too() -> None:
    async def scene() -> None:
        async with staged(PREVIEW, answers, 1, ("101",)) as stage:
            await looks(stage, "101")
            stage.store.past["p:p0"] = History(stop=True)
            ok, why = await said(stage, "preview_call", agent="101")
            assert (ok, stage.placed()) == (False, [])
            assert why
            assert stage.state("101") in (AgentState.IDLE, AgentState.PREVIEW)

    play(scene())


# ---- by hand


def two_numbers() -> Contact:
    return Contact("k9", "p9", (Number("+628120000001", "n91"), Number("+628120000002", "n92")))


@pytest.mark.parametrize("mode", [Mode.PREVIEW, Mode.PROGRESSIVE])
def test_a_number_of_an_account_is_dialled_by_hand(mode: Mode) -> None:
    async def scene() -> None:
        async with staged(replace(CAMPAIGN, mode=mode), answers, agents=(), people=[two_numbers()]) as stage:
            stage.books.due["k9"] = EPOCH + 86400.0  # the pacer leaves him alone
            await here(stage, "101")
            ok, attempt = await said(stage, "dial", agent="101", contact="k9", number="1")
            assert ok, attempt
            (order,) = [one for one in stage.asterisk.originated if one.channel_id == attempt]
            assert "628120000002" in order.channel
            await until(lambda: stage.state("101") is AgentState.TALKING)
            await until(lambda: stage.state("101") is AgentState.WRAP_UP)
            await said(stage, "wrapped", agent="101")
            await until(lambda: stage.books.outcomes)
            (finish,) = stage.books.outcomes
            assert (finish.attempt.kind, finish.attempt.agent) == ("manual", "101")

    play(scene())


@pytest.mark.parametrize(
    ("contact", "number", "says"),
    [
        ("k9", "2", "is none of his numbers"),
        ("k9", "+628129999999", "is none of his numbers"),
        ("nobody", "0", "not on the campaign's list"),
    ],
)
def test_free_numbers_are_refused(contact: str, number: str, says: str) -> None:
    async def scene() -> None:
        async with staged(PREVIEW, answers, agents=(), people=[two_numbers()]) as stage:
            await here(stage, "101")
            ok, why = await said(stage, "dial", agent="101", contact=contact, number=number)
            assert not ok
            assert says in why
            assert stage.placed() == []

    play(scene())


def test_no_call_by_hand_past_the_gate_the_stop_or_the_lines() -> None:
    async def scene() -> None:
        async with staged(
            replace(PREVIEW, lines_max=1), answers, agents=(), people=[two_numbers(), *contacts(2)]
        ) as stage:
            stage.command("sign_in", agent="101")
            await looks(stage, "101")
            stage.store.past["p:p9"] = History(stop=True)
            due = stage.books.due["k9"]
            ok, why = await said(stage, "dial", agent="101", contact="k9", number="0")
            assert (ok, bool(why), stage.placed()) == (False, True, [])
            assert stage.books.due["k9"] == due, "when he is due is not the agent's to change"
            await looks(stage, "101")
            assert (await said(stage, "dial", agent="101", contact="k00001", number="0"))[0]
            stage.command("sign_in", agent="102")
            await until(lambda: stage.state("102") in (AgentState.IDLE, AgentState.PREVIEW))
            assert await said(stage, "dial", agent="102", contact="k00000", number="0") == (
                False,
                "all lines are in use",
            )
            await said(stage, "pause")
            ok, why = await said(stage, "dial", agent="102", contact="k00000", number="0")
            assert (ok, "paused" in why) == (False, True)

    play(scene())


@pytest.mark.parametrize("answered", [True, False])
def test_who_dials_in_his_break_is_on_it_again_afterwards(answered: bool) -> None:
    """Nobody of the queue reaches him before, between or after."""

    async def scene() -> None:
        predictive = replace(CAMPAIGN, mode=Mode.PREDICTIVE)
        person = replace(two_numbers(), id="k99", person="p99")
        debtor = Debtor(patience_s=8.0, answers=answered)
        async with staged(predictive, lambda order: debtor, agents=(), people=[person]) as stage:
            stage.books.due["k99"] = EPOCH + 86400.0
            await here(stage, "101")
            await said(stage, "break", agent="101", reason="prayer")
            await stage.store.add_contacts(CAMPAIGN.id, contacts(5), stage.clock.now())
            await asyncio.sleep(30.0)
            assert stage.placed() == []
            ok, attempt = await said(stage, "dial", agent="101", contact="k99", number="0")
            assert ok, attempt
            assert stage.state("101") is AgentState.RESERVED
            if answered:
                await until(lambda: stage.state("101") is AgentState.WRAP_UP)
                await said(stage, "wrapped", agent="101", disposition="refuses")
            await until(lambda: stage.books.outcomes and stage.state("101") is AgentState.BREAK)
            agent = stage.run.floor.team.agents["101"]
            assert (agent.break_reason, agent.break_next, agent.attempt) == ("prayer", False, "")
            assert stage.placed() == [attempt]

    play(scene())


@pytest.mark.parametrize("ordered", ["forced", "supervising"])
def test_no_call_by_hand_from_a_break_that_is_not_his_own(ordered: str) -> None:
    async def scene() -> None:
        async with staged(CAMPAIGN, answers, agents=(), people=[two_numbers()]) as stage:
            stage.books.due["k9"] = EPOCH + 86400.0
            await here(stage, "101")
            args = {"forced": "yes"} if ordered == "forced" else {}
            await said(stage, "break", agent="101", reason="prayer", **args)
            if ordered == "supervising":
                team = stage.run.floor.team
                team.keep(replace(team.agents["101"], break_reason=SUPERVISING))
            ok, why = await said(stage, "dial", agent="101", contact="k9", number="0")
            assert (ok, why) == (False, "agent 101 is break")
            assert stage.placed() == []

    play(scene())


def test_an_agent_whose_phone_dies_while_it_rings_takes_the_call_with_him() -> None:
    async def scene() -> None:
        async with staged(PREVIEW, lambda order: Debtor(rings_s=15.0), 1, ("101",)) as stage:
            await looks(stage, "101")
            assert (await said(stage, "preview_call", agent="101"))[0]
            await asyncio.sleep(3.0)
            stage.asterisk.phones_off.add("101")
            stage.asterisk.end(next(iter(stage.asterisk.legs())))
            await until(lambda: stage.books.outcomes)
            (finish,) = stage.books.outcomes
            assert (finish.verdict.outcome.value, finish.verdict.reason) == ("cancelled", "agent_gone")

    play(scene())
