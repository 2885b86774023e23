"""The forecast in a running campaign: chances told, calls that carry them, pasts that come back, successors."""

import asyncio
import json
from dataclasses import replace
from random import Random

import pytest

from dialer.forecast import Forecast
from dialer.law.abandon import Fate
from dialer.lists.past import Past
from dialer.model import Attempt, CallState, Contact, Kind, Mode, Order, Outcome
from dialer.pacing import Decision, PacingEvent, Snapshot
from dialer.running.run import ENDED_RINGING

from .site import CAMPAIGN, Stage, mixed, staged
from .twins import Debtor, play, until

PREDICTIVE = replace(CAMPAIGN, mode=Mode.PREDICTIVE, lines_per_agent_max=10.0)
RATIO = replace(CAMPAIGN, mode=Mode.RATIO, ratio=3.0)
AGENTS = ("101", "102", "103")
RING_MIN_S = 15.0  # the demo pack's


def rings(order: Order) -> Debtor:
    return Debtor(answers=False, rings_s=1000.0)


def answers(order: Order) -> Debtor:
    return Debtor(rings_s=3.0, patience_s=5.0)


def busy(order: Order) -> Debtor:
    return Debtor(answers=False, rings_s=1.0)


def pasts(stage: Stage) -> list[str]:
    return [one.numbers[0].past for one in stage.books.contacts.values()]


# ---- learnt


def test_calls_carry_the_chance_and_numbers_their_past() -> None:
    async def scene() -> None:
        chance = Random(3)

        def debtor(order: Order) -> Debtor:
            return answers(order) if chance.random() < 0.4 else busy(order)

        async with staged(CAMPAIGN, debtor, 200, AGENTS) as stage:
            await until(lambda: len(stage.books.outcomes) >= 40, 600.0)
            await stage.quiet()
            counted = [one for one in stage.books.outcomes if one.verdict.count]
            for one in counted:
                assert one.contact is not None
                past = Past.parse(one.contact.numbers[0].past)
                assert (past.answered, past.tried) == (float(one.verdict.live), 1.0)
                assert one.contact.last_at == one.attempt.claimed_at
                assert 0.0 < one.attempt.answer_probability < 1.0
                assert one.record["answer_probability"] == f"{one.attempt.answer_probability:.3f}"
            first, last = counted[0].attempt, counted[-1].attempt
            assert first.answer_probability == pytest.approx(0.3)
            assert last.answer_probability != first.answer_probability

    play(scene())


def test_the_pacer_sees_the_next_numbers_with_few_looks_at_the_list() -> None:
    async def scene() -> None:
        async with staged(PREDICTIVE, mixed(7), 2000, tuple(f"1{n:02d}" for n in range(10))) as stage:
            seen: list[Snapshot] = []
            launched: list[float | None] = []
            decide, observe = stage.run.pacer.decide, stage.run.pacer.observe

            def look(snapshot: Snapshot) -> Decision:
                seen.append(snapshot)
                return decide(snapshot)

            def hear(event: PacingEvent) -> None:
                if event.kind == "launch":
                    launched.append(event.answer_probability)
                observe(event)

            stage.run.pacer.decide = look  # type: ignore[method-assign]
            stage.run.pacer.observe = hear  # type: ignore[method-assign]
            before = stage.store.calls.count("candidates")
            await asyncio.sleep(60.0)
            looks = stage.store.calls.count("candidates") - before
            assert 25 <= looks <= 32, "one look in two seconds"
            assert sum(len(shown.candidates) > 150 for shown in seen) > 0.9 * len(seen)
            assert all(one.answer_probability is not None for shown in seen for one in shown.candidates)
            flying = [one for shown in seen for one in shown.attempts]
            assert flying
            assert all(one.answer_probability is not None for one in flying)
            assert launched
            assert None not in launched

    play(scene())


