"""The manager link against a scripted far end: each trap of panoramisk 1.4 is a test here."""

import asyncio
import logging
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import replace
from typing import Any

import pytest
from structlog.testing import capture_logs

from dialer.adapters.ami import Ami, AmiSettings, pause_s
from dialer.adapters.ami_inbox import AckTimes, Inbox
from dialer.adapters.clock import SystemClock
from dialer.errors import AckTimeout, ActionRefused, BadInput, LinkDown, NoLease, TelephonyError
from dialer.model import Event, Order, Seen

from .scripted_ami import SECRET, Fields, ScriptedAmi, block, rows, value

ORDER = Order("att1", "PJSIP/6281234567890@carrier", "santun-answered", "agents", 33000, "+62215550100", (("A", "b"),))
HANGUP = ("Uniqueid: att1", "Cause: 16")


class Clock:
    """The machine's clock; `now` fails while told to."""

    failing = False

    def now(self) -> float:
        if self.failing:
            raise ZeroDivisionError
        return SystemClock().now()

    def monotonic(self) -> float:
        return SystemClock().monotonic()


def settings(server: ScriptedAmi, **changes: Any) -> AmiSettings:
    quick = AmiSettings(
        "n1", "127.0.0.1", server.port, "dialer", SECRET, pause_s=0.01, pause_max_s=0.02, ping_s=30.0, silence_s=60.0
    )
    return replace(quick, **changes)


class Link:
    """A started Ami with the one reader of its events."""

    def __init__(self, ami: Ami) -> None:
        self.ami = ami
        self.events = ami.events()

    async def next(self) -> Event:
        async with asyncio.timeout(60):
            return await anext(self.events)

    async def kinds(self, number: int) -> list[Seen]:
        return [(await self.next()).kind for _ in range(number)]


Connect = Callable[..., Awaitable[Link]]


@pytest.fixture
async def server() -> AsyncIterator[ScriptedAmi]:
    async with ScriptedAmi() as server:
        yield server


@pytest.fixture
async def clock() -> Clock:
    return Clock()


@pytest.fixture
async def connect(server: ScriptedAmi, clock: Clock) -> AsyncIterator[Connect]:
    links: list[Link] = []

    async def connect(up: bool = True, **changes: Any) -> Link:
        links.append(Link(Ami(settings(server, **changes), clock)))
        await links[-1].ami.start()
        if up:
            assert (await links[-1].next()).kind is Seen.LINK_UP
        return links[-1]

    yield connect
    for link in links:
        await link.ami.close()


def leaks(ami: Ami) -> list[object]:
    session = ami._session
    return [*ami._waiting, *(session.protocol.responses if session else ())]


# ---- an action is sent once -----------------------------------------------------------------------------------------


async def test_an_originate_in_flight_fails_with_the_link_and_is_never_sent_again(
    server: ScriptedAmi, connect: Connect
) -> None:
    link = await connect()
    placing = asyncio.create_task(link.ami.originate(ORDER))
    await server.action("Originate")
    server.drop()
    with pytest.raises(LinkDown):
        await placing
    assert await link.kinds(2) == [Seen.LINK_DOWN, Seen.LINK_UP]
    server.replies["Redirect"] = ScriptedAmi.acknowledge
    await link.ami.redirect("att1", "santun-room", "1001")  # whatever was queued would have come before it
    assert len(server.named("Originate")) == 1
    assert leaks(link.ami) == []


async def test_panoramisk_never_connects_by_itself(server: ScriptedAmi, connect: Connect) -> None:
    link = await connect()
    server.drop()
    assert await link.kinds(2) == [Seen.LINK_DOWN, Seen.LINK_UP]
    with pytest.raises(TimeoutError):
        await server.until(lambda: server.sessions > 2, limit_s=2.2)  # its own pause is 2 s


