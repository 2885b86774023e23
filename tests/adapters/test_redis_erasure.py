"""One person exported and erased on a real Redis: nothing of him is left in any key or value, no call of his goes out,
calls under way leave one outcome that names nobody."""

from dataclasses import replace
from datetime import date

import msgspec
import pytest

from dialer.adapters.redis_codec import text
from dialer.adapters.redis_deeds import RedisAudit, RedisOnce
from dialer.adapters.redis_keys import UNWANTED, campaign_keys, facts_key, person_keys
from dialer.adapters.redis_link import Link
from dialer.adapters.redis_store import RedisStore
from dialer.debts.history import note
from dialer.debts.payments import Told
from dialer.debts.promises import Promise
from dialer.floor.desknote import desk_note
from dialer.model import (
    Agent,
    AgentState,
    CallState,
    Campaign,
    Consent,
    Contact,
    Fact,
    Number,
    Outcome,
    Refused,
    Side,
    Verdict,
    attempt_id,
)
from dialer.ports import Finish, Held
from dialer.stream import read, record
from dialer.users import Deed, Done
from tests.adapters.redis_lives import AT, attempt, begin, claimed, contacts, link_of, outcomes

pytestmark = pytest.mark.redis
NAME, PERSON = "Sulastri Kusumawardhani", "5e0f" * 8
E164, SECOND, SHARED = "+6281298765432", "+6281298765433", "+6281298765434"
KEYS = {E164: "aa01" * 8, SECOND: "aa02" * 8, SHARED: "aa03" * 8}
IDS = ("debtor-4711-sulastri", "debtor-4712-sulastri")
TALKED = Verdict(
    Outcome.CONNECTED, Side.DEBTOR, "talked", conversation=True, live=True, silent_until=AT + 9e5, stop=True
)
AGAIN = Verdict(Outcome.BUSY, Side.DEBTOR, "user_busy", retry_at=AT + 3600)
MARKS = (NAME, PERSON, *KEYS, *(one[1:] for one in KEYS), KEYS[E164], KEYS[SECOND], *IDS, "KTA-99-123456", "Melati")


def numbers(*which: str) -> tuple[Number, ...]:
    return tuple(Number(one, KEYS[one]) for one in which)


def accounts() -> tuple[Contact, Contact]:
    one = Contact(
        IDS[0], PERSON, numbers(E164, SHARED), NAME, lender="Bank Satu", account="KTA-99-123456", amount=5_000_000,
        alias="al1", consents=(Consent("calls", "form", date(2026, 1, 2)),), custom=(("flower", "Melati"),),
        zone="Asia/Jakarta",
    )  # fmt: skip
    return one, replace(one, id=IDS[1], numbers=numbers(SECOND), account="", alias="al2", priority=9)


