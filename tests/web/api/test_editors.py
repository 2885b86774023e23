"""Editors over HTTP: scripts, results, the week, who is skipped; each version kept, none overwritten unseen."""

from dataclasses import replace
from typing import Any

import pytest

from dialer.users import Role
from dialer.web import results, talk
from dialer.web.api.desk_form import Offered
from dialer.web.api.results import offered
from dialer.web.api.scripts import own_scripts
from dialer.web.results import DEFAULT
from dialer.web.talk import Stage, Step
from tests.web.api.kit import FIRST, filled
from tests.web.house import Client, House

RIGHTS = ("campaigns:see", "campaigns:run", "campaigns:change")
GREET = {"title": "Sapa", "say": "{greeting}, {name}?"}


async def put(client: Client, path: str, body: Any) -> Any:
    return await client.ask("PUT", f"/campaigns/{FIRST}/{path}", body)


# ---- scripts


async def test_a_campaign_has_its_own_words(house: House) -> None:
    await filled(house)
    boss = await house.program(*RIGHTS)
    seen = (await boss.get(f"/campaigns/{FIRST}/scripts", params={"language": "id"})).body
    assert (seen["version"]["revision"], seen["own"]) == (0, [])
    assert set(seen["sample"]) == talk.VARIABLES
    assert set(seen["stages"]) == set(Stage)
    early = [GREET, {"title": "Sebut", "say": "Tagihan {outstanding}, jatuh tempo {due}."}]
    body = {"language": "id", "stages": {"early": early}, "revision": 0}
    after = (await put(boss, "scripts", body)).body
    assert (after["version"]["revision"], after["version"]["by"], after["own"]) == (1, "token:program", ["early"])
    assert after["stages"]["early"][1]["say"] == "Tagihan {outstanding}, jatuh tempo {due}."
    assert after["stages"]["late"] == seen["stages"]["late"], "what is not said stays Santun's"
    assert (await put(boss, "scripts", body)).kind == "changed_meanwhile"
    english = {"language": "en", "stages": {"angry": [GREET]}, "revision": 1}
    assert (await put(boss, "scripts", english)).body["own"] == ["angry"]
    assert (await boss.get(f"/campaigns/{FIRST}/scripts")).body["own"] == ["early"], "the other language is untouched"
    own = await own_scripts(house.office, FIRST)
    assert own["id"][Stage.EARLY][0] == Step("Sapa", "{greeting}, {name}?")
    versions = (await boss.get(f"/campaigns/{FIRST}/scripts/versions")).body["versions"]
    assert [one["revision"] for one in versions] == [2, 1]
    old = (await boss.get(f"/campaigns/{FIRST}/scripts", params={"language": "en", "revision": 1})).body
    assert old["own"] == []
    assert (await boss.get(f"/campaigns/{FIRST}/scripts", params={"revision": 9})).kind == "no_version"
    notes = [deed.note for _, deed in await house.office.audit.read(9)]
    assert f"scripts/{FIRST} version 2" in notes


@pytest.mark.parametrize(
    ("steps", "kinds"),
    [
        ([], ["empty"]),
        ([{"title": " ", "say": "x"}], ["no_title"]),
        ([{"title": "x"}], ["no_words"]),
        ([{"title": "x", "say": "a { b"}], ["brace"]),
        ([GREET, {"title": "x", "say": "{sum}"}], ["unknown"]),
        ([{"title": "x", "say": "{lender} calls about {outstanding}"}], ["debt_first", "debt_first"]),
    ],
)
async def test_what_nobody_may_read_out_is_refused(house: House, steps: list[dict[str, str]], kinds: list[str]) -> None:
    await filled(house)
    boss = await house.program(*RIGHTS)
    answer = await put(boss, "scripts", {"language": "id", "stages": {"late": steps}, "revision": 0})
    assert answer.kind == "bad_script"
    assert [one["kind"] for one in answer.body["faults"]] == kinds
    assert {one["stage"] for one in answer.body["faults"]} == {"late"}
    assert await own_scripts(house.office, FIRST) == {}


def test_ours_pass_their_own_look() -> None:
    for language in ("id", "en"):
        for stage, script in talk.read(language).items():
            assert list(talk.faults(stage, script)) == []


# ---- results


