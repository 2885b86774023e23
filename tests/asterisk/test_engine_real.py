"""The engine as it is deployed: a real Asterisk, a real carrier, a real Redis; commands in, outcomes and calls out."""

import asyncio
import os
import secrets
import signal
import socket
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio

from dialer.adapters.asterisk_check import Asterisk
from dialer.adapters.asterisk_conf import CONF, AsteriskSettings, Trunk, render
from dialer.adapters.asterisk_process import AsteriskProcess
from dialer.adapters.clock import SystemClock
from dialer.adapters.programs import redis_server
from dialer.adapters.redis_process import RedisProcess
from dialer.adapters.redis_store import RedisStore
from dialer.debts.history import What
from dialer.debts.payments import Told as Paid
from dialer.demo.carrier import Carrier, CarrierSettings
from dialer.demo.program import Program
from dialer.dialplan import Told, room
from dialer.keyed import number_key, secret_key
from dialer.lists.preview import Standing
from dialer.lists.recycling import ANOTHER_DAY_S
from dialer.model import Attempt, Contact, Kind, Machine, Mode, Number, Overflow, Retry
from dialer.ports import Held
from tests.ivr.debtor import Debtor

from .ami_client import AmiClient
from .conftest import ROOT, TRUNK, at_length, free_port
from .office import LIMIT_S, LISTS, PACK, Office, Record, in_order, silenced
from .waiting import until, until_now

pytestmark = [
    pytest.mark.asyncio(loop_scope="session"),
    pytest.mark.asterisk,
    pytest.mark.redis,
]


HOSTS = ("127.0.0.21", "127.0.0.22", "127.0.0.23")  # of the Asterisk that is killed, its carrier and its phones
FROZEN_S = 3.0
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
    await store._link.one(("FLUSHALL",))  # whatever became of the test before
    office = Office(settings, pbx, carrier, ami, store, redis.url)
    yield office
    await office.close()
    await store.close()


def seconds(record: Record, start: str, end: str) -> float:
    """From one of its times to another."""
    return (datetime.fromisoformat(record[end]) - datetime.fromisoformat(record[start])).total_seconds()


async def watcher(settings: AsteriskSettings) -> AmiClient:
    """Sees what happens on this Asterisk."""
    return await AmiClient.login(settings.ami_host, settings.ami_port, settings.ami_user, settings.ami_secret)


@pytest_asyncio.fixture(loop_scope="session")
async def restarting(
    asterisk: Asterisk, settings: AsteriskSettings, redis: RedisProcess, pbx: AsteriskProcess
) -> AsyncIterator[Office]:
    """On an Asterisk of its own, with the sounds of the other."""
    pbx_host, carrier_host, phones_host = HOSTS
    own = replace(
        settings,
        run=settings.run.with_name("pbx-killed"),
        ami_port=free_port(settings.ami_host, socket.SOCK_STREAM),
        http_port=0,
        sip_host=pbx_host,
        sip_port=free_port(pbx_host, socket.SOCK_DGRAM),
        media_address=pbx_host,
        trunks=(Trunk(TRUNK, carrier_host, free_port(carrier_host, socket.SOCK_DGRAM)),),
        phones=settings.phones[:2],
    )
    render(own, CONF, own.run / "etc")
    mortal = AsteriskProcess(asterisk, own.run, own.sounds)
    carried = CarrierSettings(
        run=own.run.with_name("carrier-of-killed"),
        pbx_host=pbx_host,
        pbx_port=own.sip_port,
        port=own.trunks[0].port,
        host=carrier_host,
        phones_host=phones_host,
        phones=own.phones,
    )
    carrier, store = Carrier(asterisk, carried), RedisStore(redis.url)
    await store._link.one(("FLUSHALL",))
    try:
        await mortal.start()
        await carrier.start(at_length)
        office = Office(own, mortal, carrier, await watcher(own), store, redis.url)
        for phone in own.phones:
            await office.phone(phone.agent, works=True)
        yield office
        await office.close()
        await office.ami.close()
    finally:
        await store.close()
        await carrier.stop()
        await mortal.stop()


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def ivr(redis: RedisProcess, settings: AsteriskSettings, scratch: Path) -> AsyncIterator[Program]:
    """`ivr serve` on the same Redis."""
    listen, prompts = f"{settings.ivr_host}:{settings.ivr_port}", str(scratch / "prompts")
    words = ("ivr", "serve", "--prompts", prompts, "--listen", listen, "--redis", redis.url, "--drain-s", "0")
    program = Program("ivr", words, {"SANTUN_PERSON_KEY": PERSON_KEY.hex()}, scratch)
    await begun(program, settings)
    yield program
    await program.stop()


