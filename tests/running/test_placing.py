"""From the list to claimed attempts: the gate twice, locks given back, the next number after a refused one."""

from dataclasses import replace

import pytest

from dialer.forecast import Forecast
from dialer.law.rulebook import Pack
from dialer.model import Campaign, Contact, History, Mode, Number, NumberKind
from dialer.pace.ahead import Ahead
from dialer.running.placing import Placer, Refusal
from tests import packs
from tests.site import CAMPAIGN, contacts
from tests.twins import TwinClock, TwinStore, new_id, play

OPEN = packs.moment("2026-11-20 10:00:00")
SHUT = packs.moment("2026-11-20 23:00:00")


class Desk:
    """A store, a leader's token and a placer."""

    def __init__(self, pack: Pack, campaign: Campaign = CAMPAIGN) -> None:
        self.store = TwinStore(TwinClock())
        self.pack, self.campaign = pack, campaign

    async def begin(self, *listed: Contact) -> None:
        await self.store.save_campaign(self.campaign)
        await self.store.lead("c1", "e1", 4000)
        await self.store.add_contacts("c1", listed, OPEN - 3600)
        ahead = Ahead(self.store, "c1", Forecast(), self.pack.zones[0])
        self.placer = Placer(self.store, self.campaign, self.pack, "a", new_id, ahead)

    async def claim(self, wanted: int, at: float = OPEN) -> list[str]:
        ready, _ = await self.placer.claim(1, wanted, at)
        return [one.attempt.contact for one in ready]

    @property
    def refused(self) -> list[tuple[str, str]]:
        return [(contact.id, refused.rule) for contact, _, refused in self.store.books["c1"].refusals]


def several(*numbers: Number, next_number: int = 0) -> Contact:
    return Contact("k1", "p1", numbers, zone="Asia/Jakarta", next_number=next_number)


ONE, TWO = Number("+6281200000001", "n1"), Number("+6281200000002", "n2")


def test_as_many_as_wanted_in_order() -> None:
    async def scene() -> None:
        desk = Desk(packs.demo())
        await desk.begin(*contacts(10))
        assert await desk.claim(3) == ["k00000", "k00001", "k00002"]
        assert await desk.claim(0) == []
        assert len(await desk.claim(100)) == 7
        assert await desk.claim(5) == []
        assert len(desk.store.books["c1"].open) == 10

    play(scene())


def test_nobody_is_locked_outside_his_hours() -> None:
    async def scene() -> None:
        desk = Desk(packs.indonesia())
        await desk.begin(*contacts(3))
        assert await desk.claim(3, SHUT) == []
        assert "lock" not in desk.store.calls
        assert [rule for _, rule in desk.refused] == ["hours"] * 3
        assert all(due > SHUT for due in desk.store.books["c1"].due.values())

    play(scene())


def test_one_person_is_called_once_at_a_time() -> None:
    async def scene() -> None:
        desk = Desk(packs.demo())
        same = [replace(one, person="p0") for one in contacts(3)]
        await desk.begin(*same)
        assert await desk.claim(3) == ["k00000"]
        assert set(desk.refused) == {("k00001", "person_busy"), ("k00002", "person_busy")}

    play(scene())


def test_a_refusal_under_the_lock_gives_it_back() -> None:
    async def scene() -> None:
        desk = Desk(packs.demo())
        await desk.begin(*contacts(2))
        desk.store.past["p:p0"] = History(stop=True)
        assert await desk.claim(2) == ["k00001"]
        assert desk.refused == [("k00000", "stop")]
        assert set(desk.store.locks) == {"p:p1", "n:n1"}

    play(scene())


def test_a_stop_in_one_campaign_is_none_in_another() -> None:
    async def scene() -> None:
        desk = Desk(packs.demo())
        await desk.begin(*contacts(2))
        desk.store.past["p:p0"] = History(stops=("campaign:other",))
        desk.store.past["p:p1"] = History(stops=("campaign:c1",))
        assert await desk.claim(2) == ["k00000"]
        assert desk.refused == [("k00001", "campaign_stop")]

    play(scene())