async def test_a_list_in_flight_fails_with_the_link(server: ScriptedAmi, connect: Connect) -> None:
    link = await connect()
    server.replies["CoreShowChannels"] = lambda server, fields: server.answer(
        fields, "Response: Success", "EventList: start"
    )
    asking = asyncio.create_task(link.ami.channels())
    await server.action("CoreShowChannels")
    server.drop()
    with pytest.raises(LinkDown):
        await asking


async def test_without_a_session_nothing_is_sent_and_nothing_is_kept_for_later(
    server: ScriptedAmi, connect: Connect
) -> None:
    link = await connect()
    await server.deafen()
    assert await link.kinds(1) == [Seen.LINK_DOWN]
    with pytest.raises(LinkDown, match="not sent"):
        await link.ami.originate(ORDER)
    await server.listen()
    assert await link.kinds(1) == [Seen.LINK_UP]
    server.replies["Redirect"] = ScriptedAmi.acknowledge
    await link.ami.redirect("att1", "santun-room", "1001")
    assert server.named("Originate") == []


async def test_before_start_there_is_no_link(server: ScriptedAmi) -> None:
    ami = Ami(settings(server), SystemClock())
    assert not ami.health().up
    with pytest.raises(LinkDown):
        await ami.originate(ORDER)
    await ami.close()


async def test_what_was_not_yet_written_when_the_link_went_is_never_written(
    server: ScriptedAmi, connect: Connect
) -> None:
    link = await connect(ping_s=0.05, silence_s=0.2)
    server.pause()
    order = replace(ORDER, variables=tuple((f"A{n}", "x" * 900) for n in range(100)))
    placing = [asyncio.create_task(link.ami.originate(order)) for _ in range(100)]  # more than any buffer takes
    assert await link.kinds(2) == [Seen.LINK_DOWN, Seen.LINK_UP]
    server.resume()
    await server.until(lambda: server.ended == 1)
    assert len(server.named("Originate")) < 100
    await asyncio.wait(placing)
    assert {type(task.exception()) for task in placing} == {LinkDown}


# ---- under a lease --------------------------------------------------------------------------------------------------


async def test_without_a_lease_nothing_is_written_and_everybody_may_look(server: ScriptedAmi, connect: Connect) -> None:
    link = await connect()
    server.replies |= dict.fromkeys(("Redirect", "Hangup"), ScriptedAmi.acknowledge)
    server.replies["CoreShowChannels"] = lambda server, fields: rows(server, fields)
    led = [True]
    phone = link.ami.under(lambda: led[0])
    await phone.redirect("att1", "santun-room", "1001")
    led[0] = False
    for act in (
        lambda: phone.originate(ORDER),
        lambda: phone.redirect("att1", "santun-room", "1001"),
        lambda: phone.hang_up("att1"),
        lambda: phone.mute_recording("att1", muted=True),
    ):
        with pytest.raises(NoLease, match="was not sent"):
            await act()
    assert await phone.channels() == ()
    await link.ami.hang_up("att1")  # would come after whatever had been written
    assert [len(server.named(name)) for name in ("Originate", "Redirect", "Hangup", "MixMonitorMute")] == [0, 1, 1, 0]
    assert leaks(link.ami) == []
    assert phone.health().up


async def test_the_lease_is_asked_after_everything_else(server: ScriptedAmi, connect: Connect) -> None:
    """In the same step of the loop as the write, when the words are made and nothing waits before them."""
    link = await connect()
    session = link.ami._session
    assert session is not None
    steps: list[str] = []
    transport, write = session.protocol.transport, session.protocol.transport.write

    def lease() -> bool:
        steps.append("lease")
        return True

    def written(data: bytes) -> None:
        steps.append("write")
        write(data)

    transport.write = written
    server.replies["Hangup"] = ScriptedAmi.acknowledge
    hanging_up = asyncio.create_task(link.ami.under(lease).hang_up("att1"))
    asyncio.get_running_loop().call_soon(steps.append, "next step")
    await hanging_up
    assert steps[:3] == ["lease", "write", "next step"]


