"""What a person's history holds: calls, notes, payments and what became of promises; never a number in full."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from enum import StrEnum

from dialer.mask import mask_text
from dialer.model import Attempt, Verdict

ENTRIES_MAX = 100  # of one person: the oldest goes first
KEPT_DAYS = 400  # after it was written down; as long as the log of decisions
NOTE_MAX = 1000  # characters


class What(StrEnum):
    """What an entry tells of."""

    CALL = "call"
    NOTE = "note"  # by an agent or a supervisor
    PAYMENT = "payment"
    KEPT = "promise_kept"
    PART = "promise_part"
    BROKEN = "promise_broken"


@dataclass(frozen=True, slots=True)
class Entry:
    """One line. `id`: of the attempt, the note, the payment or the promise; `at`: epoch, whole seconds."""

    what: What
    id: str
    at: int
    campaign: str = ""
    contact: str = ""  # the account that it is about
    outcome: str = ""
    side: str = ""
    reason: str = ""
    disposition: str = ""
    amount: int = 0  # promised or paid, smallest written unit of the currency
    currency: str = ""  # of the amount
    due: date | None = None  # day promised
    agent: str = ""
    talk_s: int = 0
    number_kind: str = ""  # whose number was called: debtor, co_borrower, ...
    choice: str = ""  # the last thing chosen in the IVR
    by: str = ""  # who wrote a note, who told of a payment
    text: str = ""


def of_call(attempt: Attempt, verdict: Verdict, record: Mapping[str, str]) -> Entry:
    """The entry of an attempt that is over. `record`: its public record, for what was said in the call."""
    due, amount = record.get("promise_due", ""), record.get("promise_amount", "")
    promised = bool(due or amount)
    return Entry(
        What.CALL, attempt.id, int(attempt.ended_at or attempt.claimed_at), attempt.campaign, attempt.contact,
        verdict.outcome.value, verdict.side.value, verdict.reason, record.get("disposition", ""),
        int(amount) if amount else 0, record.get("currency", "") if promised else "",
        date.fromisoformat(due) if due else None, attempt.agent, round(attempt.talk_s), attempt.number.kind.value,
        record.get("ivr_choice", ""),
    )  # fmt: skip


def note(note_id: str, at: float, by: str, text: str, campaign: str = "", contact: str = "") -> Entry:
    """What somebody wrote, on one line, long runs of digits masked: a number belongs into the list, not into a note."""
    plain = mask_text(" ".join("".join(char if char.isprintable() else " " for char in text).split()))
    return Entry(What.NOTE, note_id, int(at), campaign, contact, by=by, text=plain[:NOTE_MAX])


def is_contact(entry: Entry) -> bool:
    """Whether he was spoken with: what a desk shows as last contacts."""
    return entry.what is What.CALL and (entry.talk_s > 0 or bool(entry.disposition or entry.choice))
