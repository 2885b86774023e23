"""Results that cannot be meant are told while the agent can mend them."""

from datetime import UTC, datetime, timedelta

import pytest

from dialer.desk.dispositions import fault
from dialer.model import Campaign, Contact, Number

AT = datetime(2026, 11, 23, 3, 0, tzinfo=UTC).timestamp()
OWES = Contact("k1", "p1", (Number("+6281234567890", "n1"),), zone="Asia/Jakarta", amount=1_000_000, minimum=100_000)
CAMPAIGN = Campaign("c1", "c1", promise_days_max=14)


def day(days: int) -> str:
    return f"{datetime.fromtimestamp(AT, UTC).date() + timedelta(days=days)}"


@pytest.mark.parametrize(
    ("said", "contact", "says"),
    [
        (f"promise:{day(7)};500000", OWES, ""),
        (f"promise:{day(0)}", OWES, ""),
        (f"promise:{day(-1)};500000", OWES, "is past"),
        (f"promise:{day(15)};500000", OWES, "is too late"),
        (f"promise:{day(7)};50000", OWES, "less than the lender takes"),
        (f"promise:{day(7)};5000000", OWES, "more than is owed"),
        ("promise:tomorrow", OWES, "is no promise"),
        ("promise", OWES, "is no promise"),
        (f"promise:{day(40)};1", None, ""),
        ("callback:soon", OWES, "is no time"),
        ("refuses", OWES, ""),
        ("", OWES, ""),
    ],
)
def test_what_can_be_meant(said: str, contact: Contact | None, says: str) -> None:
    found = fault(said, "Asia/Jakarta", contact, CAMPAIGN, AT)
    assert says in found
    assert bool(says) is bool(found)
