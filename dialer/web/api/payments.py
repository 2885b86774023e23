"""Payments, as lenders' systems tell of them: signed, once by their id; who has paid is not called.

A payment is taken off what the account owes and counts for its promise. Where nothing is owed any more, or the promise
is kept, the account's waiting calls are withdrawn in every campaign and a call to that person that nobody has answered
yet is hung up; for the rest of his day he is not called at all.
"""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Annotated

import msgspec
from msgspec import Meta

from dialer.debts.payments import AMOUNT_MAX, KEPT_DAYS, Told, signature_fault
from dialer.errors import BadInput
from dialer.users import Role
from dialer.web.access import Right, Who
from dialer.web.doors import Office
from dialer.web.problems import Problem
from dialer.web.records import Count, Credited, Cursor, PromiseShown, promise_shown, records, utc
from dialer.web.route import Asked, Route, Upload

BODY_MAX = 16 * 1024
HANG_UP_S = 1.0
AHEAD_S = 86_400.0  # a bank's clock
SENDER, TIMESTAMP, SIGNATURE = "X-Santun-Sender", "X-Santun-Timestamp", "X-Santun-Signature"
Name = Annotated[str, Meta(max_length=200, pattern=r"^[^\x00-\x1f\x7f]*$")]


class NewPayment(msgspec.Struct, forbid_unknown_fields=True):
    """The account by `contact` (as outcomes name it: `debtor`), or by `lender` and `account` as in the list."""

    id: Annotated[str, Meta(pattern=r"^[A-Za-z0-9._:/-]{1,100}$")]
    amount: Annotated[int, Meta(ge=1, le=AMOUNT_MAX)]
    paid_at: Annotated[datetime, Meta(tz=True)]
    currency: Annotated[str, Meta(pattern="^[A-Z]{3}$")] = "IDR"
    lender: Name = ""
    account: Name = ""
    contact: Name = ""
    reference: Name = ""


class Owed(msgspec.Struct):
    """What an account owes after the payment (0: nothing, or it is not known)."""

    campaign: str
    contact: str
    outstanding: int
    currency: str


class PaymentDone(msgspec.Struct):
    """`matched` false: no list has this account now; say it again when one has. `relieved`: nothing is owed, or the
    promise is kept: `withdrawn` accounts left the list, and `calls` tells what became of a call under way.
    """

    id: str
    repeated: bool
    matched: bool
    relieved: bool
    withdrawn: int
    accounts: list[Owed]
    promises: list[PromiseShown]
    calls: list[str]


class PaymentQuery(msgspec.Struct, forbid_unknown_fields=True):
    """`after`: `next` of the page before."""

    after: Cursor = ""
    limit: Count = 100


class PaymentShown(msgspec.Struct):
    """One payment that we were told of; `campaigns` empty: no list had the account then."""

    entry: str
    id: str
    sender: str
    told_at: datetime
    paid_at: datetime
    amount: int
    currency: str
    lender: str
    account: str
    contact: str
    campaigns: list[str]
    reference: str


class PaymentList(msgspec.Struct):
    """Oldest first. `next` goes on, now or later."""

    payments: list[PaymentShown]
    next: str


async def pay(office: Office, asked: Asked[None, Upload]) -> PaymentDone:
    """Headers: X-Santun-Sender, X-Santun-Timestamp (epoch seconds), X-Santun-Signature: HMAC-SHA256 of the sender's
    secret over `TIMESTAMP.BODY`, in hex. Who gets no answer sends it again; what was done is not done twice."""
    body = b"".join([chunk async for chunk in asked.body.chunks])
    sender = _sender(office, asked, body)
    try:
        wanted = msgspec.json.decode(body, type=NewPayment)
    except msgspec.ValidationError as error:
        raise Problem(422, "bad_body", str(error)) from None
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise Problem(400, "bad_body", f"This is no JSON: {error}.") from None
    told = _told(sender, wanted, asked.at)
    await _may_tell(office, told)
    asked.note = f"{sender}: payment {told.id}"
    try:
        found = await records(office).pay(told, asked.at)
    except BadInput as error:
        raise Problem(409, "payment_conflict", error.detail or str(error)) from None
    calls = [await _hung_up(office, sender, campaign, person) for campaign, person in found.calling]
    return _done(told, found, calls)


