"""Agents' rooms: one customer each, only where the agent is, and nobody is left alone when he goes."""

import asyncio

import pytest

from dialer.adapters.asterisk_conf import AsteriskSettings
from dialer.adapters.asterisk_process import AsteriskProcess
from dialer.dialplan import Context, Told, room

from .ami_client import AmiClient
from .audio import loud_for
from .conftest import Line
from .waiting import until

pytestmark = [pytest.mark.asyncio(loop_scope="session"), pytest.mark.asterisk]


async def join(ami: AmiClient, line: Line, agent: str, **variables: str) -> str:
    """A customer who talks with this agent."""
    channel = await line.call(connect_limit_ms="5000", **variables)
    await line.redirect(channel, Context.ROOM, agent)
    await ami.until("BridgeEnter", Uniqueid=channel, BridgeName=room(agent))
    return channel


async def test_a_customer_joins_at_once(ami: AmiClient, line: Line) -> None:
    await line.agent("1001")
    channel = await join(ami, line, "1001")
    answered = await ami.until("OriginateResponse", Uniqueid=channel)
    joined = await ami.until("BridgeEnter", Uniqueid=channel)
    assert float(joined["Timestamp"]) - float(answered["Timestamp"]) < 2  # the figure is in ./run bench


async def test_both_are_heard_on_the_customers_recording_and_it_is_begun_once(
    ami: AmiClient, line: Line, settings: AsteriskSettings
) -> None:
    await line.agent("1001")
    await line.agent("1002")
    channel = await join(ami, line, "1001", record="yes")
    await loud_for(settings.recordings / f"{channel}.wav", 0.5)  # the customer says nothing: it is the agent
    await line.redirect(channel, Context.ROOM, "1002")
    await ami.until("BridgeEnter", Uniqueid=channel, BridgeName=room("1002"))
    await line.hang_up(channel)
    assert len(list(settings.recordings.glob(f"{channel}*"))) == 1


async def test_no_agent_no_room(ami: AmiClient, line: Line) -> None:
    channel = await line.call(connect_limit_ms="5000", overflow="message")
    await line.redirect(channel, Context.ROOM, "1003")
    refused = await ami.until("UserEvent", UserEvent=Told.ROOM_REFUSED, Uniqueid=channel)
    assert refused["Room"] == room("1003")
    await ami.until("UserEvent", UserEvent=Told.OVERFLOWED, Uniqueid=channel)


async def test_agent_10_is_not_agent_1001(ami: AmiClient, line: Line) -> None:
    await line.agent("1001")
    channel = await line.call(connect_limit_ms="5000")
    await line.redirect(channel, Context.ROOM, "10")
    await ami.until("UserEvent", UserEvent=Told.ROOM_REFUSED, Uniqueid=channel, Room=room("10"))


async def test_who_was_refused_can_be_sent_to_another_agent(ami: AmiClient, line: Line) -> None:
    await line.agent("1002")
    channel = await line.call(connect_limit_ms="5000", overflow="message")
    await line.redirect(channel, Context.ROOM, "1003")
    await ami.until("UserEvent", UserEvent=Told.ROOM_REFUSED, Uniqueid=channel)
    await line.redirect(channel, Context.ROOM, "1002")
    await ami.until("BridgeEnter", Uniqueid=channel, BridgeName=room("1002"))
    assert not [event for event in ami.events if event.get("UserEvent") == Told.OVERFLOWED]


async def test_a_second_customer_is_refused_and_the_first_stays(ami: AmiClient, line: Line) -> None:
    await line.agent("1001")
    first = await join(ami, line, "1001")
    second = await line.call(connect_limit_ms="5000", overflow="message")
    await line.redirect(second, Context.ROOM, "1001")
    await ami.until("UserEvent", UserEvent=Told.ROOM_REFUSED, Uniqueid=second, Room=room("1001"))
    assert not [event for event in ami.events if event["Event"] == "BridgeLeave" and event["Uniqueid"] == first]


