"""Short twins of the IVR's ports, and an invented debtor."""

import time
from collections.abc import Callable, Iterable
from concurrent.futures import Future
from dataclasses import dataclass, field, replace
from datetime import UTC, date, tzinfo
from typing import TypeVar

from dialer.dialplan import IvrResult
from dialer.errors import StoreDown
from dialer.keyed import secret_key
from dialer.model import Campaign, Contact, Fact, Kind
from ivr.ports import HungUp, PhoneFailed
from ivr.prompts import Sentence
from ivr.session import SECOND, Call, Desk

T = TypeVar("T")

KEY = bytes.fromhex("5a" * 32)
NOW = 1795250000.0  # 2026-11-21 08:33 UTC
CALL = Call("attempt-1", "arrears", "id")
CAMPAIGN = Campaign(id="arrears", name="Arrears", kind=Kind.AGENTS, caller_name="Dana Sejahtera")
CONTACT = Contact(
    id="c1", person="p1", numbers=(), name="Budi Santoso", language="id", zone="Asia/Jakarta", lender="Bank Maju",
    product="Kredit Motor", amount=1_250_000, due=date(2026, 11, 18), secret=secret_key(KEY, "1234"), secret_digits=4,
)  # fmt: skip


@dataclass(frozen=True)
class Called:
    contact: Contact
    campaign: Campaign
    inbound: bool = False


class Clock:
    """Stands still until told."""

    at = NOW

    def now(self) -> float:
        return self.at


class Ticking:
    """Goes on from NOW, so that a test passes on any date."""

    def __init__(self) -> None:
        self._began = time.monotonic()

    def now(self) -> float:
        return NOW + time.monotonic() - self._began


@dataclass
class Store:
    """Debtors and facts in memory; fails for the numbers of reports that are in `failing`."""

    contact: Contact | None = CONTACT
    campaign: Campaign = CAMPAIGN
    failing: Callable[[int], bool] = lambda _: False
    unreadable: bool = False
    inbound: bool = False
    facts: list[Fact] = field(default_factory=list)
    reports: int = 0

    def debtor(self, campaign: str, attempt: str) -> Called | None:
        if self.unreadable:
            raise StoreDown("a test")
        return Called(self.contact, self.campaign, self.inbound) if self.contact else None

    def report(self, campaign: str, attempt: str, fact: Fact) -> None:
        self.reports += 1
        if self.failing(self.reports):
            raise StoreDown("a test")
        assert fact.seq % SECOND == len(self.facts) + 1, "out of order, or twice"
        self.facts.append(fact)

    @property
    def told(self) -> list[tuple[str, str]]:
        return [(fact.name, fact.value) for fact in self.facts]


def at_once(job: Callable[[], T], /) -> Future[T]:
    """The background of a test without threads."""
    future: Future[T] = Future()
    try:
        future.set_result(job())
    except Exception as error:
        future.set_exception(error)
    return future


@dataclass
class Phone:
    """Keys are pressed one at each silence; `hang_up_at` and `fail_at` count what is played."""

    keys: Iterable[str] = ()
    hang_up_at: int = 10**6
    fail_at: int = 10**6
    events: list[str] = field(default_factory=list)
    store: Store | None = None
    results: list[IvrResult] = field(default_factory=list)
    languages: list[str] = field(default_factory=list)
    waited_ms: int = 0

    def __post_init__(self) -> None:
        self._keys = iter(self.keys)

    def prepare(self, sentences: tuple[Sentence, ...]) -> None:
        pass

    def say(self, sentence: Sentence, keys: str) -> str:
        self._count(sentence.name)
        return ""

    def wait(self, ms: int, keys: str) -> str:
        self._count("wait")
        self.waited_ms += ms
        key = next(self._keys, "") if keys else ""
        return key if key in keys else ""

    def finish(self, result: IvrResult, language: str) -> None:
        self._count("finish")
        self.results.append(result)
        self.languages.append(language)

    def _count(self, what: str) -> None:
        self.events.append(f"{what} {len(self.store.facts)}" if self.store else what)
        if len(self.events) >= self.hang_up_at:
            raise HungUp
        if len(self.events) >= self.fail_at:
            raise PhoneFailed("a test")


def utc(_: str) -> tzinfo:
    return UTC


def desk(store: Store) -> Desk:
    return Desk(store, store, Clock(), at_once, utc, KEY)


PROMISE = ("1", "1234", "2", "3", "2511", "1")  # verified, promise, a keyed date, confirmed


def contact(**changes: object) -> Contact:
    return replace(CONTACT, **changes)  # type: ignore[arg-type]
