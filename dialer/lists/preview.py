"""A day before it begins: of a whole list, who may be called in which hour, and which rule keeps the others out.

Asks the gate what it will say if nobody is called meanwhile. An answer holds for a while (Allowed until must_start_by,
Refused until `until`), so a contact's day costs a few questions, not one a minute.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from enum import StrEnum
from functools import lru_cache
from itertools import pairwise
from math import inf
from types import MappingProxyType
from zoneinfo import ZoneInfo

from dialer.compliance import may_call
from dialer.law.abandon import upper_bound
from dialer.law.rulebook import Of, Pack, all_caps, cited
from dialer.model import Allowed, Campaign, Contact, History, Kind, Mode, Number, Permission, Refused
from dialer.originate import timeout_s

CALLABLE = ""
LATER = "later"
NO_NUMBER = "no_number"
STEP_S = 900.0  # a refusal for doubt ends in a minute; asking again each minute would tell nothing new
HOUR_S = 3600.0
BOTH_SIDES = 0.975  # of a two-sided interval of 95 %
NO_PAST = History()


class Standing(StrEnum):
    """Where a contact stands in his campaign's list."""

    LISTED = "listed"
    UNDER_WAY = "under_way"
    RESTS = "rests"


@dataclass(frozen=True, slots=True)
class Case:
    """A contact with his past; `numbers`: that of each of his numbers. `due`: the list sets him aside until then."""

    contact: Contact
    person: History = NO_PAST
    numbers: tuple[History, ...] = ()
    due: float = 0.0
    standing: Standing = Standing.LISTED


@dataclass(frozen=True, slots=True)
class Span:
    """A stretch of time in which one answer holds: a rule, or CALLABLE."""

    begins: float
    ends: float
    rule: str


@dataclass(frozen=True, slots=True)
class Day:
    """A local day: the beginnings of its hours and its end. Nothing is foretold of what was before `begins`."""

    day: date
    zone: str
    hours: tuple[float, ...]
    begins: float

    @property
    def ends(self) -> float:
        """The first second after it."""
        return self.hours[-1]


Ask = Callable[[Contact, Number, History, History, float], Permission]
Words = tuple[str | None, ...]  # by hour: a rule, CALLABLE, or None for what is over


@dataclass(frozen=True, slots=True)
class Preview:
    """What a day will bring, of the contacts that were looked at. `by_hour`: rule (or CALLABLE) -> contacts."""

    day: Day
    total: int  # contacts of the campaign
    looked: int = 0
    by_hour: tuple[Mapping[str, int], ...] = ()
    callable_some_time: int = 0
    never: Mapping[str, int] = field(default_factory=dict)  # not at all that day, by the rule that lasts longest
    said: Mapping[str, str] = field(default_factory=dict)  # rule -> how the gate put it once

    @property
    def sampled(self) -> bool:
        """Not everybody was looked at: figures are estimates."""
        return self.looked < self.total

    def estimate(self, count: int) -> int:
        """Of the whole list, where `count` were found among those looked at."""
        return round(count * self.total / self.looked) if self.looked and self.sampled else count

    def interval(self, count: int) -> tuple[int, int]:
        """The 95 % interval of the estimate (Wilson's score interval)."""
        if not self.sampled or not self.looked:
            return count, count
        low = 1 - upper_bound(self.looked - count, self.looked, BOTH_SIDES)
        high = upper_bound(count, self.looked, BOTH_SIDES)
        return max(count, round(low * self.total)), round(high * self.total)


def day_of(day: date, zone: str, now: float) -> Day:
    """The day on the clocks of `zone`, from `now` on where it has begun."""
    start = datetime.combine(day, time(), ZoneInfo(zone)).timestamp()
    end = datetime.combine(day + timedelta(days=1), time(), ZoneInfo(zone)).timestamp()
    hours = tuple(start + HOUR_S * hour for hour in range(round((end - start) / HOUR_S)))
    return Day(day, zone, (*hours, end), max(start, now))


def gate_of(campaign: Campaign, pack: Pack) -> Ask:
    """The question that dialer/running/placing.py asks before each call of this campaign."""
    call_s, preview, agents = timeout_s(campaign), campaign.mode is Mode.PREVIEW, campaign.kind is Kind.AGENTS

    def ask(contact: Contact, number: Number, person: History, history: History, at: float) -> Permission:
        guaranteed = preview or (agents and bool(contact.callback_at))
        return may_call(
            contact, number, person, history, pack, at, call_s, campaign=campaign.id, agent_guaranteed=guaranteed
        )

    return ask


def look(cases: Iterable[Case], ask: Ask, day: Day, total: int) -> Preview:
    """The day of some contacts; join the parts of a list by `add`."""
    found: Counter[tuple[Words, str]] = Counter()
    said: dict[str, str] = {}
    for case in cases:
        spans = spans_of(case, ask, day.begins, day.ends, said)
        found[(_words(spans, day.hours), _longest(spans))] += 1
    by_hour: list[Counter[str]] = [Counter() for _ in day.hours[:-1]]
    never: Counter[str] = Counter()
    for (words, longest), count in found.items():
        for hour, word in zip(by_hour, words, strict=True):
            if word is not None:
                hour[word] += count
        if CALLABLE not in words:
            never[longest] += count
    looked = found.total()
    return Preview(day, total, looked, tuple(by_hour), looked - never.total(), never, said)


def add(one: Preview, other: Preview) -> Preview:
    """Two parts of the same list and day."""
    empty: tuple[Mapping[str, int], ...] = ({},) * (len(one.day.hours) - 1)
    pairs = zip(one.by_hour or empty, other.by_hour or empty, strict=True)
    return Preview(
        one.day,
        one.total,
        one.looked + other.looked,
        tuple(Counter(mine) + Counter(theirs) for mine, theirs in pairs),
        one.callable_some_time + other.callable_some_time,
        Counter(one.never) + Counter(other.never),
        {**other.said, **one.said},
    )