async def life(store: RedisStore) -> tuple[int, list[str]]:
    """All that can come to be held of a person, in two campaigns; the tokens and his attempts so far."""
    link = link_of(store)
    one, two = accounts()
    other = replace(contacts(1, "o")[0], numbers=numbers(SHARED))
    token = await begin(store, "first", [one, other])
    await begin(store, "second", [two])
    settings = Campaign("first", "First", record=True)
    ids = []
    (call,) = await claimed(store, token, [one], "first")
    await link.one(("HSET", facts_key("first", call.id), "1", msgspec.json.encode(Fact(1, AT, "new_number", SECOND))))
    agent = Agent("101", "node", "first", AgentState.TALKING, attempt=call.id)
    await store.save_agents("first", token, [agent], [desk_note(agent, call, settings, AT, token, 1)])
    over = replace(
        call, state=CallState.ENDED, placed_at=AT, answered_at=AT + 5, joined_at=AT + 6, left_at=AT + 60,
        ended_at=AT + 60, agent="101", disposition="promise:2027-01-20;500000",
    )  # fmt: skip
    promise = Promise(call.id, "first", one.id, PERSON, 500_000, "IDR", date(2027, 1, 20), AT + 9e5, AT, "101")
    told = record(over, TALKED, (), one, settings)
    await store.write(token, "first", [], [Finish(over, TALKED, told, one, promise)])
    await store.correct("first", token, {"v": "1", "type": "correction", "attempt": call.id, "campaign": "first"})
    ids.append(call.id)
    await store.refuse(token, "first", [(one, one.numbers[0], Refused("hours", AT + 5))], AT)
    await store.remember(PERSON, note(attempt_id(AT, bytes(10)), AT, "sari", f"{NAME} has moved"))
    await store.pay(Told("bank", "p1", AT + 70, 1000, "IDR", contact=one.id), AT + 70)
    await store.pay(Told("bank", "p2", AT + 70, 1000, "IDR", lender="bank SATU", account="KTA-99-123456"), AT + 70)
    await store.call_back("second", two.id, AT + 99, "101", AT)
    await store.stop([PERSON], [KEYS[SECOND]], "lender:Bank Satu")
    await store.tell_stops({"action": "add", "person": PERSON, "by": "sari", "scope": ""}, AT)
    once = RedisOnce(link)
    assert await once.begin("ani", "key-0001", "print") is None
    await once.done("ani", "key-0001", Done("print", 201, msgspec.json.encode({"contact": IDS[0], "name": NAME})))
    await RedisAudit(link).write(
        Deed(AT, "ani", "admin", "POST /debtors/{person}/notes", f"person={PERSON}", "::1", 201)
    )
    return token, ids


async def everything(link: Link) -> dict[str, list[bytes]]:
    """Every key and every value of it, as Redis holds them."""
    found = {}
    for key in await link.one(("KEYS", "*")):
        kind = text(await link.one(("TYPE", key)))
        ask = {
            "string": ("GET", key), "hash": ("HGETALL", key), "set": ("SMEMBERS", key),
            "list": ("LRANGE", key, 0, -1), "zset": ("ZRANGE", key, 0, -1), "stream": ("XRANGE", key, "-", "+"),
        }[kind]  # fmt: skip
        found[text(key)] = _flat(await link.one(ask))
    return found


def _flat(value: object) -> list[bytes]:
    if isinstance(value, bytes):
        return [value]
    return [one for part in value for one in _flat(part)] if isinstance(value, list | set | tuple) else []


async def left_of_him(link: Link) -> dict[str, set[str]]:
    """Key -> marks of him in its name or its values, plain or packed."""
    found: dict[str, set[str]] = {}
    for key, values in (await everything(link)).items():
        blob = b"\n".join([key.encode(), *values])
        for mark in MARKS:
            forms = [mark.encode()]
            if len(mark) == 32:
                forms.append(bytes.fromhex(mark))
            if mark.startswith("62"):  # a number of a contact is packed as an integer
                forms.append(int(mark).to_bytes(8, "big"))
            if any(form in blob for form in forms):
                found.setdefault(key, set()).add(mark)
    return found


KEPT = {  # what stays by law or as proof: docs/privacy.md
    person_keys(PERSON).state: {PERSON},  # not to be called
    f"{{n:{KEYS[SECOND]}}}:state": {KEYS[SECOND]},
    f"{{n:{KEYS[E164]}}}:state": {KEYS[E164]},
    "santun:audit": {PERSON},
    "santun:stops": {PERSON},
}


