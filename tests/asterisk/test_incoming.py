"""Calls that come in: debtors get the IVR, agents' phones their service codes, strangers nothing."""

import pytest

from dialer.adapters.asterisk_conf import AsteriskSettings
from dialer.adapters.asterisk_process import AsteriskProcess
from dialer.demo.carrier import Carrier
from dialer.dialplan import SERVICE_CODES, Told

from .ami_client import AmiClient
from .fastagi import fastagi
from .waiting import until

pytestmark = [pytest.mark.asyncio(loop_scope="session"), pytest.mark.asterisk]


@pytest.mark.parametrize("dialled", ["02150001234", "+622150001234", "1"])
async def test_a_debtor_who_calls_us_gets_the_ivr(
    ami: AmiClient, carrier: Carrier, settings: AsteriskSettings, dialled: str
) -> None:
    async with fastagi(settings.ivr_port, "SET VARIABLE IVR_RESULT done"):
        await carrier.process.console(f"channel originate PJSIP/{dialled}@trunk application Wait 5")
        if dialled == "1":
            await quiet(carrier.process)
        else:
            begun = await ami.until("UserEvent", UserEvent=Told.IVR_BEGIN)
            assert begun["Context"] == "santun-ivr"
            await ami.until("Hangup", Uniqueid=begun["Uniqueid"])


@pytest.mark.parametrize("code", sorted(SERVICE_CODES))
async def test_a_service_code_names_the_agent_by_his_password(ami: AmiClient, carrier: Carrier, code: str) -> None:
    await carrier.process.console(f"channel originate PJSIP/{code}@agent1002 application Wait 5")
    told = await ami.until("UserEvent", UserEvent=Told.PHONE_KEY)
    assert (told["Agent"], told["Key"]) == ("1002", code)
    await ami.until("Hangup", Uniqueid=told["Uniqueid"])


@pytest.mark.parametrize("dialled", ["*5", "+628120000000000", "1001", "agent1001", "s", "told"])
async def test_an_agents_phone_reaches_nothing_else(carrier: Carrier, pbx: AsteriskProcess, dialled: str) -> None:
    await carrier.process.console(f"channel originate PJSIP/{dialled}@agent1002 application Wait 5")
    await quiet(carrier.process)


async def quiet(process: AsteriskProcess) -> None:
    """All calls have ended."""

    async def none_left() -> bool:
        return "0 active channels" in await process.console("core show channels count")

    await until(none_left, "no call left", 3)