async def test_no_action_waits_in_a_buffer_of_ours(server: ScriptedAmi, connect: Connect) -> None:
    """Where Asterisk reads no more, the action that does not go out whole is the last: the session ends with it."""
    link = await connect()
    server.pause()
    order = replace(ORDER, variables=tuple((f"A{n}", "x" * 900) for n in range(100)))
    session = link.ami._session
    assert session is not None
    placing = []
    while not session.ended.done():
        assert session.protocol.transport.get_write_buffer_size() == 0
        placing.append(asyncio.create_task(link.ami.originate(order)))
        await asyncio.sleep(0)
    assert await link.kinds(2) == [Seen.LINK_DOWN, Seen.LINK_UP]
    server.resume()
    await server.until(lambda: server.ended == 1)
    await asyncio.wait(placing)
    assert {type(task.exception()) for task in placing} == {LinkDown}
    assert len(server.named("Originate")) < len(placing)


# ---- every action has a limit ---------------------------------------------------------------------------------------


async def test_without_an_ack_the_action_times_out_and_leaves_nothing_behind(
    server: ScriptedAmi, connect: Connect
) -> None:
    link = await connect(ack_s=0.05)
    with pytest.raises(AckTimeout, match="Originate"):
        await link.ami.originate(ORDER)
    assert leaks(link.ami) == []
    assert link.ami.counts["timeouts"] == 1
    assert link.ami.health().ack_p99_ms >= 50


async def test_a_late_ack_is_nobody_s(server: ScriptedAmi, connect: Connect) -> None:
    link = await connect(ack_s=0.05)
    with pytest.raises(AckTimeout):
        await link.ami.originate(ORDER)
    server.acknowledge(server.named("Originate")[0])
    server.event("Hangup", *HANGUP)
    assert await link.kinds(1) == [Seen.HANGUP]


async def test_the_ack_ends_an_originate_whether_or_not_its_response_ever_comes(
    server: ScriptedAmi, connect: Connect
) -> None:
    link = await connect()
    server.replies["Originate"] = lambda server, fields: server.answer(
        fields, "Response: Success", "Message: Originate successfully queued"
    )
    async with asyncio.timeout(60):
        await link.ami.originate(ORDER)
    assert leaks(link.ami) == []


async def test_a_caller_who_gives_up_leaves_nothing_behind(server: ScriptedAmi, connect: Connect) -> None:
    link = await connect()
    placing = asyncio.create_task(link.ami.originate(ORDER))
    await server.action("Originate")
    placing.cancel()
    with pytest.raises(asyncio.CancelledError):
        await placing
    assert leaks(link.ami) == []


async def test_an_action_that_waits_shows_in_health_before_it_times_out(server: ScriptedAmi, connect: Connect) -> None:
    link = await connect()
    placing = asyncio.create_task(link.ami.originate(ORDER))
    await server.action("Originate")
    first = link.ami.health().ack_p99_ms
    assert 0 < first < link.ami.health().ack_p99_ms
    placing.cancel()


# ---- silence is no proof of life ------------------------------------------------------------------------------------


async def test_a_link_on_which_nothing_is_heard_is_given_up(server: ScriptedAmi, connect: Connect) -> None:
    del server.replies["Ping"]
    link = await connect(ping_s=0.02, silence_s=0.1)
    placing = asyncio.create_task(link.ami.originate(ORDER))
    assert await link.kinds(2) == [Seen.LINK_DOWN, Seen.LINK_UP]
    with pytest.raises(LinkDown):
        await placing
    assert len(server.named("Originate")) == 1


async def test_a_quiet_link_that_answers_stays(server: ScriptedAmi, connect: Connect) -> None:
    link = await connect(ping_s=0.01, silence_s=1.0)
    await server.action("Ping", 10)
    assert link.ami.health().up
    assert server.sessions == 1
    assert len(leaks(link.ami)) <= 1  # the ping that is on its way


async def test_a_far_end_that_accepts_and_says_nothing_is_left(server: ScriptedAmi, connect: Connect) -> None:
    del server.replies["Login"]
    link = await connect(up=False, connect_s=0.05)
    await server.action("Login", 2)
    assert "TimeoutError" in link.ami.fault


