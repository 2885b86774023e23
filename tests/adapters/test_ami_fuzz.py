"""The manager link against a stream of anything, in pieces of any size: nothing costs the session, and what is true in
it arrives, in order and once."""

from itertools import count

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from dialer.adapters.ami_words import EVENTS
from dialer.model import Seen
from tests.corpus import CORPUS, HOSTILE

from .scripted_ami import ScriptedAmi, block
from .test_ami import Connect, clock, connect, server

__all__ = ("clock", "connect", "server")

NAMES = st.sampled_from(
    [
        "Event",
        "Response",
        "ActionID",
        "Uniqueid",
        "DestUniqueid",
        "Cause",
        "TechCause",
        "Timestamp",
        "UserEvent",
        "Room",
        "ChanVariable",
        "Result",
        "BridgeName",
        "Duration",
        "Message",
        "",
        "evil header",
        "Shutdown",
        "EventList",
    ]
)
LINE = st.builds("{}: {}".format, NAMES, HOSTILE)
MESSAGES = st.one_of(
    st.builds(
        lambda name, lines: block(f"Event: {name}", *lines),
        st.sampled_from(sorted(EVENTS)),
        st.lists(LINE.map(lambda line: line.encode("utf-8", "replace").decode()), max_size=6),
    ),
    st.builds(lambda lines: "\r\n".join(lines).encode("utf-8", "replace"), st.lists(LINE, max_size=6)),
    st.binary(max_size=120),
    st.sampled_from(
        [b"Response: Success\r\nActionID: x", b"Event: ", b"\r\n", b":", b"Response: \r\nActionID: ", b"\xff\xfe"]
    ),
)
STREAM = st.lists(st.one_of(st.none(), MESSAGES), min_size=1, max_size=12)
_ids = count()


@settings(max_examples=80, suppress_health_check=list(HealthCheck))
@given(stream=STREAM, cuts=st.lists(st.integers(1, 40), min_size=1, max_size=20))
async def test_a_stream_of_anything_hides_nothing_that_is_true(
    server: ScriptedAmi, connect: Connect, stream: list[bytes | None], cuts: list[int]
) -> None:
    """None stands for a true event."""
    link = await connect()
    assert link.ami._session
    protocol, expected, raw = link.ami._session.protocol, [], b""
    for part in [*stream, None]:
        if part is None:
            expected.append(f"true-{next(_ids)}")
            raw += block("Event: Hangup", f"Uniqueid: {expected[-1]}", "Cause: 16")
        else:
            raw += part + b"\r\n\r\n"
    place = turn = 0
    while place < len(raw):
        length = cuts[turn % len(cuts)]
        protocol.data_received(raw[place : place + length])
        place, turn = place + length, turn + 1
    seen = []
    while expected[-1] not in seen:
        event = await link.next()
        assert event.kind not in (Seen.LINK_DOWN, Seen.LINK_UP), "it cost the session"
        seen.append(event.channel)
    assert [one for one in seen if one.startswith("true-")] == expected
    assert link.ami.health().up
    await link.ami.close()


async def test_every_word_of_the_corpus_in_every_place_of_a_message(server: ScriptedAmi, connect: Connect) -> None:
    link = await connect()
    assert link.ami._session
    protocol = link.ami._session.protocol
    for word in CORPUS:
        plain = word.replace("\r", "").replace("\n", "").encode("utf-8", "replace").decode()
        for lines in (
            (f"Event: {plain}",),
            ("Event: Hangup", f"Uniqueid: {plain}", f"Cause: {plain}"),
            ("Event: UserEvent", f"UserEvent: {plain}", f"Uniqueid: {plain}", f"Room: {plain}"),
            (f"{plain}: {plain}", "Event: Hangup"),
        ):
            protocol.data_received(block(*lines))
    protocol.data_received(block("Event: Hangup", "Uniqueid: att1", "Cause: 16"))
    while (event := await link.next()).channel != "att1":
        assert event.kind is not Seen.LINK_DOWN
    assert server.sessions == 1
