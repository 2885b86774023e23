"""Plays one dialogue over a Phone: says, listens, and has every fact stored while the line is kept alive."""

import contextlib
from collections.abc import Callable
from concurrent.futures import Future, wait
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, tzinfo
from typing import Protocol, TypeVar

import structlog

from dialer.debts.plans import Limits
from dialer.dialplan import IvrResult
from dialer.errors import DialerError
from dialer.floor.inbound import Incoming
from dialer.law.places import Rules, reach_of
from dialer.model import Campaign, Contact, Fact
from ivr.dialogue import AGAIN, ANY_KEY, Dialogue, Listen, Turn, between
from ivr.flow import End, Flow
from ivr.inbound import Arrived, entered, nobody, told_of
from ivr.ports import Arrivals, Clock, Debtors, HungUp, Phone, PhoneFailed, Reports
from ivr.preparing import prepared
from ivr.shipped import call_back, shipped, wish
from ivr.terms import Terms

log = structlog.get_logger("ivr.session")

FIRST_KEY_MS = 6000
NEXT_KEY_MS = 3500
END_KEY = "#"
STORE_STEP_MS = 100  # silence streamed at a time while a fact is being stored
PATIENCE_S = 0.015  # for a store that answers soon: no silence then, and the next sentence comes that much earlier
CLOSING_TRIES = 3
SECOND = 10_000  # facts of a call's second conversation count from here: more than any has
UNKNOWN = End(IvrResult.MESSAGE, "unknown")  # whose call it is cannot be known: nothing is said, nothing is stored

T = TypeVar("T")


class Background(Protocol):
    """Runs a short job beside the call."""

    def __call__(self, job: Callable[[], T], /) -> Future[T]:
        """Starts it, or queues it."""


@dataclass(frozen=True, slots=True)
class Call:
    """Which call this is, as the dialplan says."""

    attempt: str
    campaign: str
    language: str = ""
    waits: bool = False  # for an agent, and has pressed the key for a call-back instead


def _unknown(campaign: str) -> Rules | None:
    """Where no settings of the site are at hand."""
    return None


@dataclass(frozen=True, slots=True)
class Desk:
    """What the conversations of one server share."""

    debtors: Debtors
    reports: Reports
    clock: Clock
    background: Background
    zone_of: Callable[[str], tzinfo]
    key: bytes
    limits: Limits = field(default_factory=Limits)  # the lenders'
    send: bool = False  # a worker sends what the fact `send_va` asks for
    flow: Flow = field(default_factory=shipped)
    arrivals: Arrivals | None = None  # none: who calls us gets the courteous message
    terms: Terms = field(default_factory=Terms)  # what differs by lender and by campaign
    rules_of: Callable[[str], Rules | None] = _unknown  # a campaign's; None: not known here


@dataclass(slots=True)
class Ledger:
    """The facts of one call, stored in order in the background; what failed is tried again with what follows."""

    call: Call
    desk: Desk
    facts: list[Fact] = field(default_factory=list)
    stored: int = 0
    step: str = ""  # where the conversation is
    language: str = ""  # of the conversation
    job: Future[None] | None = None

    def add(self, name: str, value: str = "") -> None:
        """Note a fact; `flush` stores it."""
        seq = len(self.facts) + 1 + (SECOND if self.call.waits else 0)
        self.facts.append(Fact(seq, self.desk.clock.now(), name, value))
        if name == "language":
            self.language = value

    def flush(self) -> None:
        """Have everything stored that is not yet, unless that is being done."""
        if (self.job is None or self.job.done()) and self.stored < len(self.facts):
            self.job = self.desk.background(self._store)

    def busy(self) -> bool:
        """Is something being stored now?"""
        return self.job is not None and not self.job.done()

    def complete(self) -> bool:
        """Is every fact stored?"""
        return self.stored == len(self.facts)

    def _store(self) -> None:
        try:
            while self.stored < len(self.facts):
                self.desk.reports.report(self.call.campaign, self.call.attempt, self.facts[self.stored])
                self.stored += 1
        except DialerError as error:
            log.warning("A fact could not be stored.", call_id=self.call.attempt, action="kept", error=error.detail)


