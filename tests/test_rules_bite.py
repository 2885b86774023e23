"""Every rule of every pack bites: a case that it refuses is allowed when the rule is dropped from the parsed pack.

A rule that is added to a pack needs its case here; one that another makes needless is found out.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import date
from typing import Any

import pytest

from dialer.compliance import may_call
from dialer.config import Trunk, validate_campaign
from dialer.law.number_plan import NumberType
from dialer.law.rulebook import Cap, Of, Pack, Silence, all_caps
from dialer.model import Allowed, Campaign, Consent, Contact, History, NumberKind, Refused
from tests.packs import AGREED, CALL_S, contact, debtor_of, indonesia, moment, uk, us

FRIDAY = "2026-11-20"
HOLIDAY = date(2026, 11, 19)  # a Thursday
PACKS = {pack.id: pack for pack in (indonesia(HOLIDAY), us(), uk(HOLIDAY))}
PREMIUM = {"indonesia": "+628091234567", "us": "+19002123456", "uk": "+449098790000"}
CLEAN = History()


@dataclass(frozen=True, slots=True)
class Case:
    """A call, the refusal that the rule owes, and the pack without the rule."""

    pack: Pack
    without: Pack
    rule: str
    who: Contact
    clock: str = f"{FRIDAY} 12:00:00"
    person: History = CLEAN
    number: History = CLEAN

    def ask(self, pack: Pack) -> Allowed | Refused:
        at = moment(self.clock, self.who.zone)
        return may_call(self.who, self.who.numbers[0], self.person, self.number, pack, at, CALL_S)


def cases(pack: Pack) -> dict[str, list[Case]]:
    """Rule -> its cases."""
    who = debtor_of(pack)
    noon = moment(f"{FRIDAY} 12:00:00", who.zone)
    found = {
        "hours": [
            Case(pack, replace(pack, hours=replace(pack.hours, always=True)), "hours", who, f"{FRIDAY} {clock}")
            for clock in ("07:59:59", "22:00:00")
        ],
        "numbers": [
            Case(pack, replace(pack, kinds=frozenset(NumberKind)), "number_kind", _of_kind(who, NumberKind.WORKPLACE)),
            Case(pack, replace(pack, types=frozenset(NumberType)), "number_type", _on(who, PREMIUM[pack.id])),
            Case(pack, _any_country(pack), "country", _on(who, "+6591234567")),
        ],
        "conversation": [
            _past(pack, replace(pack, conversation=Silence()), "conversation", who, conversations=(noon - 3600,))
        ],
        "after_abandoned": [
            _past(pack, replace(pack, after_abandoned=Silence()), "after_abandoned", who, abandoned_at=noon - 71 * 3600)
        ],
    }
    if pack.holiday_rule:
        free = replace(pack, hours=replace(pack.hours, holidays=frozenset(), years=None))
        found["holidays"] = [Case(pack, free, "holiday", who, f"{HOLIDAY} 12:00:00")]
    if pack.after_machine.seconds:
        quick = replace(pack, after_machine=Silence())
        found["after_machine"] = [_past(pack, quick, "after_machine", who, machine_at=noon - 23 * 3600)]
    if pack.consent_types:
        later = replace(who, consents=(Consent("calls", "form", date(2026, 11, 21)),))
        open_ = replace(pack, consent_types=frozenset())
        found["consent"] = [Case(pack, open_, "consent", one) for one in (replace(who, consents=()), later)]
    if pack.number_zone:
        moved = replace(contact("America/Los_Angeles", e164="+12125550123"), province="CA", consents=AGREED)
        found["hours"].append(Case(pack, replace(pack, number_zone=False), "hours", moved, f"{FRIDAY} 19:30:00"))
    for region in pack.regions:
        there = replace(who, province=next(iter(region.provinces)), zone=min(region.zones, key=who.zone.__ne__))
        if region.hours:
            without = replace(pack, regions=tuple(replace(one, hours=None) for one in pack.regions))
            found[region.hours.name] = [Case(pack, without, region.hours.name, there, f"{FRIDAY} 20:30:00")]
        for cap in region.caps:
            found[cap.name] = [_capped(pack, cap, there, noon)]
    for cap in pack.caps:
        found[cap.name] = [_capped(pack, cap, who, noon)]
    return found


def _on(who: Contact, e164: str) -> Contact:
    return replace(who, numbers=(replace(who.numbers[0], e164=e164),))


def _of_kind(who: Contact, kind: NumberKind) -> Contact:
    return replace(who, numbers=(replace(who.numbers[0], kind=kind),))


def _any_country(pack: Pack) -> Pack:
    return replace(pack, prefixes=("+",), countries=(*pack.countries, "SG"))


def _past(pack: Pack, without: Pack, rule: str, who: Contact, **past: Any) -> Case:
    return Case(pack, without, rule, who, person=replace(CLEAN, **past))


def _capped(pack: Pack, cap: Cap, who: Contact, noon: float) -> Case:
    """As many attempts as it allows, spread over its whole window, so that no other cap is met."""
    ages = [cap.window_s * 0.99 * (turn + 1) / cap.count for turn in range(cap.count)]
    past = History(attempts=tuple(noon - age for age in ages), hardship=cap.hardship)
    without = replace(
        pack,
        caps=tuple(one for one in pack.caps if one.name != cap.name),
        regions=tuple(
            replace(region, caps=tuple(one for one in region.caps if one.name != cap.name)) for region in pack.regions
        ),
    )
    if cap.of is Of.PERSON:
        return Case(pack, without, cap.name, who, person=past)
    return Case(pack, without, cap.name, who, number=past)


ALL = [
    pytest.param(case, id=f"{name}-{rule}-{turn}")
    for name, pack in PACKS.items()
    for rule, some in cases(pack).items()
    for turn, case in enumerate(some)
]


@pytest.mark.parametrize("case", ALL)
def test_a_case_is_refused_by_the_rule_and_by_nothing_else(case: Case) -> None:
    answer = case.ask(case.pack)
    assert isinstance(answer, Refused), answer
    assert answer.rule == case.rule
    assert isinstance(case.ask(case.without), Allowed)


@pytest.mark.parametrize("pack", PACKS.values(), ids=PACKS)
def test_no_rule_is_without_its_case(pack: Pack) -> None:
    """`stop` cannot be dropped: it is no switch; `callback` lets through; the others bind the campaign: see below."""
    elsewhere = {"stop", "callback", "ring", "abandon", "caller_id"}
    assert set(cases(pack)) == set(pack.sources) - elsewhere
    assert {cap.name for cap in all_caps(pack)} <= set(cases(pack))


@pytest.mark.parametrize("pack", PACKS.values(), ids=PACKS)
def test_each_override_of_a_call_back_lets_something_through(pack: Pack) -> None:
    assert pack.callback
    who = debtor_of(pack)
    noon = moment(f"{FRIDAY} 12:00:00", who.zone)
    chose = replace(who, callback_at=noon, last_at=noon - 1800)
    found = cases(pack)
    for rule in pack.callback.overrides:
        case = replace(found[rule][0], who=chose)
        assert isinstance(case.ask(pack), Allowed), rule
        without = replace(pack, callback=replace(pack.callback, overrides=pack.callback.overrides - {rule}))
        assert isinstance(case.ask(without), Refused), rule
        assert isinstance(case.ask(replace(pack, callback=None)), Refused)
    for rule in set(found) - pack.callback.overrides - {"hours", "holidays", "numbers", "consent"}:
        case = found[rule][0]
        at = moment(case.clock, case.who.zone)
        bent = replace(case, who=replace(case.who, callback_at=at, last_at=at - 1800))
        assert isinstance(bent.ask(pack), Refused), rule


# ---- what binds the campaign ----------------------------------------------------------------------------------------

TRUNK = Trunk(endpoint="carrier", host="203.0.113.7", lines=30, caller_ids=("+62215551234",))
FIT = Campaign(id="november", name="November", caller_id="+62215551234")
BINDING: list[tuple[str, Campaign, Callable[[Pack], Pack]]] = [
    ("ring_s = 14", replace(FIT, ring_s=14), lambda pack: replace(pack, ring_min_s=0)),
    ("abandon_rate_max", replace(FIT, abandon_rate_max=0.031), lambda pack: replace(pack, abandon_rate_max=1.0)),
    ("connect_limit_ms", replace(FIT, connect_limit_ms=2250), lambda pack: replace(pack, connect_limit_ms=9000)),
    ("set caller_id", replace(FIT, caller_id=""), lambda pack: replace(pack, caller_id_required=False)),
]


@pytest.mark.parametrize("pack", PACKS.values(), ids=PACKS)
@pytest.mark.parametrize(("words", "campaign", "drop"), BINDING, ids=[words for words, _, _ in BINDING])
def test_a_campaign_that_breaks_a_rule_may_not_run(
    pack: Pack, words: str, campaign: Campaign, drop: Callable[[Pack], Pack]
) -> None:
    campaign = replace(campaign, pack=pack.id)
    assert validate_campaign(replace(FIT, pack=pack.id), pack, TRUNK) == []
    (wrong,) = validate_campaign(campaign, pack, TRUNK)
    assert words in wrong
    assert validate_campaign(campaign, drop(pack), TRUNK) == []


@pytest.mark.parametrize("withheld", ["anonymous", "", "unknown", "+62215559999"])
def test_a_withheld_or_foreign_caller_id_is_refused(withheld: str) -> None:
    campaign = replace(FIT, caller_id=withheld)
    assert any("caller_id" in wrong for wrong in validate_campaign(campaign, PACKS["indonesia"], TRUNK))


@pytest.mark.parametrize("pack", PACKS.values(), ids=PACKS)
def test_the_margin_for_a_frozen_asterisk_keeps_the_last_call_inside(pack: Pack) -> None:
    who = debtor_of(pack)
    closes = pack.hours.days[4][0][1]
    last = moment(f"{FRIDAY} 00:00:00", who.zone) + closes * 60 - CALL_S - pack.margin_s
    ask = [may_call(who, who.numbers[0], CLEAN, CLEAN, pack, last + late, CALL_S) for late in (-1, 0, 1)]
    assert [isinstance(answer, Allowed) for answer in ask] == [True, True, False]
    hasty = replace(pack, margin_s=0)
    assert isinstance(may_call(who, who.numbers[0], CLEAN, CLEAN, hasty, last + 1, CALL_S), Allowed)