def test_what_the_trunk_did_teaches_nothing() -> None:
    async def scene() -> None:
        async with staged(CAMPAIGN, lambda order: Debtor(channel=False), 30, AGENTS) as stage:
            before = stage.run.forecast.dump()
            await until(lambda: len(stage.books.outcomes) >= 5)
            await stage.quiet()
            assert stage.run.forecast.dump() == before
            assert set(pasts(stage)) == {""}

    play(scene())


def test_an_answer_is_learnt_when_it_comes_and_once() -> None:
    async def scene() -> None:
        async with staged(CAMPAIGN, lambda order: Debtor(rings_s=1.0, patience_s=90.0), 1, ("101",)) as stage:
            await until(lambda: stage.asterisk.talks)
            talking = stage.run.forecast.dump()
            assert talking != Forecast().dump()
            await stage.quiet()
            assert stage.run.forecast.dump() == talking
            assert not stage.run.lived

    play(scene())


def test_a_successor_knows_what_was_learnt() -> None:
    async def scene() -> None:
        async with staged(CAMPAIGN, busy, 60, AGENTS) as stage:
            await until(lambda: len(stage.books.outcomes) >= 30, 600.0)
            await stage.quiet()
            await asyncio.sleep(2.0)
            learnt = stage.run.forecast.dump()
            published = stage.books.snapshot
            assert published is not None
            stage.run.forecast.load(Forecast().dump())
            stage.run.take_over(published)
            assert stage.run.forecast.dump() == learnt
            assert "forecast" in json.loads(published)["kept"]

    play(scene())


@pytest.mark.parametrize("kept", [None, 7, {}, {"v": 1}, {"v": 2}, {"v": 1, "hours": [[5, 3]] * 24}])
def test_a_forecast_that_cannot_be_read_costs_no_counts(kept: object) -> None:
    async def scene() -> None:
        async with staged(CAMPAIGN, answers, 1, ("101",)) as stage:
            await until(lambda: stage.asterisk.talks)
            await stage.quiet()
            await asyncio.sleep(2.0)
            shown = json.loads(stage.books.snapshot or b"{}")
            shown["kept"]["forecast"] = kept
            stage.run.abandons = type(stage.run.abandons)()
            stage.run.take_over(json.dumps(shown).encode())
            assert stage.run.abandons.rate(stage.run.pack.abandon_window, stage.clock.now()).live == 1

    play(scene())


@pytest.mark.parametrize("mode", [Mode.PREDICTIVE, Mode.RATIO, Mode.IVR])
def test_claims_need_not_look_at_the_list(mode: Mode) -> None:
    async def scene() -> None:
        kind = Kind.IVR if mode is Mode.IVR else Kind.AGENTS
        settings = replace(PREDICTIVE, mode=mode, kind=kind, calls_per_second=20.0)
        async with staged(settings, mixed(7), 5000, tuple(f"1{n:02d}" for n in range(20))) as stage:
            budget(stage)
            candidates, looks = stage.store.candidates, list[bool]()

            async def watched(campaign: str, at: float, limit: int) -> tuple[Contact, ...]:
                looks.append(stage.run.placing)
                return await candidates(campaign, at, limit)

            stage.store.candidates = watched  # type: ignore[method-assign]
            await asyncio.sleep(60.0)
            assert len(stage.placed()) > 60
            assert looks.count(True) <= 2 < len(looks)

    play(scene())


# ---- ended while ringing


def budget(stage: Stage) -> None:
    """Many were served: abandons are left, and a ratio is kept to."""
    for _ in range(400):
        stage.run.abandons.add(stage.clock.now(), Fate.SERVED)


def ended(stage: Stage) -> list[str]:
    return [one.attempt.id for one in stage.books.outcomes if one.verdict.outcome is Outcome.CANCELLED]


