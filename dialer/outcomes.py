"""7/8 outcome: what came of an attempt, and what follows. causes, detection, keys, dispositions -> Verdict.

`verdict` is total: every Attempt gets exactly one. What Asterisk tells is read as measured against a strict far end:
after an answer the truth is that it was answered (a BYE without Reason gives cause 0); only the SIP code (TechCause)
tells 603 from 403 and 607 from 400; a dead trunk and a phone that rang out differ only in the ringing that was seen;
one 404 is no proof of a dead number; and from a cause nobody knows follows no further call.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, time, timedelta, timezone, tzinfo
from zlib import crc32

from dialer.model import Attempt, CallState, Campaign, Fact, Kind, Outcome, Retry, Side, Verdict

MINUTE_S, HOUR_S, DAY_S = 60, 3600, 86400

INTERRUPTED = "interrupted"  # Attempt.cancelled of a call that we lost sight of
LAST_ZONE = timezone(timedelta(hours=-12))  # where a date ends last on earth: the strictest end of a day
CLAIM_SILENCE_S = 3 * DAY_S  # "I have paid": time to look for the money
HARDSHIP_SILENCE_S = 7 * DAY_S

# Used where the campaign says nothing. `times` counts attempts that used up one of the debtor's, this one included.
RETRIES: Mapping[Outcome, Retry] = {
    Outcome.BUSY: Retry(20 * MINUTE_S, 6),
    Outcome.NO_ANSWER: Retry(4 * HOUR_S, 6),
    Outcome.MACHINE: Retry(6 * HOUR_S, 6),
    Outcome.UNREACHABLE: Retry(6 * HOUR_S, 6),
    Outcome.REJECTED: Retry(DAY_S, 3),
    Outcome.INVALID_NUMBER: Retry(DAY_S, 2),  # once more: congestion behind a 404 looks the same
    Outcome.CONGESTION: Retry(5 * MINUTE_S, 6),
    Outcome.NETWORK_FAULT: Retry(HOUR_S, 3),
    Outcome.TRUNK_DOWN: Retry(2 * MINUTE_S, 6),
    Outcome.ABANDONED: Retry(72 * HOUR_S, 3),  # Ofcom 2010: not within 72 h unless an agent is guaranteed
    Outcome.OVERFLOWED: Retry(DAY_S, 3),
    Outcome.IVR: Retry(DAY_S, 3),
    Outcome.CONNECTED: Retry(7 * DAY_S, 3),  # Regulation F: not within 7 days of a conversation
    Outcome.CANCELLED: Retry(30 * MINUTE_S, 6),
    Outcome.INTERRUPTED: Retry(4 * HOUR_S, 6),  # it may have been heard
    Outcome.NOT_PLACED: Retry(MINUTE_S, 6),
}
# Many numbers meet a full or dead trunk at once; spread so that they do not all come back in the same second.
_SPREAD = frozenset({Outcome.CONGESTION, Outcome.TRUNK_DOWN, Outcome.NOT_PLACED})


@dataclass(frozen=True, slots=True)
class Row:
    """One row of a table: what a code means. `again` False: the number is not called again for it."""

    outcome: Outcome
    side: Side
    reason: str
    again: bool = True
    dead: bool = False
    count: bool = True

    def verdict(self) -> Verdict:
        """Without its times."""
        return Verdict(self.outcome, self.side, self.reason, dead=self.dead, count=self.count)


_D, _N, _U = Side.DEBTOR, Side.NETWORK, Side.US


def _busy(reason: str) -> Row:
    return Row(Outcome.BUSY, _D, reason)


def _silent(reason: str) -> Row:
    return Row(Outcome.UNREACHABLE, _D, reason)


def _full(reason: str) -> Row:
    return Row(Outcome.CONGESTION, _N, reason, count=False)


def _fault(reason: str, again: bool = True, side: Side = _N) -> Row:
    return Row(Outcome.NETWORK_FAULT, side, reason, again=again)


def _invalid(reason: str, dead: bool = False) -> Row:
    return Row(Outcome.INVALID_NUMBER, _N, reason, again=not dead, dead=dead)


def _refused(reason: str, again: bool = True) -> Row:
    return Row(Outcome.REJECTED, _D, reason, again=again)


_RANG_OUT = Row(Outcome.NO_ANSWER, _D, "rang_out")
_EARLY_MEDIA = Row(Outcome.NO_ANSWER, _D, "early_media_only")
_NO_RESPONSE = Row(Outcome.TRUNK_DOWN, _N, "no_response", count=False)
_NO_CHANNEL = Row(Outcome.TRUNK_DOWN, _U, "no_channel", count=False)

# SIP final responses (RFC 3261 and those named) of a call that was not answered.
SIP: Mapping[int, Row] = {
    400: _fault("sip_bad_request", again=False, side=_U),
    401: _fault("trunk_credentials", again=False, side=_U),
    402: _fault("trunk_unpaid", again=False, side=_U),
    403: _fault("forbidden"),
    404: _invalid("not_found"),
    405: _fault("sip_method_not_allowed", again=False, side=_U),
    406: _fault("media_unusable", again=False),
    407: _fault("trunk_credentials", again=False, side=_U),
    408: _silent("no_reply_in_time"),
    410: _invalid("gone", dead=True),
    415: _fault("media_unusable", again=False),
    480: _silent("not_available"),
    482: _fault("loop"),
    483: _fault("too_many_hops"),
    484: _invalid("incomplete", dead=True),
    485: _invalid("ambiguous"),
    486: _busy("user_busy"),
    487: _silent("ended_before_answer"),
    488: _fault("media_unusable", again=False),
    500: _full("server_error"),
    502: _full("bad_gateway"),
    503: _full("service_unavailable"),
    504: _full("gateway_timeout"),
    600: _busy("busy_everywhere"),
    603: _refused("declined"),
    604: _invalid("does_not_exist_anywhere", dead=True),
    606: _fault("media_unusable", again=False),
    607: _refused("unwanted", again=False),  # RFC 8197: the called person calls this call unwanted
    608: _refused("blocked_by_analytics", again=False),  # RFC 8688
}

# Q.850 causes, where there is no SIP code that says more.
CAUSES: Mapping[int, Row] = {
    0: _fault("cause_0", again=False),
    1: _invalid("unallocated"),
    2: _fault("no_route_to_network"),
    3: _fault("no_route"),
    5: _fault("misdialled_prefix", again=False, side=_U),
    16: _silent("ended_before_answer"),
    17: _busy("user_busy"),
    18: _silent("no_user_responding"),
    19: _silent("no_answer_no_ringing"),
    20: _silent("phone_off"),
    21: _refused("call_rejected"),
    22: _invalid("number_changed", dead=True),
    26: _fault("cleared_elsewhere"),
    27: _silent("line_out_of_order"),
    28: _invalid("incomplete", dead=True),
    29: _fault("facility_rejected", again=False),
    31: _silent("ended_unspecified"),
    34: _full("no_circuit"),
    38: _full("network_out_of_order"),
    41: _full("temporary_failure"),
    42: _full("switch_congested"),
    44: _full("channel_not_available"),
    47: _full("no_resource"),
    50: _fault("not_subscribed", again=False, side=_U),
    52: _fault("outgoing_barred", again=False, side=_U),
    54: _refused("incoming_barred"),
    57: _fault("bearer_not_authorised", again=False),
    58: _fault("media_unusable", again=False),
    65: _fault("media_unusable", again=False),
    79: _fault("not_implemented", again=False),
    88: _fault("media_unusable", again=False),
    102: _silent("timer_expired"),
}

# Codes that say only "nobody picked up": whether a phone rang decides.
NOBODY_SIP = frozenset({408, 480, 487})
NOBODY_CAUSES = frozenset({0, 3, 16, 18, 19, 31, 102})
_UNUSABLE_SIP = frozenset({406, 415, 488, 606})
_AT_ONCE_S = 1.0


def verdict(
    attempt: Attempt, facts: Sequence[Fact], campaign: Campaign, at: float, zone: tzinfo = LAST_ZONE
) -> Verdict:
    """What came of `attempt` and what follows, decided at `at` (epoch seconds).

    `facts`: what the IVR learnt. `zone`: the debtor's, in which a promised date ends; unknown: where it ends last.
    Total: no Attempt raises, whatever its fields.
    """
    row, live = _row(attempt, facts, campaign)
    found = replace(row.verdict(), live=live)
    said = [*_answers(facts), *_disposition(attempt)] if _answered(attempt, facts) else []
    found = _follow(found, said, attempt, at, zone)
    if found.stop or found.dead or not row.again or _closes(said):
        return replace(found, retry_at=0.0)
    asked = _asked_for(said, at)
    retry_at = asked or _retry_at(found, said, attempt, campaign, at)
    silent_until = max(asked, found.silent_until)
    return replace(found, silent_until=silent_until, retry_at=max(retry_at, silent_until) if retry_at else 0.0)


def _row(attempt: Attempt, facts: Sequence[Fact], campaign: Campaign) -> tuple[Row, bool]:
    """The row, and whether a person answered a call of ours."""
    if _answered(attempt, facts):
        row = _after_answer(attempt, facts, campaign)
        person = row.outcome not in (Outcome.MACHINE, Outcome.NETWORK_FAULT) and not _machine_heard(attempt)
        return row, person and attempt.kind != "inbound"
    return _before_answer(attempt, campaign), False


def _answered(attempt: Attempt, facts: Sequence[Fact]) -> bool:
    times = (attempt.answered_at, attempt.detected_at, attempt.joined_at, attempt.overflow_at, attempt.ivr_at)
    return any(times) or bool(attempt.overflow_to or attempt.ivr_result or attempt.voicemail_left or facts)


# ---- before an answer


def _before_answer(attempt: Attempt, campaign: Campaign) -> Row:
    if _never_placed(attempt):
        return Row(Outcome.NOT_PLACED, _U, attempt.cancelled or "not_placed", count=False)
    if attempt.failed and not attempt.dialled and attempt.cause < 0:
        return _NO_CHANNEL
    rang = bool(attempt.ringing_at)
    if attempt.cause < 0 or attempt.cancelled == INTERRUPTED:
        return Row(Outcome.INTERRUPTED, _U, "lost_sight")
    if attempt.cancelled:
        return Row(Outcome.CANCELLED, _U, attempt.cancelled, count=rang)
    return _of_codes(attempt, campaign, rang)


def _never_placed(attempt: Attempt) -> bool:
    known = attempt.placed_at or attempt.dialled or attempt.failed or attempt.ringing_at or attempt.cause >= 0
    lost = attempt.state in (CallState.GONE, CallState.ENDED) and not attempt.cancelled
    # No acknowledgement and no reason of ours: it counts as placed, Asterisk may have called.
    return not known and not lost and attempt.cancelled != INTERRUPTED


def _of_codes(attempt: Attempt, campaign: Campaign, rang: bool) -> Row:
    sip = attempt.sip_code if attempt.sip_code >= 300 else 0
    nobody = sip in NOBODY_SIP if sip else attempt.cause in NOBODY_CAUSES
    if nobody and rang:
        return _RANG_OUT
    if nobody and _timed_out(attempt, campaign):
        return _EARLY_MEDIA if attempt.progress_at else _NO_RESPONSE
    if sip in SIP:
        return SIP[sip]
    known = CAUSES.get(attempt.cause)
    if known is not None:
        return known
    return _fault(f"cause_{attempt.cause}", again=False)


def _timed_out(attempt: Attempt, campaign: Campaign) -> bool:
    """Our own timeout ended it, not the far end: both say 19/480. SIP gives up by itself after 32 s (timer B)."""
    limit = min(campaign.post_dial_delay_s + campaign.ring_s, 32)
    return attempt.ended_at - attempt.placed_at >= limit - 1.0


# ---- after an answer


def _after_answer(attempt: Attempt, facts: Sequence[Fact], campaign: Campaign) -> Row:
    if attempt.joined_at:
        return Row(Outcome.CONNECTED, _D, _word(attempt.disposition)[0] or "talked")
    if attempt.detection == "machine" or attempt.voicemail_left:
        return Row(Outcome.MACHINE, _D, "message_left" if attempt.voicemail_left else "machine")
    if _no_media(attempt):
        return _fault("media_unusable", again=False)
    if _in_ivr(attempt, facts):
        return _ivr(attempt, campaign)
    return Row(Outcome.ABANDONED, _U, _why_abandoned(attempt))


def _no_media(attempt: Attempt) -> bool:
    """A 200 without usable media: Success, then a hang-up with 406 or 488 in milliseconds. Nobody heard anything."""
    at_once = attempt.ended_at - attempt.answered_at <= _AT_ONCE_S
    return attempt.sip_code in _UNUSABLE_SIP and at_once and not (attempt.overflow_at or attempt.ivr_at)


def _in_ivr(attempt: Attempt, facts: Sequence[Fact]) -> bool:
    """The IVR served him. It says `message` when it could not; a promise taken before that counts all the same."""
    if attempt.ivr_result == "message" or attempt.overflow_to == "message":
        return any(fact.name in EFFECTS for fact in facts)
    return bool(attempt.ivr_at or attempt.ivr_result or facts)


def _ivr(attempt: Attempt, campaign: Campaign) -> Row:
    wanted = campaign.kind is Kind.IVR or attempt.kind in ("ivr", "inbound")
    outcome = Outcome.IVR if wanted else Outcome.OVERFLOWED
    if attempt.wanted_agent:
        return Row(outcome, _U, "wanted_agent_got_none")
    return Row(outcome, _D if wanted else _U, "served" if wanted else "no_agent")


def _why_abandoned(attempt: Attempt) -> str:
    if attempt.cancelled == INTERRUPTED or attempt.cause < 0:
        return "lost_sight"
    if attempt.ivr_at or attempt.ivr_result or attempt.overflow_to == "ivr":
        return "ivr_failed"
    if attempt.overflow_at or attempt.overflow_to:
        return "message"
    return "no_agent" if attempt.cancelled else "hung_up_waiting"


def _machine_heard(attempt: Attempt) -> bool:
    """The agent who was joined says that nobody was there to talk to."""
    return bool(attempt.joined_at) and _word(attempt.disposition)[0] in ("machine", "voicemail")


# ---- what was said: the IVR's facts and the agents' dispositions, by the same words


@dataclass(frozen=True, slots=True)
class Effect:
    """What follows from a word. `closes`: not called again in this campaign. `talk`: a conversation with the debtor."""

    talk: bool = True
    stop: bool = False
    dead: bool = False
    closes: bool = False
    silent_s: int = 0


EFFECTS: Mapping[str, Effect] = {
    "promise": Effect(),  # value "YYYY-MM-DD;amount": silence until that day has ended
    "stop": Effect(stop=True, closes=True),
    "wrong_person": Effect(talk=False, stop=True, closes=True),
    "wrong_number": Effect(talk=False, stop=True, closes=True),
    "deceased": Effect(talk=False, stop=True, closes=True),
    "paid": Effect(closes=True),
    "paid_claim": Effect(silent_s=CLAIM_SILENCE_S),
    "dispute": Effect(closes=True),
    "hardship": Effect(silent_s=HARDSHIP_SILENCE_S),
    "refuses": Effect(),
    "call_back": Effect(),  # value: ISO time with zone, or epoch seconds
    "wants_agent": Effect(),
    "verified": Effect(),
    "told": Effect(),
    "no_result": Effect(),
    "not_at_home": Effect(talk=False),
    "no_one": Effect(talk=False),
    "machine": Effect(talk=False),
    "voicemail": Effect(talk=False),
    "cut_off": Effect(talk=False),
}
_SOON = {"not_at_home": 4 * HOUR_S, "no_one": 4 * HOUR_S, "machine": 6 * HOUR_S, "voicemail": 6 * HOUR_S} | {
    "cut_off": HOUR_S, "wants_agent": HOUR_S
}  # fmt: skip

CHOICES = frozenset(
    {"promise", "stop", "wrong_person", "paid_claim", "dispute", "hardship", "call_back", "wants_agent"}
)

Said = tuple[str, str]  # word, value


def _answers(facts: Iterable[Fact]) -> list[Said]:
    return [(fact.name, fact.value) for fact in sorted(facts, key=lambda fact: fact.seq) if fact.name in EFFECTS]


def _disposition(attempt: Attempt) -> list[Said]:
    said = _word(attempt.disposition)
    return [said] if said[0] else []


def _word(disposition: str) -> Said:
    """`promise:2026-12-01;500000` -> ("promise", "2026-12-01;500000")."""
    word, _, value = disposition.partition(":")
    return word.strip().lower(), value.strip()


def promise_of(value: str) -> tuple[date, int] | None:
    """`YYYY-MM-DD` or `YYYY-MM-DD;amount` -> due day, amount in the smallest written unit (0: not said), or None."""
    day, _, amount = value.partition(";")
    try:
        return date.fromisoformat(day.strip()), int(amount or 0)
    except ValueError:
        return None


def end_of_day(day: date, zone: tzinfo) -> float:
    """The first second after `day` in `zone`, epoch seconds."""
    if day == date.max:
        return datetime.combine(day, time(), UTC).timestamp()
    return datetime.combine(day + timedelta(days=1), time(), zone).timestamp()


def _time_of(value: str) -> float:
    """ISO time with its zone, or epoch seconds -> epoch seconds; 0.0: neither."""
    try:
        if value.replace(".", "", 1).isdigit():
            return float(value)
        when = datetime.fromisoformat(value)
    except ValueError:
        return 0.0
    return when.timestamp() if when.tzinfo else 0.0


def _follow(found: Verdict, said: Sequence[Said], attempt: Attempt, at: float, zone: tzinfo) -> Verdict:
    """Flags and silence that follow from what was said. Of several silences the longest counts."""
    effects = [EFFECTS[word] for word, _ in said if word in EFFECTS]
    silences = [at + effect.silent_s for effect in effects if effect.silent_s]
    silences += [_promised_until(value, at, zone) for word, value in said if word == "promise"]
    return replace(
        found,
        conversation=_conversation(found, attempt, effects),
        stop=any(effect.stop for effect in effects),
        silent_until=max((*silences, 0.0)),
    )


def _conversation(found: Verdict, attempt: Attempt, effects: Sequence[Effect]) -> bool:
    if found.outcome is Outcome.CONNECTED and not effects:
        return attempt.talk_s > 0
    return any(effect.talk for effect in effects)


def _promised_until(value: str, at: float, zone: tzinfo) -> float:
    promise = promise_of(value)
    # A promise without a readable date still silences today: he has just promised.
    day = promise[0] if promise else datetime.fromtimestamp(at, zone).date()
    return end_of_day(day, zone)


def _closes(said: Sequence[Said]) -> bool:
    return any(EFFECTS[word].closes for word, _ in said if word in EFFECTS)


def _asked_for(said: Sequence[Said], at: float) -> float:
    """The time he asked to be called back at; the last one counts. 0.0: none within the next year."""
    times = [_time_of(value) for word, value in said if word == "call_back"]
    return times[-1] if times and at < times[-1] <= at + 366 * DAY_S else 0.0


# ---- when again


def _retry_at(found: Verdict, said: Sequence[Said], attempt: Attempt, campaign: Campaign, at: float) -> float:
    """When the campaign, or else RETRIES, lets the contact be called again; 0.0: never."""
    own = campaign.retries.get(found.outcome.value)
    rule = own or RETRIES[found.outcome]
    used = attempt.tries if found.count else attempt.tries - 1
    if used >= rule.times:
        return 0.0
    soon = [_SOON[word] for word, _ in said if word in _SOON and not (word == "wants_agent" and attempt.joined_at)]
    after_s = soon[-1] if soon and own is None else rule.after_s
    spread = crc32(attempt.id.encode()) / 2**33 if found.outcome in _SPREAD else 0.0
    return at + after_s * (1.0 + spread)
