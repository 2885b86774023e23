"""`dialer preview` and `dialer why` on a real Redis, at a time of the test's own."""

import asyncio
import json
import re
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import replace
from math import inf
from pathlib import Path
from typing import Any

import pytest
import typer

from dialer.adapters.clock import SystemClock
from dialer.adapters.programs import redis_server
from dialer.adapters.redis_keys import campaign_keys, number_keys
from dialer.adapters.redis_process import RedisProcess
from dialer.adapters.redis_store import RedisStore
from dialer.adapters.site import OpenSite, new_id
from dialer.commands import rules
from dialer.config import Config, read_config
from dialer.errors import BadInput
from dialer.keyed import number_key
from dialer.model import Campaign, Contact, Number, NumberKind, Outcome, Refused, Side, Verdict
from dialer.ports import Finish
from dialer.running.placing import Placer

from .packs import moment
from .test_cli import SITE

ROOT = Path(__file__).parents[1]
MONDAY = moment("2026-11-23 07:00:00")
KEY = "ab" * 32
E164 = "+6281234567890"
CAMPAIGN = Campaign("april", "April", trunk="carrier", caller_id="+622150001234")
OTHER = replace(CAMPAIGN, id="may", name="May")


@pytest.fixture(scope="module")
def redis(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RedisProcess]:
    process = RedisProcess(redis_server(ROOT), tmp_path_factory.mktemp("rules") / "redis", "no")
    with asyncio.Runner() as runner:
        runner.run(process.start())
        yield process
        runner.run(process.kill())


@pytest.fixture
def config(redis: RedisProcess) -> Config:
    env = {"SANTUN_AMI_SECRET": "s", "SANTUN_PERSON_KEY": KEY, "SANTUN_REDIS_URL": redis.url}
    return read_config(SITE.format(port=1), env)


class Stopped(SystemClock):
    """A clock that stands."""

    at = MONDAY

    def now(self) -> float:
        return self.at


Work = Callable[[OpenSite], Awaitable[None]]
Says = Callable[..., str]


