"""Every path of the shipped flow over a phone: the right ending, each choice stored before it is spoken of."""

from dataclasses import replace

import pytest

from ivr import session
from ivr.dialogue import Dialogue
from ivr.paths import SILENCE, Path, paths
from ivr.prompts import Sentence
from ivr.session import Desk
from ivr.shipped import shipped
from ivr.words import FACTS
from tests.ivr import twins
from tests.ivr.people import GENEROUS
from tests.ivr.twins import CALL, Phone, Store

CONTACT = twins.contact(
    language="", incentive=100_000,
    custom=(("va_number", "8077081234567890"), ("va_bank", "Bank Maju"), ("interest", "150000")),
)  # fmt: skip
FLOW = shipped()


def desk(store: Store) -> Desk:
    return replace(twins.desk(store), limits=GENEROUS, send=True)


def dialogue() -> Dialogue:
    found = session.learn(CALL, desk(Store(contact=CONTACT)))
    assert found
    return found


def pressed(path: Path) -> list[str]:
    """Key by key; '' is silence."""
    keys: list[str] = []
    for step, keyed in zip(path.steps, path.keys, strict=False):
        hash_ends = FLOW.steps[step].entry == "number"
        keys += [""] if keyed == SILENCE else [*keyed, *("#" if hash_ends else "")]
    return keys


class Eager(Phone):
    """Presses during playback, at the first word."""

    def say(self, sentence: Sentence, keys: str) -> str:
        self._count(sentence.name)
        return next(self._keys, "") if keys else ""


PATHS = [path for path in paths(dialogue(), "1234") if not path.how.startswith("back to")]
SETTLED = {path.how: path for path in PATHS if SILENCE not in path.keys}
NOTED = {
    "promise": "promise_noted", "offer": "offer_noted", "hardship": "hardship_noted", "paid_claim": "paid_noted",
    "dispute": "dispute_noted", "call_back": "call_noted", "stop": "stop_noted", "wrong_person": "wrong_noted",
    "wants_agent": "agent", "not_at_home": "not_here_noted",
}  # fmt: skip


@pytest.mark.parametrize("path", PATHS, ids=lambda path: " ".join(path.keys))
def test_a_path(path: Path) -> None:
    store = Store(contact=CONTACT)
    phone = Phone(pressed(path), store=store)
    assert session.play(CALL, phone, desk(store)) == path.how
    steps = [value for name, value in store.told if name == "step"]
    assert steps == list(path.steps)
    assert store.told[-1] == ("closed", f"{path.how} 0.0 {path.steps[-1]}")
    names = [fact.name for fact in store.facts]
    for fact, text in NOTED.items():
        said = [int(event.split()[1]) for event in phone.events if event.split()[0] == text]
        assert all(fact in names[:count] for count in said), "spoken of before it was stored"
    assert not any("1234" in value or "0812" in value for name, value in store.told if name == "key")


@pytest.mark.parametrize("how", SETTLED)
def test_keys_during_playback(how: str) -> None:
    """Whoever knows the way hears one word of each step."""
    path = SETTLED[how]
    keys = [key for key in pressed(path) if key]
    store = Store(contact=CONTACT)
    assert session.play(CALL, Eager(keys), desk(store)) == how
    assert [value for name, value in store.told if name == "step"] == list(path.steps)


@pytest.mark.parametrize("how", SETTLED)
def test_a_hang_up_anywhere_on_the_way(how: str) -> None:
    """`closed` comes last and once, and says where; what was confirmed is stored."""
    path, at = SETTLED[how], 0
    while True:
        at += 1
        store = Store(contact=CONTACT)
        phone = Phone(pressed(path), hang_up_at=at)
        found = session.play(CALL, phone, desk(store))
        names = [fact.name for fact in store.facts]
        assert names.count("closed") == 1
        assert names[-1] == "closed"
        if found != "hung_up":
            assert found == how
            return
        assert store.facts[-1].value.startswith("hung_up 0.0")
        chosen = {name for name in names if name in NOTED}
        assert all(name in chosen for name, text in NOTED.items() if text in phone.events)


@pytest.mark.parametrize("how", SETTLED)
def test_a_store_that_goes_down_is_never_called_success(how: str) -> None:
    """Whatever the choice: nothing is spoken of as noted, and the dialplan plays the message."""
    path = SETTLED[how]
    last = [name for turn in path.turns for name, _ in turn.facts if FACTS[name].must][-1:]
    if not last:
        return
    before = next(number for number, fact in enumerate(facts_of(path), 1) if FACTS[fact].must)
    store = Store(contact=CONTACT, failing=lambda count: count >= before)
    phone = Phone(pressed(path))
    assert session.play(CALL, phone, desk(store)) == "not_stored"
    assert not set(NOTED.values()) & set(phone.events)


def facts_of(path: Path) -> list[str]:
    return [name for turn in path.turns for name, _ in turn.facts]
