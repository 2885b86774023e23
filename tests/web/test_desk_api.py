"""An agent's desk over the API: offers, results that come late, his own campaigns; the engine is played by the test."""

import json
from dataclasses import replace

import pytest

from dialer.adapters.redis_keys import desk_key
from dialer.debts.plans import Limits
from dialer.users import Role
from tests.adapters.redis_lives import link_of
from tests.web.api.kit import FIRST, Book, campaign, filled
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