# ---- nothing that comes can cost the session ------------------------------------------------------------------------


async def test_an_exception_while_an_event_is_read_costs_that_event_only(
    server: ScriptedAmi, connect: Connect, clock: Clock
) -> None:
    link = await connect()
    with capture_logs() as logs:
        clock.failing = True
        server.event("Hangup", *HANGUP)
        await fence(server, link)
        clock.failing = False
        server.send(block("Event: Hangup", "Uniqueid: att2", "Cause: 16") * 2)
        assert [(await link.next()).channel for _ in range(2)] == ["att2", "att2"]
    assert server.sessions == 1
    assert [entry["action"] for entry in logs] == ["message_failed"]


async def fence(server: ScriptedAmi, link: Link) -> None:
    """Returns when everything the server has sent was read."""
    server.replies["Redirect"] = ScriptedAmi.acknowledge
    await link.ami.redirect("fence", "santun-room", "1001")


@pytest.mark.parametrize(
    "rubbish",
    [
        b"\r\n\r\n\r\n\r\n",
        b"\xff\xfe\x00 no message at all\r\n\r\n",
        block("Event: "),
        block("Event: Hangup"),
        block("Event: Hangup", "no colon here"),
        block("Event: CoreShowChannel", "ActionID: of nobody"),
        block("Response: Success", "ActionID: of nobody"),
        block("Response: Error"),
        block("Event: Shutdown", "Shutdown: Cleanly"),
        block("Event: FullyBooted", "Timestamp: 1.5"),
        block("Event: Unheard", "Uniqueid: att1"),
    ],
)
async def test_rubbish_costs_nothing_but_itself(server: ScriptedAmi, connect: Connect, rubbish: bytes) -> None:
    link = await connect()
    server.send(rubbish)
    server.event("Hangup", *HANGUP)
    assert (await link.next()).channel == "att1"
    assert server.sessions == 1


async def test_an_endless_message_ends_the_session(server: ScriptedAmi, connect: Connect) -> None:
    link = await connect()
    server.send(b"x" * (1 << 20) + b"yz")
    assert await link.kinds(2) == [Seen.LINK_DOWN, Seen.LINK_UP]


async def test_nonsense_is_counted_and_told_once_with_place_and_cure(server: ScriptedAmi, connect: Connect) -> None:
    link = await connect()
    with capture_logs() as logs:
        for cause in ("6281234567890 called", "", "-1"):
            server.event("Hangup", "Uniqueid: att1", f"Cause: {cause}")
        server.event("Hangup", "Cause: 16")
        server.event("Hangup", *HANGUP)
        assert (await link.next()).cause == 16
    assert link.ami.counts["nonsense"] == 4
    assert [entry["place"] for entry in logs] == [
        "Hangup: Cause reads '9999999999999 xxxxxx'",
        "Hangup: Uniqueid is missing",
    ]
    assert all("Asterisk 22" in entry["event"] for entry in logs)


async def test_a_character_split_over_two_segments_survives(server: ScriptedAmi, connect: Connect) -> None:
    link = await connect()
    told = block("Event: UserEvent", "UserEvent: SantunHeld", "Uniqueid: att1", "Room: Büro")
    middle = told.index("ü".encode()) + 1
    server.send(block("Event: Hangup", *HANGUP) + told[:middle])
    assert (await link.next()).kind is Seen.HANGUP  # so the first half has been read
    server.send(told[middle:])
    assert (await link.next()).room == "Büro"


async def test_every_split_of_a_message_gives_the_same_events(server: ScriptedAmi, connect: Connect) -> None:
    link = await connect()
    told = block("Event: Hangup", *HANGUP) + block("Event: DialBegin", "DestUniqueid: att2")
    assert link.ami._session
    for cut in range(1, len(told)):
        link.ami._session.protocol.data_received(told[:cut])
        link.ami._session.protocol.data_received(told[cut:])
        assert [(await link.next()).channel for _ in range(2)] == ["att1", "att2"]


