"""8/8 stream: Verdict -> flat, versioned record. The names in FIELDS are the public contract of `{campaign}:outcomes`.

An entry is a flat map of strings, always with all fields of its table in the table's order (Redis then keeps the names
once per block); what did not happen is the empty string. Kinds of entry: `outcome`, exactly one per attempt;
`correction`, a late change that names the attempt; `refusal`, a call that was not placed (in `{campaign}:refusals`);
`erasure`, attempts whose person was forgotten.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, fields
from datetime import UTC, date, datetime
from enum import StrEnum
from math import isfinite

from dialer.errors import BadInput
from dialer.lists.given import Given
from dialer.lists.recycling import RESTS
from dialer.model import INBOUND, Attempt, Campaign, Contact, Fact, Number, Outcome, Refused, Side, Verdict
from dialer.outcomes import CHOICES, VERIFIED, believed, first_payment, promise_of, read_disposition, said_by_agent

VERSION = 1


class Type(StrEnum):
    """What an entry is."""

    OUTCOME = "outcome"
    CORRECTION = "correction"
    REFUSAL = "refusal"
    ERASURE = "erasure"


class Form(StrEnum):
    """How a field is written."""

    TEXT = "text"
    TIME = "time"  # ISO 8601, UTC, milliseconds: 2026-11-21T03:04:05.678Z
    DAY = "day"  # 2026-12-01
    SECONDS = "seconds"  # with three decimals
    SHARE = "share"  # 0 to 1, with three decimals
    NUMBER = "number"  # a whole number
    FLAG = "flag"  # 1 or 0
    OUTCOME = "outcome"  # one of the closed list
    SIDE = "side"


Value = str | int | float | bool | date | None


@dataclass(frozen=True, slots=True)
class Field:
    """One field of an entry: how it is written and what it means, with its unit."""

    form: Form
    meaning: str


_T, _F = Form.TIME, Field
FIELDS: Mapping[str, Field] = {
    "v": _F(Form.NUMBER, "version of the record; a reader takes what it knows and ignores the rest"),
    "type": _F(Form.TEXT, "`outcome`"),
    "attempt": _F(Form.TEXT, "id of the attempt, sorts by time; also the channel's id in Asterisk and in every log"),
    "campaign": _F(Form.TEXT, "id of the campaign"),
    "debtor": _F(Form.TEXT, "id of the contact in the operator's list"),
    "person": _F(Form.TEXT, "keyed hash of the person"),
    "number": _F(Form.TEXT, "number called (or calling, inbound), E.164"),
    "number_kind": _F(Form.TEXT, "whose number: debtor, co_borrower, emergency, workplace"),
    "direction": _F(Form.TEXT, "`out` or `in`"),
    "kind": _F(Form.TEXT, "predictive, progressive, ratio, preview, call_back, manual, ivr, inbound"),
    "trunk": _F(Form.TEXT, "trunk used"),
    "node": _F(Form.TEXT, "Asterisk node"),
    "caller_id": _F(Form.TEXT, "caller id shown"),
    "language": _F(Form.TEXT, "language of the call: id, en"),
    "pack": _F(Form.TEXT, "rule pack that allowed the call, with its version"),
    "lender": _F(Form.TEXT, "lender, as the list names it"),
    "product": _F(Form.TEXT, "product, as the list names it"),
    "tries": _F(Form.NUMBER, "attempts for this contact in this campaign, this one included"),
    "claimed_at": _F(_T, "person, number and contact were locked for it"),
    "placed_at": _F(_T, "given to Asterisk"),
    "progress_at": _F(_T, "early media came (183)"),
    "ringing_at": _F(_T, "the phone began to ring"),
    "answered_at": _F(_T, "picked up"),
    "detected_at": _F(_T, "detection of person or machine ended"),
    "joined_at": _F(_T, "agent and debtor first heard each other"),
    "overflow_at": _F(_T, "no agent in time: went on to the IVR or the message"),
    "ivr_at": _F(_T, "the IVR began"),
    "left_at": _F(_T, "the talk with the last agent ended"),
    "ended_at": _F(_T, "the call was gone"),
    "wrapped_at": _F(_T, "the agent had wrapped up"),
    "post_dial_s": _F(Form.SECONDS, "placed to ringing, seconds"),
    "ring_s": _F(Form.SECONDS, "ringing to answer or end, seconds"),
    "wait_s": _F(Form.SECONDS, "answer to agent, IVR, message or end, detection included, seconds"),
    "talk_s": _F(Form.SECONDS, "with agents, all together, seconds"),
    "wrap_up_s": _F(Form.SECONDS, "end of the talk to end of wrap-up, seconds"),
    "outcome": _F(Form.OUTCOME, "how it ended: " + ", ".join(Outcome)),
    "side": _F(Form.SIDE, "whose doing: " + ", ".join(Side)),
    "reason": _F(Form.TEXT, "why, one word of a list that may grow"),
    "live": _F(Form.FLAG, "1: a person answered; counts in the abandon rate"),
    "conversation": _F(Form.FLAG, "1: the debtor was spoken with, by agent or IVR"),
    "counted": _F(Form.FLAG, "0: our fault or the network's, used up none of the debtor's attempts"),
    "cause": _F(Form.NUMBER, "Q.850 cause of the hang-up"),
    "sip_code": _F(Form.NUMBER, "SIP code of the hang-up"),
    "detection": _F(Form.TEXT, "human, machine, unsure; empty: not asked for"),
    "voicemail_left": _F(Form.FLAG, "1: the limited message was left on a machine"),
    "agent": _F(Form.TEXT, "the last agent who talked"),
    "disposition": _F(Form.TEXT, "the agent's result"),
    "promise_amount": _F(Form.NUMBER, "amount promised, smallest written unit of the currency (rupiah; cents)"),
    "promise_due": _F(Form.DAY, "day promised"),
    "currency": _F(Form.TEXT, "ISO 4217 code of the amounts"),
    "offer": _F(Form.TEXT, "offer taken, as the IVR or the agent names it"),
    "ivr_result": _F(Form.TEXT, "how the IVR ended: done, agent, message"),
    "ivr_choice": _F(Form.TEXT, "the last thing the debtor chose in the IVR"),
    "wanted_agent": _F(Form.FLAG, "1: asked the IVR for an agent"),
    "overflow_to": _F(Form.TEXT, "ivr or message, when no agent came in time"),
    "recording": _F(Form.TEXT, "file name of the recording"),
    "stop": _F(Form.FLAG, "1: never call this person or this number again"),
    "dead": _F(Form.FLAG, "1: the number is proven not in service"),
    "silent_until": _F(_T, "not called before: promise, call-back, hardship"),
    "retry_at": _F(_T, "due again; empty: never again in this campaign"),
    "answer_probability": _F(Form.SHARE, "chance that a person answers, as foretold at the claim"),
    "wrong_person": _F(Form.FLAG, "1: the number is somebody else's; it is never called again, the person may be"),
    "hardship": _F(Form.FLAG, "1: the debtor cannot pay now; called in the slower cadence of the rule pack"),
    "callback_at": _F(_T, "the minute at which the debtor asked to be called; a later `retry_at`: moved to the hours"),
    "rests": _F(Form.TEXT, f"why never again in this campaign: {', '.join(RESTS)}, a disposition or a `reason`"),
    "ivr_flow": _F(Form.TEXT, "conversation of the IVR: id@version"),
    "ivr_path": _F(Form.TEXT, "its steps that awaited a key or ended, in order"),
    "ivr_keys": _F(Form.TEXT, "what was keyed at them, in order; secrets and telephone numbers as `*`"),
    "ivr_end": _F(Form.TEXT, "how it ended: hung_up, failed, or the flow's own word"),
    "ivr_s": _F(Form.SECONDS, "how long it lasted, seconds"),
    "agents": _F(Form.TEXT, "all agents who talked with him, in order"),
    "hold_s": _F(Form.SECONDS, "on hold, all together, counted in `talk_s`, seconds"),
    "heard_by": _F(Form.TEXT, "extensions of the supervisors who listened, whispered or joined"),
    "new_number": _F(
        Form.TEXT, "number of his own that the debtor gave, E.164 where it can be read; several by blanks"
    ),
    "new_number_is": _F(Form.TEXT, "what became of it: added, known, or why it is not called; several by `; `"),
    "verified": _F(
        Form.FLAG, "1: proved in the IVR who he is; 0, inbound: of what he chose only call-back and agent count"
    ),
    "ivr_choices": _F(Form.TEXT, "all that the debtor chose in the IVR, in order"),
}

CORRECTION_FIELDS: Mapping[str, Field] = {
    "v": FIELDS["v"],
    "type": _F(Form.TEXT, "`correction`"),
    "attempt": _F(Form.TEXT, "the attempt whose outcome is corrected"),
    "campaign": FIELDS["campaign"],
    "at": _F(_T, "when it was corrected"),
    "by": _F(Form.TEXT, "who corrected: agent id, user, `engine`, `ivr` or `spool`"),
}

REFUSAL_FIELDS: Mapping[str, Field] = {
    "v": FIELDS["v"],
    "type": _F(Form.TEXT, "`refusal`"),
    "campaign": FIELDS["campaign"],
    "debtor": FIELDS["debtor"],
    "person": FIELDS["person"],
    "number": _F(Form.TEXT, "number not called, E.164"),
    "number_kind": FIELDS["number_kind"],
    "pack": FIELDS["pack"],
    "rule": _F(Form.TEXT, "the rule that refused"),
    "reason": _F(Form.TEXT, "a sentence"),
    "at": _F(_T, "when it was refused"),
    "until": _F(_T, "when to ask again; empty: never"),
}

ERASURE_FIELDS: Mapping[str, Field] = {
    "v": FIELDS["v"],
    "type": _F(Form.TEXT, "`erasure`"),
    "campaign": FIELDS["campaign"],
    "at": _F(_T, "when they were erased"),
    "attempts": _F(Form.TEXT, "attempts, by blanks, whose outcomes and corrections were taken out of this stream"),
}

# What a correction may change: what people say, and what follows from it. Never what the network did.
CORRECTABLE = frozenset(
    {"reason", "conversation", "disposition", "promise_amount", "promise_due", "offer", "stop", "silent_until"}
    | {"retry_at", "recording", "wrapped_at", "wrap_up_s", "wrong_person", "hardship", "callback_at", "rests"}
)


# ---- writing


def record(
    attempt: Attempt,
    verdict: Verdict,
    facts: Sequence[Fact],
    contact: Contact | None,
    campaign: Campaign,
    numbers: Sequence[Given] = (),
) -> dict[str, str]:
    """The outcome entry of an attempt. `contact` None: not in a list (inbound); `numbers`: what he gave in the call."""
    values: dict[str, Value] = {name: getattr(attempt, name) for name in _ATTEMPTS}
    values |= {name: getattr(verdict, name) for name in _VERDICTS}
    values |= _times(attempt) | _said(attempt, facts) | _listed(contact)
    values |= {
        "v": VERSION,
        "type": Type.OUTCOME.value,
        "attempt": attempt.id,
        "debtor": attempt.contact,
        "number": attempt.number.e164,
        "number_kind": attempt.number.kind.value,
        "direction": "in" if attempt.kind == INBOUND else "out",
        "counted": verdict.count,
        "cause": attempt.cause if attempt.cause >= 0 else None,
        "sip_code": attempt.sip_code or None,
        "answer_probability": attempt.answer_probability if attempt.answer_probability >= 0 else None,
        "new_number": " ".join(one.text for one in numbers),
        "new_number_is": "; ".join(one.word for one in numbers),
        "recording": f"{attempt.id}.wav" if campaign.record and attempt.joined_at else None,
    }
    return {name: _written(field.form, values[name]) for name, field in FIELDS.items()}


_VERDICTS = (
    "outcome", "side", "reason", "live", "conversation", "stop", "dead", "silent_until", "retry_at", "wrong_person",
    "hardship", "callback_at", "rests",
)  # fmt: skip
_ATTEMPTS = tuple(
    name
    for name in FIELDS
    if name in {field.name for field in fields(Attempt)} and name not in ("number", "cause", "sip_code", "disposition")
)


def _times(attempt: Attempt) -> dict[str, Value]:
    served = attempt.joined_at or attempt.overflow_at or attempt.ivr_at or attempt.ended_at
    return {
        "post_dial_s": _between(attempt.placed_at, attempt.ringing_at),
        "ring_s": _between(attempt.ringing_at, attempt.answered_at or attempt.ended_at),
        "wait_s": _between(attempt.answered_at, served),
        "talk_s": attempt.talk_s if attempt.joined_at else None,
        "hold_s": attempt.hold_s if attempt.joined_at else None,
        "wrap_up_s": _between(attempt.left_at, attempt.wrapped_at),
    }


def _between(begin: float, end: float) -> float | None:
    return max(0.0, end - begin) if begin and end else None


def _said(attempt: Attempt, facts: Sequence[Fact]) -> dict[str, Value]:
    word = read_disposition(attempt.disposition)[0]
    ordered = sorted(facts, key=lambda fact: fact.seq)
    heard = [(fact.name, fact.value) for fact in believed(attempt, facts)] + said_by_agent(attempt.disposition)
    promised = [value for word, value in heard if word == "promise"]
    promise = promise_of(promised[-1]) if promised else None
    chosen = [fact.name for fact in ordered if fact.name in CHOICES]
    # who promises something else to an agent has not kept to what he took from the IVR
    offers = [value for word, value in heard if word == "offer" and first_payment(value) in ("", *promised[-1:])]
    return {
        "disposition": word,
        "promise_due": promise[0] if promise else None,
        "promise_amount": promise[1] or None if promise else None,
        "ivr_choice": chosen[-1] if chosen else None,
        "ivr_choices": " ".join(chosen),
        "offer": offers[-1] if offers else None,
        "verified": any(fact.name == VERIFIED for fact in facts) if attempt.ivr_at else None,
    } | _told(ordered)


def _told(facts: Sequence[Fact]) -> dict[str, Value]:
    """The conversation with the IVR: which, by what way, how it ended."""
    told: dict[str, list[str]] = {name: [] for name in ("flow", "step", "key", "closed")}
    for fact in facts:
        if fact.name in told:
            told[fact.name].append(fact.value)
    how, _, rest = "".join(told["closed"][-1:]).partition(" ")
    try:
        lasted_s = float(rest.split(" ")[0])
    except ValueError:
        lasted_s = float("nan")
    return {
        "ivr_flow": "".join(told["flow"][:1]),
        "ivr_path": " ".join(told["step"]),
        "ivr_keys": " ".join(told["key"]),
        "ivr_end": how,
        "ivr_s": lasted_s if isfinite(lasted_s) else None,
    }


def _listed(contact: Contact | None) -> dict[str, Value]:
    if contact is None:
        return {"lender": None, "product": None, "currency": None}
    return {"lender": contact.lender, "product": contact.product, "currency": contact.currency}


def erasure(campaign: str, at: float, attempts: Sequence[str]) -> dict[str, str]:
    """A person was erased: readers keep nothing of these attempts either."""
    values: dict[str, Value] = {
        "v": VERSION, "type": Type.ERASURE.value, "campaign": campaign, "at": at, "attempts": " ".join(attempts)
    }  # fmt: skip
    return {name: _written(field.form, values[name]) for name, field in ERASURE_FIELDS.items()}


def correction(attempt: str, campaign: str, at: float, by: str, changes: Mapping[str, Value]) -> dict[str, str]:
    """A late change of an outcome: the fields of `changes` replace those of the attempt's record.

    Raises BadInput for a field that cannot be corrected.
    """
    for name in changes:
        if name not in CORRECTABLE:
            raise BadInput(f"{name!r} cannot be corrected: use one of {', '.join(sorted(CORRECTABLE))}")
    head: dict[str, Value] = {
        "v": VERSION, "type": Type.CORRECTION.value, "attempt": attempt, "campaign": campaign, "at": at, "by": by
    }  # fmt: skip
    written = {name: _written(CORRECTION_FIELDS[name].form, value) for name, value in head.items()}
    return written | {name: _written(FIELDS[name].form, changes[name]) for name in FIELDS if name in changes}


def corrected(told: Mapping[str, str], new: Mapping[str, str], at: float, by: str) -> dict[str, str]:
    """The correction that makes the record `told` into `new`, in the fields that follow from what was said; empty:
    nothing of them changes."""
    names = [name for name in FIELDS if name in _SAID and told.get(name, "") != new[name]]
    if not names:
        return {}
    return correction(told["attempt"], told["campaign"], at, by, {}) | {name: new[name] for name in names}


def late_correction(told: Mapping[str, str], new: Mapping[str, str], at: float, by: str) -> dict[str, str]:
    """The correction that makes the record of a call which its writer had lost sight of into that of one who had not:
    every field that differs, but for those by which the call is known."""
    names = [name for name in FIELDS if name not in _FIXED and told.get(name, "") != new.get(name, "")]
    return correction(told["attempt"], told["campaign"], at, by, {}) | {name: new.get(name, "") for name in names}


_SAID = CORRECTABLE - {"recording", "wrapped_at", "wrap_up_s"}
_FIXED = frozenset({"v", "type", "attempt", "campaign", "debtor", "person", "number", "direction", "kind"})


def refusal_record(campaign: Campaign, contact: Contact, number: Number, refused: Refused, at: float) -> dict[str, str]:
    """The entry of a call that was not placed: once per contact, rule and `until`; repeats are counters elsewhere."""
    values: dict[str, Value] = {
        "v": VERSION,
        "type": Type.REFUSAL.value,
        "campaign": campaign.id,
        "debtor": contact.id,
        "person": contact.person,
        "number": number.e164,
        "number_kind": number.kind.value,
        "pack": campaign.pack,
        "rule": refused.rule,
        "reason": refused.reason,
        "at": at,
        "until": refused.until if isfinite(refused.until) else None,
    }
    return {name: _written(field.form, values[name]) for name, field in REFUSAL_FIELDS.items()}


def iso(at: float) -> str:
    """Epoch seconds -> `2026-11-21T03:04:05.678Z`; 0.0 -> empty."""
    if not at:
        return ""
    return datetime.fromtimestamp(round(at, 3), UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _written(form: Form, value: Value) -> str:
    if value is None or value == "":
        return ""
    match form:
        case Form.TIME:
            return iso(float(value)) if isinstance(value, int | float) else str(value)
        case Form.DAY:
            return value.isoformat() if isinstance(value, date) else str(value)
        case Form.SECONDS | Form.SHARE:
            return f"{value:.3f}" if isinstance(value, int | float) else str(value)
        case Form.FLAG:
            return "1" if value else "0"
        case _:
            return str(value)


# ---- reading


@dataclass(frozen=True, slots=True)
class Entry:
    """One entry read back. `values`: the fields this version knows, None where empty; `unknown`: the others, as is."""

    type: Type
    version: int
    values: Mapping[str, Value]
    unknown: Mapping[str, str]


def read(entry: Mapping[str, str] | Mapping[bytes, bytes]) -> Entry:
    """An entry as Redis gives it -> its values: times as epoch seconds, flags as bool, days as date.

    A missing field is None. Raises BadInput naming field, value and cure.
    """
    flat = {_text(name): _text(value) for name, value in entry.items()}
    version = _number(flat.get("v", ""), "v")
    if version < 1:
        raise BadInput(f"v = {version}: entries begin at v = 1, this is no entry of Santun's streams")
    try:
        kind = Type(flat.get("type", ""))
    except ValueError:
        raise BadInput(f"type = {flat.get('type', '')!r}: use one of {', '.join(Type)}") from None
    table = _TABLES[kind]
    values = {
        name: _parsed(name, field.form, flat.get(name, "")) for name, field in table.items() if _has(kind, name, flat)
    }
    return Entry(kind, version, values, {name: value for name, value in flat.items() if name not in table})


def attempt_of(entry: Mapping[str, str], number: Number) -> Attempt:
    """The attempt that an outcome's record tells of, as far as it does. Raises BadInput."""
    values = read(entry).values
    known: dict[str, object] = {name: values[name] for name in _ATTEMPTS if values.get(name) is not None}
    known |= {name: values[name] for name in ("cause", "sip_code") if values.get(name) is not None}
    known |= {"id": values["attempt"], "contact": values.get("debtor") or "", "number": number}
    for name in ("node", "kind", "trunk", "caller_id", "language", "pack", "person"):
        known.setdefault(name, "")
    return Attempt(**known)  # type: ignore[arg-type] # the table says which form each field has


