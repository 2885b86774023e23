"""One Originate: its fields, national forms, and values that must not pass."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dialer.dialplan import ANSWERED_AGENTS, ANSWERED_IVR, Context, Var
from dialer.errors import BadInput
from dialer.model import Agent, Campaign, Kind, Number
from dialer.originate import dial_string, leg_order, order, timeout_s
from tests.floor.test_floor import CAMPAIGN, T0, attempt

DIAL = "PJSIP/{digits}@carrier"


@pytest.mark.parametrize(
    ("template", "e164", "dialled"),
    [
        (DIAL, "+6281234567890", "PJSIP/6281234567890@carrier"),
        ("PJSIP/{e164}@x", "+6281234567890", "PJSIP/+6281234567890@x"),
        ("PJSIP/{national}@x", "+6281234567890", "PJSIP/081234567890@x"),
        ("PJSIP/{national}@x", "+622150001234", "PJSIP/02150001234@x"),
        ("PJSIP/9{national}@x", "+626281234567", "PJSIP/906281234567@x"),
        (DIAL, "+14155550123", "PJSIP/14155550123@carrier"),
    ],
)
def test_dial_strings(template: str, e164: str, dialled: str) -> None:
    assert dial_string(template, e164) == dialled


@pytest.mark.parametrize(
    ("template", "e164"),
    [
        ("PJSIP/{national}@x", "+14155550123"),  # no national form of it is known
        ("PJSIP/{nummer}@x", "+6281234567890"),
        ("PJSIP/{}@x", "+6281234567890"),
        ("PJSIP/{digits", "+6281234567890"),
        (DIAL, "081234567890"),
        (DIAL, "+62812345@evil"),
        (DIAL, "+6281234567890\r\nAction: Logoff"),
        (DIAL, "+6281234567890&PJSIP/1@x"),
        (DIAL, ""),
    ],
)
def test_what_cannot_be_dialled_is_refused(template: str, e164: str) -> None:
    with pytest.raises(BadInput) as refused:
        dial_string(template, e164)
    assert "6281234567890" not in str(refused.value)


def test_the_order() -> None:
    campaign = replace(CAMPAIGN, detection=True, record=True, ring_s=20, post_dial_delay_s=5)
    made = order(attempt("a1", T0, caller_id="+62215000"), campaign, DIAL, "X-Santun-Attempt")
    assert (made.channel_id, made.channel) == ("a1", "PJSIP/6281234567890@carrier")
    assert (made.context, made.exten) == (Context.ANSWERED, ANSWERED_AGENTS)
    assert made.timeout_ms == 25_000 == timeout_s(campaign) * 1000
    said = dict(made.variables)
    assert {Var.ATTEMPT: "a1", Var.DETECT: "yes", Var.RECORD: "yes", Var.LANGUAGE: "id"}.items() <= said.items()
    assert said["PJSIP_HEADER(add,X-Santun-Attempt)"] == "a1"
    assert set(Var) <= set(said)
    assert order(attempt("a", T0), replace(campaign, kind=Kind.IVR), DIAL).exten == ANSWERED_IVR


@pytest.mark.parametrize("field", ["caller_id", "language", "id"])
@pytest.mark.parametrize("breaks", ["\r\n", "\n", "\r", "\0"])
def test_nothing_ends_its_line(field: str, breaks: str) -> None:
    with pytest.raises(BadInput, match="line break"):
        order(replace(attempt("a", T0), **{field: f"x{breaks}Action: Logoff"}), CAMPAIGN, DIAL)  # type: ignore[arg-type]


@given(st.text(max_size=30), st.text(max_size=30))
def test_whatever_comes_is_an_order_or_refused(e164: str, caller_id: str) -> None:
    hostile = replace(attempt("a", T0), number=Number(e164, "n"), caller_id=caller_id)
    try:
        made = order(hostile, Campaign("c1", "x"), DIAL)
    except BadInput:
        return
    assert not any(
        set("\r\n\0") & set(value) for value in (made.channel, made.caller_id, *dict(made.variables).values())
    )


def test_an_agents_own_leg() -> None:
    made = leg_order(Agent("101", "a"), "leg-101-x")
    assert (made.channel, made.context, made.exten) == ("PJSIP/agent101", Context.AGENT, "101")
