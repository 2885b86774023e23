"""The manager interface's words and ours: message -> Event, row -> LiveChannel, Order -> Originate. No I/O, no clock.

Rules of this file:
- A header that is missing is not an empty one, and neither is guessed: Nonsense names the place.
- What Asterisk tells of itself comes before what a user event adds: the first header of a name is the one that counts.
- Nothing that leaves can end its own line, or its own field.
"""

import re
from collections.abc import Callable, Mapping

from dialer.dialplan import TOLD_ANSWERED, IvrResult, Told
from dialer.errors import BadInput
from dialer.mask import shape
from dialer.model import WAS_UP, Event, LiveChannel, Order, Seen

Headers = Mapping[str, str]
Fields = dict[str, str | list[str]]

LINE_MAX = 1000  # Asterisk refuses a line of more than 1022 bytes, and may take what follows for a new action
HEADERS_MAX = 120  # it keeps 128
NO_SUCH_CHANNEL = "No such channel"
CONTACT = "ContactStatus"

_FORBIDDEN = re.compile("[\r\n\0]")
_VARIABLE = re.compile(r"[A-Za-z_][A-Za-z0-9_]*(\([^()=]*\))?")  # a name, or a function such as PJSIP_HEADER(add,X)
_DIVIDERS = str.maketrans({char: "\\" + char for char in '\\",()[]'})
_LATEST = 1e11  # a time stamp beyond it is none


class Nonsense(BadInput):
    """Asterisk's message makes no sense."""

    def __init__(self, header: str, value: str | None) -> None:
        self.header = header
        super().__init__(f"{header} is missing" if value is None else f"{header} reads {shape(value)!r}")


# ---- Asterisk -> us -------------------------------------------------------------------------------------------------


def headers(block: bytes) -> dict[str, str]:
    """One message as a dict; a header that comes again does not replace the first."""
    found: dict[str, str] = {}
    for line in block.decode("utf-8", "replace").split("\r\n"):
        name, colon, value = line.partition(":")
        if colon and name not in found:
            found[name] = value[1:] if value[:1] == " " else value
    return found


def event(name: str, said: Headers, received: float) -> Event | None:
    """The Event told by an AMI event of this name; None: of no interest. `received` is used where no time is told."""
    read = _READERS.get(name)
    return read(said, _at(said, received)) if read else None


def live_channel(said: Headers) -> LiveChannel:
    """One row of CoreShowChannels."""
    application, bridged = _header(said, "Application"), _header(said, "BridgeId")
    in_room = application == "ConfBridge" and bridged != ""
    return LiveChannel(
        id=_id(said, "Uniqueid"),
        name=_header(said, "Channel"),
        up=_header(said, "ChannelStateDesc") == "Up",
        context=_header(said, "Context"),
        exten=_header(said, "Exten"),
        application=application,
        room=_header(said, "ApplicationData").partition(",")[0] if in_room else "",
        age_s=_seconds(_header(said, "Duration")),
    )


def _header(said: Headers, name: str) -> str:
    value = said.get(name)
    if value is None:
        raise Nonsense(name, None)
    return value


def _id(said: Headers, name: str) -> str:
    value = _header(said, name)
    if not value:
        raise Nonsense(name, value)
    return value


def _number(said: Headers, name: str) -> int:
    value = _header(said, name)
    if not (value.isascii() and value.isdigit() and len(value) < 10):
        raise Nonsense(name, value)
    return int(value)


def _seconds(duration: str) -> float:
    parts = duration.split(":")
    if len(parts) != 3 or not all(part.isascii() and part.isdigit() for part in parts):
        raise Nonsense("Duration", duration)
    hours, minutes, seconds = map(int, parts)
    return hours * 3600.0 + minutes * 60 + seconds


def _at(said: Headers, received: float) -> float:
    stamp = said.get("Timestamp")
    if stamp is None:
        return received
    try:
        at = float(stamp)
    except ValueError:
        raise Nonsense("Timestamp", stamp) from None
    if not 0 < at < _LATEST:
        raise Nonsense("Timestamp", stamp)
    return at


def _dial_begin(said: Headers, at: float) -> Event:
    return Event(Seen.DIALLED, at, _id(said, "DestUniqueid"))