async def begun(program: Program, settings: AsteriskSettings) -> None:
    """For the first time, or again after it was killed."""
    await program.start()

    async def listens() -> bool:
        assert program.alive, program.last_lines()
        with socket.socket() as probe:
            return probe.connect_ex((settings.ivr_host, settings.ivr_port)) == 0

    await until(listens, "the IVR", LIMIT_S)


@asynccontextmanager
async def killed(program: Program, settings: AsteriskSettings) -> AsyncIterator[None]:
    """By SIGKILL; it lives again afterwards."""
    os.kill(program.pid, signal.SIGKILL)
    try:
        yield
    finally:
        await program.stop()
        await begun(program, settings)


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
    assert seconds(record, "answered_at", "joined_at") < 2
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
    assert 0.9 < seconds(abandoned, "answered_at", "overflow_at") < 3
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
        for step, keys in (("person", "1"), ("secret", "1234#"), ("menu", "0")):
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


async def test_a_number_keyed_in_the_ivr_goes_to_the_contact(office: Office, ivr: Program) -> None:
    with Debtor() as phone:
        office.dial = f"PJSIP/{TRUNK}/sip:{{digits}}@{phone.address}"
        await office.open(kind=Kind.IVR, mode=Mode.IVR)
        debtor = office.debtor("human", secret=secret_key(PERSON_KEY, "1234"))
        await office.add(debtor)
        await office.order("start")
        for step, keys in (("person", "1"), ("secret", "1234#"), ("menu", "4")):
            await office.ivr_asks(step)
            phone.press(keys)
        for step, keys in (("more", "4"), ("contact", "1"), ("number", "081234567890#"), ("number_ask", "1")):
            await office.ivr_asks(step)
            phone.press(keys)
        (attempt,) = await office.store.open_attempts(office.campaign.id)

        async def given() -> bool:
            return any(fact.name == "new_number" for fact in await office.store.facts(office.campaign.id, attempt.id))

        await until(given, "the number is stored when it is confirmed", LIMIT_S)
        await office.hang_up(attempt.id)
        (record,) = await office.records(1)
    assert (record["new_number"], record["new_number_is"]) == ("+6281234567890", "added")
    ((place, contact),) = await office.store.contacts_of(LISTS.number_of("+6281234567890")[1])
    assert (place.contact, [one.e164 for one in contact.numbers]) == (
        debtor.id,
        [debtor.numbers[0].e164, "+6281234567890"],
    )


async def test_who_is_in_an_ivr_that_freezes_hears_the_message_within_3_s(
    office: Office, ivr: Program, capsys: pytest.CaptureFixture[str]
) -> None:
    """By its heartbeat alone: its sockets stay open, and Asterisk waits for it."""
    with Debtor() as phone:
        office.dial = f"PJSIP/{TRUNK}/sip:{{digits}}@{phone.address}"
        await office.open(kind=Kind.IVR, mode=Mode.IVR)
        one, other = (office.debtor("human", secret=secret_key(PERSON_KEY, "1234")) for _ in range(2))
        await office.add(one)
        await office.order("start")
        await office.ivr_asks("person")
        (attempt,) = await office.store.open_attempts(office.campaign.id)
        frozen_at = time.monotonic()
        os.kill(ivr.pid, signal.SIGSTOP)
        try:
            await office.told(Told.MESSAGE, attempt.id)
            moved_at = time.monotonic()
            await until_now(lambda: phone.spoke_after(moved_at) is not None, "the message")
            heard_s = (phone.spoke_after(moved_at) or 0.0) - frozen_at
            (record,) = await office.records(1)
            await office.add(other)
            await office.boards(2)
            assert await office.store.open_attempts(office.campaign.id) == ()
            assert any("stands still" in why for why in (await office.board())["holds"])
        finally:
            os.kill(ivr.pid, signal.SIGCONT)
        assert (record["outcome"], record["side"], record["reason"]) == ("abandoned", "us", "ivr_failed")
        assert (record["attempt"], record["ivr_result"]) == (attempt.id, "message")

        async def called() -> bool:
            return any(one.contact == other.id for one in await office.store.open_attempts(office.campaign.id))

        await until(called, "the next debtor is called when the IVR lives again", LIMIT_S)
    with capsys.disabled():
        print(f"\nfrom the freeze to the Redirect {moved_at - frozen_at:.2f} s, to the first word {heard_s:.2f} s")
    assert heard_s < FROZEN_S


