"""Invented debtors: the same for the same seed, every one of them usable, their secrets those of the carrier's keys."""

import csv
from datetime import date
from pathlib import Path

import pytest

from dialer import contacts
from dialer.adapters import list_files
from dialer.adapters.limit_files import LimitFile
from dialer.debts.plans import for_contact
from dialer.demo.carrier import BY_CODE, BY_NAME
from dialer.demo.debtors import BIRTH_DATE, FOR_AGENTS, FOR_IVR, invent, keys
from dialer.demo.stage import MIXES
from dialer.demo.world import LIMITS
from dialer.lists.columns import read_header
from dialer.model import Contact

TODAY = date(2026, 11, 21)
EXAMPLES = Path(__file__).parents[2] / "docs" / "examples" / "debtors.csv"
RULES = contacts.ListRules(bytes(32), "ID", frozenset({62}), False, "IDR")


def read(path: Path) -> list[Contact | contacts.Rejected]:
    written = list_files.inspect(path)
    return list(contacts.read_rows(list_files.rows(written), read_header(written.header), RULES))


@pytest.mark.parametrize("mix", MIXES.values(), ids=MIXES)
def test_the_same_seed_gives_the_same_debtors(mix: dict[str, int]) -> None:
    first = list(invent(200, mix, 1, TODAY))
    assert first == list(invent(200, mix, 1, TODAY))
    assert first != list(invent(200, mix, 2, TODAY))
    assert {one.behaviour for one in first} <= set(mix)


def test_every_behaviour_is_met_in_the_demo() -> None:
    for_chaos = {"hears"}
    assert FOR_AGENTS.keys() | FOR_IVR.keys() == BY_NAME.keys() - for_chaos


def test_every_one_is_read_as_a_lenders_list_is(tmp_path: Path) -> None:
    rows = [one.row for one in invent(300, FOR_AGENTS, 1, TODAY)]
    path = tmp_path / "list.csv"
    with path.open("w", newline="") as file:
        writer = csv.DictWriter(file, rows[0].keys())
        writer.writeheader()
        writer.writerows(rows)
    found = read(path)
    assert len(found) == 300
    assert all(isinstance(one, Contact) and one.secret_digits == 8 for one in found)
    assert len({one.numbers[0].e164 for one in found if isinstance(one, Contact)}) == 300


def test_the_examples_are_read_and_the_carrier_knows_most_of_them() -> None:
    found = read(EXAMPLES)
    numbers = [one.numbers[0].e164 for one in found if isinstance(one, Contact)]
    assert len(numbers) == len(found) == 11
    known = [one for one in numbers if one.startswith("+62812") and len(one) == 15]
    assert {BY_CODE[one[-2:]].name for one in known} >= {"human", "busy", "voicemail", "keys_right", "rings_out"}
    assert len(known) == 9


def test_the_right_keys_are_the_debtors_own() -> None:
    pressed = keys(TODAY)
    assert f"{BIRTH_DATE:%d%m%Y}" in pressed["keys_right"]
    assert "2411" in pressed["keys_right"]  # the day the promise is for, three days on
    assert f"{BIRTH_DATE:%d%m%Y}" not in pressed["keys_wrong"]


def test_whoever_agrees_to_an_offer_by_key_is_made_that_offer(tmp_path: Path) -> None:
    """Relief, in parts, the smaller plan, agreed: what is pressed is there for every debtor of the list."""
    rows = [one.row for one in invent(300, FOR_IVR, 1, TODAY, 50_000)]
    path = tmp_path / "list.csv"
    with path.open("w", newline="") as file:
        writer = csv.DictWriter(file, rows[0].keys())
        writer.writeheader()
        writer.writerows(rows)
    kept = LimitFile(LIMITS)
    offered = [
        for_contact(one, kept.limits("demo-ivr", one.lender), TODAY) for one in read(path) if isinstance(one, Contact)
    ]
    assert len(offered) == 300
    assert all({"short", "long", "defer"} <= {one.name for one in found} for found in offered)
    assert 60 < sum(found[0].name == "early" and found[0].waived > 0 for found in offered) < 140
    assert keys(TODAY)["keys_offer"] == f"1-{BIRTH_DATE:%d%m%Y}-3-2-1-1"
