"""The engine as it is deployed: a real Asterisk, a real carrier, a real Redis; commands in, outcomes and calls out."""

import secrets
import socket
from collections.abc import AsyncIterator
from datetime import datetime
from pathlib import Path

import pytest
import pytest_asyncio

from dialer.adapters.asterisk_conf import AsteriskSettings
from dialer.adapters.asterisk_process import AsteriskProcess
from dialer.adapters.programs import redis_server
from dialer.adapters.redis_process import RedisProcess
from dialer.adapters.redis_store import RedisStore
from dialer.demo.carrier import Carrier
from dialer.demo.program import Program
from dialer.dialplan import Told
from dialer.keyed import secret_key
from dialer.model import Kind, Machine, Mode, Overflow
from tests.ivr.debtor import Debtor

from .ami_client import AmiClient
from .conftest import ROOT, TRUNK
from .office import LIMIT_S, Office, Record, in_order
from .waiting import until

pytestmark = [
    pytest.mark.asyncio(loop_scope="session"),
    pytest.mark.asterisk,
    pytest.mark.redis,
]


PERSON_KEY = secrets.token_bytes(32)


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def redis(scratch: Path) -> AsyncIterator[RedisProcess]:
    process = RedisProcess(redis_server(ROOT), scratch / "redis", "no")
    await process.start()
    yield process
    await process.kill()


@pytest_asyncio.fixture(loop_scope="session")
async def office(
    settings: AsteriskSettings, pbx: AsteriskProcess, carrier: Carrier, ami: AmiClient, redis: RedisProcess
) -> AsyncIterator[Office]:
    store = RedisStore(redis.url)
    office = Office(settings, pbx, carrier, ami, store, redis.url)
    yield office
    await office.close()
    await store.close()


def seconds(record: Record, start: str, end: str) -> float:
    """From one of its times to another."""
    return (datetime.fromisoformat(record[end]) - datetime.fromisoformat(record[start])).total_seconds()


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def ivr(redis: RedisProcess, settings: AsteriskSettings, scratch: Path) -> AsyncIterator[Program]:
    """`ivr serve` on the same Redis."""
    listen, prompts = f"{settings.ivr_host}:{settings.ivr_port}", str(scratch / "prompts")
    words = ("ivr", "serve", "--prompts", prompts, "--listen", listen, "--redis", redis.url, "--drain-s", "0")
    program = Program("ivr", words, {"SANTUN_PERSON_KEY": PERSON_KEY.hex()}, scratch)
    await program.start()

    async def listens() -> bool:
        assert program.alive, program.last_lines()
        with socket.socket() as probe:
            return probe.connect_ex((settings.ivr_host, settings.ivr_port)) == 0

    await until(listens, "the IVR", LIMIT_S)
    yield program
    await program.stop()


# ---- answered -------------------------------------------------------------------------------------------------------


async def test_the_agent_who_is_idle_longest_gets_the_answer(office: Office) -> None:
    await office.open("1002", "1001")
    debtor = office.debtor("human")
    await office.add(debtor)
    await office.order("start")
    attempt = await office.talking("1002")
    await office.end_talk("1002", "promise:2026-12-01;500000")
    record = (await office.books(1))[debtor.id]
    assert record["attempt"] == attempt
    assert (record["outcome"], record["agent"]) == ("connected", "1002")
    assert record["disposition"] == "promise"
    assert (record["promise_due"], record["promise_amount"]) == ("2026-12-01", "500000")
    assert in_order(record, "claimed_at placed_at ringing_at answered_at joined_at left_at ended_at wrapped_at".split())
    assert float(record["talk_s"]) > 0
    assert seconds(record, "answered_at", "joined_at") < 0.5
    assert not office.has_told(Told.OVERFLOWED, attempt)
    (call,) = office.calls()
    assert (call.attempt, call.number) == (attempt, debtor.numbers[0].e164)


async def test_of_two_answers_for_one_agent_one_hears_the_message(office: Office) -> None:
    await office.has_counted(100)
    await office.open("1001", mode=Mode.RATIO, ratio=2.0, connect_limit_ms=1000)
    await office.add(office.debtor("human", 0.5), office.debtor("human", 0.5))
    await office.order("start")
    attempt = await office.talking("1001")
    (abandoned,) = await office.records(1)
    assert abandoned["attempt"] != attempt
    await office.end_talk("1001")
    books = await office.books(2)
    assert sorted(record["outcome"] for record in books.values()) == ["abandoned", "connected"]
    assert (abandoned["reason"], abandoned["overflow_to"], abandoned["live"]) == ("message", "message", "1")
    assert 0.9 < seconds(abandoned, "answered_at", "overflow_at") < 1.5
    assert not [record for record in books.values() if record["joined_at"] and record["overflow_at"]]


