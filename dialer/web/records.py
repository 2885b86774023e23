"""What the API reads and writes of people, promises, payments and streams: a door on the store, and shared words."""

import asyncio
from collections.abc import AsyncIterator, Mapping, Sequence
from datetime import UTC, datetime
from math import inf, isfinite
from typing import Annotated, Any, Protocol, cast

import msgspec
from msgspec import Meta

from dialer.debts.history import Entry
from dialer.debts.payments import Told
from dialer.debts.promises import Promise
from dialer.errors import ConfigError
from dialer.keyed import number_key
from dialer.law.rulebook import Pack
from dialer.lists.numbers import NumberFault, read_number
from dialer.lists.preview import Case
from dialer.mask import shape
from dialer.model import CAMPAIGN_ID, Campaign, Contact, Number, NumberKind, NumberState, Status
from dialer.web.access import Who, number_for
from dialer.web.doors import Office
from dialer.web.problems import Problem
from dialer.web.route import Asked

Id = Annotated[str, Meta(max_length=200)]
CampaignId = Annotated[str, Meta(pattern=f"^({CAMPAIGN_ID.pattern})?$")]
Cursor = Annotated[str, Meta(pattern=r"^([0-9]{1,15}(-[0-9]{1,19})?)?$")]
Count = Annotated[int, Meta(ge=1, le=500)]
PERSON_MAX = 200
PACK_KEPT_S = 60.0
PACKS_KEPT = 200


class Place(Protocol):
    """Where a contact stands."""

    @property
    def campaign(self) -> str: ...
    @property
    def contact(self) -> str: ...


class Credited(Protocol):
    """What came of a payment."""

    @property
    def repeated(self) -> bool: ...
    @property
    def accounts(self) -> Sequence[tuple[Place, Contact]]: ...
    @property
    def changed(self) -> Sequence[Promise]: ...
    @property
    def withdrawn(self) -> int: ...
    @property
    def relieved(self) -> bool: ...
    @property
    def calling(self) -> Sequence[tuple[str, str]]: ...


class PromisePage(Protocol):
    """Some promises, and where the next page begins."""

    @property
    def promises(self) -> Sequence[Promise]: ...
    @property
    def next(self) -> str: ...


class Records(Protocol):
    """The store, as the API's resources use it; each method is the store's own."""

    async def counters(self, campaign: str) -> dict[str, int]: ...
    async def listed(self, campaign: str) -> int: ...
    def survey(self, campaign: str, at: float, sample: int = 0) -> AsyncIterator[list[Case]]: ...
    async def cases(self, campaign: str, contacts: Sequence[str], at: float) -> list[Case]: ...
    async def page(
        self, campaign: str, stream: str, after: str, limit: int
    ) -> tuple[tuple[str, Mapping[str, str]], ...]: ...
    async def page_back(
        self, campaign: str, stream: str, before: str, limit: int
    ) -> tuple[tuple[str, Mapping[str, str]], ...]: ...
    async def outcomes_of(self, campaign: str, attempts: Mapping[str, str]) -> dict[str, Mapping[str, str]]: ...
    async def contacts_of(self, number_key: str) -> tuple[tuple[Any, Contact], ...]: ...
    async def contacts_of_person(self, person: str) -> tuple[tuple[Any, Contact], ...]: ...
    async def accounts(self, lender: str, account: str, contact: str = "") -> Mapping[Any, Contact]: ...
    async def find_names(self, campaign: str, text: str, cursor: str) -> tuple[tuple[Contact, ...], str, int]: ...
    async def decisions_about(self, number_key: str, limit: int) -> tuple[Any, ...]: ...
    async def history(self, person: str, at: float) -> tuple[Entry, ...]: ...
    async def remember(self, person: str, entry: Entry) -> bool: ...
    async def promises(self, person: str, at: float) -> tuple[Promise, ...]: ...
    async def promises_page(
        self, campaign: str, at: float, ended: bool, after: str = "", limit: int = 100
    ) -> PromisePage: ...
    async def pay(self, told: Told, at: float) -> Credited: ...
    async def told_payments(self, after: str, count: int) -> tuple[tuple[str, Mapping[str, str]], ...]: ...
    async def stop(self, persons: Sequence[str], numbers: Sequence[str], scope: str = "") -> int: ...
    async def lift(
        self, persons: Sequence[str], numbers: Sequence[str], scope: str, reason: str, by: str, at: float
    ) -> int: ...
    async def stops_of(self, persons: Sequence[str], numbers: Sequence[str]) -> list[tuple[str, ...]]: ...
    async def tell_stops(self, entry: Mapping[str, str], at: float) -> None: ...
    async def told_stops(self, count: int) -> list[Mapping[str, str]]: ...
    async def withdraw(self, person: str, at: float, campaign: str = "") -> int: ...
    async def erase(self, person: str) -> int: ...
    async def is_known(self, person: str) -> bool: ...
    async def held(self, person: str, at: float) -> Mapping[str, Any]: ...
    async def call_backs(self, campaign: str, after: float, limit: int) -> tuple[Contact, ...]: ...
    async def call_back(self, campaign: str, contact: str, when: float, agent: str, at: float) -> bool: ...


