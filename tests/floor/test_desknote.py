"""What a desk is told at each change of its agent."""

from dataclasses import replace

import pytest

from dialer.floor.desknote import DeskNote, desk_note
from dialer.model import Agent, AgentState, Attempt, CallState, Number, NumberKind
from tests.site import CAMPAIGN, staged
from tests.twins import Debtor, TimelessLoop, until

AGENT = Agent("101", "a", "c1", AgentState.RESERVED, since=10.0, attempt="one")
ATTEMPT = Attempt(
    "one", "c1", "a", "call_back", "trunk", "", "en", "demo", "k1", "p1",
    Number("+6281234567890", "n1", NumberKind.EMERGENCY), CallState.JOINING,
)  # fmt: skip


def told(agent: Agent = AGENT, attempt: Attempt | None = ATTEMPT) -> DeskNote:
    return desk_note(agent, attempt, CAMPAIGN, 12.5, 7, 3)


def test_a_reservation_tells_whose_call_it_is_and_no_number() -> None:
    note = told()
    assert (note.state, note.attempt, note.contact, note.kind, note.call) == (
        "reserved",
        "one",
        "k1",
        "call_back",
        "joining",
    )
    assert (note.number, note.number_kind, note.language) == ("***********890", "emergency", "en")
    assert (note.since, note.at, note.token, note.turn, note.wrap_until) == (10.0, 12.5, 7, 3, 0.0)


def test_an_attempt_that_is_known_no_more_leaves_its_id() -> None:
    assert (told(attempt=None).attempt, told(attempt=None).contact, told(attempt=None).call) == ("one", "", "")


@pytest.mark.parametrize(
    ("agent", "wrap_until", "next_"),
    [
        (replace(AGENT, state=AgentState.WRAP_UP), 15.0, ""),
        (replace(AGENT, break_next=True), 0.0, "break"),
        (replace(AGENT, break_next=True, sign_out_next=True), 0.0, "sign_out"),
    ],
)
def test_limits_and_wishes(agent: Agent, wrap_until: float, next_: str) -> None:
    assert (told(agent).wrap_until, told(agent).next) == (wrap_until, next_)


async def whole_call() -> list[DeskNote]:
    async with staged(debtor=lambda order: Debtor(patience_s=9.0), listed=1, agents=("101",)) as stage:
        await until(lambda: stage.books.outcomes and stage.state("101") is AgentState.IDLE)
        return stage.store.desks


def test_the_desk_hears_of_a_whole_call() -> None:
    loop = TimelessLoop()
    try:
        notes = loop.run_until_complete(whole_call())
    finally:
        loop.close()
    assert [note.state for note in notes] == ["raising", "idle", "reserved", "talking", "wrap_up", "idle"]
    assert [note.turn for note in notes] == sorted({note.turn for note in notes})
    reserved, talking, wrap_up = notes[2:5]
    assert reserved.contact == talking.contact == wrap_up.contact == "k00000"
    assert (reserved.call, talking.call) == ("joining", "talking")
    assert wrap_up.wrap_until == wrap_up.since + CAMPAIGN.wrap_up_max_s
    assert not notes[5].attempt