def play(call: Call, phone: Phone, desk: Desk) -> str:
    """Holds the conversation; returns the one word for how it ended."""
    began = desk.clock.now()
    ledger = Ledger(call, desk)
    try:
        end = _serve(call, phone, desk, ledger)
    except HungUp:
        _close(ledger, "hung_up", began)
        return "hung_up"
    except PhoneFailed as error:
        log.error("The line failed.", call_id=call.attempt, action="message", error=str(error))
        _close(ledger, "failed", began)
        return "failed"
    if end != UNKNOWN:
        _close(ledger, end.how, began)
    waits_in_another = end.result is IvrResult.AGENT and ledger.language != call.language
    _finish(phone, end.result, ledger.language if waits_in_another else "")
    return end.how


def arrive(came: Incoming, phone: Phone, desk: Desk) -> Arrived | None:
    """The call that came in, on the books of its campaign; None: it has ended, or gets the courteous message."""
    arrivals = desk.arrivals
    if arrivals is not None:
        with contextlib.suppress(HungUp, PhoneFailed):  # what was entered meanwhile, the engine finds gone and closes
            found = _while_streaming(phone, desk, lambda: _entered(came, arrivals, desk))
            if found is not None:
                return found
    _finish(phone, IvrResult.MESSAGE, "")
    return None


def _entered(came: Incoming, arrivals: Arrivals, desk: Desk) -> Arrived | None:
    try:
        found = entered(came, arrivals, desk.key, desk.clock.now())
    except DialerError as error:
        log.error("A call that came in is on no books.", action="message", error=error.detail)
        return None
    if found is None:
        log.info("A stranger called.", action="message")
    return found


def _finish(phone: Phone, result: IvrResult, language: str) -> None:
    with contextlib.suppress(HungUp, PhoneFailed):  # gone meanwhile: the facts are stored, there is nobody to be told
        phone.finish(result, language)


def _serve(call: Call, phone: Phone, desk: Desk, ledger: Ledger) -> End:
    dialogue, early = _streamed(phone, desk, lambda: learn(call, desk), ANY_KEY)
    if dialogue is None:
        return UNKNOWN
    phone.prepare(dialogue.ahead())
    turn = dialogue.begin()
    while True:
        turn, keyed = _stored(dialogue, turn, phone, ledger)
        keyed = keyed or (early if turn.listen else "") or _said(turn, phone)
        early = ""
        if turn.end:
            return turn.end
        if turn.listen:
            turn = dialogue.hear(turn.state, _listened(turn.listen, keyed, phone))


def _while_streaming(phone: Phone, desk: Desk, job: Callable[[], T]) -> T:
    """The job's result; silence streams until it is there."""
    return _streamed(phone, desk, job, "")[0]


def _streamed(phone: Phone, desk: Desk, job: Callable[[], T], keys: str) -> tuple[T, str]:
    """And the key of `keys` that was pressed meanwhile."""
    future, keyed = desk.background(job), ""
    wait([future], PATIENCE_S)
    while not future.done():
        keyed = phone.wait(STORE_STEP_MS, "" if keyed else keys) or keyed
    return future.result(), keyed


def _stored(dialogue: Dialogue, turn: Turn, phone: Phone, ledger: Ledger) -> tuple[Turn, str]:
    """The turn once its facts are on their way, or safe where they must be; and the key pressed meanwhile."""
    for name, value in turn.facts:
        ledger.add(name, value)
    ledger.step = turn.state.step
    ledger.flush()
    if not turn.must:
        return turn, ""
    keyed = _safe(phone, ledger, turn.listen.keys if turn.listen else "")
    return (turn, keyed) if ledger.complete() else (dialogue.not_stored(turn.state), "")


def _safe(phone: Phone, ledger: Ledger, keys: str) -> str:
    """Waits until every fact is stored, or nothing more gets stored; the key pressed meanwhile, as silence streams."""
    keyed = ""
    while True:
        keyed = _kept_alive(phone, ledger, keys, keyed)
        before = ledger.stored
        ledger.flush()
        keyed = _kept_alive(phone, ledger, keys, keyed)
        if ledger.complete() or ledger.stored == before:
            return keyed


