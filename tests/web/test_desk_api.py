"""An agent's desk over the API: offers, results that come late, his own campaigns; the engine is played by the test."""

import json
from dataclasses import replace

import pytest

from dialer.adapters.redis_keys import desk_key
from dialer.debts.plans import Limits
from dialer.mask import mask_number
from dialer.users import Role
from tests.adapters.redis_lives import link_of
from tests.web.api.kit import FIRST, Book, campaign, debtor, filled
from tests.web.house import Client, House
from tests.web.test_live_api import engine

pytestmark = pytest.mark.redis


async def now(house: House) -> None:
    """The clock of the streams and of attempts' ids is Redis's."""
    seconds, _ = await link_of(house.store).one(("TIME",))
    house.clock.at = float(seconds)


async def at_desk(house: House, book: Book, state: str = "talking", turn: int = 2, **note: object) -> Client:
    """Agent 101 with this debtor before him."""
    at = house.clock.now()
    told = {"agent": "101", "campaign": FIRST, "node": "pbx1", "state": state, "since": at, "at": at, "seq": 1}
    told |= {"attempt": "01m80sm17q56je4t5pncfqz46g", "contact": book.people[turn].id} | note
    await link_of(house.store).one(("SET", desk_key("101"), json.dumps(told)))
    return await house.signed_in("budi", Role.AGENT, "101")


async def test_the_pop_has_what_the_lender_offers(house: House) -> None:
    book = await filled(house)
    house.office.limits_of = lambda name, lender: Limits(parts=2) if lender == "Bank Maju" else Limits()
    budi = await at_desk(house, book)
    (offer,) = (await budi.get("/desk/pop")).body["offers"]
    assert (offer["name"], offer["total"], [part["amount"] for part in offer["parts"]]) == (
        "short", 1_000_000, [500_000, 500_000]
    )  # fmt: skip
    assert offer["id"] == ";".join(["short", *(f"{part['day']}={part['amount']}" for part in offer["parts"])])
    web = house.office.config.web.model_copy(update={"agent_fields": ("name",)})
    house.office.config = house.office.config.model_copy(update={"web": web})
    assert "offers" not in (await budi.get("/desk/pop")).body


async def test_a_result_of_a_closed_call_is_a_correction_of_that_call(house: House) -> None:
    await now(house)
    book = await filled(house)
    budi = await at_desk(house, book)
    closed = book.attempts[0].id
    result = {"attempt": closed, "word": "hardship", "note": "sakit", "campaign": FIRST}
    async with engine(house, book.token, campaign=FIRST, text="corrected") as asked:
        answer = await budi.post("/desk/wrapped", result)
        assert (answer.status, answer.body) == (200, {"text": "corrected", "late": True})
        ahead = await budi.post("/desk/wrapped", {**result, "attempt": "01m80sm17q56je4t5pncfqz46g", "note": ""})
        assert ahead.body == {"text": "corrected"}
    args = {"attempt": closed, "disposition": "hardship", "agent": "101"}
    assert [(one.name, one.args) for one in asked] == [
        ("correct", args), ("wrapped", args | {"attempt": "01m80sm17q56je4t5pncfqz46g"})
    ]  # fmt: skip
    past = await house.store.history(book.people[0].person, house.clock.now())
    assert [one.text for one in past if one.text] == ["sakit"], "in the history of whom it is about"


@pytest.mark.parametrize(
    ("case", "status", "kind"), [("hers", 404, "no_call"), ("old", 409, "too_late"), ("gone", 404, "no_call")]
)
async def test_whose_call_it_was_and_how_long_ago_counts(house: House, case: str, status: int, kind: str) -> None:
    await now(house)
    book = await filled(house)
    budi = await at_desk(house, book) if case != "hers" else await house.signed_in("sari", Role.AGENT, "102")
    house.clock.at += 4000 if case == "old" else 0
    attempt = book.attempts[0].id if case != "gone" else "0" * 26
    async with engine(house, book.token, campaign=FIRST) as asked:
        answer = await budi.post("/desk/late", {"attempt": attempt, "word": "stop", "campaign": FIRST})
    assert (answer.status, answer.kind, asked) == (status, kind, [])


async def test_an_order_names_the_call_that_is_meant(house: House) -> None:
    book = await filled(house)
    budi = await at_desk(house, book)
    async with engine(house, book.token, campaign=FIRST) as asked:
        await budi.post("/desk/hang-up?attempt=a1")
        await budi.post("/desk/hang-up")
        await budi.post("/desk/preview/skip?contact=k1", {"reason": "busy"})
    assert [(one.name, one.args) for one in asked] == [
        ("hang_up", {"agent": "101", "attempt": "a1"}),
        ("hang_up", {"agent": "101"}),
        ("preview_skip", {"agent": "101", "reason": "busy", "contact": "k1"}),
    ]


