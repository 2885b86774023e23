"""The judge of a trace of claims: by slow arithmetic of his own, from a pack's file and what was seen; not one line of
the gate's. He is told of calls in the order in which Redis heard of them.
"""

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from math import inf
from typing import Any
from zoneinfo import ZoneInfo

from phonenumbers import country_code_for_region

Entry = Mapping[str, Any]
DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
GLANCE_S = 30.0
HELD = ("preview", "call_back")  # one call per idle agent holds nobody


@dataclass(frozen=True, slots=True)
class Law:
    """A pack's file as it was written, and the days on which it rests."""

    pack: Mapping[str, Any]
    holidays: frozenset[date]
    ring_s: float  # dialling and ringing

    @property
    def need_s(self) -> float:
        return self.ring_s + float(self.pack["ring"].get("margin_s", 60))

    def caps(self, whose: str, hardship: bool) -> list[tuple[int, float]]:
        """(calls, seconds) for a person or a number; more of them for one in hardship."""
        rows = [cap for cap in self.pack["caps"] if cap["of"] == whose and (hardship or not cap.get("hardship"))]
        return [(cap["count"], 3600.0 * (cap["hours"] if "hours" in cap else 24 * cap["days"])) for cap in rows]


@dataclass(frozen=True, slots=True)
class Call:
    """A call from the entry that says it was placed to the one that says it was over, and what was made of it."""

    seen: Entry  # attempt, campaign, contact, person, number, key, kind, zone, at
    placed: int  # index in the trace
    looked: int  # index of the claim's last look
    over: float  # index; inf: never
    ended_at: float
    record: Mapping[str, str]  # its outcome, as written

    @property
    def at(self) -> float:
        return float(self.seen["at"])

    @property
    def counts(self) -> bool:
        return self.record.get("counted") != "0"

    @property
    def judged(self) -> bool:
        """What was before, under whatever law, only counts for what comes after."""
        return not self.seen["past"]

    def of(self, whose: str) -> str:
        return str(self.seen["person" if whose == "person" else "key"])

    def effect(self, name: str) -> float:
        return float(self.record.get(name) or 0)


def calls_of(trace: Sequence[Entry], records: Mapping[str, Mapping[str, str]]) -> list[Call]:
    """Every call that was placed."""
    looked: dict[str, int] = {}
    over: dict[str, tuple[int, float]] = {}
    for index, entry in enumerate(trace):
        if entry["what"] == "look":
            looked |= dict.fromkeys(entry["attempts"], index)
        if entry["what"] == "ended":
            over.setdefault(entry["attempt"], (index, float(entry["at"])))
    found = []
    for index, entry in enumerate(trace):
        if entry["what"] == "placed":
            one = str(entry["attempt"])
            ended, at = over.get(one, (inf, inf))
            found.append(Call(entry, index, looked.get(one, index), ended, at, records.get(one, {})))
    return found


def faults(trace: Sequence[Entry], records: Mapping[str, Mapping[str, str]], law: Law) -> list[str]:
    """What should never have happened, a sentence each; `records`: attempt -> the outcome that was written."""
    calls = calls_of(trace, records)
    found = [fault for call in calls for fault in (*_outside(call, law), *_wrong_number(call, law))]
    for whose in ("person", "number"):
        by_party: dict[str, list[Call]] = defaultdict(list)
        for call in calls:
            by_party[call.of(whose)].append(call)
        for party in by_party.values():
            found += [*_twice(party, whose), *_capped(party, whose, law), *_talked(party, whose, law)]
            found += [*_silent(party, whose), *_closed(party, whose)]
    return [*found, *_rested(calls), *_stopped(calls, trace), *_refused(calls, trace)]


def _outside(call: Call, law: Law) -> Iterator[str]:
    if not call.judged:
        return
    for zone in [call.seen["zone"]] if call.seen["zone"] else law.pack["zones"]:
        moments = [call.at]
        while moments[-1] + GLANCE_S < call.at + law.need_s:
            moments.append(moments[-1] + GLANCE_S)
        for moment in [*moments, call.at + law.need_s - 0.001]:
            local = datetime.fromtimestamp(moment, ZoneInfo(zone))
            span = law.pack["hours"][DAYS[local.weekday()]]
            clock = f"{local:%H:%M}"
            if span == "closed" or not span[:5] <= clock < span[6:] or local.date() in law.holidays:
                yield f"outside the hours: {call.seen} rings at {local}"
                return