async def test_nothing_is_left_of_an_erased_person(store: RedisStore) -> None:
    link = link_of(store)
    _, ids = await life(store)
    before = await left_of_him(link)
    assert set().union(*before.values()) >= set(MARKS) - {SHARED}, "the search finds every mark while he is there"
    assert len(before) > 15, sorted(before)
    for _ in range(2):  # the same again changes nothing
        await store.erase(PERSON)
        left = await left_of_him(link)
        others = {key: marks for key, marks in left.items() if marks <= {SHARED, SHARED[1:]}}
        assert {key: marks for key, marks in left.items() if key not in others} == {
            key: marks for key, marks in KEPT.items() if key in left
        }
    assert {one.removeprefix("{n:").split("}")[0] for one in others if one.startswith("{n:a")} <= {KEYS[SHARED]}
    assert await link.one(("ZRANGE", UNWANTED, 0, -1)) == [ids[0].encode()], "its recording is to go"
    (entry,) = [one for _, one in await store.tail("first", 10)]
    assert read(entry).values["attempts"] == ids[0]
    assert entry["type"] == "erasure"
    assert await store.stops_of([PERSON], [KEYS[SECOND]]) == [("", "lender:Bank Satu"), ("lender:Bank Satu",)]
    assert await store.contacts_of(KEYS[SHARED]) != (), "who shares a number with him is there"


async def test_who_has_left_every_list_is_found_all_the_same(store: RedisStore) -> None:
    link = link_of(store)
    await life(store)
    for name in ("first", "second"):
        keys = campaign_keys(name)
        await link.run([("DEL", key) for key in (keys.contacts, keys.ready, keys.later, keys.rest)])
    assert await store.is_known(PERSON)
    assert not await store.is_known("00" * 16)
    await store.erase(PERSON)
    left = await left_of_him(link)
    assert not [key for key, marks in left.items() if PERSON in marks and key not in KEPT]
    assert not await store.is_known(PERSON)


async def test_an_erased_person_is_not_called_by_what_was_queued(store: RedisStore) -> None:
    link = link_of(store)
    one, _ = accounts()
    token = await begin(store, "first", [one])
    (queued,) = await store.candidates("first", AT, 5)  # the engine holds it in memory
    early = attempt(queued, "first")
    (held,) = await store.lock([early], AT)
    assert isinstance(held, Held)
    await store.erase(PERSON)  # between lock and claim
    assert await store.claim(token, [early], AT) == [False]
    late = attempt(queued, "first", AT + 1)
    await store.lock([late], AT + 1)
    assert await store.claim(token, [late], AT + 1) == [False]
    await store.refuse(token, "first", [(queued, queued.numbers[0], Refused("hours", AT + 5))], AT)
    assert await store.open_attempts("first") == ()
    assert await outcomes(store, "first") == []
    assert await left_of_him(link) == {}


@pytest.mark.parametrize("verdict", [TALKED, AGAIN], ids=["talked", "busy"])
async def test_a_call_under_way_leaves_one_outcome_that_names_nobody(store: RedisStore, verdict: Verdict) -> None:
    link = link_of(store)
    one, _ = accounts()
    token = await begin(store, "first", [one])
    (call,) = await claimed(store, token, [one], "first")
    await store.erase(PERSON)
    await store.write(token, "first", [replace(call, state=CallState.RINGING)], [])
    await link.one(("HSET", facts_key("first", call.id), "1", msgspec.json.encode(Fact(1, AT, "new_number", SECOND))))
    over = replace(call, state=CallState.ENDED, placed_at=AT, answered_at=AT + 5, joined_at=AT + 6, ended_at=AT + 60)
    promise = Promise(call.id, "first", one.id, PERSON, 5, "IDR", date(2027, 1, 20), AT + 9e5, AT, "101")
    finish = Finish(over, verdict, record(over, verdict, (), one, Campaign("first", "F", record=True)), one, promise)
    assert await store.write(token, "first", [], [finish]) == 1
    assert await store.write(token, "first", [], [finish]) == 0, "once"
    (entry,) = [told for _, told in await store.tail("first", 10)]
    assert (entry["type"], entry["attempt"], entry["outcome"]) == ("outcome", call.id, verdict.outcome.value)
    assert [entry[name] for name in ("debtor", "person", "number", "recording")] == [""] * 4
    assert read(entry).values["outcome"] is verdict.outcome
    left = await left_of_him(link)
    assert set(left) == ({person_keys(PERSON).state, f"{{n:{KEYS[E164]}}}:state"} if verdict.stop else set())
    assert await store.open_attempts("first") == ()
    assert (await store.counters("first"))[f"outcome:{verdict.outcome.value}"] == 1
    assert await link.one(("ZRANGE", UNWANTED, 0, -1)) == [call.id.encode()]


