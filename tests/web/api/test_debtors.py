"""Debtors over HTTP: found, looked at, noted, withdrawn, given out, forgotten; numbers masked by right."""

import asyncio

from dialer.model import Refused
from dialer.users import Role
from tests.adapters.redis_lives import link_of
from tests.web.api.kit import FIRST, debtor, filled, listed
from tests.web.house import House


async def test_a_debtor_is_found_by_all_that_he_is_known_by(house: House) -> None:
    book = await filled(house)
    reader = await house.program("debtors:see", "numbers:see")
    for query in (
        {"number": "0812 0000 0001"}, {"number": "+6281300000001"}, {"account": "a-1", "lender": "BANK MAJU"},
        {"contact": book.people[1].id}, {"person_id": "P1"}, {"name": "debtor 1", "campaign": FIRST},
    ):  # fmt: skip
        found = await reader.get("/debtors", params=query)
        assert [one["contact"] for one in found.body["debtors"]] == [book.people[1].id], query
    assert found.body["looked_at"] == 3
    assert found.body["debtors"][0]["numbers"][0]["number"] == "+6281200000001"
    for query, kind in (({}, "nobody"), ({"number": "12"}, "bad_number"), ({"name": "x"}, "no_campaign")):
        assert (await reader.get("/debtors", params=query)).kind == kind
    assert (await reader.get("/debtors", params={"name": "x", "campaign": "none"})).status == 404


async def test_numbers_are_masked_without_the_right(house: House) -> None:
    book = await filled(house)
    reader = await house.program("debtors:see", "outcomes:see")
    for path in (
        "/debtors?person_id=P0", f"/debtors/{book.people[0].person}", f"/debtors/{book.people[0].person}/history",
        f"/campaigns/{FIRST}/outcomes",
    ):  # fmt: skip
        answer = await reader.get(path)
        assert answer.status == 200
        assert "62812" not in str(answer.body), path
    assert (await reader.post(f"/debtors/{book.people[0].person}/export")).kind == "not_allowed"


async def test_the_whole_of_a_person(house: House) -> None:
    book = await filled(house)
    person = book.people[0].person
    boss = await house.program("debtors:see", "debtors:change", "numbers:see", "stops:change")
    await boss.post("/stops", {"person": person, "lender": "Bank Maju", "reason": "asked for it"})
    shown = (await boss.get(f"/debtors/{person}")).body
    (account,) = shown["accounts"]
    assert (account["standing"], account["outstanding"], account["minimum"]) == ("listed", 1_000_000, 50_000)
    (promise,) = shown["promises"]
    assert (promise["state"], promise["amount"], promise["by"]) == ("pending", 500_000, "101")
    assert [line["what"] for line in shown["history"]] == ["call"]
    assert shown["stops"] == ["lender:Bank Maju"]
    assert shown["conversations"] == 1
    noted = await boss.post(f"/debtors/{person}/notes", {"text": "his wife answers on 081234567890"})
    assert noted.status == 201
    assert "0812345" not in noted.body["text"]
    history = (await boss.get(f"/debtors/{person}/history")).body["entries"]
    assert [line["what"] for line in history] == ["note", "call"]
    assert history[1]["talk_s"] == 54
    assert (await boss.post(f"/debtors/{person}/notes", {"text": "x", "contact": "other"})).kind == "no_contact"
    assert (await boss.post(f"/debtors/{person}/notes", {"text": "\u200b"})).kind == "no_text"


async def test_why_he_was_not_called(house: House) -> None:
    book = await filled(house)
    one, at = book.people[2], house.clock.now()
    for number, rule in zip(one.numbers, ("window", "cap_week"), strict=True):
        refusal = (one, number, Refused(rule, at + 3600))
        await house.store.refuse(book.token, FIRST, [refusal], at)
    reader = await house.program("debtors:see")
    rows = (await reader.get(f"/debtors/{one.person}/decisions")).body["decisions"]
    assert sorted((row["rule"], row["number"], row["allowed"]) for row in rows) == [
        ("cap_week", 1, False), ("window", 0, False)
    ]  # fmt: skip
    assert all(row["contact"] == one.id and row["sentence"] for row in rows)
    house.office.parts["why"] = busy = asyncio.Semaphore(1)
    async with busy:
        assert (await reader.get(f"/debtors/{one.person}/decisions")).kind == "one_at_a_time"


async def test_he_is_withdrawn_given_out_and_forgotten(house: House) -> None:
    book = await filled(house)
    one = book.people[2]
    boss = await house.program("debtors:see", "debtors:change", "persons:change")
    lesser = await house.signed_in("sari", Role.SUPERVISOR)
    for what in ("export", "erase"):
        assert (await lesser.post(f"/debtors/{one.person}/{what}", {"confirm": "erase"})).kind == "not_allowed"
        assert (
            await boss.post(f"/debtors/{'0' * 32}/{what}", {"confirm": "erase"} if what == "erase" else None)
        ).kind == "no_debtor"
        house.clock.at += 10  # each counts for ten requests
    assert await listed(house.store, one)
    assert (await boss.post(f"/debtors/{one.person}/withdraw", {"campaign": FIRST})).body == {"count": 1}
    assert not await listed(house.store, one)
    export = await boss.post(f"/debtors/{book.people[0].person}/export")
    assert export.headers["Content-Disposition"].startswith("attachment")
    assert export.body["accounts"][0]["numbers"][0]["e164"] == "+6281200000000"
    assert export.body["accounts"][0]["name"] == book.people[0].name
    keyed = await boss.post(f"/debtors/{book.people[0].person}/export", headers={"Idempotency-Key": "not-kept-here"})
    assert keyed.status == 200
    house.clock.at += 10
    assert not await link_of(house.store).one(("KEYS", "{i:*")), "nothing of it is kept for a second request"
    assert (await boss.post(f"/debtors/{one.person}/erase", {"confirm": "yes"})).status == 422
    assert (await boss.post(f"/debtors/{one.person}/erase", {"confirm": "erase"})).body == {"count": 1}
    assert (await boss.get(f"/debtors/{one.person}")).kind == "no_debtor"
    told = [entry["action"] for entry in await house.store.told_stops(9)]
    assert told == ["withdraw", "erase"]
    audit = [deed.what for _, deed in await house.office.audit.read(9)]
    assert (audit.count("POST /debtors/{person}/erase"), audit.count("POST /debtors/{person}/export")) == (2, 3)


async def test_nonsense_is_nobody(house: House) -> None:
    await filled(house)
    reader = await house.program("debtors:see")
    for person in ("0" * 32, "x", "%00", "%7Bp%7D", "..%2F..", "a" * 300, "%F0%9F%98%80"):
        assert (await reader.get(f"/debtors/{person}")).status in (404, 400), person


async def test_a_long_list_is_looked_through_in_steps(house: House) -> None:
    await filled(house, count=1, talked=0)
    many = [debtor(turn, name="Bunga Melati" if turn == 7 else "Agus Éko") for turn in range(1, 1500)]
    await house.store.add_contacts(FIRST, many, 1.0)
    reader = await house.program("debtors:see")
    found = (await reader.get("/debtors", params={"name": "MELATI bunga", "campaign": FIRST})).body
    assert [one["name"] for one in found["debtors"]] == ["Bunga Melati"]
    assert found["cursor"] == ""
    found = (await reader.get("/debtors", params={"name": "éko", "campaign": FIRST})).body
    assert len(found["debtors"]) == 100
    assert found["cursor"]