def spans_of(case: Case, ask: Ask, begins: float, ends: float, said: dict[str, str]) -> tuple[Span, ...]:
    """One contact's time, without gaps; `said` learns how the gate puts a rule that it does not hold yet."""
    found: list[Span] = []
    at = begins
    while at < ends:
        rule, until = answer(case, ask, at, said)
        until = min(max(until, at + 1.0), ends)
        if found and found[-1].rule == rule:
            found[-1] = Span(found[-1].begins, until, rule)
        else:
            found.append(Span(at, until, rule))
        at = until
    return tuple(found)


def answer(case: Case, ask: Ask, at: float, said: dict[str, str]) -> tuple[str, float]:
    """What the gate says of a contact at `at`: a rule, or CALLABLE, and how long that holds. Of several
    numbers one that may be called is enough."""
    if case.standing is not Standing.LISTED:
        return case.standing.value, inf
    contact = case.contact
    soonest: Refused | None = None
    for turn in range(len(contact.numbers)):
        index = (contact.next_number + turn) % len(contact.numbers)
        past = case.numbers[index] if index < len(case.numbers) else NO_PAST
        permission = ask(contact, contact.numbers[index], case.person, past, at)
        if isinstance(permission, Allowed):
            return (LATER, case.due) if case.due > at else (CALLABLE, permission.must_start_by + 1.0)
        if soonest is None or permission.until < soonest.until:
            soonest = permission
    if soonest is None:
        return NO_NUMBER, inf
    said.setdefault(soonest.rule, soonest.reason)
    return soonest.rule, max(soonest.until, at + STEP_S) if soonest.rule == "doubt" else soonest.until


@lru_cache(maxsize=16384)
def _words(spans: tuple[Span, ...], hours: tuple[float, ...]) -> Words:
    return tuple(_word(spans, start, end) for start, end in pairwise(hours))


def _word(spans: tuple[Span, ...], start: float, end: float) -> str | None:
    """One word for an hour: callable if at any time in it, else the rule that fills most of it."""
    parts = [(min(span.ends, end) - max(span.begins, start), span.rule) for span in spans]
    here = [part for part in parts if part[0] > 0]
    if any(rule == CALLABLE for _, rule in here):
        return CALLABLE
    return max(here)[1] if here else None


def _longest(spans: tuple[Span, ...]) -> str:
    return max(spans, key=lambda span: span.ends - span.begins).rule if spans else CALLABLE


# ---- in people's words ----------------------------------------------------------------------------------------------

SENTENCES: Mapping[str, str] = MappingProxyType(
    {
        LATER: "The list has set them aside until later: after an outcome, a refusal or for a call-back.",
        Standing.UNDER_WAY.value: "A call of theirs is under way.",
        Standing.RESTS.value: "The campaign is done with them.",
        NO_NUMBER: "They have no number.",
        "hours": "Outside the hours in which calls are allowed where the debtor lives.",
        "campaign_hours": "Outside the campaign's own hours.",
        "campaign_days": "Not one of the campaign's own days.",
        "weekday": "A day of the week without calls.",
        "holiday": "A holiday where the debtor lives.",
        "holidays_unknown": "The holidays of that year are not known.",
        "zone": "The debtor's time zone is not one of the pack's.",
        "stop": "The person must not be called any more.",
        "number_stop": "The number must not be called any more.",
        "lender_stop": "The lender must not call the person or number any more.",
        "campaign_stop": "The campaign must not call the person or number any more.",
        "wrong_person": "The number is somebody else's.",
        "dead_number": "The number is proven not in service.",
        "number_kind": "The pack forbids calls to this kind of number.",
        "number_type": "The pack forbids calls to this type of line.",
        "consent": "There is no consent yet to automated calls to this type of line.",
        "expired": "The list says that the debt may not be collected by telephone any more.",
        "not_his_number": "The number is not one of the contact's any more.",
        "call_length": "The ring time made no sense.",
        "country": "The number is of a country that the pack does not cover.",
        "person_busy": "Another call to the person was under way.",
        "number_busy": "Another call to the number was under way.",
        "doubt": "The gate could not decide, so nobody was called.",
        "clock": "The machine's clock was wrong.",
        "silent": "Silence was agreed: a promise, a call-back or hardship.",
        "conversation": "They were spoken with not long ago.",
        "after_abandoned": "A call of theirs found no agent not long ago.",
        "after_machine": "A machine answered not long ago.",
    }
)


def sentence(rule: str, pack: Pack | None, said: Mapping[str, str] = MappingProxyType({})) -> str:
    """What a rule says, without anybody's particulars; `said`: how the gate put those that are not known here."""
    for cap in all_caps(pack) if pack else ():
        if cap.name == rule:
            whose = "a person" if cap.of is Of.PERSON else "a number"
            return f"At most {cap.count} calls to {whose} in {_stretch(cap.window_s)}."
    return SENTENCES.get(rule) or said.get(rule) or f"Rule {rule}."


def citation(rule: str, pack: Pack) -> str:
    """The source of a rule in the pack; empty: no law, but a wish, a fact or a setting."""
    try:
        return cited(pack, rule)
    except KeyError:
        return ""


def _stretch(seconds: float) -> str:
    hours = int(seconds // HOUR_S)
    count, unit = (hours // 24, "day") if hours % 24 == 0 else (hours, "hour")
    return f"{count} {unit}s" if count > 1 else f"1 {unit}"
