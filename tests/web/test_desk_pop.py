"""The pop: what an agent sees of an account, and what he never does."""

from dataclasses import replace
from datetime import UTC, date, datetime

import msgspec
import pytest

from dialer.config import AGENT_FIELDS
from dialer.debts.history import Entry, What
from dialer.model import Campaign, Contact, Fact, Number
from dialer.web.api.desk_account import build_pop
from dialer.web.api.desk_form import DeskNote, Pop, Result
from dialer.web.talk import Stage

AT = datetime(2026, 11, 23, 3, 0, tzinfo=UTC).timestamp()  # 10:00 in Jakarta, 12:00 in Jayapura
CAMPAIGN = Campaign("april", "April", caller_name="PT Maju", promise_days_max=14)
CONTACT = Contact(
    "c1", "p1", (Number("+6281234567890", "n1"),), name="Budi", lender="Bank Maju", product="kredit motor",
    amount=1_250_000, minimum=100_000, due=date(2026, 11, 13), zone="Asia/Jakarta", account="ACC-9",
    province="Jawa Barat",
)  # fmt: skip
NOTE = DeskNote(
    "1001", "april", "pbx1", "talking", AT, AT, attempt="a1", contact="c1", number="+62812•••••890",
    number_kind="debtor", kind="predictive",
)  # fmt: skip
ALL = frozenset(AGENT_FIELDS)


def pop(
    *entries: Entry, allowed: frozenset[str] = ALL, contact: Contact = CONTACT, facts: tuple[Fact, ...] = ()
) -> Pop:
    return build_pop(NOTE, CAMPAIGN, contact, entries, facts, allowed, AT)


def call(n: int, **more: object) -> Entry:
    return Entry(What.CALL, f"a{n}", int(AT) - 1000 + n, "april", "c1", "connected", talk_s=60, **more)  # type: ignore[arg-type]


def test_the_account() -> None:
    seen = pop()
    assert (seen.name, seen.outstanding, seen.days_late, seen.due) == ("Budi", 1_250_000, 10, date(2026, 11, 13))
    assert seen.script.stage is Stage.EARLY
    first = seen.script.steps[Stage.EARLY][0].say
    assert first == "Selamat pagi, saya menelepon dari PT Maju. Apakah saya berbicara dengan Bapak/Ibu Budi?"
    assert "Rp1.250.000" in seen.script.steps[Stage.EARLY][1].say


def test_a_day_is_the_debtors() -> None:
    late = datetime(2026, 11, 22, 16, 30, tzinfo=UTC).timestamp()  # the 23rd in Jayapura, the 22nd in Jakarta
    there = build_pop(NOTE, CAMPAIGN, replace(CONTACT, zone="Asia/Jayapura"), (), (), ALL, late)
    here = build_pop(NOTE, CAMPAIGN, CONTACT, (), (), ALL, late)
    assert (there.days_late, here.days_late) == (10, 9)
    assert (there.limit.first_day, here.limit.first_day) == (date(2026, 11, 23), date(2026, 11, 22))


def test_no_number_in_full_is_in_it() -> None:
    assert b"81234567890" not in msgspec.json.encode(pop())


@pytest.mark.parametrize("hidden", sorted(ALL))
def test_what_is_not_allowed_is_nowhere(hidden: str) -> None:
    values = {"name": "Budi", "lender": "Bank Maju", "product": "kredit motor", "outstanding": "1.250.000"}
    seen = pop(allowed=ALL - {hidden})
    default = next(one.default for one in msgspec.structs.fields(Pop) if one.name == hidden)
    assert getattr(seen, hidden) == default
    if hidden in values:
        assert values[hidden].encode() not in msgspec.json.encode(seen.script)


def test_account_number_and_home_only_where_the_operator_says_so() -> None:
    assert pop().account == pop().province == ""
    assert pop(allowed=ALL | {"account", "province"}).account == "ACC-9"


def test_promises_and_contacts() -> None:
    seen = pop(
        call(1, disposition="promise:2026-11-20;500000", amount=500_000, due=date(2026, 11, 20)),
        Entry(What.BROKEN, "a1", int(AT) - 500, "april", "c1", amount=500_000, due=date(2026, 11, 20)),
        Entry(What.NOTE, "n1", int(AT) - 400, by="sari", text="minta dihubungi sore"),
        Entry(What.CALL, "a2", int(AT) - 300, "april", "c1", "no_answer"),
    )
    assert seen.promises is not None
    assert (seen.promises.kept, seen.promises.broken, seen.promises.open_amount) == (0, 1, 500_000)
    assert seen.contacts is not None
    assert [one.disposition for one in seen.contacts] == ["promise"]  # who did not pick up was not spoken with
    assert seen.notes is not None
    assert seen.notes[0].text == "minta dihubungi sore"
    assert seen.script.stage is Stage.BROKEN
    assert any("20 November 2026" in step.say for step in seen.script.steps[Stage.BROKEN])


def test_a_kept_promise_is_open_no_more() -> None:
    seen = pop(
        call(1, disposition="promise:2026-11-20;500000", amount=500_000, due=date(2026, 11, 20)),
        Entry(What.KEPT, "a1", int(AT) - 500, "april", "c1", amount=500_000, due=date(2026, 11, 20)),
    )
    assert seen.promises is not None
    assert (seen.promises.kept, seen.promises.open_day) == (1, None)


def test_what_the_ivr_heard() -> None:
    seen = pop(facts=(Fact(1, AT, "step", "menu"), Fact(2, AT, "verified"), Fact(3, AT, "promise", "2026-12-01;1")))
    assert seen.heard is not None
    assert [one.what for one in seen.heard] == ["verified", "promise"]


def test_limits_of_a_promise() -> None:
    limit = pop().limit
    assert (limit.first_day, limit.last_day) == (date(2026, 11, 23), date(2026, 12, 7))
    assert (limit.least, limit.most) == (100_000, 1_250_000)


def test_nothing_is_known_of_who_is_on_no_list() -> None:
    seen = pop(contact=Contact("", "", ()))
    assert seen.name == ""
    assert seen.outstanding is None
    assert all("{" not in step.say for steps in seen.script.steps.values() for step in steps)


@pytest.mark.parametrize(
    "body",
    [
        b'{"attempt":"a1","word":"shout"}',
        b'{"attempt":"a1","word":"promise","amount":-1}',
        b'{"attempt":"a1","word":"promise","day":"2026-13-01"}',
        b'{"attempt":"a1","word":"call_back","at":"tomorrow"}',
        b'{"attempt":"a1","word":"refuses","agent":"1002"}',
    ],
)
def test_a_result_is_checked(body: bytes) -> None:
    with pytest.raises(msgspec.ValidationError):
        msgspec.json.decode(body, type=Result)
