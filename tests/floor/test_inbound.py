"""Calls that come in: hostile caller ids, one of several campaigns, and what is put on the books."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dialer.floor.inbound import Incoming, Listed, attempt_of, by_line, caller_number, choose, is_channel
from dialer.keyed import number_key
from dialer.model import AgentState, CallState, Campaign, Contact, Fact, Number, NumberKind, NumberState
from tests.site import Stage, staged
from tests.twins import Debtor, play, until

KEY = bytes(range(32))
E164 = "+6281234567890"
HIS = number_key(KEY, E164)
FIRST = Campaign("first", "First", caller_id="+622150001234")
SECOND = Campaign("second", "Second", caller_id="+622150005678")


def listed(campaign: Campaign, last_at: float, **changes: object) -> Listed:
    number = replace(Number(E164, HIS), **changes)  # type: ignore[arg-type]
    return Listed(campaign, Contact(f"c-{campaign.id}", "p", (number,), last_at=last_at, zone="Asia/Makassar"))


@pytest.mark.parametrize(
    ("said", "read"),
    [
        (E164, E164),
        ("081234567890", E164),
        ("6281234567890", E164),
        ("", ""),
        ("anonymous", ""),
        ("unknown", ""),
        ("081234567890\r\nAction: Originate", ""),
        ("0812${SHELL(id)}", ""),
        ("+6281234567890;x=1", ""),
        ("٠٨١٢٣٤٥٦٧٨٩٠", ""),
        ("1" * 4000, ""),
        ("1500123", ""),
        ("112", ""),
        ("+14155550100", ""),
    ],
)
def test_a_caller_id_is_a_number_we_call_or_nothing(said: str, read: str) -> None:
    assert caller_number(said) == read


@given(st.text(max_size=60) | st.from_regex(r"\+?[0-9]{0,20}", fullmatch=True))
def test_no_caller_id_does_harm(said: str) -> None:
    found = caller_number(said)
    assert found == "" or (found.startswith("+62") and found[1:].isascii() and found[1:].isdigit())
    assert choose([listed(FIRST, 1.0)], HIS, said) is not None
    by_line([FIRST], said)


@pytest.mark.parametrize("dialled", ["02150001234", "+622150001234", "622150001234"])
def test_the_line_that_was_dialled_decides_before_the_newest_attempt(dialled: str) -> None:
    both = [listed(FIRST, 1.0), listed(SECOND, 2.0)]
    assert choose(both, HIS, dialled) is both[0]
    assert choose(both, HIS, "") is both[1]
    assert choose(both, HIS, "02100000000") is both[1]
    assert by_line([FIRST, SECOND], dialled) is FIRST


def test_a_line_of_two_campaigns_or_of_none_names_nobody() -> None:
    assert by_line([FIRST, replace(SECOND, caller_id=FIRST.caller_id)], "02150001234") is None
    assert by_line([replace(FIRST, caller_id="")], "") is None


@pytest.mark.parametrize(
    "changes",
    [
        {"state": NumberState.WRONG_PERSON},
        {"kind": NumberKind.EMERGENCY},
        {"kind": NumberKind.WORKPLACE},
        {"key": "another"},
    ],
)
def test_whose_number_it_is_not_is_not_matched(changes: dict[str, object]) -> None:
    assert choose([listed(FIRST, 1.0, **changes)], HIS, "") is None


def test_the_attempt_is_open_in_the_ivr_and_counts_no_try() -> None:
    contact = replace(listed(FIRST, 1.0).contact, tries=3)
    found = attempt_of(Incoming("node-1-1795250000.17", E164), FIRST, contact, E164, KEY, 7.0)
    assert (found.id, found.node, found.kind) == ("node-1-1795250000.17", "node-1", "inbound")
    assert (found.state, found.tries, found.answered_at, found.zone) == (CallState.IN_IVR, 3, 7.0, "Asia/Makassar")
    assert (found.number.key, found.person) == (HIS, "p")


def test_a_withheld_number_has_no_key() -> None:
    found = attempt_of(Incoming("a-1.1", ""), FIRST, None, "", KEY, 7.0)
    assert (found.number, found.person, found.contact) == (Number("", ""), "", "")


@pytest.mark.parametrize(
    ("name", "good"), [("node-1795250000.17", True), ("", False), ("a b.c", False), ("x" * 90, False)]
)
def test_a_channel_name_is_an_id_or_refused(name: str, good: bool) -> None:
    assert is_channel(name) is good


# ---- the engine on twins


def called_in(stage: Stage, channel: str, key_for_agent_s: float = 0.0, told: bool = True) -> str:
    """A listed debtor calls; the IVR puts him on the books and tells the engine."""
    contact = next(iter(stage.books.contacts.values()))
    came = attempt_of(Incoming(channel, ""), stage.campaign, contact, "", KEY, stage.clock.now())
    stage.books.open[channel] = replace(came, number=contact.numbers[0])
    stage.store.told[channel] = [Fact(1, stage.clock.now(), "verified"), Fact(2, stage.clock.now(), "closed", "agent")]
    stage.asterisk.call_in(channel, key_for_agent_s)
    return stage.command("inbound", attempt=channel) if told else ""


def busy(order: object) -> Debtor:
    return Debtor(answers=False, rings_s=1.0)


def test_a_caller_who_asks_for_an_agent_gets_one_before_new_answers_and_one_outcome() -> None:
    async def scene() -> None:
        async with staged(debtor=lambda order: Debtor(patience_s=12.0), agents=("101",)) as stage:
            await until(lambda: stage.state("101") is AgentState.TALKING)
            command = called_in(stage, "a-1.1", key_for_agent_s=1.0)
            await until(lambda: "a-1.1" in stage.outcomes())
            assert stage.store.replies[command][0]
            assert ("a-1.1", "101") in stage.asterisk.talks
            await stage.quiet()
            one = [one for one in stage.books.outcomes if one.attempt.id == "a-1.1"]
            assert [(done.verdict.outcome.value, done.record["direction"], done.record["kind"]) for done in one] == [
                ("connected", "in", "inbound")
            ]
            assert (one[0].verdict.count, one[0].verdict.live, one[0].verdict.conversation) == (False, False, True)
            rate = stage.run.abandons.rate(stage.run.pack.abandon_window, stage.clock.now())
            assert rate.live == sum(done.verdict.live for done in stage.books.outcomes)

    play(scene())


@pytest.mark.parametrize("key_for_agent_s", [0.0, 1.0])
def test_without_an_agent_he_is_served_and_never_counts_as_abandoned(key_for_agent_s: float) -> None:
    async def scene() -> None:
        async with staged(debtor=busy, agents=()) as stage:
            called_in(stage, "a-1.1", key_for_agent_s)
            await until(lambda: stage.outcomes().get("a-1.1"))
            assert stage.outcomes()["a-1.1"] == "ivr"
            rate = stage.run.abandons.rate(stage.run.pack.abandon_window, stage.clock.now())
            assert (rate.live, rate.abandoned) == (0, 0)

    play(scene())


def test_a_call_of_which_no_engine_was_told_is_found_by_the_next_leader() -> None:
    async def scene() -> None:
        async with staged(debtor=busy) as stage:
            called_in(stage, "a-1.1", told=False)
            stage.asterisk.end("a-1.1")
            stage.run.sweeps = 1
            await until(lambda: "a-1.1" in stage.outcomes())
            await stage.quiet()
            assert [one.attempt.id for one in stage.books.outcomes].count("a-1.1") == 1
            assert stage.outcomes()["a-1.1"] == "ivr"

    play(scene())


def test_a_call_that_ended_before_the_engine_heard_of_it_has_its_outcome() -> None:
    async def scene() -> None:
        async with staged(debtor=busy) as stage:
            called_in(stage, "a-1.1", told=False)
            stage.asterisk.end("a-1.1")
            stage.command("inbound", attempt="a-1.1")
            stage.command("inbound", attempt="a-1.1")
            await until(lambda: stage.outcomes().get("a-1.1"), 10.0)
            again = stage.command("inbound", attempt="a-1.1")
            await until(lambda: again in stage.store.replies)
            assert not stage.store.replies[again][0]

    play(scene())
