"""The law on an invented day: one of the product's rule packs, and when a shift may begin under it."""

from dataclasses import replace
from datetime import UTC, datetime
from functools import cache

from dialer.adapters.rule_files import load_pack
from dialer.compliance import may_call
from dialer.config import Trunk
from dialer.law.rulebook import Pack
from dialer.model import Allowed, Campaign, Contact, History, Machine, Number

DAY = datetime(2026, 11, 23, tzinfo=UTC).timestamp()  # an ordinary Monday
CALLER = "+622150000000"
CAMPAIGN = Campaign(
    id="simulated", name="Simulated", caller_id=CALLER, caller_name="Simulated", detection=True, machine=Machine.HANGUP
)
STEP_S = 900.0
EARLY_S = 3600.0  # a shift that has the time begins so long after the hours do: zones to the east close earlier


@cache
def pack_of(name: str = "indonesia") -> Pack:
    """One of the product's packs, with its holidays."""
    trunk = Trunk(endpoint="simulated", host="127.0.0.1", lines=10_000, caller_ids=(CALLER,))
    return load_pack(replace(CAMPAIGN, pack=name), trunk, DAY)


def begin_of(pack: Pack, hours: float) -> float:
    """Epoch second at which a shift of so many hours begins, as the gate sees it."""
    number = Number("+628110000000", "n")
    contact = Contact("probe", "p", (number,), zone=pack.zones[0])
    for step in range(-96, 192):
        answer = may_call(contact, number, History(), History(), pack, DAY + step * STEP_S, 0.0)
        if isinstance(answer, Allowed):
            opens = DAY + step * STEP_S
            return opens + (EARLY_S if answer.must_start_by - opens >= hours * 3600 + 3 * EARLY_S - 120 else 0.0)
    return DAY
