"""7/8 outcome: what came of an attempt, and what follows. causes, detection, keys, dispositions -> Verdict.

`verdict` is total: every Attempt gets exactly one. After an answer the truth is that it was answered (a BYE without
Reason gives cause 0); a dead trunk and a phone that rang out differ only in the ringing that was seen; what codes mean
is in causes.py. When and on which number the contact is called again is recycling.py's: a verdict says whether, and not
before when.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, time, timedelta, timezone, tzinfo
from zlib import crc32

from dialer import causes
from dialer.causes import Row
from dialer.lists.outlook import zone_of
from dialer.lists.recycling import ANOTHER_DAY_S, DAY_S, HOUR_S, STOPPED, is_own, rule_for
from dialer.model import CALL_BACK, INBOUND, Attempt, CallState, Campaign, Fact, Kind, Outcome, Side, Verdict

INTERRUPTED = "interrupted"  # Attempt.cancelled of a call that we lost sight of
LAST_ZONE = timezone(timedelta(hours=-12))  # where a date ends last on earth: the strictest end of a day
CLAIM_SILENCE_S = 3 * DAY_S  # "I have paid": time to look for the money
HARDSHIP_SILENCE_S = 7 * DAY_S
CALL_BACK_WITHIN_S = 366 * DAY_S
# Many numbers meet a full or dead trunk at once; spread so that they do not all come back in the same second.
_SPREAD = frozenset({Outcome.CONGESTION, Outcome.TRUNK_DOWN, Outcome.NOT_PLACED})
_AT_ONCE_S = 1.0
_D, _U = Side.DEBTOR, Side.US


def verdict(attempt: Attempt, facts: Sequence[Fact], campaign: Campaign, at: float) -> Verdict:
    """What came of `attempt` and what follows, decided at `at` (epoch seconds).

    `facts`: what the IVR learnt. `retry_at`: not before it, by the campaign's first delay; 0.0 where the person rests,
    or where the number does (dead, somebody else's): recycling.py knows his others.
    Total: no Attempt raises, whatever its fields.
    """
    row, live = _row(attempt, facts, campaign)
    found = replace(row.verdict(), live=live)
    if attempt.kind == INBOUND:  # he called us: that is no try of ours
        found = replace(found, count=False)
    heard = believed(attempt, facts)
    said = [*_answers(heard), *_disposition(attempt)] if _answered(attempt, facts) else []
    found = _follow(found, said, attempt, campaign, at)
    unproved = is_unproved(attempt, facts)
    if unproved:
        found = replace(found, conversation=False)
    rests = STOPPED if found.stop else _closed_by(said) or ("" if row.again else row.reason)
    if rests or found.dead or found.wrong_person:
        return replace(found, retry_at=0.0, rests=rests)
    asked = _asked_for(said, attempt, at)
    silent_until = found.silent_until if unproved else max(asked, found.silent_until)
    retry_at = max(asked or _not_before(found, said, attempt, campaign, at), silent_until)
    return replace(found, callback_at=asked, silent_until=silent_until, retry_at=retry_at)


def _row(attempt: Attempt, facts: Sequence[Fact], campaign: Campaign) -> tuple[Row, bool]:
    """The row, and whether a person answered a call of ours."""
    if _answered(attempt, facts):
        row = _after_answer(attempt, facts, campaign)
        person = row.outcome not in (Outcome.MACHINE, Outcome.NETWORK_FAULT) and not _machine_heard(attempt)
        return row, person and attempt.kind != INBOUND
    return _before_answer(attempt, campaign), False


def _answered(attempt: Attempt, facts: Sequence[Fact]) -> bool:
    times = (attempt.answered_at, attempt.detected_at, attempt.joined_at, attempt.overflow_at, attempt.ivr_at)
    return any(times) or bool(attempt.overflow_to or attempt.ivr_result or attempt.voicemail_left or facts)


# ---- before an answer


def _before_answer(attempt: Attempt, campaign: Campaign) -> Row:
    if _never_placed(attempt):
        return Row(Outcome.NOT_PLACED, _U, attempt.cancelled or "not_placed", count=False)
    if attempt.failed and not attempt.dialled and attempt.cause < 0:
        return causes.NO_CHANNEL
    rang = bool(attempt.ringing_at)
    if attempt.cause < 0 or attempt.cancelled == INTERRUPTED:
        return Row(Outcome.INTERRUPTED, _U, "lost_sight")
    if attempt.cancelled:
        return Row(Outcome.CANCELLED, _U, attempt.cancelled, count=rang)
    timed_out = _timed_out(attempt, campaign)
    row = causes.unanswered(attempt.cause, attempt.sip_code, rang, timed_out, bool(attempt.progress_at))
    return replace(row, dead=True) if _proven_dead(row, attempt) else row


def _proven_dead(row: Row, attempt: Attempt) -> bool:
    """One 404 may be congestion that looks like it; the same again on another day is no accident."""
    first = attempt.number.not_found_at
    found = row.outcome is Outcome.INVALID_NUMBER and first > 0
    return row.dead or (found and attempt.ended_at - first >= ANOTHER_DAY_S)


def _never_placed(attempt: Attempt) -> bool:
    known = attempt.placed_at or attempt.dialled or attempt.failed or attempt.ringing_at or attempt.cause >= 0
    lost = attempt.state in (CallState.GONE, CallState.ENDED) and not attempt.cancelled
    # No acknowledgement and no reason of ours: it counts as placed, Asterisk may have called.
    return not known and not lost and attempt.cancelled != INTERRUPTED


def _timed_out(attempt: Attempt, campaign: Campaign) -> bool:
    """Our own timeout ended it, not the far end: both say 19/480. SIP gives up by itself after 32 s (timer B)."""
    limit = min(campaign.post_dial_delay_s + campaign.ring_s, 32)
    return attempt.ended_at - attempt.placed_at >= limit - 1.0


# ---- after an answer


def _after_answer(attempt: Attempt, facts: Sequence[Fact], campaign: Campaign) -> Row:
    if attempt.joined_at:
        return Row(Outcome.CONNECTED, _D, read_disposition(attempt.disposition)[0] or "talked")
    if attempt.detection == "machine" or attempt.voicemail_left:
        return Row(Outcome.MACHINE, _D, "message_left" if attempt.voicemail_left else "machine")
    if _no_media(attempt):
        return causes.fault("media_unusable", again=False)
    if attempt.kind == INBOUND and not attempt.contact:
        return Row(Outcome.IVR, _U, "unknown_caller")
    if _in_ivr(attempt, facts):
        return _ivr(attempt, facts, campaign)
    return Row(Outcome.IVR if attempt.kind == INBOUND else Outcome.ABANDONED, _U, _why_abandoned(attempt))


def _no_media(attempt: Attempt) -> bool:
    """A 200 without usable media: Success, then a hang-up with 406 or 488 in milliseconds. Nobody heard anything."""
    at_once = attempt.ended_at - attempt.answered_at <= _AT_ONCE_S
    return attempt.sip_code in causes.UNUSABLE_SIP and at_once and not (attempt.overflow_at or attempt.ivr_at)


def _in_ivr(attempt: Attempt, facts: Sequence[Fact]) -> bool:
    """The IVR served him. It says `message` when it could not; a promise taken before that counts all the same."""
    if "message" in (attempt.ivr_result, attempt.overflow_to) or _broke_off(attempt, facts):
        return any(fact.name in EFFECTS for fact in facts)
    return bool(attempt.ivr_at or attempt.ivr_result or facts)


def _broke_off(attempt: Attempt, facts: Sequence[Fact]) -> bool:
    """The IVR ended in the middle of a call that came in, maybe before any event of it could reach us."""
    return attempt.kind == INBOUND and not attempt.ivr_result and all(fact.name != "closed" for fact in facts)


def _ivr(attempt: Attempt, facts: Sequence[Fact], campaign: Campaign) -> Row:
    wanted = campaign.kind is Kind.IVR or attempt.kind in ("ivr", INBOUND)
    outcome = Outcome.IVR if wanted else Outcome.OVERFLOWED
    if attempt.wanted_agent and _chose_call_back(facts):
        return Row(outcome, _D if wanted else _U, "call_back_instead")
    if attempt.wanted_agent:
        return Row(outcome, _U, "wanted_agent_got_none")
    return Row(outcome, _D if wanted else _U, "served" if wanted else "no_agent")


def _chose_call_back(facts: Sequence[Fact]) -> bool:
    """While he waited for an agent: said last, it counts."""
    words = [fact.name for fact in sorted(facts, key=lambda fact: fact.seq) if fact.name in _OF_ANYBODY]
    return words[-1:] == [CALL_BACK]


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
    return bool(attempt.joined_at) and read_disposition(attempt.disposition)[0] in ("machine", "voicemail")


# ---- what was said: the IVR's facts and the agents' dispositions, by the same words


@dataclass(frozen=True, slots=True)
class Effect:
    """What follows from a word. `closes`: not called again in this campaign. `talk`: a conversation with the debtor.

    `stop`: neither this person nor this number is called any more; `wrong`: the number is not his, it alone stops.
    """

    talk: bool = True
    stop: bool = False
    wrong: bool = False
    closes: bool = False
    silent_s: int = 0


EFFECTS: Mapping[str, Effect] = {
    "promise": Effect(),  # value "YYYY-MM-DD;amount": silence until that day and those of grace have ended
    "stop": Effect(stop=True, closes=True),
    "wrong_person": Effect(talk=False, wrong=True),
    "wrong_number": Effect(talk=False, wrong=True),
    "deceased": Effect(talk=False, stop=True, closes=True),
    "paid": Effect(closes=True),
    "paid_claim": Effect(silent_s=CLAIM_SILENCE_S),
    "dispute": Effect(closes=True),
    "hardship": Effect(silent_s=HARDSHIP_SILENCE_S),
    "offer": Effect(),  # value "name;day=sum;day=sum...": its first payment comes as a promise too
    "pay_now": Effect(),  # he heard where to pay
    "send_va": Effect(),
    "new_number": Effect(),  # value: E.164, a better number of his own
    "refuses": Effect(),
    "abusive": Effect(),  # the agent gets a pause: breaks.py
    "call_back": Effect(),  # value: ISO time, on the debtor's clock where it names no zone, or epoch seconds
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

VERIFIED = "verified"
_OF_ANYBODY = frozenset({CALL_BACK, "wants_agent"})

CHOICES = frozenset(
    {"promise", "stop", "wrong_person", "paid_claim", "dispute", "hardship", "call_back", "wants_agent"}
    | {"offer", "pay_now", "send_va", "new_number", "not_at_home"}
)

SPELLINGS = {"callback": "call_back", "call-back": "call_back", "wrong-person": "wrong_person"}

Said = tuple[str, str]  # word, value


def believed(attempt: Attempt, facts: Sequence[Fact]) -> list[Fact]:
    """What counts of what was keyed, in order. A caller id proves nothing: whoever calls us may ask for a person or for
    a call, and for anything that keeps us from calling or changes what we know only once he has proved who he is.
    """
    ordered = sorted(facts, key=lambda fact: fact.seq)
    if attempt.kind != INBOUND:
        return ordered
    proved = next((place for place, fact in enumerate(ordered) if fact.name == VERIFIED), len(ordered))
    wishes = [fact for fact in ordered[:proved] if fact.name not in EFFECTS or fact.name in _OF_ANYBODY]
    return wishes + ordered[proved:]


def is_unproved(attempt: Attempt, facts: Iterable[Fact]) -> bool:
    """Whether a call came in from somebody of whom neither the IVR nor an agent found out who he is."""
    return attempt.kind == INBOUND and not attempt.joined_at and all(fact.name != VERIFIED for fact in facts)


def _answers(facts: Iterable[Fact]) -> list[Said]:
    return [(fact.name, fact.value) for fact in sorted(facts, key=lambda fact: fact.seq) if fact.name in EFFECTS]


def _disposition(attempt: Attempt) -> list[Said]:
    return said_by_agent(attempt.disposition)


def said_by_agent(disposition: str) -> list[Said]:
    """What an agent's result says. An offer taken says the promise of its first payment too, as the IVR does."""
    word, value = read_disposition(disposition)
    if word == "offer" and (first := first_payment(value)):
        return [(word, value), ("promise", first)]
    return [(word, value)] if word else []


def first_payment(offer: str) -> str:
    """`short;2026-12-01=500000;2026-12-31=500000` -> `2026-12-01;500000`, as a promise says it; empty: it has none."""
    day, _, amount = "".join(offer.split(";")[1:2]).partition("=")
    return f"{day};{amount}" if promise_of(f"{day};{amount}") else ""


def read_disposition(disposition: str) -> Said:
    """`promise:2026-12-01;500000` -> ("promise", "2026-12-01;500000")."""
    word, _, value = disposition.partition(":")
    word = word.strip().lower()
    return SPELLINGS.get(word, word), value.strip()


def promise_of(value: str) -> tuple[date, int] | None:
    """`YYYY-MM-DD` or `YYYY-MM-DD;amount` -> due day, amount in the smallest written unit (0: not said), or None."""
    day, _, amount = value.partition(";")
    try:
        return date.fromisoformat(day.strip()), int(amount or 0)
    except ValueError:
        return None


def later(day: date, days: int) -> date:
    """So many days after it, or the last of all."""
    return day + timedelta(days=min(days, (date.max - day).days))


def end_of_day(day: date, zone: tzinfo) -> float:
    """The first second after `day` in `zone`, epoch seconds."""
    if day == date.max:
        return datetime.combine(day, time(), UTC).timestamp()
    return datetime.combine(day + timedelta(days=1), time(), zone).timestamp()


def time_of(value: str, zone: tzinfo | None) -> float:
    """ISO time, on the clock of `zone` where it names none, or epoch seconds -> epoch seconds; 0.0: not clear."""
    try:
        if value.replace(".", "", 1).isdigit():
            return float(value)
        when = datetime.fromisoformat(value)
        when = when if when.tzinfo else when.replace(tzinfo=zone)
        return when.timestamp() if when.tzinfo else 0.0
    except (ValueError, OverflowError):
        return 0.0


def _follow(found: Verdict, said: Sequence[Said], attempt: Attempt, campaign: Campaign, at: float) -> Verdict:
    """Flags and silence that follow from what was said. Of several silences the longest counts."""
    zone = zone_of(attempt.zone) or LAST_ZONE
    effects = [EFFECTS[word] for word, _ in said if word in EFFECTS]
    silences = [at + effect.silent_s for effect in effects if effect.silent_s]
    grace_days = campaign.promise_grace_days
    silences += [_promised_until(value, at, zone, grace_days) for word, value in said if word == "promise"]
    return replace(
        found,
        conversation=_conversation(found, attempt, effects),
        stop=any(effect.stop for effect in effects),
        wrong_person=any(effect.wrong for effect in effects),
        hardship=any(word == "hardship" for word, _ in said),
        silent_until=max((*silences, 0.0)),
    )


def _conversation(found: Verdict, attempt: Attempt, effects: Sequence[Effect]) -> bool:
    if found.outcome is Outcome.CONNECTED and not effects:
        return attempt.talk_s > 0
    return any(effect.talk for effect in effects)


def _promised_until(value: str, at: float, zone: tzinfo, grace_days: int) -> float:
    promise = promise_of(value)
    # A promise without a readable date still silences today: he has just promised.
    if promise is None:
        return end_of_day(datetime.fromtimestamp(at, zone).date(), zone)
    return end_of_day(later(promise[0], grace_days), zone)  # money that is on its way is not asked for again


def _closed_by(said: Sequence[Said]) -> str:
    return next((word for word, _ in said if word in EFFECTS and EFFECTS[word].closes), "")


def _asked_for(said: Sequence[Said], attempt: Attempt, at: float) -> float:
    """The time he asked to be called back at; the last one counts. 0.0: none within the next year."""
    times = [time_of(value, zone_of(attempt.zone)) for word, value in said if word == CALL_BACK]
    return times[-1] if times and at < times[-1] <= at + CALL_BACK_WITHIN_S else 0.0


def unclear(disposition: str, zone: str, at: float) -> str:
    """Why a call-back at the time that it names cannot be; empty: it can, or none is asked for."""
    word, value = read_disposition(disposition)
    if word != CALL_BACK or not value:
        return ""
    when = time_of(value, zone_of(zone))
    if not when:
        clock = "on the debtor's clock" if zone_of(zone) else "with its zone, as +07:00, for the debtor's is not known"
        return f"{value!r} is no time: use one like 2026-11-23T10:15 {clock}"
    if not at < when <= at + CALL_BACK_WITHIN_S:
        return f"{value!r} is {'past' if when <= at else 'more than a year ahead'}"
    return ""


def _not_before(found: Verdict, said: Sequence[Said], attempt: Attempt, campaign: Campaign, at: float) -> float:
    """By the first delay of the campaign's own rule, of what was said, or else of the default."""
    soon = [_SOON[word] for word, _ in said if word in _SOON and not (word == "wants_agent" and attempt.joined_at)]
    own = is_own(campaign, found.outcome)
    after_s = soon[-1] if soon and not own else rule_for(campaign, found.outcome).after_s
    spread = crc32(attempt.id.encode()) / 2**33 if found.outcome in _SPREAD else 0.0
    return at + after_s * (1.0 + spread)
