"""Somebody calls us: who he may be, what he may hear, and that his caller id proves nothing."""

import threading
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace

import pytest

from dialer.dialplan import IvrResult
from dialer.errors import StoreDown
from dialer.floor.inbound import Incoming, Listed
from dialer.keyed import number_key
from dialer.model import Attempt, Campaign, Contact, Number
from ivr import session
from ivr.adapters.agi import Server
from ivr.adapters.line import PaymentReminder
from ivr.adapters.speech import SILENCE, opened
from ivr.inbound import told_of
from ivr.shipped import wish
from tests.ivr import twins
from tests.ivr.peer import Peer
from tests.ivr.twins import CALL, CAMPAIGN, KEY, Phone, Store

E164 = "+6281234567890"
HIS = Number(E164, number_key(KEY, E164))
DEBTOR = twins.contact(numbers=(HIS,))
LINED = replace(CAMPAIGN, caller_id="+622150001234")
CAME = Incoming("node-1795250000.7", "081234567890", "02150001234")
TOLD = {"amount", "purpose", "due_late", "ask_name", "va_number"}


@dataclass
class Arrivals:
    """Contacts by number."""

    contacts: Sequence[Contact] = (DEBTOR,)
    down: bool = False
    entered: list[Attempt] = field(default_factory=list)

    def listed(self, number_key: str) -> list[Listed]:
        if self.down:
            raise StoreDown("a test")
        return [Listed(LINED, one) for one in self.contacts if number_key in {number.key for number in one.numbers}]

    def campaigns(self) -> list[Campaign]:
        return [LINED]

    def enter(self, attempt: Attempt) -> None:
        self.entered.append(attempt)


def arrive(came: Incoming, arrivals: Arrivals | None) -> tuple[Attempt | None, Phone]:
    phone = Phone()
    found = session.arrive(came, phone, replace(twins.desk(Store()), arrivals=arrivals))
    return (found.attempt if found else None), phone


def test_he_is_found_by_his_number_and_on_the_books_before_a_word_is_said() -> None:
    arrivals = Arrivals()
    found, phone = arrive(CAME, arrivals)
    assert found is not None
    assert (found.contact, found.campaign, found.kind, found.id) == (DEBTOR.id, LINED.id, "inbound", CAME.channel)
    assert arrivals.entered == [found]
    assert phone.results == []


@pytest.mark.parametrize("caller", ["anonymous", "", "081299999999", "0812\r\nX: y", "%00", "+1", "9" * 5000])
def test_a_stranger_who_dials_a_campaigns_line_is_entered_without_a_contact(caller: str) -> None:
    found, _ = arrive(replace(CAME, caller=caller), Arrivals())
    assert found is not None
    assert (found.contact, found.person) == ("", "")
    assert found.number.e164 in ("", "+6281299999999")


@pytest.mark.parametrize(
    ("came", "arrivals"),
    [
        (replace(CAME, caller="081299999999", dialled="1"), Arrivals()),
        (replace(CAME, caller="", dialled=""), Arrivals()),
        (replace(CAME, channel=""), Arrivals()),
        (replace(CAME, channel="a\nb"), Arrivals()),
        (CAME, Arrivals(down=True)),
        (CAME, None),
    ],
    ids=["stranger", "nothing known", "no channel", "no name of a channel", "store down", "not served here"],
)
def test_nobodys_call_gets_the_courteous_message(came: Incoming, arrivals: Arrivals | None) -> None:
    found, phone = arrive(came, arrivals)
    assert found is None
    assert phone.results == [IvrResult.MESSAGE]
    assert set(phone.events) <= {"wait", "finish"}
    assert arrivals is None or not arrivals.entered


@pytest.mark.parametrize("contact", [DEBTOR, twins.contact(name=""), twins.contact(language="en")])
def test_without_the_secret_he_hears_nothing_of_the_list(contact: Contact) -> None:
    for keys in ((), ("1", "9999", "9999", "9999"), ("1", "", "")):
        store, phone = Store(contact=contact, inbound=True), Phone(keys)
        session.play(CALL, phone, twins.desk(store))
        assert not TOLD & set(phone.events), "told before he proved who he is"
        assert "verified" not in dict(store.told)


def test_with_the_secret_he_settles_the_matter() -> None:
    store, phone = Store(inbound=True), Phone("".join(twins.PROMISE))
    assert session.play(CALL, phone, twins.desk(store)) == "promise"
    assert {"verified", "told", "promise"} <= set(dict(store.told))
    assert "amount" in phone.events


@pytest.mark.parametrize("contact", [twins.contact(secret="", secret_digits=0), twins.contact(secret_digits=0)])
@pytest.mark.parametrize(
    ("keys", "how"),
    [((), "no_input"), (("0",), "agent"), (("1", "1", "1"), "call_back"), (("1", "4", *"1000", "1"), "call_back")],
)
def test_who_has_no_secret_is_told_no_debt_and_may_leave_a_wish(
    contact: Contact, keys: tuple[str, ...], how: str
) -> None:
    store, phone = Store(contact=contact, inbound=True), Phone(keys)
    assert session.play(CALL, phone, twins.desk(store)) == how
    assert not TOLD & set(phone.events)
    assert not {"verified", "told"} & set(dict(store.told))
    assert phone.results == [IvrResult.AGENT if how == "agent" else IvrResult.DONE]


def test_nothing_of_the_list_can_reach_the_talk_of_who_has_no_secret() -> None:
    known = told_of(twins.contact(secret="", numbers=(HIS,), custom=(("va_number", "8077081234567890"),)))
    assert known == Contact("c1", "p1", (), language="id", zone="Asia/Jakarta")
    assert told_of(DEBTOR) == replace(DEBTOR, name="")
    assert not wish().debt


def test_on_the_line_the_dialplan_is_told_what_an_originate_would_have_said(tmp_path_factory: object) -> None:
    assert isinstance(tmp_path_factory, pytest.TempPathFactory)
    store, arrivals = Store(inbound=True), Arrivals()
    with ThreadPoolExecutor(4) as background:
        desk = replace(twins.desk(store), background=background.submit, arrivals=arrivals)
        script = PaymentReminder(desk, opened(tmp_path_factory.mktemp("prompts")), background)
        server = Server("127.0.0.1", 0, {"payment_reminder": script})
        threading.Thread(target=server.serve, daemon=True).start()
        keys = iter("112340")
        peer = Peer(
            server.address,
            {},
            lambda path, wanted: next(keys, "") if wanted and path.name == SILENCE else "",
            env={"agi_uniqueid": CAME.channel, "agi_callerid": CAME.caller, "agi_dnid": CAME.dialled},
        ).run()
        server.stop(5)
    assert peer.set["SANTUN_ATTEMPT"] == arrivals.entered[0].id == CAME.channel
    assert (peer.set["SANTUN_CAMPAIGN"], peer.set["SANTUN_OVERFLOW"]) == (LINED.id, "message")
    assert peer.set["SANTUN_AGENT_WAIT_S"] == "60"
    assert peer.set["IVR_RESULT"] == "agent"
    assert script.endings == {"agent": 1}