async def test_which_words_are_offered_by_which_keys(house: House) -> None:
    await filled(house)
    boss = await house.program(*RIGHTS)
    seen = (await boss.get(f"/campaigns/{FIRST}/results")).body
    assert [one["word"] for one in seen["words"]] == [one.word for one in DEFAULT]
    assert list(results.faults(DEFAULT)) == []
    words = [{"word": "promise", "key": "p"}, {"word": "dispute", "key": "2", "note": True}]
    words += [{"word": word, "key": key} for word, key in zip(seen["always"], "XYZ", strict=True)]
    after = (await put(boss, "results", {"words": words, "revision": 0})).body
    assert after["words"][0] == {"word": "promise", "key": "P", "note": False}
    assert await offered(house.office, FIRST) == [Offered(**one) for one in after["words"]]
    assert (await put(boss, "results", {"words": words, "revision": 0})).kind == "changed_meanwhile"


@pytest.mark.parametrize(
    ("change", "kinds"),
    [
        ({"stop": None}, ["lacks"]),
        ({"refuses": "1"}, ["key_twice"]),
        ({"refuses": "K"}, ["key_taken"]),
        ({"refuses": "é"}, ["key"]),
    ],
)
async def test_results_that_cannot_be(house: House, change: dict[str, str | None], kinds: list[str]) -> None:
    await filled(house)
    boss = await house.program(*RIGHTS)
    words = [
        replace(one, key=change.get(one.word) or one.key) for one in DEFAULT if change.get(one.word, "") is not None
    ]
    body = {"words": [{"word": one.word, "key": one.key} for one in words], "revision": 0}
    answer = await put(boss, "results", body)
    assert (answer.kind, [one["kind"] for one in answer.body["faults"]]) == ("bad_results", kinds)
    assert await offered(house.office, FIRST) == list(DEFAULT)


def test_what_a_talk_may_end_with() -> None:
    words = [Offered("promise", "1"), Offered("dispute", "2", note=True)]
    assert results.fault_of("promise", "", words) == ""
    assert results.fault_of("hardship", "x", words) == "not_offered"
    assert results.fault_of("dispute", " ", words) == "note_needed"
    assert results.fault_of("dispute", "he says so", words) == ""


# ---- the week, and who is skipped

SHUT = {"week": {"fri": "closed", "sat": "09:00-12:00"}, "first_day": "2027-01-11", "shifts": {"sat": "11:30"}}


async def test_a_week_beside_the_law_and_the_effect_of_a_draft(house: House) -> None:
    await filled(house)
    boss = await house.program(*RIGHTS)
    where = f"/campaigns/{FIRST}"
    law = (await boss.get(f"{where}/week")).body
    assert [one["open"] for one in law["days"]] == ["08:00-20:00"] * 6 + ["closed"]
    draft = (await boss.post(f"{where}/week", {"settings": SHUT})).body
    days = {one["day"]: one for one in draft["days"]}
    assert (days["fri"]["open"], days["sat"]["open"], days["sat"]["shift_ends"]) == ("closed", "09:00-12:00", "11:30")
    assert days["fri"]["law"] == "08:00-20:00"
    assert (await boss.get(f"{where}/week")).body == law, "nothing was saved"
    friday = {"settings": SHUT, "day": "2027-01-22"}
    with_it = (await boss.post(f"{where}/preview", friday)).body
    without = (await boss.get(f"{where}/preview", params={"day": "2027-01-22"})).body
    assert with_it["callable"] == 0 < without["callable"]
    assert [rule["rule"] for rule in with_it["rules"]] == ["campaign_days"]
    loose = {"settings": {"week": {"mon": "07:00-21:00"}}}
    assert (await boss.post(f"{where}/preview", loose)).kind == "bad_settings"
    saved = await boss.ask("PATCH", where, {"settings": SHUT})
    assert saved.status == 200, saved.body
    assert {one["day"]: one["own"] for one in (await boss.get(f"{where}/week")).body["days"]}["sat"] == "09:00-12:00"


async def test_who_would_be_refused_now_and_why(house: House) -> None:
    book = await filled(house)  # 15:00 on a Friday in Jakarta; two of three have just promised
    boss = await house.signed_in("sari", Role.SUPERVISOR)
    seen = (await boss.get(f"/campaigns/{FIRST}/skips")).body
    assert (seen["contacts"], seen["looked_at"], seen["callable"]) == (3, 3, 1)
    assert sum(rule["contacts"] for rule in seen["rules"]) == 2
    assert {one["contact"] for one in seen["examples"]} == {one.id for one in book.people[:2]}
    (rule,) = {one["rule"] for one in seen["examples"]}
    assert seen["rules"][0]["rule"] == rule
    assert seen["rules"][0]["sentence"]
    none = (await boss.get(f"/campaigns/{FIRST}/skips", params={"rule": "stop"})).body
    assert none["examples"] == []
    reader = await house.program("campaigns:see")
    assert (await reader.get(f"/campaigns/{FIRST}/skips")).body["examples"] == [], "names need another right"