# ---- events ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("response", "kind"), [("Success", Seen.ANSWERED), ("Failure", Seen.FAILED)])
async def test_an_originate_response_is_an_event_although_it_has_an_action_id(
    server: ScriptedAmi, connect: Connect, response: str, kind: Seen
) -> None:
    link = await connect()

    def before_the_ack(server: ScriptedAmi, fields: Fields) -> None:
        server.event(
            "OriginateResponse",
            "Timestamp: 1795297851.765867",
            f"ActionID: {value(fields, 'ActionID')}",
            f"Response: {response}",
            "Reason: 4",
            "Uniqueid: att1",
        )
        server.answer(fields, "Response: Error", "Message: this is the ack")

    server.replies["Originate"] = before_the_ack
    with pytest.raises(ActionRefused, match="this is the ack"):
        await link.ami.originate(ORDER)
    assert await link.next() == Event(kind, 1795297851.765867, "att1", result="4")


async def test_an_originate_response_of_an_earlier_session_arrives(server: ScriptedAmi, connect: Connect) -> None:
    link = await connect()
    server.drop()
    assert await link.kinds(2) == [Seen.LINK_DOWN, Seen.LINK_UP]
    server.event("OriginateResponse", "ActionID: old", "Response: Failure", "Reason: 3", "Uniqueid: att1")
    event = await link.next()
    assert (event.kind, event.channel, event.result) == (Seen.FAILED, "att1", "3")


async def test_a_phone_that_registers_anew_stays_reachable(server: ScriptedAmi, connect: Connect) -> None:
    link = await connect()
    for uri, status in [
        ("sip:1@127.0.0.8:1", "NonQualified"),
        ("sip:1@127.0.0.8:1", "Reachable"),
        ("sip:1@127.0.0.8:2", "Reachable"),
        ("sip:1@127.0.0.8:1", "Removed"),
        ("sip:1@127.0.0.8:2", "Updated"),
        ("sip:1@127.0.0.8:2", "Unreachable"),
    ]:
        server.event("ContactStatus", f"URI: {uri}", f"ContactStatus: {status}", "AOR: agent1", "EndpointName: agent1")
    assert await link.kinds(4) == [Seen.REACHABLE] * 3 + [Seen.UNREACHABLE]


# ---- what goes out --------------------------------------------------------------------------------------------------

EVIL = "Budi\r\n\r\nAction: Command\r\nCommand: core stop now"


@pytest.mark.parametrize(
    ("order", "field"),
    [
        (replace(ORDER, channel_id=EVIL), "ChannelId"),
        (replace(ORDER, channel=EVIL), "Channel"),
        (replace(ORDER, context=EVIL), "Context"),
        (replace(ORDER, exten=EVIL), "Exten"),
        (replace(ORDER, caller_id=EVIL), "CallerID"),
        (replace(ORDER, variables=(("A", EVIL),)), "Variable"),
        (replace(ORDER, variables=((EVIL, "a"),)), "Variable"),
        (replace(ORDER, variables=(("A", "a\nb"),)), "Variable"),
        (replace(ORDER, variables=(("A", "a\rb"),)), "Variable"),
        (replace(ORDER, exten=""), "Exten"),
    ],
)
async def test_a_value_that_could_end_its_line_is_refused_by_name(
    server: ScriptedAmi, connect: Connect, order: Order, field: str
) -> None:
    link = await connect()
    with pytest.raises(BadInput, match=field) as refused:
        await link.ami.originate(order)
    assert "Budi" not in str(refused.value)
    await fence(server, link)
    assert server.named("Originate") == []
    assert leaks(link.ami) == []


