"""Messages as a real Asterisk 22.10.1 sent them, and messages as nobody should send them."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dialer.adapters import ami_words
from dialer.adapters.ami_words import Contacts, Nonsense, event, headers, live_channel, originate, redirect
from dialer.dialplan import TOLD_ANSWERED, Told, Var
from dialer.errors import BadInput
from dialer.model import Event, LiveChannel, Order, Seen

AT = 1795297851.263050
RECEIVED = 1795297999.0

DEST = """DestChannel: PJSIP/self-00000000
DestChannelState: 5
DestChannelStateDesc: Ringing
DestCallerIDNum: +6281234567890
DestCallerIDName: Hallo
DestConnectedLineNum: +6281234567890
DestConnectedLineName: Hallo
DestLanguage: en
DestAccountCode: 
DestContext: far
DestExten: s
DestPriority: 1
DestUniqueid: att1
DestLinkedid: att1
"""  # noqa: W291 - as recorded

CHANNEL = """Channel: PJSIP/self-00000000
ChannelState: 6
ChannelStateDesc: Up
CallerIDNum: +6281234567890
CallerIDName: Hallo
ConnectedLineNum: +6281234567890
ConnectedLineName: Hallo
Language: en
AccountCode: 
Context: ans
Exten: wait
Priority: 2
Uniqueid: att1
Linkedid: att1
ChanVariable: SANTUN_CAMPAIGN=one
"""  # noqa: W291 - as recorded

BRIDGE = """BridgeUniqueid: c39062e7-2cf9-4b25-8e4f-ab656f92c2e1
BridgeType: base
BridgeTechnology: softmix
BridgeCreator: ConfBridge
BridgeName: agent-100
BridgeNumChannels: 2
BridgeVideoSourceMode: none
"""

RESPONSE = """ActionID: oatt1
Response: Success
Channel: PJSIP/self-00000000
Context: ans
Exten: wait
Reason: 4
Uniqueid: att1
CallerIDNum: +6281234567890
CallerIDName: Hallo
"""

CONTACT = """URI: sip:agent100@127.0.0.8:16001
ContactStatus: Reachable
AOR: agent100
EndpointName: agent100
RoundtripUsec: 245
"""

ROW = """ActionID: c1
Channel: PJSIP/self-00000000
ChannelState: 6
ChannelStateDesc: Up
CallerIDNum: +6281234567890
CallerIDName: Hallo
Context: room
Exten: 100
Priority: 1
Uniqueid: att1
Linkedid: att1
Application: ConfBridge
ApplicationData: agent-100,santun_bridge,santun_customer
Duration: 01:00:03
BridgeId: c39062e7-2cf9-4b25-8e4f-ab656f92c2e1
"""


def said(text: str, stamped: bool = True) -> dict[str, str]:
    """A recorded message, without its first line."""
    stamp = "Timestamp: 1795297851.263050\n" if stamped else ""
    return headers(f"Privilege: call,all\n{stamp}{text}".strip("\n").replace("\n", "\r\n").encode())


def user_event(told: str, *lines: str) -> dict[str, str]:
    return said(CHANNEL + "\n".join([f"UserEvent: {told}", *lines]))


@pytest.mark.parametrize(
    ("name", "text", "seen"),
    [
        ("DialBegin", DEST + "DialString: 01@self", Event(Seen.DIALLED, AT, "att1")),
        ("DialState", DEST + "DialStatus: RINGING", Event(Seen.RINGING, AT, "att1")),
        ("DialState", DEST + "DialStatus: PROGRESS", Event(Seen.PROGRESS, AT, "att1")),
        ("DialState", DEST + "DialStatus: PROCEEDING", None),
        ("DialEnd", DEST + "DialStatus: ANSWER", None),
        ("OriginateResponse", RESPONSE, Event(Seen.ANSWERED, AT, "att1", result="4")),
        (
            "OriginateResponse",
            RESPONSE.replace("Success", "Failure").replace("Reason: 4", "Reason: 3"),
            Event(Seen.FAILED, AT, "att1", result="3"),
        ),
        (
            "Hangup",
            CHANNEL + "Cause: 16\nCause-txt: Normal Clearing",
            Event(Seen.HANGUP, AT, "att1", result="up", cause=16),
        ),
        (
            "Hangup",
            CHANNEL.replace("Up", "Ringing") + "Cause: 17\nCause-txt: User busy\nTechCause: 486",
            Event(Seen.HANGUP, AT, "att1", cause=17, sip_code=486),
        ),
        ("Hangup", CHANNEL + "Cause: 0\nTechCause: ", Event(Seen.HANGUP, AT, "att1", result="up", cause=0)),
        ("BridgeEnter", BRIDGE + CHANNEL, Event(Seen.JOINED, AT, "att1", room="agent-100")),
        ("BridgeLeave", BRIDGE + CHANNEL, Event(Seen.LEFT, AT, "att1", room="agent-100")),
        (
            "BridgeEnter",
            BRIDGE.replace("ConfBridge", "<unknown>").replace("agent-100", "<unknown>") + CHANNEL,
            Event(Seen.JOINED, AT, "att1"),
        ),
        ("ContactStatus", CONTACT, Event(Seen.REACHABLE, AT, "agent100", result="sip:agent100@127.0.0.8:16001")),
        ("ContactStatus", CONTACT.replace("Reachable", "Updated"), None),
        ("Newstate", CHANNEL, None),
    ],
)
def test_recorded_messages(name: str, text: str, seen: Event | None) -> None:
    assert event(name, said(text), RECEIVED) == seen


@pytest.mark.parametrize(
    ("told", "line", "seen"),
    [
        (Told.DETECTED, "Result: HUMAN", Event(Seen.DETECTED, AT, "att1", result="human")),
        (Told.DETECTED, "Result: MACHINE", Event(Seen.DETECTED, AT, "att1", result="machine")),
        (Told.DETECTED, "Result: NOTSURE", Event(Seen.DETECTED, AT, "att1", result="unsure")),
        (Told.DETECTED, "Result: HANGUP", Event(Seen.DETECTED, AT, "att1", result="hangup")),
        (Told.OVERFLOWED, "To: ivr", Event(Seen.OVERFLOWED, AT, "att1", result="ivr")),
        (Told.OVERFLOWED, "To: message", Event(Seen.OVERFLOWED, AT, "att1", result="message")),
        (Told.IVR_BEGIN, "", Event(Seen.IVR_BEGIN, AT, "att1")),
        (Told.IVR_END, "Result: done", Event(Seen.IVR_END, AT, "att1", result="done")),
        (Told.IVR_END, "Result: ", Event(Seen.IVR_END, AT, "att1")),
        (Told.WANTS_AGENT, "", Event(Seen.WANTS_AGENT, AT, "att1")),
        (Told.HELD, "Room: agent-100", Event(Seen.HELD, AT, "att1", room="agent-100")),
        (Told.ROOM_REFUSED, "Room: agent-100", Event(Seen.ROOM_REFUSED, AT, "att1", room="agent-100")),
        (Told.MESSAGE, "", Event(Seen.MESSAGE, AT, "att1")),
        (Told.VOICEMAIL, "Left: yes", Event(Seen.VOICEMAIL, AT, "att1", result="yes")),
        (Told.PHONE_KEY, "Agent: 100\nKey: *1", Event(Seen.PHONE_KEY, AT, "att1", room="100", result="*1")),
    ],
)
def test_user_events(told: Told, line: str, seen: Event) -> None:
    assert event("UserEvent", user_event(told, line), RECEIVED) == seen


def test_every_user_event_of_the_dialplan_is_read() -> None:
    assert set(ami_words._TOLD) == {TOLD_ANSWERED, *Told}


def test_user_events_of_others_are_of_no_interest() -> None:
    assert event("UserEvent", user_event("SomebodyElse", "Result: 1"), RECEIVED) is None


def test_a_user_event_cannot_speak_for_another_channel() -> None:
    told = event("UserEvent", user_event(Told.IVR_END, "Result: done", "Uniqueid: att2", "Timestamp: 1"), RECEIVED)
    assert told == Event(Seen.IVR_END, AT, "att1", result="done")


@pytest.mark.parametrize(
    ("name", "text", "header"),
    [
        ("Hangup", CHANNEL, "Cause is missing"),
        ("Hangup", CHANNEL + "Cause: ", "Cause reads ''"),
        ("Hangup", CHANNEL + "Cause: -1", "Cause reads '-9'"),
        ("Hangup", CHANNEL + "Cause: ١٦", "Cause reads"),
        ("Hangup", CHANNEL + "Cause: 16\nTechCause: SIP 486", "TechCause reads 'xxx 999'"),
        ("Hangup", "Cause: 16", "Uniqueid is missing"),
        ("Hangup", "Uniqueid: \nCause: 16", "Uniqueid reads ''"),
        ("DialBegin", CHANNEL, "DestUniqueid is missing"),
        ("DialState", DEST, "DialStatus is missing"),
        ("OriginateResponse", RESPONSE.replace("Success", "Maybe"), "Response reads 'xxxxx'"),
        ("OriginateResponse", RESPONSE.replace("Reason", "Raison"), "Reason is missing"),
        ("BridgeEnter", BRIDGE.replace("agent-100", "") + CHANNEL, "BridgeName reads ''"),
        ("ContactStatus", CONTACT.replace("URI", "URL"), "URI is missing"),
        ("UserEvent", CHANNEL + "UserEvent: SantunDetected", "Result is missing"),
        ("UserEvent", CHANNEL + "UserEvent: SantunDetected\nResult: ", "Result reads ''"),
        ("UserEvent", CHANNEL + "UserEvent: SantunOverflow\nTo: nowhere", "To reads 'xxxxxxx'"),
        ("UserEvent", CHANNEL + "UserEvent: SantunHeld\nRoom: ", "Room reads ''"),
    ],
)
def test_nonsense_names_its_header_and_shows_no_value(name: str, text: str, header: str) -> None:
    with pytest.raises(Nonsense, match=header):
        event(name, said(text), RECEIVED)


def test_without_a_time_stamp_the_time_of_arrival_counts() -> None:
    told = event("Hangup", said(CHANNEL + "Cause: 16", stamped=False), RECEIVED)
    assert told is not None
    assert told.at == RECEIVED


@pytest.mark.parametrize("stamp", ["", "soon", "nan", "inf", "-1", "0", "1e30"])
def test_a_time_stamp_that_is_none_is_nonsense(stamp: str) -> None:
    with pytest.raises(Nonsense, match="Timestamp"):
        event("Hangup", {"Uniqueid": "att1", "Cause": "16", "Timestamp": stamp}, RECEIVED)


def test_missing_is_not_empty() -> None:
    read = headers(b"Event: X\r\nAccountCode: \r\nBare:\r\nno colon\r\nName: a: b\r\nName: c")
    assert read == {"Event": "X", "AccountCode": "", "Bare": "", "Name": "a: b"}


@given(st.binary(max_size=200), st.sampled_from(sorted(ami_words.EVENTS)))
def test_whatever_comes_is_an_event_nothing_or_nonsense(block: bytes, name: str) -> None:
    try:
        told = event(name, headers(block), RECEIVED)
    except Nonsense:
        return
    assert told is None or told.channel


# ---- contacts -------------------------------------------------------------------------------------------------------


def contact(kind: Seen, uri: str, endpoint: str = "agent100") -> Event:
    return Event(kind, AT, endpoint, result=uri)


def test_an_endpoint_is_unreachable_when_its_last_contact_is() -> None:
    contacts = Contacts()
    up, down = Seen.REACHABLE, Seen.UNREACHABLE
    assert contacts.told(contact(up, "a")) == Event(up, AT, "agent100")
    assert contacts.told(contact(up, "b")) == Event(up, AT, "agent100")  # a phone that came back raises its leg
    assert contacts.told(contact(down, "a")) is None
    assert contacts.told(contact(down, "a", "agent101")) == Event(down, AT, "agent101")
    assert contacts.told(contact(down, "b")) == Event(down, AT, "agent100")
    contacts.told(contact(up, "c"))
    contacts.forget()
    assert contacts.told(contact(down, "a")) == Event(down, AT, "agent100")


# ---- rows -----------------------------------------------------------------------------------------------------------

LIVE = LiveChannel("att1", "PJSIP/self-00000000", True, "room", "100", "ConfBridge", "agent-100", 3603.0)


@pytest.mark.parametrize(
    ("old", "new", "row"),
    [
        ("", "", LIVE),
        ("Desc: Up", "Desc: Ringing", replace(LIVE, up=False)),
        ("BridgeId: c39062e7-2cf9-4b25-8e4f-ab656f92c2e1", "BridgeId: ", replace(LIVE, room="")),
        ("Application: ConfBridge", "Application: Playback", replace(LIVE, application="Playback", room="")),
        ("01:00:03", "100:00:00", replace(LIVE, age_s=360000.0)),
    ],
)
def test_rows(old: str, new: str, row: LiveChannel) -> None:
    assert live_channel(said(ROW.replace(old, new))) == row


@pytest.mark.parametrize("name", ["Uniqueid", "Channel", "ChannelStateDesc", "Application", "Duration", "BridgeId"])
def test_a_row_that_lacks_something_is_nonsense(name: str) -> None:
    row = said(ROW)
    del row[name]
    with pytest.raises(Nonsense, match=f"{name} is missing"):
        live_channel(row)


def test_a_row_without_an_age_is_nonsense() -> None:
    with pytest.raises(Nonsense, match="Duration"):
        live_channel(said(ROW.replace("01:00:03", "a while")))


# ---- what goes out --------------------------------------------------------------------------------------------------

ORDER = Order("att1", "PJSIP/1@trunk", "santun-answered", "agents", 33000, "", ((Var.ATTEMPT, "att1"),))


def unescaped(header: str) -> list[str]:
    """What Asterisk's own splitting makes of a Variable header (ast_app_separate_args with quotes removed)."""
    found, quoted, depth, chars = [""], False, 0, iter(header)
    for char in chars:
        if char == "\\":
            found[-1] += next(chars, "")
        elif char == '"':
            quoted = not quoted
        elif char == "," and not quoted and not depth:
            found.append("")
        else:
            depth += (char in "([") - (char in ")]")
            found[-1] += char
    return found