async def test_a_redis_that_freezes_takes_nobody_out_of_the_ivr(
    office: Office, ivr: Program, redis: RedisProcess
) -> None:
    with Debtor() as phone:
        office.dial = f"PJSIP/{TRUNK}/sip:{{digits}}@{phone.address}"
        await office.open(kind=Kind.IVR, mode=Mode.IVR)
        await office.add(office.debtor("human", secret=secret_key(PERSON_KEY, "1234")))
        await office.order("start")
        await office.ivr_asks("person")
        (attempt,) = await office.store.open_attempts(office.campaign.id)
        os.kill(redis.pid, signal.SIGSTOP)
        try:
            await asyncio.sleep(FROZEN_S + 1)
        finally:
            os.kill(redis.pid, signal.SIGCONT)
        await asyncio.sleep(FROZEN_S)
        assert not office.has_told(Told.MESSAGE, attempt.id)
        for step, keys in (("person", "1"), ("secret", "1234#")):
            await office.ivr_asks(step)
            phone.press(keys)
        await office.ivr_asks("menu")
        await office.hang_up(attempt.id)
        (record,) = await office.records(1)
    assert (record["outcome"], record["reason"], record["ivr_end"]) == ("ivr", "served", "hung_up")


async def call_in(carrier: Carrier, caller: str, keys: str, line: str = "02150001234") -> None:
    """A subscriber calls the campaign's line; `w` is half a second."""
    await carrier.process.console("module load app_dial.so")
    for priority, app in ((1, f"Set(CALLERID(num)={caller})"), (2, f"Dial(PJSIP/{line}@trunk)")):
        await carrier.process.console(f"dialplan add extension 1,{priority},{app} into calls-in replace")
    await carrier.process.console(f"channel originate Local/1@calls-in application SendDTMF {keys}")


@pytest.mark.parametrize("secret", ["1234", ""])
async def test_a_debtor_calls_back_and_gets_an_agent(office: Office, ivr: Program, secret: str) -> None:
    """With his secret he is told; without one he is told no debt, and may ask for a person all the same."""
    await office.open("1001")
    debtor = office.debtor("human", secret=secret_key(PERSON_KEY, secret) if secret else "")
    e164 = debtor.numbers[0].e164
    debtor = replace(debtor, numbers=(Number(e164, number_key(PERSON_KEY, e164)),), amount=750_000)
    await office.add(debtor)
    await call_in(office.carrier, f"0{e164[3:]}", "wwww" + ("1ww1w2w3w4w#www0" if secret else "0") + "w" * 60)
    attempt = await office.talking("1001")
    assert office.has_told(Told.WANTS_AGENT, attempt)
    told = {fact.name for fact in await office.store.facts(office.campaign.id, attempt)}
    assert ({"verified", "told"} <= told) == bool(secret)
    await office.end_talk("1001")
    (record,) = await office.records(1)
    assert (record["attempt"], record["direction"], record["kind"]) == (attempt, "in", "inbound")
    assert (record["outcome"], record["agent"], record["ivr_result"]) == ("connected", "1001", "agent")
    assert (record["debtor"], record["number"]) == (debtor.id, e164)
    assert in_order(record, ("answered_at", "ivr_at", "joined_at", "left_at", "ended_at", "wrapped_at"))
    kept = await office.store.contact(office.campaign.id, debtor.id)
    assert kept is not None
    assert (kept.tries, kept.came, kept.last_at) == (0, (), 0.0), "no try is used up"
    assert (await office.store.remaining(office.campaign.id, SystemClock().now()))[0] == 1
    held = (await office.store.lock([Attempt(id="next", **office.of(debtor))], SystemClock().now()))[0]
    assert isinstance(held, Held)
    assert (held.person.attempts, len(held.person.conversations)) == ((), 1)