@pytest.fixture
def says(
    config: Config, redis: RedisProcess, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> Says:
    """What is printed by some work on a site with two campaigns whose lists share a number."""
    monkeypatch.setenv("COLUMNS", "220")

    def run(*works: Work, at: float = MONDAY) -> str:
        async def inside() -> None:
            store = RedisStore(redis.url)
            clock = Stopped()
            clock.at = at
            try:
                await store._link.one(("FLUSHALL",))
                await begin(store)
                for work in works:
                    await work(OpenSite(config, store, clock))
            finally:
                await store.close()

        asyncio.run(inside())
        return capsys.readouterr().out

    return run


def number(e164: str, kind: NumberKind = NumberKind.DEBTOR) -> Number:
    return Number(e164, number_key(bytes.fromhex(KEY), e164), kind)


async def begin(store: RedisStore) -> None:
    own = Contact("k1", "p1", (number(E164), number("+6281234567891")), zone="Asia/Jakarta")
    east = Contact("k2", "p2", (number("+6281234567892"),), zone="Asia/Jayapura")
    guard = Contact("k3", "p3", (number("+6281234567893", NumberKind.EMERGENCY),), zone="Asia/Jakarta")
    await store.save_campaign(CAMPAIGN)
    await store.save_campaign(OTHER)
    await store.add_contacts("april", [own, east, guard], MONDAY - 60)
    await store.add_contacts("may", [replace(own, id="k4", numbers=(number(E164, NumberKind.EMERGENCY),))], MONDAY - 60)


def preview(
    campaign: str = "april", day: str = "", sample: int = 20_000, everybody: bool = False, as_json: bool = False
) -> Work:
    return lambda site: rules.preview(site, campaign, day, sample, everybody, as_json)


def verify(campaign: str = "", as_json: bool = False) -> Work:
    return lambda site: rules.verify(site, campaign, as_json)


def why(text: str = E164, campaign: str = "", as_json: bool = False) -> Work:
    return lambda site: rules.why(site, text, campaign, as_json)


# ---- preview --------------------------------------------------------------------------------------------------------


def test_a_day_is_shown_hour_by_hour_with_reasons(says: Says) -> None:
    said = says(preview())
    assert said.startswith("april on Monday 2026-11-23 (Asia/Jakarta), if nobody is called meanwhile, by indonesia@")
    assert "all 3 contacts looked at" in said
    assert re.search(r"08:00-18:00 █{27}░{13} +67%", said)
    rows = [re.split(r"\s{2,}", line.strip()) for line in said.splitlines()]
    assert ["hour", "callable", "number_kind", "hours"] in rows
    assert ["07:00-08:00", "1", "1", "1"] in rows, "the hours before now are over"
    assert ["18:00-20:00", "1", "1", "1"] in rows
    assert "Callable at some time that day: 2 of 3 contacts." in said
    assert "Skipped all day: 1." in said
    assert "POJK 22/2023 art. 62(2): to nobody but the consumer" in said


def test_a_sunday_and_a_day_to_come(says: Says) -> None:
    said = says(preview(day="2026-11-29"))
    assert "Sunday 2026-11-29" in said
    assert re.search(r"00:00-24:00 +- +2 +1\n", said), "one row: nothing changes all day"
    assert re.search(r"weekday +2 +A day of the week without calls. POJK", said)


def test_a_day_for_programs(says: Says) -> None:
    seen: dict[str, Any] = json.loads(says(preview(as_json=True)))
    assert (seen["campaign"], seen["day"], seen["zone"]) == ("april", "2026-11-23", "Asia/Jakarta")
    assert (seen["callable"], seen["skipped"], seen["sample"]) == ({"contacts": 2}, {"contacts": 1}, False)
    assert seen["hours"][1] == {"hour": "08:00", "callable": 2, "refused": {"number_kind": 1}}
    assert [rule["rule"] for rule in seen["rules"]] == ["number_kind", "hours"]
    assert all(rule["sentence"] and rule["source"] for rule in seen["rules"])


def test_a_sample_says_that_it_is_one(says: Says) -> None:
    async def more(site: OpenSite) -> None:
        many = [Contact(f"m{i}", f"q{i}", (number(f"+62812000{i:05}"),), zone="Asia/Jakarta") for i in range(600)]
        await site.store.add_contacts("april", many, MONDAY - 60)

    said = says(more, preview(sample=300))
    assert "300 of 603 contacts looked at, drawn at random; figures are estimates" in said
    assert re.search(r"Callable at some time that day: 60[0-3] \[5\d\d to 60[0-3]\] of 603 contacts", said)
    assert "all 603 contacts looked at" in says(more, preview(sample=300, everybody=True))


@pytest.mark.parametrize(
    ("work", "cure"),
    [
        (preview("nobody"), "there is no campaign 'nobody'"),
        (preview(day="tomorrow"), "use a date such as 2026-11-23"),
        (preview(day="2026-11-22"), "is over"),
        (why("12"), "no number of a subscriber"),
        (why("hello"), "no telephone number"),
        (why(campaign="nobody"), "there is no campaign 'nobody'"),
    ],
)
def test_what_makes_no_sense_is_said(says: Says, work: Work, cure: str) -> None:
    with pytest.raises(BadInput, match=re.escape(cure)):
        says(work)


def test_an_empty_campaign_is_told_how_to_be_filled(says: Says) -> None:
    async def empty(site: OpenSite) -> None:
        await site.store.save_campaign(replace(CAMPAIGN, id="june"))

    with pytest.raises(BadInput, match="dialer load FILE --campaign june"):
        says(empty, preview("june"))


# ---- why: now -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("written", ["081234567890", "0812 3456-7890", E164, "62 812 3456 7890"])
def test_a_number_as_people_write_it(says: Says, written: str) -> None:
    said = says(why(written))
    assert "**********890:" in said
    assert "4567" not in said
    assert "in april (ready), contact k1, number of kind debtor: refused by hours. Too early" in said
    assert "Again: 2026-11-23 08:00:00. POJK 22/2023" in said
    assert "in may (ready), contact k4, number of kind emergency: refused by number_kind." in said
    assert "Again: never." in said


def test_of_one_campaign_alone_and_when_it_may_be_called(says: Says) -> None:
    said = says(why(campaign="april"), at=MONDAY + 3 * 3600)
    assert "contact k1, number of kind debtor: may be called, to start by 2026-11-23 19:58:27" in said
    assert "may (" not in said


def test_where_the_contact_stands_is_said(says: Says) -> None:
    async def aside(site: OpenSite) -> None:
        token = await site.store.lead("april", "e1", 60_000) or 0
        contact = await site.store.contact("april", "k1")
        assert contact is not None
        refusal = (contact, contact.numbers[0], Refused("trial", MONDAY + 5 * 3600))
        await site.store.refuse(token, "april", [refusal], MONDAY)

    async def at_rest(site: OpenSite) -> None:
        keys = campaign_keys("april")
        await site.store._link.run([("ZREM", keys.later, "k1"), ("ZADD", keys.rest, "1", "k1")])

    noon = MONDAY + 3 * 3600
    assert "refused by later. The list has set them aside" in says(aside, why(campaign="april"), at=noon)
    assert "refused by rests. The campaign is done with them." in says(at_rest, why(campaign="april"), at=noon)


def test_a_number_of_no_list(says: Says) -> None:
    async def stop(site: OpenSite) -> None:
        await site.store.stop([], [number("+6281999999999").key])
        state = number_keys(number("+6281999999999").key).state
        await site.store._link.one(("HSET", state, "dead", "1"))

    said = says(stop, why("081999999999"))
    assert "must not be called any more; proven not in service" in said
    assert "No list has this number." in said


def test_a_number_for_programs(says: Says) -> None:
    seen: dict[str, Any] = json.loads(says(why(as_json=True)))
    assert seen["number"].endswith("890")
    assert seen["number"].count("*") == 11
    first, second = seen["now"]
    assert (first["rule"], first["until"], first["allowed"]) == ("hours", MONDAY + 3600, False)
    assert (second["rule"], second["until"]) == ("number_kind", None)
    assert seen["known"] == {
        "stop": False, "stops": [], "dead": False, "silent_until": None, "attempts": 0, "conversations": 0
    }  # fmt: skip
    assert inf not in seen["known"].values()


# ---- why: the log ---------------------------------------------------------------------------------------------------


async def a_day(site: OpenSite) -> None:
    """Too early; then called, busy; then too soon after the call."""
    token = await site.store.lead("april", "e1", 60_000) or 0
    placer = Placer(site.store, CAMPAIGN, site.pack_of(CAMPAIGN), "n1", new_id)
    await placer.claim(token, 3, MONDAY)  # in the east it is nine o'clock
    opening = MONDAY + 3600
    ready, _ = await placer.claim(token, 3, opening)
    (one,) = [ready for ready in ready if ready.contact.id == "k1"]
    verdict = Verdict(Outcome.BUSY, Side.DEBTOR, "user_busy", retry_at=opening + 60)
    ended = replace(one.attempt, placed_at=opening, ended_at=opening + 10)
    record = {"type": "outcome", "attempt": one.attempt.id, "outcome": "busy", "reason": "user_busy"}
    await site.store.write(token, "april", [], [Finish(ended, verdict, record, one.contact)])
    assert (await placer.claim(token, 3, opening + 120))[0] == []


def test_every_decision_is_told_with_what_came_of_it(says: Says) -> None:
    said = says(a_day, why(), at=MONDAY + 7200)
    rows = [line.split() for line in said.splitlines() if line.startswith("2026-11-23")]
    assert [(row[1], row[2], row[3]) for row in rows] == [
        ("07:00:00", "april", "k1"), ("08:00:00", "april", "k1"), ("08:02:00", "april", "k1")
    ]  # fmt: skip
    early, called, soon = (" ".join(row) for row in rows)
    assert "refused: hours 2026-11-23 08:00:00 indonesia@" in early
    assert "Outside the hours in which calls are allowed" in early
    assert re.search(r"allowed indonesia@\S+ [0-9a-z]{26} After 0 attempts to the person", called)
    assert "busy | user_busy" in called
    assert "refused: person_cap_1h 2026-11-23 09:00:00" in soon
    assert "At most 1 calls to a person in 1 hour." in soon
    assert "in april (ready), contact k1, number of kind debtor: may be called" in said
    assert "567890" not in said


def test_decisions_for_programs_and_of_one_campaign(says: Says) -> None:
    seen: dict[str, Any] = json.loads(says(a_day, why(as_json=True)))
    assert [(one["allowed"], one["rule"], one["outcome"]) for one in seen["decisions"]] == [
        (False, "hours", ""), (True, "", "busy | user_busy"), (False, "person_cap_1h", "")
    ]  # fmt: skip
    assert seen["decisions"][0]["until"] == MONDAY + 3600
    assert json.loads(says(a_day, why(campaign="may", as_json=True)))["decisions"] == []


def test_decisions_about_his_other_number_are_counted_only(says: Says) -> None:
    said = says(a_day, why("+6281234567891"))
    assert "3 more decisions are about other numbers of the same contacts." in said
    assert "refused: " not in said


def test_an_unbroken_chain_is_said_to_be_one(says: Says) -> None:
    said = says(a_day, verify())
    first, second = said.splitlines()
    assert re.fullmatch(r"april: \d entries from 2026-11-23 00:00:00 UTC to 2026-11-23 01:02:00 UTC, unbroken\.", first)
    assert second == "may: no decision is kept in its log."
    seen: dict[str, Any] = json.loads(says(a_day, verify("april", as_json=True)))
    assert seen["unbroken"]
    assert seen["entries"] == seen["last"] > 2


def test_a_broken_chain_is_found(says: Says, capsys: pytest.CaptureFixture[str]) -> None:
    async def tamper(site: OpenSite) -> None:
        (_, second), *_ = (await site.store.log("april")).entries[1:]
        ids = [one for one, entry in (await site.store.log("april")).entries if entry == second]
        await site.store._link.one(("XDEL", campaign_keys("april").log, *ids))

    with pytest.raises(typer.Exit) as ended:
        says(a_day, tamper, verify("april"))
    assert ended.value.exit_code == 1
    said = capsys.readouterr().out
    assert said.startswith("april: entry 2 of the log is missing or was changed; the 1 kept before it hold.")
