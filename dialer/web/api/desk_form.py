"""What the desk's page and the web tell each other."""

from dataclasses import dataclass
from datetime import date, datetime
from typing import Annotated, Literal

import msgspec
from msgspec import Meta

from dialer.model import Status
from dialer.users import Phone
from dialer.web import talk
from dialer.web.talk import Stage

Text = Annotated[str, Meta(max_length=1000)]
Id = Annotated[str, Meta(max_length=80)]
Extension = Annotated[str, Meta(pattern=r"^[0-9]{2,10}$")]

# what a talk can end with; dispositions.py and outcomes.py know what follows from each
Word = Literal[
    "promise", "offer", "call_back", "paid_claim", "refuses", "hardship", "dispute", "stop", "wrong_number",
    "new_number", "not_at_home", "abusive", "machine", "no_one", "cut_off", "deceased", "no_result",
]  # fmt: skip


# ---- what is shown


@dataclass(frozen=True, slots=True)
class Offered:
    """A word with which a talk may end, its key, and whether nothing is taken without a note."""

    word: str
    key: str
    note: bool = False


class DeskNote(msgspec.Struct):
    """How the agent stands, as the engine last said. Times: epoch seconds, 0: none."""

    agent: str
    campaign: str
    node: str
    state: str
    since: float
    at: float
    seq: int = 0
    attempt: str = ""
    contact: str = ""
    number: str = ""
    number_kind: str = ""
    kind: str = ""
    language: str = ""
    call: str = ""
    wrap_until: float = 0.0
    preview_until: float = 0.0
    break_reason: str = ""
    break_until: float = 0.0
    sent_by: str = ""
    recording: str = ""
    asked: str = ""
    asked_by: str = ""
    monitored: str = ""
    help: bool = False
    moves_to: str = ""
    next: str = ""


class Past(msgspec.Struct):
    """One earlier talk."""

    at: datetime
    outcome: str
    disposition: str = ""
    agent: str = ""
    talk_s: int = 0
    promised: int = 0
    promised_day: date | None = None


class Noted(msgspec.Struct):
    """What somebody wrote."""

    at: datetime
    by: str
    text: str


class Heard(msgspec.Struct):
    """What the IVR learnt in this call."""

    at: datetime
    what: str
    value: str = ""


class Promised(msgspec.Struct):
    """How promises went, and the one that is open."""

    kept: int = 0
    part: int = 0
    broken: int = 0
    open_amount: int = 0
    open_day: date | None = None


class Script(msgspec.Struct):
    """What to say. `stages`: those that the agent may choose; `steps` of each."""

    stage: Stage
    steps: dict[Stage, list[talk.Step]]


class Limit(msgspec.Struct):
    """What may be promised, by the debtor's day."""

    first_day: date
    last_day: date
    least: int
    most: int


class Part(msgspec.Struct):
    """So much, on that day at the latest."""

    day: date
    amount: int


class OfferShown(msgspec.Struct):
    """What the lender lets us offer now: `id` is what a result says of it. The parts' sum is `total`: what is owed,
    less `waived`, and `fee`."""

    id: str
    name: str
    parts: list[Part]
    total: int
    waived: int = 0
    fee: int = 0


class HisNumber(msgspec.Struct):
    """One of his numbers, by its place; masked."""

    number: str
    kind: str
    state: str


class Pop(msgspec.Struct, kw_only=True, omit_defaults=True):
    """The account of the one who is on the line. What the operator does not show to agents is not here."""

    attempt: str
    contact: str
    kind: str
    number: str
    number_kind: str
    language: str
    currency: str
    zone: str = ""
    numbers: list[HisNumber] = []
    next_number: int = 0
    name: str = ""
    lender: str = ""
    product: str = ""
    account: str = ""
    outstanding: int | None = None
    minimum: int | None = None
    fee: int | None = None
    incentive: int | None = None
    due: date | None = None
    days_late: int | None = None
    province: str = ""
    regency: str = ""
    promises: Promised | None = None
    contacts: list[Past] | None = None
    notes: list[Noted] | None = None
    heard: list[Heard] | None = None
    offers: list[OfferShown] | None = None
    script: Script
    limit: Limit
    results: list[Offered] = []


class Line(msgspec.Struct):
    """A campaign that agents can work for."""

    id: str
    name: str
    status: Status
    mode: str
    breaks: list[str]
    wrap_up_max_s: int