@pytest.mark.parametrize(
    ("caller", "line"),
    [("anonymous", True), ("", True), ("+14155550100", True), ("02150009999", True), ("081299990000", True),
     ("anonymous", False), ("081299990000", False)],
)  # fmt: skip
async def test_a_stranger_who_calls_hears_the_message_and_no_debt(
    office: Office, ivr: Program, caller: str, line: bool
) -> None:
    """Hidden, foreign, or a number that nobody on the list has; on a campaign's line there is a record of it."""
    await office.open("1001")
    await office.add(office.debtor("human", secret=secret_key(PERSON_KEY, "1234")))
    await call_in(office.carrier, caller, "w" * 40, "02150001234" if line else "02150007777")
    said = await office.ami.until("UserEvent", LIMIT_S, UserEvent=Told.MESSAGE)
    await office.ami.until("Hangup", LIMIT_S, Uniqueid=said["Uniqueid"])
    if line:
        (record,) = await office.records(1)
        assert (record["attempt"], record["direction"], record["debtor"]) == (said["Uniqueid"], "in", "")
        assert (record["outcome"], record["side"], record["reason"]) == ("ivr", "us", "unknown_caller")
    assert not await office.store.open_attempts(office.campaign.id)


async def listed_caller(office: Office, secret: str = "", **known: Any) -> tuple[Contact, str]:
    """A debtor on the list, found by his number; and how his phone shows it."""
    debtor = office.debtor("human", secret=secret_key(PERSON_KEY, secret) if secret else "")
    e164 = debtor.numbers[0].e164
    debtor = replace(debtor, numbers=(Number(e164, number_key(PERSON_KEY, e164)),), **known)
    await office.add(debtor)
    return debtor, f"0{e164[3:]}"


async def test_wrong_person_by_a_forged_caller_id_silences_nobody(office: Office, ivr: Program) -> None:
    await office.open("1001")
    debtor, shown = await listed_caller(office, "1234")
    await call_in(office.carrier, shown, "wwww9wwww1" + "w" * 20)
    (record,) = await office.records(1)
    assert (record["ivr_choice"], record["verified"], record["outcome"]) == ("wrong_person", "0", "ivr")
    assert (record["wrong_person"], record["stop"], record["conversation"]) == ("0", "0", "0")
    kept = await office.store.contact(office.campaign.id, debtor.id)
    assert kept is not None
    assert replace(kept, alias="") == debtor
    assert (await office.store.remaining(office.campaign.id, SystemClock().now()))[0] == 1
    held = (await office.store.lock([Attempt(id="next", **office.of(debtor))], SystemClock().now()))[0]
    assert isinstance(held, Held)


STEPS = {"": "", "person": "", "secret": "wwww1", "menu": "wwww1ww1234#"}


@pytest.mark.parametrize("step", STEPS)
async def test_an_ivr_killed_between_two_steps_of_a_call_that_came_in_leaves_one_outcome_and_no_channel(
    office: Office, ivr: Program, step: str
) -> None:
    """Killed the moment a step is stored, or as soon as the call is on the books. Who was told had been served."""
    await office.open("1001")
    debtor, shown = await listed_caller(office, "1234", amount=750_000)
    await call_in(office.carrier, shown, STEPS[step] + "w" * 60)
    if step:
        await office.ivr_asks(step)
    else:
        await until(lambda: on_the_books(office), "the call on the books", LIMIT_S)
    (attempt,) = await office.store.open_attempts(office.campaign.id)
    async with killed(ivr, office.settings):
        await office.told(Told.MESSAGE, attempt.id)
        await office.ami.until("Hangup", LIMIT_S, Uniqueid=attempt.id)
        (record,) = await office.records(1)
    assert (record["attempt"], record["debtor"], record["direction"]) == (attempt.id, debtor.id, "in")
    assert (record["outcome"], record["reason"]) == ("ivr", "served" if step == "menu" else "ivr_failed")
    assert not await office.store.open_attempts(office.campaign.id)
    await until(lambda: no_caller(office), "no channel left", LIMIT_S)
    await office.boards(2)
    assert len(await office.records(1)) == 1


async def on_the_books(office: Office) -> bool:
    return bool(await office.store.open_attempts(office.campaign.id))


async def no_caller(office: Office) -> bool:
    return "PJSIP/carrier" not in await office.pbx.console("core show channels concise")