async def test_he_may_be_listed_again_and_is_remembered_from_then_on(store: RedisStore) -> None:
    one, _ = accounts()
    token = await begin(store, "first", [one])
    await claimed(store, token, [one], "first")
    (call,) = await store.open_attempts("first")
    await store.erase(PERSON)
    over = replace(call, state=CallState.ENDED, placed_at=AT, ended_at=AT + 60)
    await store.write(
        token, "first", [], [Finish(over, AGAIN, record(over, AGAIN, (), None, Campaign("first", "F")), None)]
    )
    await store.add_contacts("first", [replace(one, alias="al9")], AT)
    await store.candidates("first", AT + 1, 1)
    (again,) = await claimed(store, token, [one], "first")
    over = replace(again, state=CallState.ENDED, placed_at=AT + 99, ended_at=AT + 160)
    await store.write(
        token, "first", [], [Finish(over, AGAIN, record(over, AGAIN, (), one, Campaign("first", "F")), one)]
    )
    assert [entry.id for entry in await store.history(PERSON, AT + 200)] == [again.id]


async def test_an_export_has_all_that_is_held(store: RedisStore) -> None:
    _, ids = await life(store)
    held = await store.held(PERSON, AT + 100)
    as_text = msgspec.json.encode(held).decode()
    for mark in (NAME, *KEYS, *IDS, "KTA-99-123456", "Melati", "has moved", ids[0]):
        assert mark in as_text, mark
    assert {one["campaign"] for one in held["accounts"]} == {"first", "second"}
    assert held["accounts"][0]["consents"] == [{"what": "calls", "source": "form", "on": "2026-01-02"}]
    assert [one["outcome"] for one in held["calls"] if one["type"] == "outcome"] == ["connected"]
    assert [one["type"] for one in held["calls"]] == ["outcome", "correction"]
    assert held["recordings"] == [f"{ids[0]}.wav"]
    assert [one["rule"] for one in held["refusals"]] == ["hours"]
    assert len(held["promises"]) == 1
    assert (len(held["payments"]), len(held["payments_told"])) == (2, 2)
    assert {one["what"] for one in held["history"]} >= {"call", "note", "payment"}
    assert set(held["calling"]) == {"person", E164, SECOND}, "a number that somebody else has is not his alone"
    assert held["calling"]["person"]["stopped_by"] == ["anybody", "lender:Bank Satu"]
    assert held["calling"]["person"]["attempts"] != []
    assert [one["what"] for one in held["audit"]] == ["POST /debtors/{person}/notes"]
    assert [one["action"] for one in held["stops_log"]] == ["add"]
    assert "op0" not in as_text, "nothing of anybody else"


async def test_long_streams_are_searched_to_their_ends(store: RedisStore) -> None:
    people = [*contacts(330), accounts()[0]]
    token = await begin(store, "first", people)
    await store.candidates("first", AT, 400)
    attempts = await claimed(store, token, people, "first")
    settings = Campaign("first", "First")
    ends = [replace(one, state=CallState.ENDED, ended_at=AT + 9) for one in attempts]
    finishes = [
        Finish(one, AGAIN, record(one, AGAIN, (), who, settings), who) for one, who in zip(ends, people, strict=True)
    ]
    await store.write(token, "first", [], finishes)
    await store.erase(PERSON)
    told = [one for _, one in await store.tail("first", 1000)]
    assert sum(one["type"] == "outcome" for one in told) == 330
    assert not any(one.get("person") == PERSON for one in told)