async def test_his_campaigns_in_his_order_and_no_other(house: House) -> None:
    book = await filled(house)
    for name in ("april", "may"):
        await house.store.save_campaign(replace(campaign(name)))
    boss = await house.signed_in("ani", Role.ADMIN)
    budi = await at_desk(house, book, "idle")
    assert {line["id"] for line in (await budi.get("/desk")).body["campaigns"]} == {FIRST, "april", "may"}
    changed = await boss.ask("PATCH", "/users/budi", {"campaigns": ["may", FIRST]})
    assert changed.body["campaigns"] == ["may", FIRST]
    seen = (await budi.get("/desk")).body  # and his session goes on
    assert ([line["id"] for line in seen["campaigns"]], seen["serves"]) == (["may", FIRST], ["may", FIRST])
    refused = await budi.post("/desk/ready", {"campaign": "april"})
    assert (refused.status, refused.kind) == (409, "not_yours")
    for wrong in (["may", "may"], ["No Name"]):
        assert (await boss.ask("PATCH", "/users/budi", {"campaigns": wrong})).status in (400, 422)
    move = {"name": "move", "agent": "101", "to": "may"}
    for to, kind in (("april", "not_his"), ("nowhere", "no_campaign"), ("", "no_campaign")):
        answer = await boss.post(f"/campaigns/{FIRST}/orders", move | {"to": to})
        assert (answer.status, answer.kind) == (422, kind)


async def test_his_day_adds_up_all_his_campaigns(house: House) -> None:
    await now(house)
    book = await filled(house)
    await house.store.save_campaign(campaign("may"))
    budi = await at_desk(house, book, "idle", campaign="may", attempt="", contact="")
    assert (await budi.get("/desk/day")).body["talks"] == 0
    user = await house.office.users.user("budi")
    assert user is not None
    await house.office.users.change(user, replace(user, campaigns=("may", FIRST)))
    day = (await budi.get("/desk/day")).body
    assert (day["talks"], day["contacts"], day["promises"]) == (2, 2, 2)


async def test_an_account_of_his_campaign_is_found_by_what_he_was_told(house: House) -> None:
    """In full, of his own campaign, with the fields that agents see and no number in full; and the look is audited."""
    book = await filled(house)
    other = debtor(7, lender="Bank Lain")
    await house.store.save_campaign(campaign("may"))
    await house.store.add_contacts("may", (other,), house.clock.now())
    budi = await at_desk(house, book, "break", attempt="", contact="")
    one = book.people[2]
    for wanted in (
        {"number": one.numbers[1].e164.replace("+62", "0")},
        {"account": "a-2", "lender": "BANK MAJU"},
        {"contact": one.id},
    ):
        answer = await budi.post("/desk/find", wanted)
        assert answer.status == 200, answer.body
        (found,) = answer.body
        assert (found["contact"], found["name"], found["attempt"]) == (one.id, "Debtor 2", "")
        assert [number["number"] for number in found["numbers"]] == [mask_number(its.e164) for its in one.numbers]
        assert one.numbers[0].e164 not in json.dumps(answer.body)
    for wanted in (
        {"number": other.numbers[0].e164},
        {"account": other.account, "lender": other.lender},
        {"contact": other.id},
        {"account": "A-2"},
        {"number": "081299999999"},
    ):
        assert (await budi.post("/desk/find", wanted)).kind == "not_listed", wanted
    assert (await budi.post("/desk/find", {"number": "08"})).kind == "bad_number"
    assert (await budi.post("/desk/find", {})).kind == "nobody"
    assert (await budi.post("/desk/find", {"name": "Debtor 2"})).status in (400, 422)
    audit = [deed for _, deed in await house.office.audit.read(20) if deed.what == "POST /desk/find"]
    assert [deed.note for deed in audit if deed.status == 200] == [one.id] * 3
    assert not [deed for deed in audit if "0812" in str(deed)]

    web = house.office.config.web.model_copy(update={"agent_fields": ("outstanding",)})
    house.office.config = house.office.config.model_copy(update={"web": web})
    (found,) = (await budi.post("/desk/find", {"contact": one.id})).body
    assert "name" not in found
    assert "account" not in found


async def test_who_works_for_no_campaign_finds_nobody(house: House) -> None:
    book = await filled(house)
    budi = await at_desk(house, book, "signed_out", attempt="", contact="")
    assert (await budi.post("/desk/find", {"contact": book.people[0].id})).kind == "not_ready"
    ani = await house.signed_in("ani", Role.ADMIN)
    assert (await ani.post("/desk/find", {"contact": book.people[0].id})).status == 403