def _kept_alive(phone: Phone, ledger: Ledger, keys: str, keyed: str) -> str:
    if ledger.job:
        wait([ledger.job], PATIENCE_S)
    while ledger.busy():
        keyed = phone.wait(STORE_STEP_MS, "" if keyed else keys) or keyed
    return keyed


def _said(turn: Turn, phone: Phone) -> str:
    """Say the turn's sentences until a key comes; nothing is awaited at the end of a talk."""
    keys = turn.listen.keys if turn.listen else ""
    for sentence in turn.say:
        if key := phone.say(sentence, keys):
            return key
    return ""


def _listened(listen: Listen, keyed: str, phone: Phone) -> str:
    """`keyed`, and the keys that follow, up to the number awaited, `#` or silence; `*` asks for it anew."""
    keyed = keyed or phone.wait(FIRST_KEY_MS, listen.keys)
    while 0 < len(keyed) < listen.count and keyed != AGAIN:
        key = phone.wait(NEXT_KEY_MS, listen.keys + END_KEY)
        if key == AGAIN:
            return AGAIN
        if key in ("", END_KEY):
            break
        keyed += key
    return keyed


def _close(ledger: Ledger, how: str, began: float) -> None:
    """The last fact, and everything that was not stored yet, waited for within the store's own time limits."""
    seconds = ledger.desk.clock.now() - began
    ledger.add("closed", f"{how} {seconds:.1f} {ledger.step}".rstrip())
    failed = 0
    while failed < CLOSING_TRIES and not ledger.complete():
        before = ledger.stored
        ledger.flush()
        if ledger.job:
            ledger.job.result()
        failed += ledger.stored == before
    if failed == CLOSING_TRIES:
        log.error("Facts were lost.", call_id=ledger.call.attempt, action="given_up", how=how)
    log.info(
        "The conversation ended.", call_id=ledger.call.attempt, action="closed", how=how, seconds=round(seconds, 1)
    )


def learn(call: Call, desk: Desk) -> Dialogue | None:
    """The conversation with whom we called; None if that cannot be known, and then nothing is said of it."""
    try:
        called = desk.debtors.debtor(call.campaign, call.attempt)
    except DialerError as error:
        log.error("The debtor cannot be read.", call_id=call.attempt, action="message", error=error.detail)
        return None
    if called is not None and call.waits:
        known = nobody(called.contact, call.language)
        return dialogue_of(call, replace(desk, flow=call_back()), called.campaign, known, called.contact)
    if called is not None and (flow := desk.terms.flows.get(called.campaign.id)):
        desk = replace(desk, flow=flow)
    if called is not None and called.inbound:
        known = told_of(called.contact)
        desk = desk if known.secret else replace(desk, flow=wish())
        return dialogue_of(call, desk, called.campaign, known, called.contact)
    if called is None or not (called.contact.name or called.contact.secret):
        log.warning("The debtor is not known.", call_id=call.attempt, action="message")
        return None
    return dialogue_of(call, desk, called.campaign, called.contact, called.contact)


def dialogue_of(
    call: Call, desk: Desk, campaign: Campaign, debtor: Contact, listed: Contact | None = None
) -> Dialogue | None:
    """The conversation of this call; None if its facts cannot be spoken. `listed`: whom a call-back would ring."""
    at = desk.clock.now()
    now = datetime.fromtimestamp(at, UTC).astimezone(desk.zone_of(debtor.zone))
    limits = desk.terms.limits(desk.limits, campaign.id, debtor.lender)
    rules = desk.rules_of(campaign.id)
    reach = reach_of(listed or debtor, rules, at) if rules else None
    talk = prepared(debtor, campaign, now, call.language, desk.key, limits, desk.send, reach)
    found = between(desk.flow, talk)
    try:
        found.check()
    except DialerError as error:
        log.error("The debt cannot be spoken.", call_id=call.attempt, action="message", error=error.detail)
        return None
    return found
