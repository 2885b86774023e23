"""The demo's carrier: each behaviour shows in our AMI as it should, and its own log says the same."""

import pytest

from dialer.adapters.asterisk_conf import AsteriskSettings
from dialer.demo.carrier import BEHAVIOURS, Behaviour, Carrier, CarrierCall, number

from .ami_client import AmiClient
from .conftest import TRUNK, Line
from .fastagi import fastagi
from .waiting import until

pytestmark = [pytest.mark.asyncio(loop_scope="session"), pytest.mark.asterisk]


async def logged(carrier: Carrier, attempt: str) -> CarrierCall:
    """The carrier's line about this attempt."""

    async def written() -> bool:
        return any(call.attempt == attempt for call in carrier.calls())

    await until(written, f"a line about {attempt}", 3)
    (call,) = (call for call in carrier.calls() if call.attempt == attempt)
    return call


@pytest.mark.parametrize("behaviour", [b for b in BEHAVIOURS if b.sip and b.sip != 487], ids=lambda b: b.name)
async def test_who_does_not_answer_says_why(ami: AmiClient, line: Line, carrier: Carrier, behaviour: Behaviour) -> None:
    channel = await line.dial(f"PJSIP/{number(behaviour.name, 1, 0)}@{TRUNK}", "santun-answered", "agents")
    ended = await ami.until("Hangup", Uniqueid=channel, timeout_s=15)
    assert ended["TechCause"] == str(behaviour.sip)
    assert (await logged(carrier, channel)).answered_at is None


@pytest.mark.parametrize("behaviour", [b for b in BEHAVIOURS if b.sip == 487], ids=lambda b: b.name)
async def test_who_never_comes_is_given_up(ami: AmiClient, line: Line, carrier: Carrier, behaviour: Behaviour) -> None:
    async def arrived() -> bool:
        return await carrier.calls_now() > 0

    channel = await line.dial(f"PJSIP/{number(behaviour.name, 1, 0)}@{TRUNK}", "santun-answered", "agents")
    if behaviour.name == "rings_out":
        await ami.until("DialState", DestUniqueid=channel, DialStatus="RINGING")
    else:
        await until(arrived, "the INVITE at the carrier")  # DialBegin comes before it is sent
    await line.hang_up(channel)
    assert (await logged(carrier, channel)).answered_at is None


async def test_the_log_has_the_number_the_times_and_the_attempt(ami: AmiClient, line: Line, carrier: Carrier) -> None:
    called = number("hangs_up_soon", 42, 0.5)
    channel = await line.dial(f"PJSIP/{called}@{TRUNK}", "santun-answered", "agents", connect_limit_ms="5000")
    await ami.until("Hangup", Uniqueid=channel)
    call = await logged(carrier, channel)
    assert (call.number, call.behaviour, call.attempt) == (called, "02", channel)
    assert call.answered_at is not None
    assert 0.45 < call.answered_at - call.began_at < 3
    assert call.answered_at < call.ended_at


async def test_a_debtor_presses_his_keys_when_the_voice_pauses(
    ami: AmiClient, line: Line, carrier: Carrier, settings: AsteriskSettings
) -> None:
    ask = ['STREAM FILE message ""', 'STREAM FILE silence-5000 "1"']
    async with fastagi(settings.ivr_port, *ask) as heard:
        channel = await line.call("keys_right", exten="ivr")
        await ami.until("UserEvent", Uniqueid=channel, UserEvent="SantunIvrEnd", timeout_s=8)
    assert heard[-1].startswith(f"200 result={ord('1')} ")
    await ami.until("Hangup", Uniqueid=channel)
    assert (await logged(carrier, channel)).keys.startswith("1")