async def test_the_headers_of_an_originate(server: ScriptedAmi, connect: Connect) -> None:
    server.replies["Originate"] = ScriptedAmi.acknowledge
    link = await connect()
    await link.ami.originate(replace(ORDER, variables=(("A", "a,b=c"), ("PJSIP_HEADER(add,X)", '"1"'))))
    sent = [field for field in server.named("Originate")[0] if field[0] != "ActionID"]
    assert sorted(sent) == [
        ("Action", "Originate"),
        ("Async", "true"),
        ("CallerID", "+62215550100"),
        ("Channel", "PJSIP/6281234567890@carrier"),
        ("ChannelId", "att1"),
        ("Context", "santun-answered"),
        ("Exten", "agents"),
        ("Priority", "1"),
        ("Timeout", "33000"),
        ("Variable", "A=a\\,b=c"),
        ("Variable", 'PJSIP_HEADER\\(add\\,X\\)=\\"1\\"'),
    ]


async def test_a_refusal_carries_asterisk_s_words_but_no_number(server: ScriptedAmi, connect: Connect) -> None:
    link = await connect()
    server.replies["Originate"] = lambda server, fields: server.answer(
        fields, "Response: Error", "Message: Extension 6281234567890 does not exist."
    )
    with pytest.raises(ActionRefused, match=r"Originate: Extension \*+890 does not exist\."):
        await link.ami.originate(ORDER)


async def test_hang_up_tells_whether_there_was_a_channel(server: ScriptedAmi, connect: Connect) -> None:
    link = await connect()
    server.replies["Hangup"] = ScriptedAmi.acknowledge
    assert await link.ami.hang_up("att1", 21)
    assert value(server.named("Hangup")[0], "Cause") == "21"
    server.replies["Hangup"] = lambda server, fields: server.answer(
        fields, "Response: Error", "Message: No such channel"
    )
    assert not await link.ami.hang_up("att1")
    server.replies["Hangup"] = lambda server, fields: server.answer(
        fields, "Response: Error", "Message: Permission denied"
    )
    with pytest.raises(ActionRefused, match="Permission denied"):
        await link.ami.hang_up("att1")


@pytest.mark.parametrize("channel", ["", "/^PJSIP/", "/.*/"])
async def test_a_pattern_never_goes_out_as_a_channel(server: ScriptedAmi, connect: Connect, channel: str) -> None:
    link = await connect()
    with pytest.raises(BadInput, match="Channel"):
        await link.ami.hang_up(channel)
    with pytest.raises(BadInput, match="Channel"):
        await link.ami.redirect(channel, "santun-room", "1001")


# ---- what is up -----------------------------------------------------------------------------------------------------

ROW: Fields = [
    ("Channel", "PJSIP/carrier-00000001"),
    ("ChannelStateDesc", "Up"),
    ("Context", "santun-room"),
    ("Exten", "1001"),
    ("Uniqueid", "att1"),
    ("Application", "ConfBridge"),
    ("ApplicationData", "agent-1001,santun_bridge,santun_customer"),
    ("Duration", "00:01:05"),
    ("BridgeId", "c39062e7"),
]


async def test_channels_reads_the_whole_list(server: ScriptedAmi, connect: Connect) -> None:
    link = await connect()
    server.replies["CoreShowChannels"] = lambda server, fields: rows(server, fields, ROW, ROW)
    (one, other) = await link.ami.channels()
    assert one == other
    assert (one.id, one.up, one.room, one.age_s) == ("att1", True, "agent-1001", 65.0)
    server.replies["CoreShowChannels"] = lambda server, fields: rows(server, fields)
    assert await link.ami.channels() == ()


async def test_a_list_with_a_row_missing_is_no_list(server: ScriptedAmi, connect: Connect) -> None:
    link = await connect()
    server.replies["CoreShowChannels"] = lambda server, fields: rows(server, fields, ROW, announced=2)
    with pytest.raises(TelephonyError, match="2 rows announced, 1 came"):
        await link.ami.channels()
    server.replies["CoreShowChannels"] = lambda server, fields: rows(server, fields, ROW[:3])
    with pytest.raises(TelephonyError, match="missing"):
        await link.ami.channels()


