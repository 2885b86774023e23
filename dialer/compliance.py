"""2/8 gate: may this person be called now, on this number? Allowed | Refused(rule, until); doubt means refused.

Asked at the moment of the call. Nothing here can raise: what cannot be decided is refused. Which article stands behind
a rule is in the pack: `rulebook.cited(pack, rule)`.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import lru_cache

from dialer.law.number_plan import number_type
from dialer.law.places import place_of, regions_at, windows_at
from dialer.law.rulebook import Cap, Of, Pack
from dialer.law.windows import DAY_S, LATEST, Windows, begins, opening, shut
from dialer.model import Allowed, Contact, History, Number, NumberState, Permission, Refused

EARLIEST = datetime(2024, 1, 1, tzinfo=UTC).timestamp()  # a clock before this was never set
CALL_S_MAX = 600.0  # no ring lasts longer; a larger figure is a mistake of the caller
DOUBT_S = 60.0  # after a refusal for doubt, ask again then
CALLS = "calls"  # what a consent may be for
_STATES = {
    NumberState.UNTRIED: "",
    NumberState.GOOD: "",
    NumberState.DEAD: "dead_number",
    NumberState.WRONG_PERSON: "wrong_person",
    NumberState.STOP: "number_stop",
}
_FOR_GOOD = {
    "stop": "This person must not be called any more.",
    "number_stop": "This number must not be called any more.",
    "lender_stop": "This lender may not call any more, or it is not known which lender calls.",
    "campaign_stop": "This campaign may not call any more, or it is not known which campaign calls.",
    "dead_number": "This number is proven not in service.",
    "wrong_person": "Somebody else answers on this number.",
    "not_his_number": "This number is not one of this contact's.",
    "consent": "There is no consent to automated calls to this kind of number.",
    "expired": "The list says that the debt may not be collected by telephone any more.",
}

_Wait = tuple[float, str, bool]  # until, rule, of_number


def may_call(
    contact: Contact,
    number: Number,
    person: History,
    number_history: History,
    pack: Pack,
    at: float,
    call_s: float,
    *,
    campaign: str = "",
    agent_guaranteed: bool = False,
) -> Permission:
    """Whether `number` of `contact` may be dialled at `at` (epoch seconds), to dial and ring for `call_s` seconds.

    `person` and `number_history` are their past as read under the lock. `agent_guaranteed`: an agent is held free for
    this one call. Allowed.must_start_by leaves room for `call_s` and the pack's margin before the hours end.
    Refused.until is the earliest moment at which the same call may be legal (inf: never), or one to ask again at where
    that is not known. Refused.of_number: another number of the contact may do.
    """
    try:
        return _decide(contact, number, person, number_history, pack, at, call_s, campaign, agent_guaranteed)
    except Exception as error:  # fails closed: a bug or a broken value must not become a call
        return Refused("doubt", _soon(at), f"The gate could not decide ({type(error).__name__}), so nobody is called.")


def callable_numbers(contact: Contact, pack: Pack) -> tuple[int, ...]:
    """Indexes of the contact's numbers that the pack lets be called at all, whatever the time and the past."""
    return tuple(i for i, number in enumerate(contact.numbers) if _of_number(contact, number, pack) is None)


def _soon(at: object) -> float:
    """When to ask again after a doubt; 0.0 (at once) where even the moment is not known."""
    return at + DOUBT_S if isinstance(at, int | float) and math.isfinite(at) else 0.0


