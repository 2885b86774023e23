"""Calls that come in: hostile caller ids, one of several campaigns, and what is put on the books."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dialer.inbound import Incoming, Listed, attempt_of, by_line, caller_number, choose, is_channel
from dialer.keyed import number_key
from dialer.model import CallState, Campaign, Contact, Number, NumberKind, NumberState

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