# ---- who waits for an agent


async def test_who_waits_for_an_agent_takes_the_call_back_he_is_offered(office: Office, ivr: Program) -> None:
    """A debtor whom we called. It is stored at his key, whatever he does then, and he is called at that minute."""
    with Debtor() as phone:
        office.dial = f"PJSIP/{TRUNK}/sip:{{digits}}@{phone.address}"
        await office.open(kind=Kind.IVR, mode=Mode.IVR, ivr_agents=True, agent_offer_s=1)
        debtor = office.debtor("human", secret=secret_key(PERSON_KEY, "1234"))
        await office.add(debtor)
        await office.order("start")
        for step, keys in (("person", "1"), ("secret", "1234#"), ("menu", "0")):
            await office.ivr_asks(step)
            phone.press(keys)
        (attempt,) = await office.store.open_attempts(office.campaign.id)
        await office.told(Told.WANTS_AGENT, attempt.id)
        pressing = asyncio.create_task(keep_pressing(phone, "1"))
        try:
            await office.ivr_asks("noted")
        finally:
            pressing.cancel()
        phone.hang_up()
        (record,) = await office.records(1)
    assert (record["attempt"], record["outcome"], record["reason"]) == (attempt.id, "ivr", "call_back_instead")
    assert (record["wanted_agent"], record["ivr_choice"], record["verified"]) == ("1", "call_back", "1")
    assert record["callback_at"]
    kept = await office.store.contact(office.campaign.id, debtor.id)
    assert kept is not None
    assert kept.callback_at - SystemClock().now() > 5 * 60


async def keep_pressing(phone: Debtor, key: str) -> None:
    """He presses it early, and again: it counts when it has been offered."""
    while True:
        phone.press(key)
        await asyncio.sleep(0.4)


async def test_who_called_us_and_waits_takes_the_call_back_he_is_offered(office: Office, ivr: Program) -> None:
    await office.open("1001", agent_offer_s=1)
    await office.order("break", agent="1001")
    debtor, shown = await listed_caller(office)
    await call_in(office.carrier, shown, "wwww0" + "ww1" * 20 + "w" * 20)
    (record,) = await office.records(1)
    assert (record["debtor"], record["direction"], record["outcome"]) == (debtor.id, "in", "ivr")
    assert (record["reason"], record["ivr_choice"], record["verified"]) == ("call_back_instead", "call_back", "0")
    assert record["callback_at"]
    assert record["silent_until"] == ""
    kept = await office.store.contact(office.campaign.id, debtor.id)
    assert kept is not None
    assert kept.callback_at > SystemClock().now()


@pytest.mark.parametrize("after_s", [0.0, 1.5, 2.5, 4.0, 6.5])
async def test_an_agent_who_comes_free_takes_him_out_of_the_offer_too(
    office: Office, ivr: Program, after_s: float
) -> None:
    """During the first music, the offer, the pause after it, the music after that."""
    await office.open("1001", agent_offer_s=1)
    await office.order("break", agent="1001")
    _, shown = await listed_caller(office)
    await call_in(office.carrier, shown, "wwww0" + "w" * 120)
    asked = await office.ami.until("UserEvent", LIMIT_S, UserEvent=Told.WANTS_AGENT)
    await asyncio.sleep(after_s)
    await office.order("back", agent="1001")
    assert await office.talking("1001") == asked["Uniqueid"]
    await office.end_talk("1001")
    (record,) = await office.records(1)
    assert (record["outcome"], record["agent"]) == ("connected", "1001")


async def test_an_ivr_that_dies_before_it_notes_the_call_back_does_not_promise_it(office: Office, ivr: Program) -> None:
    await office.open("1001", agent_offer_s=1)
    await office.order("break", agent="1001")
    _, shown = await listed_caller(office)
    await call_in(office.carrier, shown, "wwww0" + "ww1" * 20 + "w" * 20)
    asked = await office.ami.until("UserEvent", LIMIT_S, UserEvent=Told.WANTS_AGENT)
    async with killed(ivr, office.settings):
        await office.told(Told.MESSAGE, asked["Uniqueid"])
        (record,) = await office.records(1)
    assert (record["outcome"], record["reason"]) == ("ivr", "wanted_agent_got_none")
    assert record["callback_at"] == ""


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