def _decide(
    contact: Contact, number: Number, person: History, number_history: History, pack: Pack, at: float, call_s: float,
    campaign: str, agent_guaranteed: bool,
) -> Permission:  # fmt: skip
    if not EARLIEST <= at <= LATEST:
        return Refused("clock", 0.0, "The machine's clock is wrong: set it.")  # ask at once when it is right again
    if not 0 <= call_s <= CALL_S_MAX:
        return Refused("call_length", at + DOUBT_S, f"A ring time of {call_s} s makes no sense.")
    need_s = call_s + pack.margin_s
    last_by_list = contact.expires - need_s if contact.expires else math.inf
    never = (
        _stopped(contact, person, campaign, False)
        or _stopped(contact, number_history, campaign, True)
        or _zone(contact, pack)
        or _of_number(contact, number, pack)
    )
    if never:
        return never
    if not at <= last_by_list:
        return _for_good("expired")
    law = _law(pack, *place_of(contact, (number,), pack, at))
    waits = _waits(law, contact, number, person, number_history, pack, at, agent_guaranteed)
    choice = _choice(contact, person, pack) if contact.callback_at else None
    start, last = _start(law, pack, waits, choice, at, need_s)
    if start == at:
        return Allowed(pack.label, min(last, last_by_list))
    if math.isnan(start):
        start = at + DAY_S  # none in sight, as where holidays are not known yet: ask again then
    until = start if start <= last_by_list else math.inf
    if choice and choice[0] <= at <= choice[1]:
        waits = _hard(waits, pack)
    if not waits:
        rule, reason = shut(law.windows, at, need_s)
        return Refused(rule, until, reason)
    _, rule, of_number = max(waits)
    return Refused(rule, until, law.sentences[rule], of_number)


def _for_good(rule: str, of_number: bool = False) -> Refused:
    return Refused(rule, math.inf, _FOR_GOOD[rule], of_number)


# ---- refused for good -----------------------------------------------------------------------------------------------


def _stopped(contact: Contact, past: History, campaign: str, of_number: bool) -> Refused | None:
    """Do not call: at all, for a lender, in a campaign. A scope that is not understood is taken for the widest."""
    if past.stop:
        return _for_good("number_stop" if of_number else "stop", of_number)
    if past.dead:
        return _for_good("dead_number", of_number)
    for scope in past.stops:
        kind, _, name = scope.casefold().partition(":")
        ours = {"lender": contact.lender, "campaign": campaign}.get(kind, "").casefold()
        if not ours or ours == name:
            return _for_good({"lender": "lender_stop", "campaign": "campaign_stop"}.get(kind, "stop"), of_number)
    return None


def _zone(contact: Contact, pack: Pack) -> Refused | None:
    if not contact.zone or contact.zone in pack.zones:
        return None
    return Refused("zone", math.inf, f"The zone {contact.zone} is not one of the pack's; correct the list.")


def _of_number(contact: Contact, number: Number, pack: Pack) -> Refused | None:
    if number not in contact.numbers:
        return _for_good("not_his_number", True)
    if state := _STATES[number.state]:
        return _for_good(state, True)
    if number.kind not in pack.kinds:
        return Refused("number_kind", math.inf, f"The pack forbids calls to this kind of number: {number.kind}.", True)
    if not number.e164.startswith(pack.prefixes):
        return Refused("country", math.inf, f"The pack allows only numbers of {', '.join(pack.prefixes)}.", True)
    line = number_type(number.e164, pack.countries)
    if line not in pack.types:
        found = f"a number of type {line}" if line else "no subscriber's number"
        return Refused("number_type", math.inf, f"The pack forbids this number: it is {found}.", True)
    if line in pack.consent_types and not any(consent.what == CALLS for consent in contact.consents):
        return _for_good("consent", True)
    return None


# ---- the law of a place ---------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, eq=False)
class _Law:
    """What a pack says for one place: in which windows, how often, and how often in hardship."""

    windows: Windows
    caps: tuple[Cap, ...]
    hardship_caps: tuple[Cap, ...]
    sentences: Mapping[str, str]


@lru_cache(maxsize=8192)
def _law(pack: Pack, zone: str, province: str, area: tuple[str, ...], other_hours: bool) -> _Law:
    caps = [*pack.caps, *(cap for region in regions_at(pack, zone, province) for cap in region.caps)]
    windows = windows_at(pack, zone, province, area, other_hours)
    return _Law(windows, tuple(cap for cap in caps if not cap.hardship), tuple(caps), _sentences(pack, caps))