def _dial_state(said: Headers, at: float) -> Event | None:
    kind = _DIAL_STATES.get(_header(said, "DialStatus"))
    return Event(kind, at, _id(said, "DestUniqueid")) if kind else None


def _originate_response(said: Headers, at: float) -> Event:
    kind = _ORIGINATED.get(_header(said, "Response"))
    if kind is None:
        raise Nonsense("Response", said["Response"])
    return Event(kind, at, _id(said, "Uniqueid"), result=str(_number(said, "Reason")))


def _hangup(said: Headers, at: float) -> Event:
    sip_code = _number(said, "TechCause") if said.get("TechCause") else 0
    state = WAS_UP if said.get("ChannelStateDesc") == "Up" else ""
    channel, cause = _id(said, "Uniqueid"), _number(said, "Cause")
    return Event(Seen.HANGUP, at, channel, result=state, cause=cause, sip_code=sip_code)


def _bridge(kind: Seen) -> Callable[[Headers, float], Event]:
    def read(said: Headers, at: float) -> Event:
        conference = _header(said, "BridgeCreator") == "ConfBridge"  # other bridges have no name of ours
        return Event(kind, at, _id(said, "Uniqueid"), room=_id(said, "BridgeName") if conference else "")

    return read


def _contact_status(said: Headers, at: float) -> Event | None:
    kind = _CONTACTS.get(_header(said, "ContactStatus"))
    return Event(kind, at, said.get("EndpointName") or _id(said, "AOR"), result=_id(said, "URI")) if kind else None


def _user_event(said: Headers, at: float) -> Event | None:
    row = _TOLD.get(_header(said, "UserEvent"))
    if row is None:
        return None
    kind, read = row
    room, result = read(said)
    return Event(kind, at, _id(said, "Uniqueid"), room=room, result=result)


def _one_of(header: str, words: Mapping[str, str]) -> Callable[[Headers], tuple[str, str]]:
    def read(said: Headers) -> tuple[str, str]:
        value = _header(said, header)
        if value not in words:
            raise Nonsense(header, value)
        return "", words[value]

    return read


def _nothing(said: Headers) -> tuple[str, str]:
    return "", ""


def _room(said: Headers) -> tuple[str, str]:
    return _id(said, "Room"), ""


def _agent_key(said: Headers) -> tuple[str, str]:
    return _id(said, "Agent"), _id(said, "Key")


_DIAL_STATES = {"RINGING": Seen.RINGING, "PROGRESS": Seen.PROGRESS}
_ORIGINATED = {"Success": Seen.ANSWERED, "Failure": Seen.FAILED}
_CONTACTS = {
    "Reachable": Seen.REACHABLE,
    "NonQualified": Seen.REACHABLE,  # nobody asks it; that it is there is all that is known
    "Unreachable": Seen.UNREACHABLE,
    "Removed": Seen.UNREACHABLE,
}
_DETECTIONS = {"HUMAN": "human", "MACHINE": "machine", "NOTSURE": "unsure", "HANGUP": "hangup"}
_IVR_RESULTS = {word: word for word in ("", *(result.value for result in IvrResult))}
_TOLD: dict[str, tuple[Seen, Callable[[Headers], tuple[str, str]]]] = {
    TOLD_ANSWERED: (Seen.READY, _nothing),
    Told.DETECTED: (Seen.DETECTED, _one_of("Result", _DETECTIONS)),
    Told.OVERFLOWED: (Seen.OVERFLOWED, _one_of("To", {"ivr": "ivr", "message": "message"})),
    Told.IVR_BEGIN: (Seen.IVR_BEGIN, _nothing),
    Told.IVR_END: (Seen.IVR_END, _one_of("Result", _IVR_RESULTS)),
    Told.WANTS_AGENT: (Seen.WANTS_AGENT, _nothing),
    Told.HELD: (Seen.HELD, _room),
    Told.ON_HOLD: (Seen.ON_HOLD, _room),
    Told.ROOM_REFUSED: (Seen.ROOM_REFUSED, _room),
    Told.MESSAGE: (Seen.MESSAGE, _nothing),
    Told.VOICEMAIL: (Seen.VOICEMAIL, _one_of("Left", {"yes": "yes", "no": "no"})),
    Told.PHONE_KEY: (Seen.PHONE_KEY, _agent_key),
}
_READERS: dict[str, Callable[[Headers, float], Event | None]] = {
    "DialBegin": _dial_begin,
    "DialState": _dial_state,
    "OriginateResponse": _originate_response,
    "Hangup": _hangup,
    "BridgeEnter": _bridge(Seen.JOINED),
    "BridgeLeave": _bridge(Seen.LEFT),
    "UserEvent": _user_event,
    CONTACT: _contact_status,
}
EVENTS = frozenset(_READERS)


