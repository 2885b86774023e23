"""The IVR's side of Redis for a call that comes in: who has the number, and the attempt on the books, once."""

import asyncio
import os
import signal
from dataclasses import replace

import pytest

from dialer.adapters.redis_ivr import IvrStore
from dialer.adapters.redis_process import RedisProcess
from dialer.adapters.redis_store import RedisStore
from dialer.errors import StoreDown
from dialer.floor.inbound import Incoming, attempt_of
from dialer.model import Campaign, Contact, Number, Refused

from .redis_lives import link_of

CAMPAIGN = Campaign("arrears", "Arrears", caller_id="+622150001234")
NUMBER = Number("+6281234567890", "ab" * 16)
CONTACT = Contact("cd" * 16, "ef" * 16, (NUMBER,), name="Budi")
KEY = bytes(range(32))


async def test_a_number_finds_its_contact_and_the_call_is_entered_once(
    redis_process: RedisProcess, store: RedisStore
) -> None:
    await store.save_campaign(CAMPAIGN)
    await store.add_contacts(CAMPAIGN.id, [CONTACT], 0.0)
    ivr = IvrStore(redis_process.url)
    try:
        found = await asyncio.to_thread(ivr.listed, NUMBER.key)
        assert [(one.campaign, one.contact.id) for one in found] == [(CAMPAIGN, CONTACT.id)]
        assert await asyncio.to_thread(ivr.listed, "00" * 16) == []
        assert await asyncio.to_thread(ivr.campaigns) == [CAMPAIGN]
        one = replace(attempt_of(Incoming("n-1.1", ""), CAMPAIGN, CONTACT, "", KEY, 100.0), number=NUMBER)
        for _ in range(2):
            await asyncio.to_thread(ivr.enter, one)
    finally:
        ivr.close()
    assert await store.open_attempts(CAMPAIGN.id) == (one,)
    assert await store.open_attempt(CAMPAIGN.id, one.id) == one
    token = await store.lead(CAMPAIGN.id, "engine", 10_000)
    assert token is not None
    assert [command.args for command in await store.commands(CAMPAIGN.id, token)] == [{"attempt": "n-1.1"}]
    held = await store.lock([replace(one, id="out", kind="predictive")], 101.0)
    assert isinstance(held[0], Refused), "nobody calls him while he calls us"


async def test_while_redis_stands_still_nobody_on_the_line_waits_for_it_twice(redis_process: RedisProcess) -> None:
    ivr = IvrStore(redis_process.url)
    try:
        ivr.beat("one", 1.0)
        os.kill(redis_process.pid, signal.SIGSTOP)
        try:
            with pytest.raises(StoreDown, match="Timeout"):
                await asyncio.to_thread(ivr.debtor, CAMPAIGN.id, "a")
            with pytest.raises(StoreDown, match="a moment ago"):
                await asyncio.to_thread(ivr.debtor, CAMPAIGN.id, "a")
        finally:
            os.kill(redis_process.pid, signal.SIGCONT)
        await asyncio.to_thread(ivr.beat, "one", 2.0)
        assert await asyncio.to_thread(ivr.debtor, CAMPAIGN.id, "a") is None
    finally:
        ivr.close()


async def test_a_redis_that_is_full_is_read_all_the_same(redis_process: RedisProcess, store: RedisStore) -> None:
    ivr, link = IvrStore(redis_process.url), link_of(store)
    try:
        await asyncio.to_thread(ivr.beat, "one", 1.0)
        await link.one(("CONFIG", "SET", "maxmemory", "1"))
        with pytest.raises(StoreDown):
            await asyncio.to_thread(ivr.beat, "one", 2.0)
        assert await asyncio.to_thread(ivr.debtor, CAMPAIGN.id, "a") is None
    finally:
        ivr.close()