# ---- an engine, its link, its Asterisk ------------------------------------------------------------------------------


async def test_another_engine_goes_on_with_the_calls_of_a_killed_one(office: Office) -> None:
    """One in a talk, one who answers while nobody leads, one who rings until the other engine leads."""
    killed = await office.open("1001", "1002", "1003", connect_limit_ms=500)  # his message is over before
    heir = await office.engine("second")
    talks, answers, rings = office.debtor("human"), office.debtor("human", 1.0), office.debtor("human", 8)
    await office.add(talks)
    await office.order("start")
    attempt = await office.talking("1001")
    await office.add(answers, rings)
    unheard, late = (await office.ringing(answers)).id, (await office.ringing(rings)).id
    await killed.kill()
    assert (await office.told(Told.OVERFLOWED, unheard))["To"] == "message"
    assert await office.talking("1002") == late
    assert not office.has_left(attempt)
    assert list(heir.engine.runs) == [office.campaign.id]
    await office.end_talk("1001")
    await office.end_talk("1002", "told")
    books = await office.books(3)
    ends = {contact.id: (books[contact.id]["outcome"], books[contact.id]["agent"]) for contact in (talks, rings)}
    assert ends == {talks.id: ("connected", "1001"), rings.id: ("connected", "1002")}
    assert (books[answers.id]["outcome"], books[answers.id]["attempt"]) == ("abandoned", unheard)
    assert len(office.calls()) == 3


async def test_a_broken_manager_link_costs_no_call_and_no_outcome(office: Office) -> None:
    led = await office.open("1001", "1002")
    talks, rings = office.debtor("human"), office.debtor("human", 3.5)
    await office.add(talks, rings)
    await office.order("start")
    await office.talking("1001")
    late = (await office.ringing(rings)).id
    await office.known_as("1001", "talking")
    led.cut()
    assert await office.talking("1002") == late
    await office.known_as("1002", "talking")
    led.cut()

    async def again() -> bool:
        return led.ami.counts["sessions"] == 3 and led.ami.health().up

    await until(again, "the third session", LIMIT_S)
    await office.end_talk("1001")
    await office.end_talk("1002")
    books = await office.books(2)
    assert [(books[one.id]["outcome"], books[one.id]["agent"]) for one in (talks, rings)] == [
        ("connected", "1001"),
        ("connected", "1002"),
    ]


async def test_what_happens_while_the_manager_link_is_down_is_found_out(office: Office) -> None:
    """A talk ends, a debtor answers, and nobody new is called."""
    office.pause_s = 5.0  # so long the link stays down
    led = await office.open("1001", "1002", connect_limit_ms=500)  # his message is over before
    talks, rings = office.debtor("human"), office.debtor("human", 1.5)
    await office.add(talks, rings)
    await office.order("start")
    attempt = await office.talking("1001")
    late = (await office.ringing(rings)).id
    await office.known_as("1001", "talking")
    led.cut()
    await office.add(office.debtor("busy"))
    await office.hang_up(attempt)
    assert "Asterisk cannot be reached" in (await office.boards(2))["holds"]
    await office.told(Told.OVERFLOWED, late)
    await office.wrapped("1001")
    books = await office.books(3)
    assert (books[talks.id]["outcome"], books[talks.id]["agent"]) == ("connected", "1001")
    assert (books[rings.id]["outcome"], books[rings.id]["agent"]) in (("abandoned", ""), ("interrupted", ""))
    assert len(office.calls()) == 3


async def test_who_answers_while_the_link_is_down_and_hangs_up_soon_after_had_answered(office: Office) -> None:
    """He is up when the link comes back, and gone before the books are compared: no word of his answer ever comes."""
    office.pause_s = 1.15
    led = await office.open("1001", connect_limit_ms=5000)
    debtor = office.debtor("hangs_up_soon", 1.0)
    await office.add(debtor)
    await office.order("start")
    await office.ringing(debtor)
    led.cut()
    record = (await office.books(1))[debtor.id]
    # on a machine that is too slow for it he is gone before the link is back: then nobody can know
    assert (record["outcome"], bool(record["answered_at"])) in (("abandoned", True), ("interrupted", False))


