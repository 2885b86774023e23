"""The head of the list: in order, each with his chance, nobody twice, and few looks."""

from dataclasses import replace

import pytest

from dialer.forecast import Forecast
from dialer.lists.past import Past
from dialer.model import Contact
from dialer.pace.ahead import LOOK, LOOK_S, Ahead, zone
from tests.site import CAMPAIGN, contacts
from tests.twins import EPOCH, TwinClock, TwinStore, play

JAKARTA = "Asia/Jakarta"
GOOD = Past(counts=(6.0, 6.0) * 6).text
BAD = Past(counts=(0.0, 6.0) * 6).text


async def listed(*found: Contact) -> Ahead:
    store = TwinStore(TwinClock())
    await store.save_campaign(CAMPAIGN)
    await store.add_contacts("c1", found, EPOCH)
    return Ahead(store, "c1", Forecast(), JAKARTA)


def looks(ahead: Ahead) -> int:
    assert isinstance(ahead._store, TwinStore)
    return ahead._store.calls.count("candidates")


def with_past(contact: Contact, *pasts: str) -> Contact:
    first = contact.numbers[0]
    return replace(contact, numbers=tuple(replace(first, key=f"{first.key}{n}", past=p) for n, p in enumerate(pasts)))


def test_each_has_the_chance_of_the_number_whose_turn_it_is() -> None:
    async def scene() -> None:
        one, two, three, four = contacts(4)
        none = replace(four, numbers=())
        ahead = await listed(with_past(one, GOOD), two, replace(with_past(three, GOOD, BAD), next_number=3), none)
        await ahead.look(EPOCH)
        told = {seen.contact: seen.answer_probability for seen in ahead.candidates(EPOCH)}
        assert list(told) == ["k00000", "k00001", "k00002", "k00003"]
        good, plain, bad, unknown = told.values()
        assert good is not None
        assert plain is not None
        assert bad is not None
        assert good > plain + 0.1 > plain - 0.1 > bad
        assert unknown is None

    play(scene())


def test_whoever_is_taken_is_not_seen_again() -> None:
    async def scene() -> None:
        ahead = await listed(*contacts(6))
        await ahead.look(EPOCH)
        assert len(ahead.candidates(EPOCH)) == 6
        assert [one.id for one in ahead.take(2)] == ["k00000", "k00001"]
        assert [seen.contact for seen in ahead.candidates(EPOCH)] == ["k00002", "k00003", "k00004", "k00005"]
        chosen = ["k00004", "stranger", "k00004"]
        assert [one.id for one in ahead.take(3, chosen)] == ["k00004", "k00002", "k00003"]
        assert [one.id for one in ahead.take(9, ["k00001"])] == ["k00005"]
        assert ahead.take(1) == []
        assert ahead.candidates(EPOCH) == ()

    play(scene())


def test_a_look_is_good_for_a_while_and_as_long_as_it_lasts() -> None:
    async def scene() -> None:
        ahead = await listed(*contacts(LOOK + 50))
        assert ahead.is_old(EPOCH)
        assert not ahead.suffices(1, EPOCH)
        await ahead.look(EPOCH)
        assert ahead.suffices(LOOK, EPOCH)
        assert not ahead.suffices(LOOK + 1, EPOCH)
        assert not ahead.suffices(1, EPOCH + LOOK_S)
        assert not ahead.suffices(1, EPOCH - 60), "the clock jumped"
        ahead.forget()
        assert not ahead.suffices(1, EPOCH)

    play(scene())


def test_of_a_short_list_there_is_no_more_to_see() -> None:
    async def scene() -> None:
        ahead = await listed(*contacts(3))
        await ahead.look(EPOCH)
        assert ahead.suffices(50, EPOCH)
        ahead.take(3)
        assert not ahead.suffices(1, EPOCH), "who has just become due is not kept waiting"

    play(scene())


@pytest.mark.parametrize("name", ["", "Moon/Base", "../../etc/passwd", "\x00", "Asia/" + "x" * 300])
def test_an_unknown_zone_is_the_packs_first(name: str) -> None:
    assert str(zone(name, JAKARTA)) == JAKARTA


@pytest.mark.parametrize("past", ["", "nonsense", "20000 9:1/1", "20000 1:5/1", "\x00" * 500])
def test_a_hostile_past_is_none(past: str) -> None:
    async def scene() -> None:
        ahead = await listed(with_past(contacts(1)[0], past))
        await ahead.look(EPOCH)
        assert ahead.candidates(EPOCH)[0].answer_probability == pytest.approx(0.3)

    play(scene())


def test_it_runs_low_before_it_is_empty() -> None:
    async def scene() -> None:
        ahead = await listed(*contacts(LOOK + 50))
        await ahead.look(EPOCH)
        ahead.take(LOOK - 10)
        assert not ahead.runs_low(10, EPOCH)
        assert ahead.runs_low(11, EPOCH)
        assert ahead.runs_low(1, EPOCH + LOOK_S)
        short = await listed(*contacts(3))
        await short.look(EPOCH)
        short.take(3)
        assert not short.runs_low(11, EPOCH), "there was no more to see"

    play(scene())