async def test_of_two_answers_for_one_agent_one_is_served_by_the_ivr(office: Office, ivr: Program) -> None:
    await office.has_counted(100)
    await office.open("1001", mode=Mode.RATIO, ratio=2.0, connect_limit_ms=1000, overflow=Overflow.IVR)
    secret = secret_key(PERSON_KEY, "1234")  # without one the IVR cannot serve him
    await office.add(office.debtor("human", 0.5, secret), office.debtor("human", 0.5, secret))
    await office.order("start")
    attempt = await office.talking("1001")
    begun = await office.ami.until("UserEvent", LIMIT_S, UserEvent=Told.IVR_BEGIN)
    assert begun["Uniqueid"] != attempt

    async def spoken() -> bool:
        return bool(await office.store.facts(office.campaign.id, begun["Uniqueid"]))

    await until(spoken, "the IVR's first step", LIMIT_S)
    await office.hang_up(begun["Uniqueid"])
    await office.end_talk("1001")
    books = {record["outcome"]: record for record in (await office.books(2)).values()}
    assert sorted(books) == ["connected", "overflowed"]
    served = books["overflowed"]
    assert (served["attempt"], served["overflow_to"], served["agent"]) == (begun["Uniqueid"], "ivr", "")
    assert in_order(served, ("answered_at", "overflow_at", "ivr_at", "ended_at"))
    assert not books["connected"]["overflow_at"]


async def test_a_debtor_asks_the_ivr_for_an_agent(office: Office, ivr: Program) -> None:
    with Debtor() as phone:
        office.dial = f"PJSIP/{TRUNK}/sip:{{digits}}@{phone.address}"
        await office.open("1001", kind=Kind.IVR, mode=Mode.IVR, ivr_agents=True)
        debtor = office.debtor("human", secret=secret_key(PERSON_KEY, "1234"))
        await office.add(debtor)
        await office.order("start")
        for step, keys in (("person", "1"), ("secret", "1234#"), ("menu", "2")):
            await office.ivr_asks(step)
            phone.press(keys)
        attempt = await office.talking("1001")
        assert office.has_told(Told.WANTS_AGENT, attempt)
        await office.end_talk("1001")
        (record,) = await office.records(1)
    assert record["attempt"] == attempt
    assert (record["outcome"], record["agent"], record["wanted_agent"]) == ("connected", "1001", "1")
    assert (record["ivr_result"], record["disposition"]) == ("agent", "refuses")
    assert in_order(record, ("answered_at", "ivr_at", "joined_at", "left_at", "ended_at", "wrapped_at"))


# ---- detection ------------------------------------------------------------------------------------------------------


async def test_a_machine_is_hung_up_on_and_a_person_gets_the_agent(office: Office) -> None:
    await office.open("1001", "1002", detection=True)
    machine, person = office.debtor("voicemail"), office.debtor("human")
    await office.add(machine, person)
    await office.order("start")
    attempt = await office.talking("1001")
    await office.records(1)
    await office.end_talk("1001")
    books = await office.books(2)
    assert (books[machine.id]["outcome"], books[machine.id]["reason"]) == ("machine", "machine")
    assert (books[machine.id]["detection"], books[machine.id]["live"]) == ("machine", "0")
    assert books[person.id]["attempt"] == attempt
    assert (books[person.id]["outcome"], books[person.id]["detection"]) == ("connected", "human")
    assert in_order(books[person.id], ("answered_at", "detected_at", "joined_at"))


async def test_a_machine_gets_the_limited_message(office: Office) -> None:
    await office.open("1001", detection=True, machine=Machine.MESSAGE)
    machine = office.debtor("voicemail")
    await office.add(machine)
    await office.order("start")
    record = (await office.books(1))[machine.id]
    assert (record["outcome"], record["reason"], record["voicemail_left"]) == ("machine", "message_left", "1")
    assert not record["agent"]


# ---- an agent's leg -------------------------------------------------------------------------------------------------


async def test_a_held_debtor_gets_the_same_agent_back(office: Office) -> None:
    await office.open("1001", "1002", grace_ms=8000)
    debtor = office.debtor("human")
    await office.add(debtor)
    await office.order("start")
    attempt = await office.talking("1001")
    leg = await office.leg("1001")
    office.forget()
    await office.hang_up(leg)
    await office.told(Told.HELD, attempt)
    assert await office.leg("1001") != leg
    assert await office.talking("1001") == attempt
    await office.end_talk("1001")
    record = (await office.books(1))[debtor.id]
    assert (record["outcome"], record["agent"], record["overflow_at"]) == ("connected", "1001", "")


async def test_a_held_debtor_whose_agent_is_gone_gets_another_and_in_the_end_the_message(office: Office) -> None:
    await office.open("1001", "1002", grace_ms=2000)
    debtor = office.debtor("human")
    await office.add(debtor)
    await office.order("start")
    attempt = await office.talking("1001")
    legs = [await office.leg("1001"), await office.leg("1002")]
    try:
        await office.phone("1001", works=False)
        await office.hang_up(legs[0])
        await office.told(Told.HELD, attempt)
        assert await office.talking("1002") == attempt
        await office.phone("1002", works=False)
        await office.hang_up(legs[1])
        overflow = await office.told(Told.OVERFLOWED, attempt)
        assert overflow["To"] == "message"
        record = (await office.books(1))[debtor.id]
        assert (record["outcome"], record["agent"]) == ("connected", "1002")
        assert in_order(record, ("joined_at", "left_at", "ended_at"))
    finally:
        await office.phone("1001", works=True)
        await office.phone("1002", works=True)