async def told(office: Office, asked: Asked[PaymentQuery, None]) -> PaymentList:
    """Kept for 400 days."""
    found = await records(office).told_payments(asked.query.after or "0", asked.query.limit)
    return PaymentList([_shown(entry, one) for entry, one in found], found[-1][0] if found else asked.query.after)


def _sender(office: Office, asked: Asked[None, Upload], body: bytes) -> str:
    """Whose secret signed it. Raises Problem 401; an unknown sender hears the same as a wrong signature."""
    name = asked.headers.get(SENDER, "")
    known = office.config.payments.get(name)
    secret = known.secret.encode() if known is not None else b""
    signed = asked.headers.get(TIMESTAMP, ""), asked.headers.get(SIGNATURE, "")
    fault = signature_fault(secret, *signed, body, asked.at)
    if known is None or fault:
        raise Problem(401, "bad_signature", f"{(fault or 'the signature does not fit').capitalize()}.")
    return name


def _told(sender: str, wanted: NewPayment, at: float) -> Told:
    paid_at = wanted.paid_at.timestamp()
    if not at - KEPT_DAYS * 86_400 <= paid_at <= at + AHEAD_S:
        raise Problem(422, "bad_day", f"paid_at: use a time of the last {KEPT_DAYS} days.")
    if not wanted.contact and not wanted.account:
        raise Problem(422, "no_account", "Name the account: contact, or lender and account.")
    return Told(
        sender, wanted.id, paid_at, wanted.amount, wanted.currency, wanted.lender, wanted.account, wanted.contact,
        wanted.reference,
    )  # fmt: skip


async def _may_tell(office: Office, told: Told) -> None:
    """A sender of some lenders' tells of theirs alone. Raises Problem 403."""
    lenders = {name.casefold() for name in office.config.payments[told.sender].lenders}
    if not lenders:
        return
    places = await records(office).accounts(told.lender, told.account, told.contact)
    whose = {one.lender.casefold() for one in places.values()} or {told.lender.casefold()}
    if not whose <= lenders:
        raise Problem(403, "not_your_lender", "This sender may not tell of that lender's accounts.")


async def _hung_up(office: Office, sender: str, campaign: str, person: str) -> str:
    """What the engine says; a claim that has no call yet is refused by the store itself."""
    who = Who(f"payments:{sender}", Role.TOKEN, frozenset())
    try:
        return await office.ask(campaign, "paid", {"person": person}, who, HANG_UP_S)
    except Problem as problem:
        return problem.detail


def _done(told: Told, found: Credited, calls: list[str]) -> PaymentDone:
    owed = [Owed(place.campaign, one.id, one.amount, one.currency) for place, one in found.accounts]
    promises = [promise_shown(one) for one in found.changed]
    return PaymentDone(
        told.id, found.repeated, bool(owed), found.relieved, found.withdrawn, owed, promises, calls
    )  # fmt: skip


def _shown(entry: str, one: Mapping[str, str]) -> PaymentShown:
    sender, _, name = one.get("id", "").partition(":")
    amount = one.get("amount", "0")
    return PaymentShown(
        entry, name, sender, _time(one.get("told_at", "")), _time(one.get("paid_at", "")),
        int(amount) if amount.isdecimal() else 0, one.get("currency", ""), one.get("lender", ""),
        one.get("account", ""), one.get("contact", ""), one.get("campaigns", "").split(), one.get("reference", ""),
    )  # fmt: skip


def _time(text: str) -> datetime:
    try:
        return utc(float(text))
    except ValueError:
        return datetime.fromtimestamp(0, UTC)


ROUTES = (
    Route("POST", "/payments", None, pay, "Tell of a payment (signed)", takes=Upload, gives=PaymentDone,
          body_max=BODY_MAX, signed=True,
          problems=((401, "bad_signature"), (403, "not_your_lender"), (409, "payment_conflict"), (422, "bad_body"))),
    Route("GET", "/payments", Right.PAYMENTS_SEE, told, "Payments that we were told of", query=PaymentQuery,
          gives=PaymentList),
)  # fmt: skip
