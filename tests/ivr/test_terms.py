"""Limits by lender and by campaign, and a campaign's own conversation: out of one file, each fault with its line."""

import shutil
from dataclasses import replace
from pathlib import Path

import pytest

from dialer.debts.plans import Limits
from dialer.errors import ConfigError
from ivr import session
from ivr.adapters.limit_files import load_limits
from tests.ivr import twins

ROOT = Path(__file__).parents[2]
FILE = """\
parts = 2
round_to = 1000

[lender."Bank Maju"]
parts = 6
early_days = 3
early_percent = 10

[lender."PT. Dana [Sejahtera]"]   # a name as lists have it
defer_days = 7
closed_days = [5, 6]

[campaign.april]
parts = 4
flow = "greeting.toml"
"""


@pytest.fixture
def file(tmp_path: Path) -> Path:
    for name in ("flow-greeting.toml", "flow-greeting.id.toml"):
        shutil.copy(ROOT / "docs/examples" / name, tmp_path / name.removeprefix("flow-"))
    path = tmp_path / "limits.toml"
    path.write_text(FILE)
    return path


RULE = Limits(parts=2, round_to=1000)
MAJU = replace(RULE, parts=6, early_days=3, early_percent=10)


@pytest.mark.parametrize(
    ("campaign", "lender", "found"),
    [
        ("may", "", RULE),
        ("may", "Bank Lain", RULE),
        ("may", "Bank Maju", MAJU),
        ("may", "  bank  MAJU ", MAJU),
        ("may", "PT. Dana [Sejahtera]", replace(RULE, defer_days=7, closed_days=frozenset({5, 6}))),
        ("april", "", replace(RULE, parts=4)),
        ("april", "Bank Maju", replace(MAJU, parts=4)),
    ],
)
def test_the_campaigns_word_counts_first_then_the_lenders(
    file: Path, campaign: str, lender: str, found: Limits
) -> None:
    rule, terms = load_limits(file)
    assert rule == RULE
    assert terms.limits(rule, campaign, lender) == found


def test_a_call_goes_by_them(file: Path) -> None:
    rule, terms = load_limits(file)
    store = twins.Store()
    desk = replace(twins.desk(store), limits=rule, terms=terms)
    maju = session.learn(twins.CALL, desk)
    store.contact = twins.contact(lender="Bank Lain")
    other = session.learn(twins.CALL, desk)
    store.campaign = replace(twins.CAMPAIGN, id="april")
    april = session.learn(twins.CALL, desk)
    assert maju
    assert other
    assert april
    assert (maju.talk.limits, other.talk.limits, april.talk.limits.parts) == (MAJU, RULE, 4)
    assert (maju.flow.id, april.flow.id) == ("payment_reminder", "greeting")


@pytest.mark.parametrize(
    ("line", "told"),
    [
        ("[lender]\nparts = 3", '2: lender: write [lender."its name"]'),
        ("[campaign.april]\npart = 3", "2: unknown key part: "),
        ("[lender.\"A.B\"]\n\nparts = 'x'", "3: parts = 'x': "),
        ("[lender.\"A.B\"]\nflow = 'x.toml'", "2: unknown key flow: "),
        ('[lender."A.B"]\nparts = 25', "2: parts = 25: use at most 24"),
        ("[campaign.a]\nopen_minute = 1300", "2: open_minute and close_minute"),
        ("[campaign.a]\n\nflow = 'none.toml'", "3: flow = none.toml: "),
        ("[campaign.a]\nflow = 3", "2: flow: use the name of a flow"),
        ("parts = 3\nlender = 'x'", "2: lender: write [lender."),
        ("parts = -1\n[campaign.a]\nparts = -2", "1: parts = -1"),
        ("parts = -1\n[campaign.a]\nparts = -2", "3: parts = -2"),
    ],
)
def test_each_fault_has_its_line(tmp_path: Path, line: str, told: str) -> None:
    path = tmp_path / "limits.toml"
    path.write_text(line)
    with pytest.raises(ConfigError) as error:
        load_limits(path)
    assert f"{path}:{told}" in error.value.detail