async def test_two_at_once_are_never_two_in_the_room(ami: AmiClient, line: Line) -> None:
    await line.agent("1001")
    for _ in range(10):
        pair = [await line.call(connect_limit_ms="5000", overflow="message") for _ in range(2)]
        await asyncio.gather(*(line.redirect(channel, Context.ROOM, "1001") for channel in pair))
        for channel in pair:
            await ami.where(
                lambda event, own=channel: (
                    event.get("Uniqueid") == own  # type: ignore[misc]
                    and (event["Event"] == "BridgeEnter" or event.get("UserEvent") == Told.ROOM_REFUSED)
                ),
            )
        joined = [event for event in ami.events if event["Event"] == "BridgeEnter" and event["Uniqueid"] in pair]
        assert len(joined) <= 1
        for channel in pair:
            await line.hang_up(channel)


async def test_the_room_is_free_again_after_each_way_out(ami: AmiClient, line: Line) -> None:
    await line.agent("1001")
    hung_up = await join(ami, line, "1001")
    await line.hang_up(hung_up)
    redirected = await join(ami, line, "1001")
    await line.redirect(redirected, Context.MESSAGE, "s")
    await ami.until("UserEvent", UserEvent=Told.MESSAGE, Uniqueid=redirected)
    await join(ami, line, "1001")


async def test_the_agent_gone_the_customer_is_held_with_sound_and_then_overflows(
    ami: AmiClient, line: Line, settings: AsteriskSettings
) -> None:
    agent = await line.agent("1001")
    channel = await join(ami, line, "1001", grace_ms="1000", overflow="message", record="yes")
    await line.hang_up(agent)
    held = await ami.until("UserEvent", UserEvent=Told.HELD, Uniqueid=channel)
    assert held["Room"] == room("1001")
    left = await ami.until("BridgeLeave", Uniqueid=channel)
    assert float(held["Timestamp"]) - float(left["Timestamp"]) < 1
    overflow = await ami.until("UserEvent", UserEvent=Told.OVERFLOWED, Uniqueid=channel)
    held_s = float(overflow["Timestamp"]) - float(held["Timestamp"])
    assert 2.2 < held_s < 5  # 1.5 s of sentence, 1 s of music
    await loud_for(settings.recordings / f"{channel}.wav", 1.8)


async def test_a_held_customer_gets_his_agent_back(ami: AmiClient, line: Line) -> None:
    agent = await line.agent("1001")
    channel = await join(ami, line, "1001", grace_ms="5000")
    await line.hang_up(agent)
    await ami.until("UserEvent", UserEvent=Told.HELD, Uniqueid=channel)
    await line.agent("1001")
    ami.events.clear()
    await line.redirect(channel, Context.ROOM, "1001")
    await ami.until("BridgeEnter", Uniqueid=channel, BridgeName=room("1001"))


async def test_the_agents_leg_stays_when_the_customer_goes(ami: AmiClient, line: Line) -> None:
    agent = await line.agent("1001")
    channel = await join(ami, line, "1001")
    await line.hang_up(channel)
    await ami.until("BridgeLeave", Uniqueid=channel)
    await join(ami, line, "1001")
    assert not [event for event in ami.events if event["Event"] == "Hangup" and event["Uniqueid"] == agent]


async def test_music_follows_the_sentence(ami: AmiClient, line: Line, pbx: AsteriskProcess) -> None:
    channel = await line.call(context=Context.HELD, exten="1001", grace_ms="3000")
    await ami.until("UserEvent", UserEvent=Told.HELD, Uniqueid=channel)

    async def playing() -> bool:
        return "!MusicOnHold!santun,3!" in await pbx.console("core show channels concise")

    await until(playing, "music", 5)


@pytest.mark.parametrize(("spy", "option"), [(Context.LISTEN, "q"), (Context.WHISPER, "qw")])
async def test_a_supervisor_spies_on_the_right_agent(
    ami: AmiClient, line: Line, pbx: AsteriskProcess, spy: Context, option: str
) -> None:
    await line.agent("10")
    await line.agent("1001")
    boss = await line.dial("PJSIP/agent1003", spy, "10")
    await ami.until("OriginateResponse", Uniqueid=boss, Response="Success")

    async def spying() -> bool:
        return f"!ChanSpy!PJSIP/agent10-,{option}!" in await pbx.console("core show channels concise")

    await until(spying, "ChanSpy", 3)


async def test_a_supervisor_joins_beside_the_customer(ami: AmiClient, line: Line) -> None:
    await line.agent("1001")
    await join(ami, line, "1001")
    boss = await line.dial("PJSIP/agent1003", Context.JOIN, "1001")
    await ami.until("BridgeEnter", Uniqueid=boss, BridgeName=room("1001"))
