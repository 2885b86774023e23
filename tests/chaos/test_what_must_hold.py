"""Rows of "what must hold when things break" that no other test has; docs/chaos.md names the test of every row."""

import os
import signal

import pytest

from dialer.dialplan import Told
from tests.asterisk.office import LIMIT_S
from tests.asterisk.waiting import until_now
from tests.chaos.conftest import House
from tests.chaos.wire import Way

pytestmark = [pytest.mark.asyncio(loop_scope="session"), pytest.mark.asterisk, pytest.mark.redis]


async def held(house: House, *words: str) -> None:
    """New calls are held for one of these reasons."""
    await until_now(
        lambda: any(word in hold for hold in house.holds() for word in words), f"a hold for {words}", LIMIT_S
    )


async def test_a_half_open_manager_link_places_no_call_and_what_it_hid_is_found_out(house: House) -> None:
    """Nothing comes through: one talks, one is answered meanwhile, one is not called before it heals."""
    office = house.office
    await office.open("1001", "1002", connect_limit_ms=500)
    talks, rings, waits = office.debtor("human"), office.debtor("human", 3.5), office.debtor("busy")
    await office.add(talks, rings)
    await office.order("start")
    attempt = await office.talking("1001")
    late = (await office.ringing(rings)).id
    await office.known_as("1001", "talking")
    house.wire.turn(Way.SILENT)
    await held(house, "Asterisk cannot be reached")
    await office.add(waits)
    await office.told(Told.OVERFLOWED, late)
    await office.hang_up(attempt)
    await office.boards(2)
    assert not any(call.number == waits.numbers[0].e164 for call in office.calls())
    house.wire.turn(Way.THROUGH)
    await office.wrapped("1001")
    books = await office.books(3)
    assert (books[talks.id]["outcome"], books[talks.id]["agent"]) == ("connected", "1001")
    assert books[rings.id]["outcome"] in ("abandoned", "interrupted")
    assert books[waits.id]["outcome"] == "busy"
    assert len(office.calls()) == 3


async def test_a_frozen_asterisk_calls_nobody_twice_and_loses_no_outcome(house: House) -> None:
    office = house.office
    await office.open("1001", "1002")
    talks, rings, waits = office.debtor("human"), office.debtor("human", 4), office.debtor("busy")
    await office.add(talks, rings)
    await office.order("start")
    await office.talking("1001")
    await office.ringing(rings)
    await office.known_as("1001", "talking")
    os.kill(office.pbx.pid, signal.SIGSTOP)
    try:
        await held(house, "Asterisk cannot be reached", "Asterisk is slow")
        await office.add(waits)
        await office.boards(2)
        assert not any(call.number == waits.numbers[0].e164 for call in office.calls())
    finally:
        os.kill(office.pbx.pid, signal.SIGCONT)
    await office.end_talk("1001")
    if (await office.store.agents(office.campaign.id))[1].state == "talking":
        await office.end_talk("1002")
    books = await office.books(3)
    assert (books[talks.id]["outcome"], books[talks.id]["agent"]) == ("connected", "1001")
    assert books[waits.id]["outcome"] == "busy"
    assert len(office.calls()) == 3


@pytest.mark.parametrize("broken", ["killed", "full"])
async def test_redis_gone_or_full_places_no_call_and_a_talk_that_ends_meanwhile_is_written_once(
    house: House, broken: str
) -> None:
    office = house.office
    await office.open("1001")
    talks, waits = office.debtor("human"), office.debtor("human")
    await office.add(talks, waits)
    await office.order("start")
    attempt = await office.talking("1001")
    await office.known_as("1001", "talking")
    if broken == "killed":
        await house.redis.kill()
    else:
        await house.memory("1")
    await held(house, "Redis fails")
    assert not office.has_left(attempt)
    await office.hang_up(attempt)
    await held(house, "outcomes lag", "Redis fails")
    assert len(office.calls()) <= 1
    if broken == "killed":
        await house.redis.start()
    else:
        await house.memory("0")
    await office.wrapped("1001")
    await office.talking("1001")
    await office.end_talk("1001")
    books = await office.books(2)
    assert (books[talks.id]["outcome"], books[talks.id]["attempt"]) == ("connected", attempt)
    assert books[waits.id]["outcome"] == "connected"
    assert len(office.calls()) == 2