async def test_asterisk_killed_and_started_again(restarting: Office) -> None:
    """Its calls are closed once, nobody is called a second time, and the agents are back by themselves."""
    office = restarting
    await office.open("1001", "1002")
    talks, rings = office.debtor("human"), office.debtor("human", 8)
    await office.add(talks, rings)
    await office.order("start")
    attempt = await office.talking("1001")
    legs = {await office.leg("1001"), await office.leg("1002")}
    await office.ringing(rings)
    await office.known_as("1001", "talking")
    await office.ami.close()
    os.kill(office.pbx.pid, signal.SIGKILL)
    await office.pbx.stop()
    await silenced(office.carrier.process)
    await office.pbx.start()
    for agent in ("1001", "1002"):
        await office.phone(agent, works=True)  # what registered within its last second Asterisk has not kept
    books = await office.books(2)
    assert (books[talks.id]["outcome"], books[talks.id]["attempt"]) == ("connected", attempt)
    assert (books[talks.id]["agent"], books[talks.id]["wrapped_at"]) == ("1001", "")
    assert books[rings.id]["outcome"] == "interrupted"
    for agent in ("1001", "1002"):
        assert (await office.known_as(agent, "idle")).leg not in legs
    office.ami, rooms = await watcher(office.settings), {room("1001"), room("1002")}
    later = office.debtor("human")
    await office.add(later)
    entered = await office.ami.where(lambda event: event.get("BridgeName", "") in rooms, LIMIT_S, "a debtor in a room")
    await office.end_talk(entered["BridgeName"].removeprefix(room("")))
    assert (await office.books(3))[later.id]["outcome"] == "connected"
    assert len(office.calls()) == 3


# ---- not answered ---------------------------------------------------------------------------------------------------

ENDS = {  # behaviour -> outcome, reason, SIP code
    "busy": ("busy", "user_busy", "486"),
    "invalid": ("invalid_number", "not_found", "404"),
    "refuses": ("rejected", "declined", "603"),
    "rings_out": ("no_answer", "rang_out", None),
    "congested": ("congestion", "service_unavailable", "503"),
    "dead_air": ("trunk_down", "no_response", None),
}
# The others come back much later: they are not the debtor's doing, and a number not found today is asked on another day
# only, whatever the campaign's delay: the same again at once would prove nothing, and burn his tries.
TWICE = ("busy", "refuses", "rings_out")


async def test_who_does_not_answer_is_recorded_unlocked_and_called_again(office: Office) -> None:
    soon = {ENDS[name][0]: Retry(1, 2) for name in (*TWICE, "invalid")}
    await office.open(kind=Kind.IVR, mode=Mode.IVR, ring_s=2, post_dial_delay_s=2, retries=soon)
    debtors = {name: office.debtor(name) for name in ENDS}
    await office.add(*debtors.values())
    await office.order("start")
    count = len(ENDS) + len(TWICE)
    await office.books(count)
    found = await office.records(count)
    for name, debtor in debtors.items():
        records = [record for record in found if record["debtor"] == debtor.id]
        assert len(records) == (2 if name in TWICE else 1), records
        assert {(record["outcome"], record["reason"]) for record in records} == {ENDS[name][:2]}
        assert ENDS[name][2] in (None, *(record["sip_code"] for record in records))
        assert [bool(record["retry_at"]) for record in records] == ([True, False] if name in TWICE else [True])
        assert [record["tries"] for record in records] == ["1", "2"][: len(records)]
        assert not any(record["answered_at"] or record["live"] == "1" for record in records)
    (invalid,) = (record for record in found if record["outcome"] == "invalid_number")
    assert seconds(invalid, "ended_at", "retry_at") >= ANOTHER_DAY_S - 1.0
    probes = [Attempt(f"probe-{one.id}", **office.of(one)) for one in debtors.values()]
    assert all(isinstance(held, Held) for held in await office.store.lock(probes, SystemClock().now()))


async def test_a_storm_of_503_holds_the_trunk(office: Office) -> None:
    await office.open(kind=Kind.IVR, mode=Mode.IVR, calls_per_second=5.0)
    await office.add(*(office.debtor("congested") for _ in range(30)))
    await office.order("start")

    async def held() -> bool:
        return any(hold.startswith("the trunk fails: ") for hold in (await office.board()).get("holds", ()))

    await until(held, "the trunk's hold", LIMIT_S)
    seen = len(office.calls())
    assert seen <= 10
    await office.boards(2)
    assert len(office.calls()) <= seen + 1
    records = await office.records(5)
    assert {(record["outcome"], record["side"], record["counted"]) for record in records} == {
        ("congestion", "network", "0")
    }


