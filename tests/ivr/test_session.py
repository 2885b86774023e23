"""One dialogue over a phone: what is stored, in which order, and what happens when the line or the store goes."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, date, datetime
from threading import Event
from zoneinfo import ZoneInfo

import pytest

from dialer.dialplan import IvrResult
from dialer.lists.given import with_language
from dialer.model import Fact, Kind
from ivr import session
from ivr.dialogue import AGAIN, Listen
from ivr.prompts import Sentence
from tests.ivr import twins
from tests.ivr.twins import CALL, CAMPAIGN, CONTACT, KEY, Phone, Store

PROMISE = "".join(twins.PROMISE)


def test_a_promise_is_stored_and_the_call_ends_done() -> None:
    store, phone = Store(), Phone(PROMISE)
    assert session.play(CALL, phone, twins.desk(store)) == "promise"
    assert phone.results == [IvrResult.DONE]
    assert store.told == [
        ("flow", "payment_reminder@1"), ("language", "id"), ("step", "person"), ("key", "1"), ("step", "secret"),
        ("key", "****"), ("verified", ""), ("told", ""), ("step", "menu"), ("key", "2"), ("step", "promise"),
        ("key", "3"), ("step", "date"), ("key", "2511"), ("step", "confirm"), ("key", "1"),
        ("promise", "2026-11-25;1250000"), ("step", "promised"), ("closed", "promise 0.0 promised"),
    ]  # fmt: skip
    assert phone.events[-1] == "finish"


def test_a_choice_is_safe_before_it_is_confirmed_to_the_debtor() -> None:
    store = Store()
    phone = Phone(PROMISE, store=store)
    session.play(CALL, phone, twins.desk(store))
    noted = next(event for event in phone.events if event.startswith("promise_noted"))
    assert store.facts[int(noted.split()[1]) - 2].name == "promise"


def test_an_agent_is_asked_for() -> None:
    store, phone = Store(), Phone("112340")
    assert session.play(CALL, phone, twins.desk(store)) == "agent"
    assert phone.results == [IvrResult.AGENT]
    assert store.facts[-1] == Fact(len(store.facts), twins.NOW, "closed", "agent 0.0 agent")


def test_no_agent_in_a_campaign_without_agents() -> None:
    store, phone = Store(campaign=replace(CAMPAIGN, kind=Kind.IVR)), Phone("112340")
    assert session.play(CALL, phone, twins.desk(store)) == "listened"
    assert "menu_agent" not in phone.events


def test_an_agent_in_an_ivr_campaign_that_has_some() -> None:
    store, phone = Store(campaign=replace(CAMPAIGN, kind=Kind.IVR, ivr_agents=True)), Phone("112340")
    assert session.play(CALL, phone, twins.desk(store)) == "agent"


@pytest.mark.parametrize("at", range(1, 40))
def test_hang_up_anywhere_loses_nothing(at: int) -> None:
    """What was confirmed before the hang-up is stored, `closed` is last, and it happens once."""
    store, phone = Store(), Phone(PROMISE, hang_up_at=at)
    how = session.play(CALL, phone, twins.desk(store))
    names = [fact.name for fact in store.facts]
    assert names[-1] == "closed"
    assert names.count("closed") == 1
    assert how == ("promise" if "finish" in phone.events else "hung_up")
    assert ("promise_noted" in phone.events) <= ("promise" in names)


@pytest.mark.parametrize("at", range(1, 36, 5))
def test_a_line_that_fails_is_closed_and_says_nothing_to_the_dialplan(at: int) -> None:
    store, phone = Store(), Phone(PROMISE, fail_at=at)
    assert session.play(CALL, phone, twins.desk(store)) == "failed"
    assert phone.results == []  # without IVR_RESULT the dialplan plays the courteous message
    assert store.facts[-1].name == "closed"


@pytest.mark.parametrize(
    "store",
    [
        Store(unreadable=True),
        Store(contact=None),
        Store(contact=twins.contact(name="", secret="")),
        Store(contact=twins.contact(currency="XXX")),
        Store(contact=twins.contact(amount=10**30)),
    ],
    ids=["store down", "unknown", "nothing to verify by", "unknown currency", "unspeakable amount"],
)
def test_what_cannot_be_served_gets_the_message(store: Store) -> None:
    phone = Phone()
    session.play(CALL, phone, twins.desk(store))
    assert phone.results == [IvrResult.MESSAGE]
    assert set(phone.events) <= {"wait", "finish"}


def test_a_store_that_stays_down_is_not_called_success() -> None:
    store, phone = Store(failing=lambda count: count > 3), Phone(PROMISE)
    assert session.play(CALL, phone, twins.desk(store)) == "not_stored"
    assert "promise_noted" not in phone.events
    assert "not_stored" in phone.events
    assert phone.results == [IvrResult.MESSAGE]


def test_a_store_that_stumbles_loses_nothing() -> None:
    store, phone = Store(failing=lambda count: count % 3 == 0), Phone(PROMISE)
    assert session.play(CALL, phone, twins.desk(store)) == "promise"
    assert [fact.seq for fact in store.facts] == list(range(1, 20))


def test_silence_streams_while_the_store_is_slow() -> None:
    """A fact that takes long to store: the line is kept alive, and only then the choice is confirmed."""
    release = Event()

    class Slow(Store):
        def report(self, campaign: str, attempt: str, fact: Fact) -> None:
            if fact.name == "promise":
                assert release.wait(10)
            super().report(campaign, attempt, fact)

    class Patient(Phone):
        def wait(self, ms: int, keys: str) -> str:
            if not keys and self.events.count("wait") > 20:
                release.set()
            return super().wait(ms, keys)

    with ThreadPoolExecutor(1) as pool:
        store, phone = Slow(), Patient(PROMISE)
        desk = replace(twins.desk(store), background=pool.submit)
        assert session.play(CALL, phone, desk) == "promise"
    assert phone.events[: phone.events.index("promise_noted")].count("wait") > 10


@pytest.mark.parametrize("slow", ["new_number", ""], ids=["while a choice is stored", "before the first word"])
def test_a_key_pressed_while_something_is_waited_for_is_not_lost(slow: str) -> None:
    """It interrupts what would be said next."""
    release = Event()

    class Slow(Store):
        def debtor(self, campaign: str, attempt: str) -> twins.Called | None:
            assert slow or release.wait(10)
            return super().debtor(campaign, attempt)

        def report(self, campaign: str, attempt: str, fact: Fact) -> None:
            assert fact.name != slow or release.wait(10)
            super().report(campaign, attempt, fact)

    class Hasty(Phone):
        def say(self, sentence: Sentence, keys: str) -> str:
            super().say(sentence, keys)
            return next(self._keys, "") if keys else ""

        def wait(self, ms: int, keys: str) -> str:
            key = super().wait(ms, keys)
            if ms == session.STORE_STEP_MS and not keys:
                release.set()  # it has been pressed
            return key

    with ThreadPoolExecutor(1) as pool:
        store, phone = Slow(), Hasty("11234441081234567890#10" if slow else "112340")
        desk = replace(twins.desk(store), background=pool.submit)
        assert session.play(CALL, phone, desk) == "agent"
    first = store.told.index(("key", "0"))
    assert not slow or store.told[first - 3 : first] == [
        ("key", "1"),
        ("new_number", "+6281234567890"),
        ("step", "menu"),
    ]
    assert ("number_noted" if slow else "caller") not in phone.events


@pytest.mark.parametrize(
    ("pressed", "keyed"),
    [
        ("1234", "1234"),
        (["1", "2", "#"], "12"),
        (["1", "", "2"], "1"),
        (["", "1"], ""),
        (["#", "1"], ""),
        (["*", "1"], AGAIN),
        (["1", "*", "2"], AGAIN),
    ],
)
def test_entries_end_by_count_by_hash_or_by_silence(pressed: str, keyed: str) -> None:
    listen = Listen("0123456789*", 4)
    assert session._listened(listen, "", Phone(pressed)) == keyed


def test_a_key_during_playback_begins_the_entry() -> None:
    assert session._listened(Listen("0123456789*", 4), "1", Phone("234")) == "1234"
    assert session._listened(Listen("0123456789*", 1), "1", Phone("234")) == "1"


@pytest.mark.parametrize(
    ("at", "zone", "greeting", "today"),
    [
        ("2026-11-20T20:59:00", "Asia/Jakarta", "evening", date(2026, 11, 21)),
        ("2026-11-20T21:00:00", "Asia/Jakarta", "morning", date(2026, 11, 21)),
        ("2026-11-21T04:00:00", "Asia/Jakarta", "noon", date(2026, 11, 21)),
        ("2026-11-21T08:00:00", "Asia/Jakarta", "afternoon", date(2026, 11, 21)),
        ("2026-11-21T11:00:00", "Asia/Jakarta", "evening", date(2026, 11, 21)),
        ("2026-11-21T15:30:00", "Asia/Jayapura", "evening", date(2026, 11, 22)),
        ("2026-11-21T08:00:00", "", "hello", date(2026, 11, 21)),
    ],
)
def test_the_debtors_own_day(at: str, zone: str, greeting: str, today: date) -> None:
    clock = twins.Clock()
    clock.at = datetime.fromisoformat(at).replace(tzinfo=UTC).timestamp()
    desk = replace(twins.desk(Store()), clock=clock, zone_of=lambda name: ZoneInfo(name or "Asia/Jakarta"))
    found = session.dialogue_of(CALL, desk, CAMPAIGN, replace(CONTACT, zone=zone))
    assert found
    assert (found.talk.greeting, found.talk.today) == (greeting, today)


@pytest.mark.parametrize(
    ("contact", "campaign", "variable", "language", "switch"),
    [
        ("en", "id", "id", "en", False),
        ("", "en", "id", "en", True),
        ("", "", "en", "en", True),
        ("jv", "xx", "", "id", False),
    ],
)
def test_language(contact: str, campaign: str, variable: str, language: str, switch: bool) -> None:
    found = session.dialogue_of(
        replace(CALL, language=variable),
        twins.desk(Store()),
        replace(CAMPAIGN, language=campaign),
        replace(CONTACT, language=contact),
    )
    assert found
    assert (found.talk.language, found.talk.switch) == (language, switch)


def test_the_secret_is_compared_by_keyed_hash() -> None:
    found = session.dialogue_of(CALL, twins.desk(Store()), CAMPAIGN, CONTACT)
    assert found
    assert found.talk.proves("1234")
    assert not found.talk.proves("1235")
    assert not found.talk.proves("")
    assert KEY.hex() not in repr(found)


def test_a_hang_up_tells_where_it_was() -> None:
    store = Store()
    session.play(CALL, Phone("11234", hang_up_at=25), twins.desk(store))
    assert store.told[-1] == ("closed", "hung_up 0.0 menu")


# ---- who waits for an agent and would rather be called

WAITS = replace(CALL, waits=True)


def test_his_call_back_is_noted_before_a_word_is_said() -> None:
    store = Store()
    phone = Phone(store=store)
    assert session.play(WAITS, phone, twins.desk(store)) == "call_back"
    assert phone.events[0] == "call_noted 4"
    assert phone.results == [IvrResult.DONE]
    assert store.told[2] == ("call_back", "2026-11-21T08:50+00:00")
    assert [fact.seq for fact in store.facts] == [session.SECOND + seq for seq in range(1, len(store.facts) + 1)]
    assert not {"amount", "purpose", "ask_name"} & {event.split()[0] for event in phone.events}


@pytest.mark.parametrize(
    ("keys", "when"),
    [
        ("1", "2026-11-21T08:50"),
        ("23", "2026-11-21T16:00"),
        ("2490", "2026-11-21T08:50"),
        ("241000", "2026-11-21T10:00"),
    ],
)
def test_he_may_choose_another_time(keys: str, when: str) -> None:
    store, phone = Store(), Phone(keys)
    assert session.play(WAITS, phone, twins.desk(store)) == "call_back"
    assert [value for name, value in store.told if name == "call_back"][-1].startswith(when)


@pytest.mark.parametrize("at", range(1, 6))
def test_who_hangs_up_after_his_key_is_called_back_all_the_same(at: int) -> None:
    store, phone = Store(), Phone(hang_up_at=at)
    session.play(WAITS, phone, twins.desk(store))
    assert [name for name, _ in store.told if name in ("call_back", "closed")] == ["call_back", "closed"]


@pytest.mark.parametrize(
    "store",
    [Store(contact=None), Store(unreadable=True), Store(failing=lambda count: True)],
    ids=["unknown", "unreadable", "failing"],
)
def test_a_call_back_that_cannot_be_noted_is_not_promised(store: Store) -> None:
    phone = Phone()
    session.play(WAITS, phone, twins.desk(store))
    assert phone.results == [IvrResult.MESSAGE]
    assert "call_noted" not in phone.events


@pytest.mark.parametrize("language", ["id", "en"])
def test_he_goes_on_in_the_language_he_chose(language: str) -> None:
    keys = "2112340" if language == "en" else "112340"
    first = Phone(keys)
    session.play(CALL, first, twins.desk(Store(contact=twins.contact(language=""))))
    assert (first.results, first.languages) == ([IvrResult.AGENT], ["en" if language == "en" else ""])
    again = Store()
    session.play(replace(WAITS, language=language), Phone(), twins.desk(again))
    assert ("language", language) in again.told


def test_a_language_chosen_once_is_not_asked_for_again() -> None:
    unknown = twins.contact(language="")
    first, known = Phone("211234"), Store(contact=unknown)
    session.play(CALL, first, twins.desk(known))
    assert "press_language" in first.events
    second, again = Phone("11234"), Store(contact=with_language(unknown, known.facts))
    session.play(CALL, second, twins.desk(again))
    assert [value for name, value in again.told if name == "language"] == ["en"]
    assert "press_language" not in second.events
    assert again.contact == twins.contact(language="en")