def test_when_no_agent_can_be_free_a_call_is_ended_after_its_minimum_ring() -> None:
    async def scene() -> None:
        async with staged(RATIO, rings, 100, AGENTS) as stage:
            budget(stage)
            await until(lambda: len(stage.placed()) >= 6)
            for agent in AGENTS:
                stage.command("sign_out", agent=agent)
            await until(lambda: not stage.books.open, 30.0)
            assert len(ended(stage)) == len(stage.placed()) >= 6
            for one in stage.books.outcomes:
                judged = one.verdict
                assert (judged.outcome, judged.reason) == (Outcome.CANCELLED, ENDED_RINGING)
                assert RING_MIN_S <= one.attempt.ended_at - one.attempt.ringing_at < RING_MIN_S + 1.0
                assert judged.count, "his phone rang: it is one of his attempts"
                assert judged.retry_at >= one.attempt.ended_at + 20 * 60
                assert one.contact is not None
                assert one.contact.tries == 1
                assert Past.parse(one.contact.numbers[0].past).cell == (0, 1)

    play(scene())


def test_the_pacers_word_alone_ends_no_young_and_no_answered_call() -> None:
    async def scene() -> None:
        async with staged(RATIO, mixed(5), 300, AGENTS) as stage:
            run = stage.run
            decide = run.pacer.decide

            def all_of_them(snapshot: Snapshot) -> Decision:
                found = decide(snapshot)
                return Decision(found.start, tuple(run.floor.attempts), found.reason, found.numbers)

            run.pacer.decide = all_of_them  # type: ignore[method-assign]
            hang_up, wrong = stage.asterisk.hang_up, list[Attempt]()

            async def watched(channel: str, cause: int = 16) -> bool:
                one = run.floor.attempts.get(channel)
                if one is not None and one.cancelled == ENDED_RINGING:
                    young = stage.clock.now() - one.ringing_at < RING_MIN_S - 0.01
                    if one.state is not CallState.RINGING or young or stage.asterisk.up[channel].up:
                        wrong.append(one)
                return await hang_up(channel, cause)

            stage.asterisk.hang_up = watched  # type: ignore[method-assign]
            await until(lambda: len(ended(stage)) >= 5, 900.0)
            await stage.quiet()
            assert not wrong
            assert "connected" in stage.outcomes().values()

    play(scene())


def test_nothing_is_ended_while_an_answer_may_have_been_missed() -> None:
    async def scene() -> None:
        async with staged(RATIO, rings, 100, AGENTS) as stage:
            await until(lambda: len(stage.placed()) >= 6)
            stage.run.reconciled = False
            await asyncio.sleep(0.0)
            (attempt, *_) = stage.run.floor.attempts
            later, lease = stage.clock.now() + 20.0, stage.clock.monotonic()
            assert not stage.run.may_end(attempt, later, lease)
            stage.run.reconciled = True
            assert stage.run.may_end(attempt, later, lease)
            assert not stage.run.may_end(attempt, later, stage.run.lease_until)
            assert not stage.run.may_end("stranger", later, lease)

    play(scene())


def test_who_answers_a_call_that_is_being_ended_is_served() -> None:
    """The hang-up got lost: he is a caller like any other."""

    async def scene() -> None:
        async with staged(CAMPAIGN, lambda order: Debtor(rings_s=20.0, patience_s=5.0), 1, ("101",)) as stage:
            await until(lambda: any(one.ringing_at for one in stage.run.floor.attempts.values()))
            (attempt,) = stage.run.floor.attempts
            assert stage.run.floor.cancel(attempt, ENDED_RINGING, stage.clock.now())
            await until(lambda: stage.asterisk.talks, 30.0)
            await stage.quiet()
            assert list(stage.outcomes().values()) == ["connected"]

    play(scene())


# ---- the end of the shift


def test_a_stopped_campaign_drains() -> None:
    async def scene() -> None:
        async with staged(RATIO, rings, 100, AGENTS) as stage:
            budget(stage)
            await until(lambda: len(stage.run.floor.attempts) >= 9)
            stage.command("stop")
            await until(lambda: len(ended(stage)) == 6, 17.0)  # as many as there are agents ring on
            await until(lambda: not stage.run.floor.attempts, 20.0)
            assert set(stage.outcomes().values()) == {"cancelled", "no_answer"}
            assert "stopped" in stage.run.decision.reason

    play(scene())