def test_a_stop_between_lock_and_claim_stops() -> None:
    async def scene() -> None:
        desk = Desk(packs.demo())
        await desk.begin(*contacts(1))
        lock = desk.store.lock

        async def lock_then_stop(attempts, at):  # type: ignore[no-untyped-def]
            held = await lock(attempts, at)
            desk.store.past["p:p0"] = History(stop=True)
            return held

        desk.store.lock = lock_then_stop  # type: ignore[method-assign]
        assert await desk.claim(1) == []
        assert desk.store.books["c1"].open == {}

    play(scene())


def test_after_a_number_refused_for_a_while_the_next_has_its_turn_and_then_the_wait() -> None:
    async def scene() -> None:
        desk = Desk(packs.demo())
        await desk.begin(several(ONE, TWO))
        for key in ("n1", "n2"):
            desk.store.past[f"n:{key}"] = History(silent_until=OPEN + 3600)
        for _ in range(5):
            assert await desk.claim(1) == []
        assert [number.key for _, number, _ in desk.store.books["c1"].refusals] == ["n1", "n2"]
        assert desk.store.books["c1"].due == {"k1": OPEN + 3600}

    play(scene())


def test_a_number_refused_for_good_leaves_the_contact_to_the_others() -> None:
    async def scene() -> None:
        desk = Desk(packs.demo())
        await desk.begin(several(ONE, TWO, next_number=1))
        desk.store.past["n:n2"] = History(dead=True)
        desk.store.past["n:n1"] = History(silent_until=OPEN + 60)
        assert await desk.claim(1) == []
        assert await desk.claim(1) == []
        assert desk.store.books["c1"].due == {"k1": OPEN + 60}
        assert await desk.claim(1, OPEN + 61) == ["k1"]
        (attempt,) = desk.store.books["c1"].open.values()
        assert attempt.number == ONE

    play(scene())


@pytest.mark.parametrize("numbers", [(), (Number("+6281200000001", "n1", NumberKind.EMERGENCY),)])
def test_who_has_no_number_to_be_called_rests(numbers: tuple[Number, ...]) -> None:
    async def scene() -> None:
        desk = Desk(packs.indonesia())
        await desk.begin(several(*numbers))
        assert await desk.claim(1) == []
        assert desk.store.books["c1"].due == {"k1": float("inf")}

    play(scene())


@pytest.mark.parametrize(
    ("mode", "taken"), [(Mode.PREVIEW, 1), (Mode.PROGRESSIVE, 0), (Mode.PREDICTIVE, 0), (Mode.RATIO, 0)]
)
def test_who_was_abandoned_is_called_soon_only_with_an_agent_of_his_own(mode: Mode, taken: int) -> None:
    async def scene() -> None:
        desk = Desk(packs.indonesia(), replace(CAMPAIGN, mode=mode))
        await desk.begin(*contacts(1))
        desk.store.past["p:p0"] = History(abandoned_at=OPEN - 3 * 3600)
        assert len(await desk.claim(1)) == taken

    play(scene())


@pytest.mark.parametrize("mode", [Mode.PROGRESSIVE, Mode.PREDICTIVE])
def test_who_was_abandoned_gets_his_call_back_as_an_agent_is_reserved_for_it(mode: Mode) -> None:
    async def scene() -> None:
        desk = Desk(packs.indonesia(), replace(CAMPAIGN, mode=mode))
        wished = replace(contacts(1)[0], callback_at=OPEN)
        await desk.begin(wished)
        desk.store.past["p:p0"] = History(abandoned_at=OPEN - 3 * 3600)
        refusals: list[Refusal] = []
        one = desk.placer.call_back(wished, OPEN, refusals)
        assert one is not None
        assert len(await desk.placer.take(1, [one], refusals, OPEN)) == 1

    play(scene())


def test_an_attempt_carries_what_its_call_needs() -> None:
    async def scene() -> None:
        campaign = replace(CAMPAIGN, caller_id="+62215000", trunk="trunk", language="id")
        desk = Desk(packs.demo(), campaign)
        await desk.begin(replace(contacts(1)[0], language="en", tries=2))
        (one,), looked_at = await desk.placer.claim(1, 1, OPEN)
        assert looked_at == 1
        attempt = one.attempt
        assert (attempt.kind, attempt.language, attempt.tries, attempt.claimed_at) == ("progressive", "en", 3, OPEN)
        assert attempt.pack == desk.pack.label

    play(scene())
