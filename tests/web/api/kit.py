"""A house with a campaign, debtors and what happened to them, for the tests of the API."""

import os
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime

from dialer.adapters.redis_store import RedisStore
from dialer.debts.promises import Promise, ends
from dialer.keyed import number_key, person_key
from dialer.model import Attempt, CallState, Campaign, Contact, Number, Outcome, Side, Verdict, attempt_id
from dialer.ports import Finish, Held
from dialer.stream import record
from tests.adapters.redis_lives import link_of
from tests.web.house import EPOCH, House

KEY = bytes.fromhex("ab" * 32)
FIRST = "first"
TALKED = Verdict(
    Outcome.CONNECTED, Side.DEBTOR, "promise", retry_at=EPOCH + 7 * 86_400, live=True, conversation=True
)  # fmt: skip
DUE = date(2027, 1, 17)


def campaign(name: str = FIRST) -> Campaign:
    """One that may run here."""
    return Campaign(name, name.capitalize(), trunk="carrier", caller_id="+622150001234", record=True)


def debtor(turn: int, name: str = "", lender: str = "Bank Maju") -> Contact:
    """With two numbers and an account of his own."""
    numbers = [f"+6281{kind}0000{turn:04d}" for kind in (2, 3)]
    return Contact(
        f"{turn:032x}", person_key(KEY, f"P{turn}"), tuple(Number(one, number_key(KEY, one)) for one in numbers),
        name=name or f"Debtor {turn}", zone="Asia/Jakarta", lender=lender, product="loan", amount=1_000_000,
        account=f"A-{turn}", due=date(2026, 12, 1), alias=f"alias{turn:011d}", minimum=50_000,
    )  # fmt: skip


@dataclass(frozen=True)
class Book:
    """What is in the store."""

    token: int
    people: tuple[Contact, ...]
    attempts: tuple[Attempt, ...]


async def filled(house: House, count: int = 3, talked: int = 2) -> Book:
    """A campaign with debtors; the first `talked` have promised in a recorded call."""
    store, at = house.store, house.clock.now()
    people = tuple(debtor(turn) for turn in range(count))
    settings = campaign()
    await store.save_campaign(settings)
    await store.add_contacts(FIRST, people, at - 10)
    token = await store.lead(FIRST, "engine", 600_000)
    assert token is not None
    await store.candidates(FIRST, at, count)
    seconds, _ = await link_of(store).one(("TIME",))  # the streams go by Redis's clock, and so do ids
    attempts = [attempt_of(one, at, int(seconds)) for one in people[:talked]]
    assert all(isinstance(one, Held) for one in await store.lock(attempts, at))
    assert all(await store.claim(token, attempts, at))
    done = [_talked(one, person, settings, at) for one, person in zip(attempts, people, strict=False)]
    assert await store.write(token, FIRST, [], done) == talked
    return Book(token, people, tuple(attempts))


def attempt_of(one: Contact, at: float, made: float) -> Attempt:
    """A new one, for his first number."""
    return Attempt(
        attempt_id(made, os.urandom(10)), FIRST, "pbx1", "progressive", "carrier", "+622150001234", "id", "indonesia",
        one.id, one.person, one.numbers[0], claimed_at=at, zone=one.zone,
    )  # fmt: skip


def _talked(one: Attempt, person: Contact, settings: Campaign, at: float) -> Finish:
    over = replace(
        one, state=CallState.ENDED, placed_at=at, answered_at=at + 5, joined_at=at + 6, left_at=at + 60, talk_s=54.0,
        ended_at=at + 60, agent="101", disposition=f"promise:{DUE};500000",
    )  # fmt: skip
    promise = Promise(
        one.id, FIRST, person.id, person.person, 500_000, "IDR", DUE, ends(DUE, person.zone, 1), at, "101"
    )  # fmt: skip
    return Finish(over, TALKED, record(over, TALKED, (), person, settings), person, promise)


async def listed(store: RedisStore, one: Contact, name: str = FIRST) -> bool:
    """Whether he still waits."""
    (case,) = await store.cases(name, [one.id], EPOCH)
    return case.standing.value == "listed"


def iso(at: float) -> str:
    """As the API takes times."""
    return datetime.fromtimestamp(at, UTC).isoformat().replace("+00:00", "Z")