# ---- hard stops -----------------------------------------------------------------------------------------------------


async def test_the_last_agent_out_or_a_pause_ends_new_calls_within_a_second(office: Office) -> None:
    await office.open("1001", calls_per_second=20.0)
    await office.add(*(office.debtor("busy") for _ in range(150)))
    await office.order("start")
    done = 3
    for stop, go, why in (("sign_out", "sign_in", "no agent is working"), ("pause", "start", "the campaign is paused")):
        await office.records(done)
        await office.order(stop, agent="1001")
        stopped_at = datetime.now(UTC)
        board = await office.boards(3)
        assert why in board["reason"]
        assert board["due"] > 0
        records = await office.records(done)
        last = max(datetime.fromisoformat(record["placed_at"]) for record in records if record["placed_at"])
        assert (last - stopped_at).total_seconds() < 3
        assert len(await office.store.open_attempts(office.campaign.id)) == 0
        done = len(records) + 3
        await office.order(go, agent="1001")
    await office.records(done)
    await office.order("stop")


async def test_a_call_that_no_agent_can_take_any_more_is_ended_after_its_least_ring(office: Office) -> None:
    await office.open("1001")
    debtor = office.debtor("rings_out")
    await office.add(debtor)
    await office.order("start")
    attempt = await office.ringing(debtor)
    assert 0.0 < attempt.answer_probability < 1.0
    await office.order("sign_out", agent="1001")
    record = (await office.books(1))[debtor.id]
    assert (record["outcome"], record["reason"], record["counted"]) == ("cancelled", "no_agent_free", "1")
    assert PACK.ring_min_s <= float(record["ring_s"]) < office.campaign.ring_s / 2
    await office.boards(2)
    entries = await office.store.pacing_since(office.campaign.id, 0.0)
    assert sum(int(entry["start"]) for entry in entries) >= 1
    assert sum(int(entry["ended"]) for entry in entries) == 1


async def test_a_debtor_who_has_paid_is_hung_up_on_while_it_rings(office: Office) -> None:
    await office.open("1001")
    debtor = replace(office.debtor("rings_out"), lender="Bank Maju", account="A1", amount=500_000)
    await office.add(debtor)
    await office.order("start")
    attempt = await office.ringing(debtor)
    paid_at = time.time()
    found = await office.store.pay(Paid("bank", "p1", paid_at, 500_000, "IDR", "Bank Maju", "A1"), paid_at)
    assert found.calling == ((office.campaign.id, debtor.person),)
    assert await office.order("paid", person=debtor.person) == "hanging up"
    record = (await office.books(1))[debtor.id]
    assert (record["attempt"], record["outcome"], record["reason"]) == (attempt.id, "cancelled", "paid")
    assert datetime.fromisoformat(record["ended_at"]).timestamp() - paid_at < 3  # it would ring for 20 s
    (case,) = await office.store.cases(office.campaign.id, [debtor.id], paid_at)
    assert case.standing is Standing.RESTS
    assert [line.what for line in await office.store.history(debtor.person, paid_at)] == [What.PAYMENT, What.CALL]


class Interfering(RedisStore):
    """Every person asks not to be called any more while he is being claimed."""

    async def claim(self, token: int, attempts: Sequence[Attempt], at: float, notes: Sequence[str] = ()) -> list[bool]:
        await self.stop([attempt.person for attempt in attempts], [])
        return await super().claim(token, attempts, at, notes)


async def test_who_asks_not_to_be_called_at_the_last_moment_is_not_called(office: Office) -> None:
    office.make_store = Interfering
    await office.open("1001")
    await office.add(office.debtor("human"), office.debtor("human"))
    await office.order("start")

    async def refused() -> bool:
        return len(await office.store.tail(office.campaign.id, 10, "refusals")) == 2

    await until(refused, "two refusals", LIMIT_S)
    rules = {entry["rule"] for _, entry in await office.store.tail(office.campaign.id, 10, "refusals")}
    assert rules == {"stop"}
    assert await office.records(0) == []
    assert office.calls() == []
    assert await office.carrier.calls_now() == 1  # the agent's phone
