"""In the call, on the real thing: who hears whom on hold, when agents talk about a caller, when he is handed over."""

import asyncio
import json
import socket
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import pytest
import pytest_asyncio

from dialer.adapters.asterisk_check import Asterisk
from dialer.adapters.asterisk_conf import CONF, AsteriskSettings, Trunk, render
from dialer.adapters.asterisk_process import AsteriskProcess
from dialer.adapters.programs import redis_server
from dialer.adapters.redis_keys import desk_key
from dialer.adapters.redis_process import RedisProcess
from dialer.adapters.redis_store import RedisStore
from dialer.demo.carrier import CarrierSettings
from dialer.dialplan import Told, endpoint, room
from dialer.model import Mode

from .ami_client import AmiClient
from .audio import read, rms
from .conftest import ROOT, TRUNK, at_length, free_port
from .ears import Ears
from .office import LIMIT_S, Office
from .waiting import until

pytestmark = [
    pytest.mark.asyncio(loop_scope="session"),
    pytest.mark.asterisk,
    pytest.mark.redis,
]
HOSTS = ("127.0.0.41", "127.0.0.42", "127.0.0.43")  # of this Asterisk, its carrier and its phones
DEBTOR = "debtor"


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def place(
    asterisk: Asterisk, settings: AsteriskSettings, pbx: AsteriskProcess, scratch: Path
) -> AsyncIterator[tuple[AsteriskSettings, AsteriskProcess, Ears, RedisProcess]]:
    """An Asterisk of its own with the sounds of the other, phones with ears, a Redis."""
    host, carrier_host, phones_host = HOSTS
    own = replace(
        settings,
        run=settings.run.with_name("pbx-ears"),
        recordings=scratch / "recordings-ears",
        ami_port=free_port(settings.ami_host, socket.SOCK_STREAM),
        http_port=0,
        sip_host=host,
        sip_port=free_port(host, socket.SOCK_DGRAM),
        media_address=host,
        trunks=(Trunk(TRUNK, carrier_host, free_port(carrier_host, socket.SOCK_DGRAM)),),
        phones=settings.phones[:3],
    )
    own.recordings.mkdir()
    render(own, CONF, own.run / "etc")
    process = AsteriskProcess(asterisk, own.run, own.sounds)
    carried = CarrierSettings(
        run=own.run.with_name("ears"),
        pbx_host=host,
        pbx_port=own.sip_port,
        port=own.trunks[0].port,
        host=carrier_host,
        phones_host=phones_host,
        phones=own.phones,
    )
    ears, redis = Ears(asterisk, carried), RedisProcess(redis_server(ROOT), scratch / "redis-ears", "no")
    await redis.start()
    try:
        await process.start()
        await ears.start(at_length)

        async def registered() -> bool:
            contacts = await process.console("pjsip show contacts")
            return all(f"{endpoint(phone.agent)}@" in contacts for phone in own.phones)

        await until(registered, "all phones registered", LIMIT_S)
        yield own, process, ears, redis
    finally:
        await ears.stop()
        await process.stop()
        await redis.kill()


@pytest_asyncio.fixture(loop_scope="session")
async def office(place: tuple[AsteriskSettings, AsteriskProcess, Ears, RedisProcess]) -> AsyncIterator[Office]:
    own, process, ears, redis = place
    store = RedisStore(redis.url)
    await store._link.one(("FLUSHALL",))
    ami = await AmiClient.login(own.ami_host, own.ami_port, own.ami_user, own.ami_secret)
    office = Office(own, process, ears, ami, store, redis.url)
    yield office
    await office.close()
    await ami.close()
    await store.close()


@pytest.fixture
def ears(office: Office) -> Ears:
    assert isinstance(office.carrier, Ears)
    return office.carrier


async def talking(office: Office, *agents: str, **settings: object) -> str:
    """The first agent talks with a debtor, the others are idle; his attempt."""
    await office.open(agents[0], **settings)
    await office.add(office.debtor("listens"))
    office.forget()
    await office.order("start")
    attempt = await office.talking(agents[0])
    await office.known_as(agents[0], "talking")
    await office.order("pause")
    for agent in agents[1:]:
        await office.sign_in(agent)
    return attempt


async def test_hold_gives_the_caller_music_and_his_agent_silence(office: Office, ears: Ears) -> None:
    attempt = await talking(office, "1001")
    await asyncio.gather(ears.hears(DEBTOR, "1001"), ears.hears("1001", DEBTOR))
    await office.order("hold", agent="1001")
    await office.told(Told.ON_HOLD, attempt)
    await asyncio.gather(ears.hears(DEBTOR, music=True), ears.hears("1001"))
    await office.order("unhold", agent="1001")
    await asyncio.gather(ears.hears(DEBTOR, "1001"), ears.hears("1001", DEBTOR))
    await office.end_talk("1001", "refuses")
    (record,) = (await office.books(1)).values()
    assert (record["outcome"], record["agent"]) == ("connected", "1001")
    assert 2 < float(record["hold_s"]) < float(record["talk_s"])


async def test_a_word_before_a_talk_of_three_and_a_hand_over(office: Office, ears: Ears) -> None:
    await talking(office, "1001", "1002")
    await office.order("consult", agent="1001", to="1002")
    await asyncio.gather(ears.hears(DEBTOR, music=True), ears.hears("1001", "1002"), ears.hears("1002", "1001"))
    await office.order("unhold", agent="1001")
    await asyncio.gather(ears.hears(DEBTOR, "1001", "1002"), ears.hears("1002", "1001", DEBTOR))
    office.forget()
    await office.order("hand_over", agent="1001")
    await office.talking("1002")
    await asyncio.gather(ears.hears(DEBTOR, "1002"), ears.hears("1002", DEBTOR), ears.hears("1001"))
    await office.wrapped("1001", "wants_agent")
    await office.known_as("1001", "idle")
    await office.end_talk("1002", "refuses")
    (record,) = (await office.books(1)).values()
    assert (record["outcome"], record["agent"], record["disposition"]) == ("connected", "1002", "refuses")