_TABLES: Mapping[Type, Mapping[str, Field]] = {
    Type.OUTCOME: FIELDS,
    Type.CORRECTION: {**CORRECTION_FIELDS, **{name: FIELDS[name] for name in FIELDS if name not in _FIXED}},
    Type.REFUSAL: REFUSAL_FIELDS,
    Type.ERASURE: ERASURE_FIELDS,
}


def _has(kind: Type, name: str, flat: Mapping[str, str]) -> bool:
    return name in flat or kind is not Type.CORRECTION or name in CORRECTION_FIELDS


def _text(value: str | bytes) -> str:
    if isinstance(value, str):
        return value
    try:
        return value.decode()
    except UnicodeDecodeError as error:
        raise BadInput(f"{value!r} is not UTF-8: the entry was not written by Santun") from error


def _number(value: str, name: str) -> int:
    try:
        return int(value)
    except ValueError:
        raise BadInput(f"{name} = {value!r}: use a whole number") from None


def _parsed(name: str, form: Form, value: str) -> Value:
    if value == "":
        return None
    parse, cure = _PARSERS[form]
    try:
        return parse(value)
    except (ValueError, KeyError, OverflowError):
        raise BadInput(f"{name} = {value!r}: use {cure}") from None


def _time(value: str) -> float:
    when = datetime.fromisoformat(value)
    if when.tzinfo is None:
        raise ValueError(value)
    return when.timestamp()