async def test_a_list_refused_is_an_error_and_one_that_stops_times_out(server: ScriptedAmi, connect: Connect) -> None:
    link = await connect(list_s=0.05)
    server.replies["CoreShowChannels"] = lambda server, fields: server.answer(
        fields, "Response: Error", "Message: Permission denied"
    )
    with pytest.raises(ActionRefused, match="Permission denied"):
        await link.ami.channels()
    server.replies["CoreShowChannels"] = lambda server, fields: server.answer(
        fields, "Response: Success", "EventList: start"
    )
    with pytest.raises(AckTimeout):
        await link.ami.channels()
    assert leaks(link.ami) == []


# ---- sessions -------------------------------------------------------------------------------------------------------


async def test_each_new_session_is_told_and_a_login_is_no_restart(server: ScriptedAmi, connect: Connect) -> None:
    link = await connect()
    for _ in range(3):
        server.drop()
        assert await link.kinds(2) == [Seen.LINK_DOWN, Seen.LINK_UP]
    await fence(server, link)
    assert link.ami.health().backlog == 0
    assert link.ami.counts["sessions"] == 4


async def test_another_start_time_is_a_restart(server: ScriptedAmi, connect: Connect) -> None:
    link = await connect()
    server.started = "2026-11-21 22:04:20"
    server.drop()
    assert await link.kinds(3) == [Seen.LINK_DOWN, Seen.LINK_UP, Seen.BOOTED]
    server.drop()
    assert await link.kinds(2) == [Seen.LINK_DOWN, Seen.LINK_UP]


async def test_an_asterisk_that_is_starting_is_waited_for(server: ScriptedAmi, connect: Connect) -> None:
    server.replies["Login"] = lambda server, fields: server.answer(fields, "Response: Success")
    link = await connect(up=False)
    await server.action("Login")
    with pytest.raises(LinkDown):
        await link.ami.originate(ORDER)
    assert not link.ami.health().up
    server.event("FullyBooted", "Timestamp: 1795298660.847587", "Status: Fully Booted", "Uptime: 0", "LastReload: 0")
    assert await link.kinds(2) == [Seen.LINK_UP, Seen.BOOTED]


async def test_an_asterisk_that_goes_while_starting_is_tried_again(server: ScriptedAmi, connect: Connect) -> None:
    server.replies["Login"] = lambda server, fields: server.answer(fields, "Response: Success")
    link = await connect(up=False)
    await server.action("Login")
    server.replies["Login"] = ScriptedAmi.log_in
    server.drop()
    assert await link.kinds(1) == [Seen.LINK_UP]