class Contacts:
    """Which contacts of an endpoint answer: it is unreachable when none does.

    A phone that registers anew is told as new contact first and old contact gone last; each alone would mislead.
    """

    def __init__(self) -> None:
        self._answering: dict[str, set[str]] = {}

    def told(self, event: Event) -> Event | None:
        """The event about one contact (its address in `result`) as an event about the endpoint, if it is one."""
        answering = self._answering.setdefault(event.channel, set())
        if event.kind is Seen.REACHABLE:
            answering.add(event.result)
        else:
            answering.discard(event.result)
            if answering:
                return None
        return Event(event.kind, event.at, event.channel)

    def forget(self) -> None:
        """Contacts may have come and gone unseen."""
        self._answering.clear()


# ---- us -> Asterisk -------------------------------------------------------------------------------------------------


def originate(order: Order) -> Fields:
    """The headers of one Originate: asynchronous, under our own channel id, never on early media."""
    if order.timeout_ms <= 0:
        raise BadInput(f"Timeout is {order.timeout_ms} ms")
    fields: Fields = {
        "Action": "Originate",
        "Async": "true",
        "ChannelId": order.channel_id,
        "Channel": order.channel,
        "Context": order.context,
        "Exten": order.exten,
        "Priority": "1",
        "Timeout": str(order.timeout_ms),
        "Variable": [_variable(name, value) for name, value in order.variables],
    }
    if order.caller_id:
        fields["CallerID"] = order.caller_id
    return sendable(fields)


def redirect(channel: str, context: str, exten: str) -> Fields:
    """The headers of one Redirect."""
    place = {"Context": context, "Exten": exten, "Priority": "1"}
    return sendable({"Action": "Redirect", "Channel": _one_channel(channel), **place})


def hang_up(channel: str, cause: int) -> Fields:
    """The headers of one Hangup."""
    return sendable({"Action": "Hangup", "Channel": _one_channel(channel), "Cause": str(cause)})


def mute_recording(channel: str, muted: bool) -> Fields:
    """The headers of one MixMonitorMute: silence is written in both directions, or sound again."""
    state = "1" if muted else "0"
    return sendable({"Action": "MixMonitorMute", "Channel": _one_channel(channel), "Direction": "both", "State": state})


def sendable(fields: Fields) -> Fields:
    """The same fields, or BadInput naming the one that cannot be sent."""
    lines = 0
    for name, value in fields.items():
        for text in value if isinstance(value, list) else (value,):
            lines += 1
            _check(name, text)
    if lines > HEADERS_MAX:
        raise BadInput(f"{fields['Action']} has {lines} headers; Asterisk takes {HEADERS_MAX}")
    return fields


def _check(name: str, text: str) -> None:
    if not text:
        raise BadInput(f"{name} is empty")
    if _FORBIDDEN.search(text):
        raise BadInput(f"{name} contains a line break or a NUL")
    if not text.isascii() and not _encodable(text):
        raise BadInput(f"{name} cannot be written as UTF-8")
    if len(text) * 4 > LINE_MAX and len(text.encode()) + len(name) + 2 > LINE_MAX:
        raise BadInput(f"{name} is longer than {LINE_MAX} bytes")


def _encodable(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


def _variable(name: str, value: str) -> str:
    # Asterisk splits the header at commas, with quotes and brackets as its own word for "not here"
    if not _VARIABLE.fullmatch(name):
        raise BadInput(f"Variable name {shape(name)!r}: letters, digits and _ only")
    return f"{name}={value}".translate(_DIVIDERS)


def _one_channel(channel: str) -> str:
    # Asterisk takes /.../ for a pattern and would hang up every channel that matches
    if not channel or channel.startswith("/"):
        raise BadInput("Channel must be one channel's id")
    return channel