def _seconds(value: str) -> float:
    number = float(value)
    if not isfinite(number):
        raise ValueError(value)
    return number


def _share(value: str) -> float:
    number = float(value)
    if not 0.0 <= number <= 1.0:
        raise ValueError(value)
    return number


_PARSERS: Mapping[Form, tuple[Callable[[str], Value], str]] = {
    Form.TEXT: (str, "text"),
    Form.TIME: (_time, "a UTC time like 2026-11-21T03:04:05.678Z"),
    Form.DAY: (date.fromisoformat, "a day like 2026-12-01"),
    Form.SECONDS: (_seconds, "seconds like 12.500"),
    Form.SHARE: (_share, "a share from 0.000 to 1.000"),
    Form.NUMBER: (int, "a whole number"),
    Form.FLAG: ({"1": True, "0": False}.__getitem__, "1 or 0"),
    Form.OUTCOME: (Outcome, "one of " + ", ".join(Outcome)),
    Form.SIDE: (Side, "one of " + ", ".join(Side)),
}


# ---- documentation


def document() -> str:
    """docs/outcome-record.md, made from the tables."""
    parts = [
        "# The outcome record",
        "",
        f"Version {VERSION}, made from the tables in `dialer/stream.py`; do not edit, but run",
        "`python -c 'from dialer.stream import document; print(document(), end=\"\")' > docs/outcome-record.md`.",
        "",
        "Every attempt writes exactly one `outcome` entry to the Redis stream `{campaign}:outcomes`. A late or changed",
        "result is a `correction` entry in the same stream: its fields replace those of the attempt it names. A call",
        "that was not placed is a `refusal` entry in `{campaign}:refusals`. Entries are flat: names and strings. What",
        "did not happen is empty. Fields may be added at the end; names and meanings do not change within a version.",
        "Where a person was erased (docs/privacy.md), his entries are gone and an `erasure` entry names the attempts:",
        "readers forget them, too. The outcome of a call that was under way then has no `debtor`, `person`, `number`.",
        "",
        "An engine that was cut off and saw how a call ended, which another one could only find gone, corrects the",
        "record: such an entry is by `spool`, and may name any field but those by which the call is known",
        "([why](decisions/0120-what-redis-cannot-take.md)).",
        "",
        "| form | written as |",
        "|---|---|",
        *(f"| {form.value} | {_PARSERS[form][1]} |" for form in Form if form not in (Form.OUTCOME, Form.SIDE)),
    ]
    changeable = ", ".join(f"`{name}`" for name in FIELDS if name in CORRECTABLE)
    titles = ("Outcome", f"Correction, with any of {changeable}", "Refusal", "Erasure")
    for title, table in zip(titles, (FIELDS, CORRECTION_FIELDS, REFUSAL_FIELDS, ERASURE_FIELDS), strict=True):
        parts += ["", f"## {title}", "", "| field | form | meaning |", "|---|---|---|"]
        parts += [f"| {name} | {field.form.value} | {field.meaning} |" for name, field in table.items()]
    return "\n".join(parts) + "\n"