@given(st.text(st.characters(exclude_characters="\r\n\0", exclude_categories=["Cs"]), max_size=60))
def test_no_value_leaves_its_variable(value: str) -> None:
    variables = originate(replace(ORDER, variables=(("A", value),)))["Variable"]
    assert [unescaped(header) for header in variables] == [[f"A={value}"]]


def test_an_originate_without_caller_id_does_not_set_one() -> None:
    fields = originate(ORDER)
    assert "CallerID" not in fields
    assert "EarlyMedia" not in fields
    assert fields["Async"] == "true"


@pytest.mark.parametrize("name", ["", "a b", "A=1", "A,B", "${A}", "A(", "A(B=C)", "Ä"])
def test_a_variable_s_name_is_a_name(name: str) -> None:
    with pytest.raises(BadInput, match="Variable"):
        originate(replace(ORDER, variables=((name, "1"),)))


@pytest.mark.parametrize("timeout_ms", [0, -1])
def test_an_originate_has_a_limit(timeout_ms: int) -> None:
    with pytest.raises(BadInput, match="Timeout"):
        originate(replace(ORDER, timeout_ms=timeout_ms))


def test_what_asterisk_would_cut_is_refused() -> None:
    originate(replace(ORDER, variables=(("A", "x" * 900),)))
    with pytest.raises(BadInput, match="Variable is longer"):
        originate(replace(ORDER, variables=(("A", "x" * 1000),)))
    with pytest.raises(BadInput, match="Variable is longer"):
        originate(replace(ORDER, variables=(("A", "," * 500),)))
    with pytest.raises(BadInput, match="Variable is longer"):
        originate(replace(ORDER, variables=(("A", "\N{GRINNING FACE}" * 250),)))
    with pytest.raises(BadInput, match="headers"):
        originate(replace(ORDER, variables=tuple((f"A{n}", "1") for n in range(120))))


def test_what_cannot_be_written_is_refused() -> None:
    with pytest.raises(BadInput, match="Exten contains"):
        redirect("att1", "santun-room", "1\0")
    with pytest.raises(BadInput, match="Exten cannot be written"):
        redirect("att1", "santun-room", "\ud800")
