"""Each country's pack end to end on twins: settings accepted, called inside the hours, refused outside."""

import asyncio
from collections import Counter
from collections.abc import Mapping
from dataclasses import replace
from math import inf

import pytest

from dialer.adapters.rule_files import load_pack
from dialer.config import Trunk
from dialer.errors import ConfigError
from dialer.law.rulebook import Pack
from dialer.model import Campaign, Contact, Mode, Number, Order

from . import packs
from .packs import moment
from .site import CAMPAIGN, staged
from .twins import Debtor, play, until

CALLER = {"us": "+12125550100", "uk": "+442079460000", "indonesia": "+62215550100"}
PACKS = {"us": packs.us(), "uk": packs.uk(), "indonesia": packs.indonesia()}


def talks(order: Order) -> Debtor:
    return Debtor(rings_s=1.0, patience_s=5.0)


def campaign(pack: str) -> Campaign:
    return replace(CAMPAIGN, pack=pack, mode=Mode.PREDICTIVE, caller_id=CALLER[pack])


def load(at: float, settings: Campaign) -> Pack:
    """As the engine's site does."""
    carrier = Trunk(endpoint="carrier", host="203.0.113.7", lines=100, caller_ids=(settings.caller_id,))
    return load_pack(settings, carrier, at)


def person(name: str, pack: str, **changes: object) -> Contact:
    """Somebody who may be called at noon, but for the changes."""
    who = packs.debtor_of(PACKS[pack])
    ours = Number(str(changes.pop("e164", who.numbers[0].e164)), f"n-{name}")
    return replace(who, id=name, person=name, numbers=(ours,), **changes)  # type: ignore[arg-type]


US = {
    "good": person("good", "us"),
    "west": person("west", "us", zone="America/Los_Angeles", province="CA", e164="+12135550123"),
    "no-consent": person("no-consent", "us", consents=()),
    "abroad": person("abroad", "us", e164="+442079460018"),
    "elsewhere": person("elsewhere", "us", zone="Europe/London"),
}
UK = {"good": person("good", "uk"), "abroad": person("abroad", "uk", e164="+12125550123")}
INDONESIA = {
    "good": person("good", "indonesia"),
    "east": person("east", "indonesia", zone="Asia/Jayapura", e164="+6281234567891"),
}
DAYS: list[tuple[str, str, str, Mapping[str, Contact], dict[str, str], dict[str, str]]] = [
    # 09:00 in New York is 06:00 in Los Angeles
    ("us", "America/New_York", "2026-11-18 09:00:00", US,
     {"west": "hours", "no-consent": "consent", "abroad": "country", "elsewhere": "zone"},
     {"west": "2026-11-18 11:00:00"}),
    ("us", "America/New_York", "2026-11-18 07:50:00", {"good": US["good"]}, {"good": "hours"},
     {"good": "2026-11-18 08:00:00"}),
    ("us", "America/New_York", "2026-11-18 20:59:00", {"good": US["good"]}, {"good": "hours"},
     {"good": "2026-11-19 08:00:00"}),
    ("uk", "Europe/London", "2026-11-18 12:00:00", UK, {"abroad": "country"}, {}),
    ("uk", "Europe/London", "2026-11-18 21:10:00", {"good": UK["good"]}, {"good": "hours"},
     {"good": "2026-11-19 08:00:00"}),
    ("uk", "Europe/London", "2026-11-22 12:00:00", {"good": UK["good"]}, {"good": "weekday"},
     {"good": "2026-11-23 08:00:00"}),
    ("uk", "Europe/London", "2026-12-25 12:00:00", {"good": UK["good"]}, {"good": "holiday"}, {}),
    # 18:30 in Jakarta is 20:30 in Jayapura
    ("indonesia", "Asia/Jakarta", "2026-11-18 18:30:00", INDONESIA, {"east": "hours"},
     {"east": "2026-11-19 06:00:00"}),
]  # fmt: skip


@pytest.mark.parametrize(("pack", "zone", "when", "people", "refused", "until_"), DAYS)
def test_a_campaign_by_each_countrys_rules(
    pack: str, zone: str, when: str, people: Mapping[str, Contact], refused: dict[str, str], until_: dict[str, str]
) -> None:
    async def scene() -> None:
        at = moment(when, zone)
        async with staged(
            campaign(pack), talks, agents=("101", "102"), pack_of=lambda one: load(at, one), people=[*people.values()],
            at=at,
        ) as stage:  # fmt: skip
            good = set(people) - set(refused)
            await until(lambda: len(stage.books.outcomes) >= len(good) and len(stage.books.refusals) >= len(refused))
            await asyncio.sleep(20.0)
            called = Counter(one.attempt.contact for one in stage.books.outcomes)
            assert called == Counter(good), "once each"
            assert {one.attempt.pack for one in stage.books.outcomes} <= {load(at, stage.campaign).label}
            assert {one.id: said.rule for one, _, said in stage.books.refusals} == refused
            again = {one.id: said.until for one, _, said in stage.books.refusals}
            for name, text in until_.items():
                assert again[name] == moment(text, zone)
            assert all(again[name] == inf for name in ("no-consent", "abroad", "elsewhere") if name in again)

    play(scene())


def test_who_was_refused_for_the_hour_is_called_when_it_has_come() -> None:
    async def scene() -> None:
        at = moment("2026-11-18 07:59:00", "America/New_York")
        people = [US["good"]]
        async with staged(
            campaign("us"), talks, agents=("101",), pack_of=lambda one: load(at, one), people=people, at=at
        ) as stage:
            await until(lambda: stage.books.outcomes, 90.0)
            opens = moment("2026-11-18 08:00:00", "America/New_York")
            assert opens <= stage.books.outcomes[0].attempt.placed_at < opens + 5.0

    play(scene())


@pytest.mark.parametrize("pack", CALLER)
def test_settings_that_a_country_forbids_are_not_run(pack: str) -> None:
    at = moment("2026-11-18 12:00:00")
    assert load(at, campaign(pack)).id == pack
    for changes, word in (({"abandon_rate_max": 0.04}, "abandon_rate_max"), ({"ring_s": 14}, "ring_s")):
        with pytest.raises(ConfigError, match=word):
            load(at, replace(campaign(pack), **changes))
    carrier = Trunk(endpoint="carrier", host="203.0.113.7", lines=100, caller_ids=(CALLER[pack],))
    with pytest.raises(ConfigError, match="caller_id"):
        load_pack(replace(campaign(pack), caller_id=""), carrier, at)
