"""From the list to the talk: what is known of a debtor, and what the lender lets us offer him."""

from dataclasses import replace
from datetime import datetime
from zoneinfo import ZoneInfo

import pytest

from dialer.debts.plans import Limits
from dialer.model import Contact
from ivr.preparing import prepared
from ivr.talk import State as At
from ivr.talk import Talk, conditions
from tests.ivr.twins import CAMPAIGN, CONTACT, KEY

NOW = datetime(2026, 11, 21, 15, 33, tzinfo=ZoneInfo("Asia/Jakarta"))


def talk(contact: Contact = CONTACT, limits: Limits | None = None) -> Talk:
    return prepared(contact, CAMPAIGN, NOW, "id", KEY, limits or Limits())


@pytest.mark.parametrize(
    ("custom", "number", "held"),
    [
        ((), "", set()),
        ((("va_number", "8077 0812-3456.7890"),), "8077081234567890", {"va"}),
        ((("va_number", "80770812"), ("va_bank", "Bank Maju")), "80770812", {"va", "va_bank"}),
        ((("va_number", "80770812"), ("va_bank", "<>")), "80770812", {"va"}),
        ((("va_number", "12345"),), "", set()),
        ((("va_number", "1" * 31),), "", set()),
        ((("va_number", "8077x0812"), ("va_bank", "Bank")), "", set()),
    ],
)
def test_a_virtual_account(custom: tuple[tuple[str, str], ...], number: str, held: set[str]) -> None:
    found = talk(replace(CONTACT, custom=custom))
    assert found.va_number == number
    assert conditions(found, At("menu")) & {"va", "va_bank"} == held


def test_offers_come_from_the_list_and_the_limits() -> None:
    limits = Limits(early_days=3, early_percent=20, parts=2, interest_cut_percent=50)
    contact = replace(CONTACT, incentive=50_000, minimum=800_000, custom=(("interest", "100000"),))
    early, short = talk(contact, limits).offers
    assert (str(early), early.waived) == ("early;2026-11-24=1200000", 50_000)
    assert (str(short), short.waived) == ("short;2026-11-24=800000;2026-12-24=400000", 50_000)
    assert talk(contact).offers == ()


def test_his_clock() -> None:
    found = talk()
    assert (found.minute, found.greeting) == (15 * 60 + 33, "afternoon")
    assert found.moment(found.today, 600).isoformat(timespec="minutes") == "2026-11-21T10:00+07:00"