class Desk(msgspec.Struct):
    """All of it. `note` and `call` null: he is not signed in to a campaign, or talks with nobody. `serves`: his
    campaigns in his order, empty: any of `campaigns`, as he chooses."""

    agent: str
    phone: Phone
    note: DeskNote | None
    call: Pop | None
    campaigns: list[Line]
    serves: list[str] = []


class Today(msgspec.Struct):
    """The agent's own day in this campaign: `contacts` are talks with the debtor himself; `kept` promises of his."""

    talks: int = 0
    talk_s: int = 0
    contacts: int = 0
    promises: int = 0
    kept: int = 0


class Colleague(msgspec.Struct):
    """Somebody who works for the same campaign now. `free`: he can take a call over."""

    agent: str
    name: str
    supervisor: bool
    free: bool


class SoftPhone(msgspec.Struct):
    """What the page's telephone needs, once: the password is known to nobody else and ends with the desk."""

    user: str
    password: str
    realm: str
    websocket: str
    ice: list[dict[str, str]]
    relay: bool


class Done(msgspec.Struct, omit_defaults=True):
    """The engine's word. `late`: the call was closed already, so a result became a correction."""

    text: str
    late: bool = False


# ---- what is asked


class Ready(msgspec.Struct, forbid_unknown_fields=True):
    """Work for this campaign."""

    campaign: Annotated[str, Meta(pattern=r"^[a-z0-9][a-z0-9-]{0,39}$")]


class Break(msgspec.Struct, forbid_unknown_fields=True):
    """A break, now or after this call."""

    reason: Annotated[str, Meta(max_length=40)] = ""


class Result(msgspec.Struct, forbid_unknown_fields=True, kw_only=True):
    """What came of a talk. `amount`, `day`: a promise; `at`: a call-back on the debtor's own clock (2026-11-23T10:15);
    `number`: a better one of his; `offer`: the `id` of one of the offers. `attempt` keeps it from ending up with
    another call; `campaign` is the call's, for a result that comes when the agent works for another one.
    """

    attempt: Id
    campaign: Annotated[str, Meta(pattern=r"^([a-z0-9][a-z0-9-]{0,39})?$")] = ""
    word: Word
    amount: Annotated[int, Meta(ge=0, le=10**15)] = 0
    day: date | None = None
    at: Annotated[str, Meta(pattern=r"^(\d{4}-\d\d-\d\dT\d\d:\d\d)?$")] = ""
    number: Annotated[str, Meta(max_length=40)] = ""
    offer: Annotated[str, Meta(max_length=400)] = ""
    note: Text = ""


class LateResult(Result, forbid_unknown_fields=True, kw_only=True):
    """The result of a call whose wrap-up ended before it came: `campaign` is the call's."""

    campaign: Annotated[str, Meta(pattern=r"^[a-z0-9][a-z0-9-]{0,39}$")]


class Written(msgspec.Struct, forbid_unknown_fields=True):
    """A note about the one who is on the line."""

    attempt: Id
    text: Annotated[str, Meta(min_length=1, max_length=1000)]


class Other(msgspec.Struct, forbid_unknown_fields=True):
    """Hand the call over to this agent; `announce`: talk with him first."""

    agent: Extension
    announce: bool = False


class Help(msgspec.Struct, forbid_unknown_fields=True):
    """Call a supervisor, or need none any more."""

    on: bool = True


class OfCall(msgspec.Struct, forbid_unknown_fields=True):
    """Which call is meant: an order that comes when it is over does nothing to the next one. Empty: the one now."""

    attempt: Id = ""


class OfAccount(msgspec.Struct, forbid_unknown_fields=True):
    """Which account is meant, of those that are shown one after another. Empty: the one now."""

    contact: Id = ""


class Skip(msgspec.Struct, forbid_unknown_fields=True):
    """Why this account is not called."""

    reason: Annotated[str, Meta(min_length=1, max_length=100)]


class Find(msgspec.Struct, forbid_unknown_fields=True):
    """One of: a telephone `number` as people write it; an `account`, with its `lender`; a `contact` that was on the
    line before."""

    number: Annotated[str, Meta(max_length=40)] = ""
    account: Annotated[str, Meta(max_length=100)] = ""
    lender: Annotated[str, Meta(max_length=100)] = ""
    contact: Id = ""


class Dial(msgspec.Struct, forbid_unknown_fields=True):
    """Call a number of this account: `number` counts its numbers from 0."""

    contact: Id
    number: Annotated[int, Meta(ge=0, le=50)] = 0