async def test_without_a_word_and_who_is_not_there_sends_him_back(office: Office, ears: Ears) -> None:
    attempt = await talking(office, "1001", "1002")
    office.forget()
    await office.order("to_agent", agent="1001", to="1002")
    assert await office.talking("1002") == attempt
    await ears.hears(DEBTOR, "1002")
    await office.order("wrapped", agent="1001")
    office.forget()
    await office.ami.send("Redirect", Channel=attempt, Context="santun-hand-over", Exten="1003", Priority=1)
    refused = await office.told(Told.ROOM_REFUSED, attempt)
    assert refused["Room"] == room("1003")
    assert await office.talking("1002") == attempt, "back where he was"
    await ears.hears(DEBTOR, "1002")
    await office.end_talk("1002")
    await office.books(1)


async def test_handed_to_the_ivr_his_agent_wraps_up(office: Office) -> None:
    attempt = await talking(office, "1001")
    await office.order("to_ivr", agent="1001")
    await office.told(Told.IVR_BEGIN, attempt)
    await office.wrapped("1001", "pay_now")
    (record,) = (await office.books(1)).values()
    assert (record["outcome"], record["disposition"], bool(record["ivr_at"])) == ("connected", "pay_now", True)


async def test_what_is_said_in_a_pause_is_not_on_the_recording(office: Office, ears: Ears) -> None:
    attempt = await talking(office, "1001", record=True)
    path = office.settings.recordings / f"{attempt}.wav"

    async def grows(start: int, samples: int) -> None:
        async def grown() -> bool:
            return read(path).size >= start + samples

        await until(grown, "the recording grows", LIMIT_S)

    await grows(0, 8000)
    assert await office.order("record_pause", agent="1001") == "recording paused"
    paused = read(path).size
    await grows(paused, 12000)
    assert rms(read(path)[paused + 4000 : paused + 12000]) < 0.001
    await ears.hears(DEBTOR, "1001")
    assert await office.order("record_resume", agent="1001") == "recording"
    resumed = read(path).size
    await grows(resumed, 12000)
    assert rms(read(path)[resumed + 4000 : resumed + 12000]) > 0.05
    await office.end_talk("1001")
    await office.books(1)


# ---- supervisors


async def test_a_supervisor_listens_whispers_joins_and_takes_over(office: Office, ears: Ears) -> None:
    attempt = await talking(office, "1001")
    await office.order("listen", agent="1001", supervisor="1003")
    await asyncio.gather(ears.hears("1003", "1001", DEBTOR), ears.hears("1001", DEBTOR), ears.hears(DEBTOR, "1001"))
    await office.order("whisper", agent="1001", supervisor="1003")
    await asyncio.gather(ears.hears("1001", "1003", DEBTOR), ears.hears(DEBTOR, "1001"))
    await office.order("join", agent="1001", supervisor="1003")
    await asyncio.gather(ears.hears(DEBTOR, "1001", "1003"), ears.hears("1001", "1003", DEBTOR))
    note = await desk(office, "1001")
    assert (note["state"], note["attempt"], note["monitored"]) == ("talking", attempt, "join")
    office.forget()
    await office.order("take_over", agent="1001", supervisor="1003")
    await office.entered("1003", lambda channel: channel == attempt, "the caller")
    await asyncio.gather(ears.hears(DEBTOR, "1003"), ears.hears("1003", DEBTOR), ears.hears("1001"))
    await office.wrapped("1001", "wants_agent")
    await office.end_talk("1003", "hardship")
    await office.known_as("1003", "signed_out")
    (record,) = (await office.books(1)).values()
    assert (record["outcome"], record["agent"], record["disposition"]) == ("connected", "1003", "hardship")
    assert (record["agents"], record["heard_by"]) == ("1001 1003", "1003")


async def desk(office: Office, agent: str) -> dict[str, object]:
    """The last note of this agent's desk."""
    raw = await office.store._link.one(("GET", desk_key(agent)))
    note: dict[str, object] = json.loads(raw)
    return note


# ---- calls that agents start


async def test_an_account_seen_first_and_a_number_dialled_by_hand(office: Office, ears: Ears) -> None:
    await office.open("1001", mode=Mode.PREVIEW)
    seen, other = office.debtor("listens"), office.debtor("listens")
    await office.add(seen)
    await office.order("start")
    await office.known_as("1001", "preview")
    note = await desk(office, "1001")
    assert (note["kind"], note["contact"]) == ("preview", seen.id)
    office.forget()
    attempt = await office.order("preview_call", agent="1001")
    assert await office.talking("1001") == attempt
    await ears.hears("1001", DEBTOR)
    await office.add(other)
    await office.end_talk("1001", "refuses")
    office.forget()
    attempt = await office.order("dial", agent="1001", contact=other.id, number="0")
    assert await office.talking("1001") == attempt
    await ears.hears(DEBTOR, "1001")
    await office.end_talk("1001", "refuses")
    books = await office.books(2)
    assert (books[seen.id]["kind"], books[other.id]["kind"]) == ("preview", "manual")
    assert {one["outcome"] for one in books.values()} == {"connected"}