def _sentences(pack: Pack, caps: Sequence[Cap]) -> dict[str, str]:
    spoken = {
        "silent": "Silence was agreed: a promise, a call-back or hardship.",
        "consent": "The consent to automated calls begins later.",
        "conversation": f"A talk ended less than {pack.conversation.seconds // 3600} h ago.",
        "after_abandoned": f"A call found no agent less than {pack.after_abandoned.seconds // 3600} h ago.",
        "after_machine": f"A machine answered less than {pack.after_machine.seconds // 3600} h ago.",
    }
    return spoken | {cap.name: f"{cap.count} attempts in {cap.window_s // 3600} h are allowed." for cap in caps}


# ---- refused for a while --------------------------------------------------------------------------------------------


def _waits(
    law: _Law, contact: Contact, number: Number, person: History, number_history: History, pack: Pack, at: float,
    agent_guaranteed: bool,
) -> list[_Wait]:  # fmt: skip
    """Every rule that refuses now and ends by itself, with its end."""
    found: list[_Wait] = []
    for past, of_number in ((person, False), (number_history, True)):
        _clear(past)
        if past.silent_until > at:
            found.append((past.silent_until, "silent", of_number))
        if past.conversations and (until := max(past.conversations) + pack.conversation.seconds) > at:
            found.append((until, "conversation", of_number))
        for rule, last, silence in (
            ("after_abandoned", past.abandoned_at, pack.after_abandoned),
            ("after_machine", past.machine_at, pack.after_machine),
        ):
            if last and not (agent_guaranteed and silence.agent_lifts) and last + silence.seconds > at:
                found.append((last + silence.seconds, rule, of_number))
    attempts, others = sorted(person.attempts), sorted(number_history.attempts)
    for cap in law.hardship_caps if person.hardship or number_history.hardship else law.caps:
        counted = attempts if cap.of is Of.PERSON else others
        # the oldest of the last `count`; an attempt that is `window_s` old counts no more, one of the future does
        if len(counted) >= cap.count and (until := counted[-cap.count] + cap.window_s) > at:
            found.append((until, cap.name, cap.of is Of.NUMBER))
    if pack.consent_types and number_type(number.e164, pack.countries) in pack.consent_types:
        first = min(begins(law.windows, consent.on) for consent in contact.consents if consent.what == CALLS)
        if first > at:
            found.append((first, "consent", True))
    return found


def _clear(past: History) -> None:
    """Raises ValueError for a moment that is no number: it would compare as neither early nor late."""
    total = sum(past.attempts) + sum(past.conversations) + past.silent_until + past.abandoned_at + past.machine_at
    if math.isnan(total):
        raise ValueError("a moment of the past is not a number")


def _choice(contact: Contact, person: History, pack: Pack) -> tuple[float, float] | None:
    """From when to when a call-back at the debtor's own minute may pass the rules of cadence: once, and not for ever.

    `last_at` stands for the talk in which he chose; where it is not known, or an attempt was made since, none may.
    """
    rule, chosen = pack.callback, contact.callback_at
    if rule is None or not 0 <= chosen - contact.last_at <= rule.max_s:
        return None
    if any(attempt >= chosen for attempt in person.attempts):
        return None
    return chosen, chosen + rule.tolerance_s


def _hard(waits: Sequence[_Wait], pack: Pack) -> list[_Wait]:
    """Those that no call-back may pass."""
    passed = pack.callback.overrides if pack.callback else frozenset()
    return [wait for wait in waits if wait[1] not in passed]


def _start(
    law: _Law, pack: Pack, waits: Sequence[_Wait], choice: tuple[float, float] | None, at: float, need_s: float
) -> tuple[float, float]:
    """The first moment from `at` on that all rules allow, and the last start before the hours end."""
    start, last = _open(law, waits, at, need_s)
    if choice is None or start == at:
        return start, last
    from_, to = choice
    early, early_last = _open(law, _hard(waits, pack), max(at, from_), need_s)
    return (early, min(early_last, to)) if early <= to and not start <= early else (start, last)


def _open(law: _Law, waits: Sequence[_Wait], at: float, need_s: float) -> tuple[float, float]:
    free = max(waits)[0] if waits else at
    if free > LATEST:
        return free, free
    return opening(law.windows, max(at, free), need_s)
