"""The words shared with asterisk-conf/: contexts, channel variables, user events.

tests/test_dialplan_names.py holds this file and asterisk-conf/ against each other, in both directions.
"""

from enum import StrEnum


class Context(StrEnum):
    """Places in extensions.conf that the engine sends a channel to, or names when it reads where one is."""

    ANSWERED = "santun-answered"  # exten `agents` or `ivr`: where an answered attempt lands
    ROOM = "santun-room"  # exten = agent id: the customer enters that agent's room
    AGENT = "santun-agent"  # exten = agent id: the agent's own leg parks in his room, marked
    HELD = "santun-held"  # the agent's leg went: sound for the grace time, then overflow
    OVERFLOW = "santun-overflow"  # exten `ivr` or `message`
    IVR = "santun-ivr"  # exten `s`
    WAIT_AGENT = "santun-wait-agent"  # the IVR ended with `agent`: sound, a limit, then the message
    MESSAGE = "santun-message"  # the courteous message, then hang up
    VOICEMAIL = "santun-voicemail"  # the limited message after the beep, then hang up
    HOLD = "santun-hold"  # exten = agent id: music, until he is taken back into that agent's room
    HAND_OVER = "santun-hand-over"  # exten = agent id: out of one agent's room into this one's, or back
    LINK = "santun-link"  # exten = agent id: an end of the line between two agents' rooms
    LISTEN = "santun-listen"  # exten = agent id: a supervisor's leg hears both
    WHISPER = "santun-whisper"  # exten = agent id: and that agent alone hears him
    JOIN = "santun-join"  # exten = agent id: everybody hears everybody
    FROM_TRUNK = "santun-from-trunk"
    FROM_AGENT = "santun-from-agent"


class Var(StrEnum):
    """Channel variables set by Originate and read by the dialplan and the IVR."""

    ATTEMPT = "SANTUN_ATTEMPT"  # = the channel's own id
    CAMPAIGN = "SANTUN_CAMPAIGN"
    CONNECT_LIMIT_MS = "SANTUN_CONNECT_LIMIT_MS"  # multiple of 250, 500..5000
    OVERFLOW = "SANTUN_OVERFLOW"  # `ivr` or `message`
    DETECT = "SANTUN_DETECT"  # `yes`: run AMD before anything else
    MACHINE = "SANTUN_MACHINE"  # `hangup` or `message`: what a machine gets
    GRACE_MS = "SANTUN_GRACE_MS"  # how long a customer is held when the agent's leg went; multiple of 1000
    AGENT_WAIT_S = "SANTUN_AGENT_WAIT_S"  # how long one who asked the IVR for an agent is kept, with sound
    OFFER_S = "SANTUN_OFFER_S"  # so long he waits there before he is offered a call-back instead; 0: never
    CALL_MAX_S = "SANTUN_CALL_MAX_S"  # TIMEOUT(absolute)
    LANGUAGE = "SANTUN_LANGUAGE"  # `id` or `en`: folder of the sounds
    RECORD = "SANTUN_RECORD"  # `yes`: MixMonitor once, before the first room, to RECORDINGS/<channel id>.wav
    HOLD_MAX_S = "SANTUN_HOLD_MAX_S"  # how long a customer hears music before he goes back to his agent by himself


class IvrResult(StrEnum):
    """IVR_RESULT, the last thing the IVR sets; without it the dialplan plays the courteous message."""

    DONE = "done"  # said goodbye itself: hang up
    AGENT = "agent"  # the debtor asked for an agent
    MESSAGE = "message"  # the IVR could not serve (no facts, shutting down): the courteous message


IVR_RESULT = "IVR_RESULT"


class Told(StrEnum):
    """UserEvents sent by the dialplan; each carries the Uniqueid of its channel."""

    DETECTED = "SantunDetected"  # Result: AMDSTATUS, Cause: AMDCAUSE
    OVERFLOWED = "SantunOverflow"  # To: ivr|message
    IVR_BEGIN = "SantunIvrBegin"
    IVR_END = "SantunIvrEnd"  # Result: IVR_RESULT or empty
    WANTS_AGENT = "SantunWantsAgent"
    HELD = "SantunHeld"  # Room
    ON_HOLD = "SantunOnHold"  # Room
    ROOM_REFUSED = "SantunRoomRefused"  # Room: no agent in it, or another customer
    MESSAGE = "SantunMessage"  # the courteous message starts
    VOICEMAIL = "SantunVoicemail"  # Left: yes|no
    PHONE_KEY = "SantunPhoneKey"  # Agent, Key: an agent's phone dialled a service code


TOLD_ANSWERED = "SantunAnswered"  # user event: the dialplan runs; a Redirect before it may hang up (decision 0010)


ANSWERED_AGENTS = "agents"  # extensions of Context.ANSWERED
ANSWERED_IVR = "ivr"
SERVICE_CODES = {"*1": "sign_in", "*2": "break", "*3": "back", "*0": "sign_out", "*4": "wrapped"}  # FROM_AGENT


def room(agent: str) -> str:
    """Name of an agent's ConfBridge room."""
    return f"agent-{agent}"


def endpoint(agent: str) -> str:
    """Name of an agent's PJSIP endpoint, auth and aor."""
    return f"agent{agent}"