def _wrong_number(call: Call, law: Law) -> Iterator[str]:
    numbers = law.pack["numbers"]
    if not call.judged:
        return
    if call.seen["zone"] and call.seen["zone"] not in law.pack["zones"]:
        yield f"a zone of another country: {call.seen}"
    if call.seen["kind"] not in numbers["kinds"]:
        yield f"a kind of number that is not called: {call.seen}"
    codes = [country_code_for_region(country) for country in numbers["countries"]]
    if not any(call.seen["number"].startswith(f"+{code}") for code in codes):
        yield f"another country: {call.seen}"


def _twice(party: Sequence[Call], whose: str) -> Iterator[str]:
    for i, one in enumerate(party):
        for other in party[i + 1 :]:
            if other.placed < one.over:
                yield f"two calls at once to a {whose}: {one.seen} and {other.seen}"


def _capped(party: Sequence[Call], whose: str, law: Law) -> Iterator[str]:
    counted = [call for call in party if call.counts]
    for call in counted:
        if not call.judged:
            continue
        hardship = any(one.record.get("hardship") == "1" and one.over < call.placed for one in party)
        for count, window_s in law.caps(whose, hardship and whose == "person"):
            within = [one for one in counted if call.at - window_s < one.at <= call.at and one.placed <= call.placed]
            if len(within) > count:
                yield f"{len(within)} calls to a {whose} in {window_s:.0f} s: {[one.at for one in within]} {call.seen}"


def _talked(party: Sequence[Call], whose: str, law: Law) -> Iterator[str]:
    """Too soon after a talk, or after a call that found no agent."""
    for word, table in (("conversation", "conversation"), ("abandoned", "after_abandoned")):
        silence_s = 3600.0 * law.pack[table]["silence_hours"]
        for last in [call for call in party if call.record.get(word) == "1" and silence_s]:
            for call in party:
                gap_s = call.at - last.ended_at
                if law.pack[table].get("agent_lifts") and call.seen["mode"] in HELD:
                    continue  # an agent is held for this very call
                if call.judged and call.placed > last.over and gap_s < silence_s:
                    yield f"{gap_s:.0f} s after {word} with a {whose}: {last.seen}, then {call.seen}"


def _silent(party: Sequence[Call], whose: str) -> Iterator[str]:
    for promise in party if whose == "person" else ():
        for call in party:
            if call.judged and call.placed > promise.over and call.at < promise.effect("silent_until"):
                yield f"silence until {promise.effect('silent_until')} was agreed: {promise.seen}, then {call.seen}"


def _closed(party: Sequence[Call], whose: str) -> Iterator[str]:
    """After a call from which it follows that there is never another."""
    words = ("stop",) if whose == "person" else ("stop", "dead", "wrong_person")
    for last in party:
        if any(last.record.get(word) == "1" for word in words):
            after = [call for call in party if call.judged and call.placed > last.over]
            yield from (f"after {last.seen} said never again: {call.seen}" for call in after)


def _rested(calls: Sequence[Call]) -> Iterator[str]:
    """Contacts whose campaign is done with them."""
    for last in calls:
        if last.record.get("again") == "0":
            for call in calls:
                same = all(call.seen[name] == last.seen[name] for name in ("campaign", "contact"))
                if same and call.placed > last.over:
                    yield f"at rest since {last.seen}: {call.seen}"


def _stopped(calls: Sequence[Call], trace: Sequence[Entry]) -> Iterator[str]:
    """Stops that were known before the claim's last look."""
    for index, entry in enumerate(trace):
        if entry["what"] == "stopped":
            for call in calls:
                hit = call.seen["person"] in entry["persons"] or call.seen["key"] in entry["numbers"]
                here = entry["scope"] in ("", f"campaign:{call.seen['campaign']}")
                if hit and here and call.looked > index:
                    yield f"stopped at {index}, called at {call.looked}: {call.seen}"


def _refused(calls: Sequence[Call], trace: Sequence[Entry]) -> Iterator[str]:
    """Contacts refused for good, or taken off the list."""
    for index, entry in enumerate(trace):
        if entry["what"] == "withdrawn":
            for call in calls:
                hit = call.seen["person"] == entry["person"] and entry["campaign"] in ("", call.seen["campaign"])
                if hit and call.looked > index:
                    yield f"withdrawn at {index}, called at {call.looked}: {call.seen}"
        if entry["what"] == "refused":
            for call in calls:
                same = all(call.seen[name] == entry[name] for name in ("campaign", "contact"))
                if same and call.looked > index:
                    yield f"refused for good at {index}, called at {call.looked}: {call.seen}"