def records(office: Office) -> Records:
    """The store behind the office."""
    return cast(Records, office.books)


# ---- words that several resources share -----------------------------------------------------------------------------


class Done(msgspec.Struct):
    """How much was done."""

    count: int


class NumberShown(msgspec.Struct):
    """A number as its reader may see it: masked without the right numbers:see."""

    number: str
    kind: NumberKind
    state: NumberState


class PromiseShown(msgspec.Struct):
    """A promise; `amount` 0: not said. `until`: from then on it counts as not kept."""

    id: str
    campaign: str
    contact: str
    amount: int
    currency: str
    due: str
    until: datetime
    made_at: datetime
    by: str
    state: str
    paid: int
    ended_at: datetime | None


class EntryShown(msgspec.Struct, omit_defaults=True):
    """One line of a history; what does not concern it is left out."""

    what: str
    id: str
    at: datetime
    campaign: str = ""
    contact: str = ""
    outcome: str = ""
    side: str = ""
    reason: str = ""
    disposition: str = ""
    amount: int = 0
    currency: str = ""
    due: str = ""
    agent: str = ""
    talk_s: int = 0
    number_kind: str = ""
    choice: str = ""
    by: str = ""
    text: str = ""


def utc(at: float) -> datetime:
    """A time of ours; one beyond all calendars is the last day of theirs."""
    latest = datetime(9999, 12, 31, tzinfo=UTC)
    return latest if not isfinite(at) or at >= latest.timestamp() else datetime.fromtimestamp(at, UTC)


def maybe(at: float) -> datetime | None:
    """None where it did not happen."""
    return utc(at) if at else None


def numbers_shown(who: Who, numbers: Sequence[Number]) -> list[NumberShown]:
    """Of a contact."""
    return [NumberShown(number_for(who, one.e164), one.kind, one.state) for one in numbers]


def promise_shown(one: Promise) -> PromiseShown:
    """As the API says it."""
    return PromiseShown(
        one.id, one.campaign, one.contact, one.amount, one.currency, one.due.isoformat(), utc(one.until),
        utc(one.made_at), one.by, one.state.value, one.paid, maybe(one.ended_at),
    )  # fmt: skip


def entry_shown(one: Entry) -> EntryShown:
    """As the API says it."""
    return EntryShown(
        one.what.value, one.id, utc(one.at), one.campaign, one.contact, one.outcome, one.side, one.reason,
        one.disposition, one.amount, one.currency, one.due.isoformat() if one.due else "", one.agent, one.talk_s,
        one.number_kind, one.choice, one.by, one.text,
    )  # fmt: skip


# ---- what is named in a path or a query -----------------------------------------------------------------------------


async def campaign_of(office: Office, asked: Asked[Any, Any]) -> tuple[Campaign, Status]:
    """The campaign of the path. Raises Problem 404."""
    return await known_campaign(office, asked.path["campaign"])


async def known_campaign(office: Office, name: str) -> tuple[Campaign, Status]:
    """Raises Problem 404."""
    found = await office.books.campaign(name) if CAMPAIGN_ID.fullmatch(name) else None
    if found is None:
        raise Problem(404, "no_campaign", "There is no such campaign.")
    return found


async def pack_of(office: Office, campaign: Campaign) -> Pack:
    """Its rules. Raises Problem 409."""
    found = await pack_or_fault(office, campaign)
    if isinstance(found, ConfigError):
        raise Problem(409, "rules", str(found))
    return found


async def pack_or_fault(office: Office, campaign: Campaign) -> Pack | ConfigError:
    """Its rules, read in a thread and kept for a minute: holidays take a fifth of a second; or why there are none."""
    kept: dict[bytes, tuple[float, Pack | ConfigError]] = office.parts.setdefault("packs", {})
    name, now = msgspec.json.encode(campaign), office.clock.monotonic()
    at, found = kept.get(name, (-inf, None))
    if found is None or now - at > PACK_KEPT_S:
        try:
            found = await asyncio.to_thread(office.pack_of, campaign)
        except ConfigError as error:
            found = error
        while len(kept) >= PACKS_KEPT:
            del kept[next(iter(kept))]
        kept[name] = now, found
    return found


def person_of(asked: Asked[Any, Any]) -> str:
    """The person of the path: his keyed hash. Raises Problem 404."""
    person = asked.path["person"]
    if not 0 < len(person.encode()) <= PERSON_MAX or not person.isprintable() or set("{}") & set(person):
        raise Problem(404, "no_debtor", "There is no such debtor.")
    return person


def e164_of(office: Office, text: str) -> str:
    """A number as people write it. Raises Problem 422, which shows its shape only."""
    rules = office.config.list_rules()
    try:
        return read_number(text, rules.region, rules.country_codes)
    except NumberFault as fault:
        raise Problem(422, "bad_number", f"{shape(text)} is {fault.reason}: {fault.cure}.") from None


def key_of_number(office: Office, text: str) -> str:
    """The keyed hash of a number as people write it."""
    return number_key(office.config.person_key, e164_of(office, text))