async def test_a_wrong_secret_is_told_with_its_cure_and_is_in_no_log(
    server: ScriptedAmi, connect: Connect, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    with capture_logs() as logs:
        link = await connect(up=False, secret="not-this-one")
        await server.action("Login", 3)
    assert "manager.conf" in link.ami.fault
    assert len(logs) == 1  # not one line at each try
    assert "not-this-one" not in f"{logs}{caplog.text}{link.ami.fault}{settings(server, secret='not-this-one')}"


async def test_missing_rights_are_told_at_login(server: ScriptedAmi, connect: Connect) -> None:
    server.replies["CoreStatus"] = lambda server, fields: server.answer(
        fields, "Response: Error", "Message: Permission denied"
    )
    link = await connect(up=False)
    await server.action("CoreStatus", 2)
    assert "CoreStatus: Permission denied" in link.ami.fault


async def test_numbers_and_secrets_stay_out_of_every_log(
    server: ScriptedAmi, connect: Connect, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    server.replies["Originate"] = ScriptedAmi.acknowledge
    with capture_logs() as logs:
        link = await connect()
        await link.ami.originate(ORDER)
        placing = asyncio.create_task(link.ami.originate(ORDER))
        server.event("Hangup", "Uniqueid: 6281234567890")
        server.drop()
        await link.kinds(2)
        await asyncio.wait([placing])
    assert placing.done()
    assert "1234567" not in f"{logs}{caplog.text}"
    assert SECRET not in f"{logs}{caplog.text}"


async def test_close_while_a_reconnect_is_pending_stays_closed(server: ScriptedAmi, connect: Connect) -> None:
    link = await connect(pause_s=0.05, pause_max_s=0.05)
    await server.deafen()
    assert await link.kinds(1) == [Seen.LINK_DOWN]
    await link.ami.close()
    await server.listen()
    with pytest.raises(TimeoutError):
        await server.until(lambda: server.sessions > 1, limit_s=0.2)
    with pytest.raises(StopAsyncIteration):
        await link.next()
    assert not link.ami.health().up


async def test_close_ends_the_events_after_what_was_seen(server: ScriptedAmi, connect: Connect) -> None:
    link = await connect()
    server.event("Hangup", *HANGUP)
    await fence(server, link)
    await link.ami.close()
    assert [event.kind async for event in link.events] == [Seen.HANGUP, Seen.LINK_DOWN]
    await link.ami.close()


@pytest.mark.parametrize(
    ("tries", "chance", "pause"),
    [(0, 1.0, 0.2), (0, 0.0, 0.1), (1, 1.0, 0.4), (4, 1.0, 3.2), (5, 1.0, 5.0), (10_000, 0.5, 3.75)],
)
def test_back_off_doubles_up_to_its_limit_and_is_spread(tries: int, chance: float, pause: float) -> None:
    assert pause_s(AmiSettings("n1", "", 0, "", ""), tries, chance) == pytest.approx(pause)


# ---- the queue ------------------------------------------------------------------------------------------------------


async def test_events_that_nobody_reads_become_a_broken_link(server: ScriptedAmi, connect: Connect) -> None:
    link = await connect(backlog_max=3)
    for number in range(10):
        server.event("Hangup", f"Uniqueid: att{number}", "Cause: 16")
    await fence(server, link)
    health = link.ami.health()
    assert (health.up, health.backlog) == (False, 4)
    assert link.ami.lost == 7
    assert await link.kinds(5) == [Seen.HANGUP] * 3 + [Seen.LINK_DOWN, Seen.LINK_UP]
    assert link.ami.health().up
    server.event("Hangup", *HANGUP)
    assert (await link.next()).channel == "att1"
    assert server.sessions == 1


HUNG_UP = Event(Seen.HANGUP, 1.0, "att1")


async def read(inbox: Inbox, number: int) -> list[Seen]:
    events = inbox.read()
    async with asyncio.timeout(60):
        return [(await anext(events)).kind for _ in range(number)]


async def test_a_link_that_goes_while_the_queue_is_full_is_told_once() -> None:
    inbox = Inbox(1, SystemClock())
    inbox.link(up=True)
    inbox.put(HUNG_UP)
    inbox.link(up=False)
    inbox.put(HUNG_UP)
    inbox.link(up=True, booted=True)
    assert await read(inbox, 4) == [Seen.LINK_UP, Seen.LINK_DOWN, Seen.LINK_UP, Seen.BOOTED]
    inbox.put(HUNG_UP)
    assert await read(inbox, 1) == [Seen.HANGUP]


async def test_what_comes_before_the_link_is_up_is_bounded_too() -> None:
    inbox = Inbox(2, SystemClock())
    for _ in range(5):
        inbox.put(HUNG_UP)
    inbox.link(up=True)
    assert (len(inbox), inbox.lost) == (2, 3)
    assert await read(inbox, 3) == [Seen.HANGUP] * 2 + [Seen.LINK_UP]


def test_the_slowest_ack_in_a_hundred_counts_for_five_seconds() -> None:
    times = AckTimes()
    assert times.p99_ms(0.0) == 0.0
    for number in range(100):
        times.add(10.0, float(number))
    assert times.p99_ms(10.0) == 98.0
    times.add(10.5, 500.0)
    times.add(10.5, 600.0)
    assert times.p99_ms(10.5) == 98.0  # counted once a second
    assert times.p99_ms(11.0) == 500.0
    assert times.p99_ms(15.2) == 600.0
    assert times.p99_ms(16.3) == 0.0
