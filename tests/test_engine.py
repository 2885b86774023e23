"""The engine on twins: hard stops, slow and lost answers, takeovers, commands, and campaigns where all breaks."""

import asyncio
import json
from collections import Counter
from dataclasses import replace
from datetime import datetime
from random import Random
from zoneinfo import ZoneInfo

import pytest

from dialer.dialplan import Context
from dialer.model import AgentState, CallState, Campaign, Event, Fact, Kind, Mode, Order, Overflow, Seen, Status
from dialer.running.leading import UPKEEP_S

from . import packs
from .site import CAMPAIGN, Stage, contacts, mixed, staged
from .twins import EPOCH, Debtor, TwinStore, play, until

IVR = replace(CAMPAIGN, kind=Kind.IVR, mode=Mode.IVR, lines_max=10)


def talks(order: Order) -> Debtor:
    return Debtor(rings_s=1.0, patience_s=10.0)


def rings(order: Order) -> Debtor:
    return Debtor(answers=False, rings_s=1000.0)


async def no_more_calls(stage: Stage, within_s: float = 1.0) -> None:
    """From `within_s` on nothing is placed."""
    await asyncio.sleep(within_s)
    before = len(stage.placed())
    await asyncio.sleep(5.0)
    assert len(stage.placed()) == before


# ---- the path


def test_from_the_list_to_the_outcome() -> None:
    async def scene() -> None:
        async with staged(debtor=talks, agents=("101", "102")) as stage:
            await until(lambda: len(stage.asterisk.talks) >= 4)
            await until(lambda: len(stage.books.outcomes) >= 4)
            await stage.quiet()
            assert set(stage.outcomes().values()) == {"connected"}
            assert set(stage.outcomes()) == set(stage.placed())
            assert stage.store.locks == {}
            one = stage.books.outcomes[0]
            assert one.attempt.talk_s == pytest.approx(10.0, abs=0.5)
            assert one.record["outcome"] == "connected"
            assert stage.run.abandons.rate(stage.run.pack.abandon_window, stage.clock.now()).live == len(stage.placed())

    play(scene())


@pytest.mark.parametrize("skew_s", [-3600.0, -2.5, 0.0, 2.5, 86_400.0])
def test_an_asterisk_whose_clock_is_off_connects_all_the_same(skew_s: float) -> None:
    async def scene() -> None:
        async with staged(debtor=talks, agents=("101",)) as stage:
            stage.asterisk.skew_s = skew_s
            await until(lambda: len(stage.asterisk.talks) >= 3)
            await stage.quiet()
            assert set(stage.outcomes().values()) == {"connected"}
            for one in stage.books.outcomes:
                assert 0.0 <= one.attempt.answered_at - one.attempt.claimed_at < 5.0

    play(scene())


def test_events_that_come_late_are_as_old_as_they_are() -> None:
    async def scene() -> None:
        async with staged(debtor=talks, agents=("101",)) as stage:
            await until(lambda: stage.asterisk.talks)
            stage.asterisk.late_s = 2.5
            await until(lambda: len(stage.placed()) >= 4)
            await stage.quiet()
            assert len(stage.asterisk.redirects) == 1
            assert Counter(stage.outcomes().values())["abandoned"] >= 1

    play(scene())


def test_an_ivr_campaign_reads_the_last_facts() -> None:
    async def scene() -> None:
        async with staged(IVR, lambda order: Debtor(rings_s=1.0), listed=3) as stage:
            await until(lambda: len(stage.placed()) == 3)
            promised = stage.placed()[0]
            stage.store.told[promised] = [Fact(1, EPOCH, "promise", "2027-01-10;500000"), Fact(2, EPOCH, "closed")]
            await stage.quiet()
            assert set(stage.outcomes().values()) == {"ivr"}
            records = {one.attempt.id: one.record for one in stage.books.outcomes}
            assert records[promised]["promise_due"] == "2027-01-10"
            assert stage.store.calls.count("facts") < 20

    play(scene())


def test_without_redis_no_promise_is_lost() -> None:
    async def scene() -> None:
        async with staged(IVR, lambda order: Debtor(rings_s=1.0), listed=1) as stage:
            await until(lambda: any(one.state is CallState.IN_IVR for one in stage.run.floor.attempts.values()))
            (attempt,) = stage.run.floor.attempts
            stage.store.told[attempt] = [Fact(1, EPOCH, "promise", "2027-01-10;500000"), Fact(2, EPOCH, "closed")]
            stage.store.down = True
            await asyncio.sleep(30.0)
            stage.store.down = False
            await stage.quiet()
            assert [one.record["promise_due"] for one in stage.books.outcomes] == ["2027-01-10"]

    play(scene())


def test_streams_are_trimmed_beside_the_calls_and_their_sizes_shown() -> None:
    async def scene() -> None:
        async with staged(debtor=talks, agents=("101",)) as stage:
            await until(lambda: stage.books.outcomes)
            await asyncio.sleep(UPKEEP_S + 1.0)
            seen = json.loads(stage.books.snapshot or b"")
            assert seen["streams"]["outcomes"]["entries"] > 0
            assert seen["streams"]["log"]["kept_days"] == 400.0
            assert len(stage.store.trimmed) == 1

    play(scene())


@pytest.mark.parametrize("mode", [Mode.PROGRESSIVE, Mode.PREDICTIVE])
def test_no_call_is_answered_when_the_agents_are_gone(mode: Mode) -> None:
    async def scene() -> None:
        ends = EPOCH + 200.0
        clock = datetime.fromtimestamp(ends, ZoneInfo(packs.demo().zones[0]))
        ends -= clock.second  # a clock has minutes only
        campaign = replace(CAMPAIGN, mode=mode, shift_ends=f"{clock:%H:%M}")
        async with staged(campaign, mixed(3), 500, ("101", "102", "103")) as stage:
            await asyncio.sleep(ends - stage.clock.now() + 60.0)
            assert len(stage.placed()) > 10
            answered = [one.attempt.answered_at for one in stage.books.outcomes if one.attempt.answered_at]
            assert answered
            assert max(answered) < ends
            assert "the shift ends" in stage.run.decision.reason
            await no_more_calls(stage, 0.0)

    play(scene())


# ---- hard stops


def test_no_agents_no_calls() -> None:
    async def scene() -> None:
        async with staged(debtor=rings, listed=500) as stage:
            await no_more_calls(stage, 0.0)
            assert stage.placed() == []
            assert "agent" in stage.run.decision.reason

    play(scene())


def test_when_the_last_agent_goes_no_call_starts() -> None:
    async def scene() -> None:
        ratio = replace(CAMPAIGN, mode=Mode.RATIO, ratio=3.0)
        async with staged(ratio, mixed(1), 500, ("101", "102")) as stage:
            await until(lambda: len(stage.placed()) > 5)
            stage.command("sign_out", agent="101")
            stage.command("sign_out", agent="102")
            await until(lambda: not any(stage.run.floor.team.works_here(one) for one in ("101", "102")))
            await no_more_calls(stage)

    play(scene())


def break_link(stage: Stage) -> None:
    stage.asterisk.cut()


def break_redis(stage: Stage) -> None:
    stage.store.down = True


def slow_acks(stage: Stage) -> None:
    stage.asterisk.ack_ms = 1500.0


def slow_redis(stage: Stage) -> None:
    stage.store.slow_s = 1.2


def drain(stage: Stage) -> None:
    stage.engine.drain(None, 3600.0)


def pause(stage: Stage) -> None:
    stage.command("pause")


def settings_gone(stage: Stage) -> None:
    stage.books.settings = replace(CAMPAIGN, trunk="unknown")


@pytest.mark.parametrize(
    ("breaks", "reason"),
    [
        (break_link, "cannot be reached"),
        (break_redis, "Redis fails"),
        (slow_acks, "Asterisk is slow"),
        (slow_redis, "Redis is slow"),
        (drain, "draining: "),
        (pause, "paused"),
        (settings_gone, "trunk 'unknown' is not configured"),
    ],
)
def test_hard_stops(breaks, reason: str) -> None:  # type: ignore[no-untyped-def]
    async def scene() -> None:
        many = replace(CAMPAIGN, mode=Mode.RATIO, ratio=3.0)
        async with staged(many, mixed(2), 2000, tuple(f"1{n:02d}" for n in range(8))) as stage:
            await until(lambda: len(stage.placed()) > 10)
            breaks(stage)
            await no_more_calls(stage, 8.0 if breaks is slow_redis else 1.1)  # what was being claimed is placed
            assert reason in stage.run.decision.reason
            stage.store.down, stage.store.slow_s = False, 0.0
            if not stage.asterisk.link:
                stage.asterisk.join()

    play(scene())


def test_a_dead_trunk_is_not_given_the_whole_list() -> None:
    async def scene() -> None:
        async with staged(IVR, lambda order: Debtor(channel=False), listed=1000) as stage:
            await asyncio.sleep(30.0)
            assert len(stage.placed()) < 40
            assert "trunk fails" in stage.run.decision.reason
            assert all(not one.verdict.count for one in stage.books.outcomes)

    play(scene())


def test_the_lease_is_looked_at_right_before_the_call_is_written() -> None:
    async def scene() -> None:
        async with staged(debtor=talks, agents=("101",), listed=3) as stage:
            await stage.quiet()
            claim = stage.run.placer.store.claim
            before = len(stage.placed())

            async def slowly(token, attempts, at, notes=()):  # type: ignore[no-untyped-def]
                taken = await claim(token, attempts, at, notes)
                stage.run.lease_until = stage.clock.monotonic()
                return taken

            stage.store.claim = slowly  # type: ignore[method-assign]
            stage.command("start")
            await until(lambda: any(one.verdict.reason == "lease" for one in stage.books.outcomes))
            assert len(stage.placed()) == before

    play(scene())


# ---- when answers are slow or do not come


def test_a_slow_redis_does_not_delay_the_redirect() -> None:
    async def scene() -> None:
        async with staged(debtor=talks, agents=("101",)) as stage:
            await until(stage.placed)
            stage.store.slow_s = 1.9
            await until(lambda: stage.asterisk.redirects, 5.0)
            (attempt,) = stage.run.floor.attempts.values()
            redirected_at = stage.asterisk.redirects[0][0]
            assert redirected_at - attempt.answered_at < 0.3
            stage.store.slow_s = 0.0
            await until(lambda: stage.asterisk.talks)

    play(scene())


def test_a_call_without_ack_stays_on_the_books_until_it_is_proven_gone() -> None:
    async def scene() -> None:
        async with staged(debtor=talks, agents=("101",), listed=1) as stage:
            stage.asterisk.silent = 1.0
            await until(stage.placed)
            await asyncio.sleep(60.0)
            assert len(stage.run.floor.attempts) == 1
            assert len(stage.store.locks) == 2
            await until(lambda: stage.books.outcomes, 60.0)
            assert list(stage.outcomes().values()) == ["interrupted"]
            assert len(stage.placed()) == 1

    play(scene())


def test_a_ghost_is_hung_up() -> None:
    async def scene() -> None:
        async with staged(debtor=talks, agents=("101",), listed=1) as stage:
            stage.asterisk.silent = 1.0
            await until(lambda: stage.books.outcomes, 120.0)
            (ghost,) = stage.placed()
            stage.asterisk.silent = 0.0
            await stage.asterisk.originate(next(one for one in stage.asterisk.originated if one.channel_id == ghost))
            await until(lambda: ghost in stage.asterisk.hung_up, 5.0)
            assert len(stage.books.outcomes) == 1

    play(scene())


@pytest.mark.parametrize("deaf", ["lock", "claim"])
def test_a_claim_whose_answer_was_lost_is_undone(deaf: str) -> None:
    async def scene() -> None:
        async with staged(debtor=talks, agents=("101",), listed=4) as stage:
            await until(lambda: stage.asterisk.talks)
            stage.store.deaf = {deaf}
            await until(lambda: not stage.run.floor.attempts and stage.state("101") is AgentState.IDLE)
            await asyncio.sleep(3.0)
            stage.store.deaf = set()
            await stage.quiet()
            assert not stage.books.open
            await until(lambda: not stage.store.locks, 10.0)  # who was only locked is free as well
            if deaf == "claim":
                assert "not_placed" in stage.outcomes().values()

    play(scene())


def test_outcomes_are_tried_again_and_written_once() -> None:
    async def scene() -> None:
        async with staged(debtor=talks, agents=("101", "102")) as stage:
            await until(lambda: stage.asterisk.talks)
            stage.store.deaf = {"write"}
            await asyncio.sleep(40.0)
            stage.store.deaf = set()
            await stage.quiet()
            ids = [one.attempt.id for one in stage.books.outcomes]
            assert len(ids) == len(set(ids)) == len(stage.placed())

    play(scene())


def test_a_command_is_applied_once_though_its_answer_is_lost() -> None:
    async def scene() -> None:
        async with staged(debtor=talks, agents=("101",), listed=1) as stage:
            await until(lambda: stage.asterisk.talks)
            stage.store.deaf = {"reply"}
            calls = stage.asterisk.hung_up
            command = stage.command("hang_up", agent="101")
            await asyncio.sleep(3.0)
            stage.store.deaf = set()
            await asyncio.sleep(1.0)
            assert len(calls) == 1
            assert command not in stage.books.commands

    play(scene())


def test_a_late_command_is_refused() -> None:
    async def scene() -> None:
        async with staged(agents=("101",)) as stage:
            late = stage.command("break", deadline_s=-1.0, agent="101")
            await until(lambda: late in stage.store.replies)
            assert stage.store.replies[late][0] is False
            assert "too late" in stage.store.replies[late][1]
            assert stage.state("101") is not AgentState.BREAK

    play(scene())


# ---- faults of ours


def test_a_fault_in_one_campaign_does_not_stop_the_others() -> None:
    async def scene() -> None:
        async with staged(debtor=talks, agents=("101",), listed=50) as stage:
            await stage.store.save_campaign(replace(CAMPAIGN, id="c2"))
            await until(lambda: "c2" in stage.engine.runs)

            def bug(*args: object) -> None:
                raise ZeroDivisionError

            for name in ("seen", "tick", "lines"):
                setattr(stage.engine.runs["c2"].floor, name, bug)
            before = len(stage.asterisk.talks)
            await until(lambda: len(stage.asterisk.talks) >= before + 2)

    play(scene())


def test_stop_leaves_no_task_and_gives_the_lease_back() -> None:
    async def scene() -> None:
        async with staged(debtor=mixed(4), agents=("101", "102"), listed=200) as stage:
            await until(lambda: len(stage.placed()) > 5)
            stage.store.slow_s = 0.3
            stage.command("break", agent="101")
            await asyncio.sleep(0.5)
        others = asyncio.all_tasks() - {asyncio.current_task()}
        assert not others
        assert stage.books.leader is None

    play(scene())


# ---- who leads


def kill(task: "asyncio.Task[None]", stage: Stage) -> None:
    """As with -9: nothing is written, nothing given back."""
    stage.engine.runs.clear()
    task.cancel()


def test_a_standby_takes_over_what_a_killed_engine_left() -> None:
    async def scene() -> None:
        stage = Stage(CAMPAIGN, lambda order: Debtor(rings_s=3.0, patience_s=12.0))
        await stage.store.save_campaign(CAMPAIGN)
        await stage.store.add_contacts("c1", contacts(20), EPOCH)
        first = asyncio.create_task(stage.engine.run())
        await until(lambda: stage.engine.runs and stage.run.reconciled)
        await stage.sign_in("101", "102", "103")
        stage.command("start")
        await until(lambda: len(stage.asterisk.talks) >= 3)
        await until(lambda: any(one.state is CallState.GONE for one in stage.run.floor.attempts.values()))
        kill(first, stage)
        killed_at = stage.clock.monotonic()
        stage.asterisk._inbox = asyncio.Queue()  # what it had not read is gone with its session
        stage.asterisk.join()
        stage.engine = stage.new_engine("e2")
        after = asyncio.create_task(stage.engine.run())
        await until(lambda: stage.engine.runs and stage.run.reconciled, 6.0)
        assert stage.clock.monotonic() - killed_at < 6.0
        assert stage.run.status is Status.RUNNING
        await until(lambda: len(stage.asterisk.talks) >= 8)
        await stage.quiet()
        ids = [one.attempt.id for one in stage.books.outcomes]
        assert len(ids) == len(set(ids))
        assert set(stage.placed()) <= set(ids)
        assert {stage.state(agent) for agent in ("101", "102", "103")} == {AgentState.IDLE}
        stage.engine.stop()
        await asyncio.gather(first, after, return_exceptions=True)

    play(scene())


def test_a_dethroned_engine_writes_nothing_and_calls_nobody() -> None:
    async def scene() -> None:
        async with staged(debtor=talks, agents=("101",), listed=50) as stage:
            await until(lambda: stage.asterisk.talks)
            stage.books.fence += 1
            stage.books.leader = ("other", stage.books.fence, stage.clock.monotonic() + 1000)
            await until(lambda: not stage.engine.runs, 3.0)
            before = len(stage.placed()), len(stage.books.outcomes), len(stage.asterisk.redirects)
            await asyncio.sleep(30.0)
            assert (len(stage.placed()), len(stage.books.outcomes), len(stage.asterisk.redirects)) == before

    play(scene())


# ---- settings and agents


def test_changed_settings_are_taken_over_while_it_runs() -> None:
    async def scene() -> None:
        async with staged(debtor=talks, agents=("101",), listed=50) as stage:
            await until(lambda: stage.asterisk.talks)
            stage.books.settings = replace(CAMPAIGN, name="New", wrap_up_max_s=1, lines_max=7)
            await until(lambda: stage.run.campaign.name == "New", 3.0)
            assert stage.run.floor.campaign.wrap_up_max_s == 1
            assert stage.run.pacer.limits.lines_max == 7
            assert stage.run.placer.campaign.name == "New"

    play(scene())


def test_a_change_of_plan_waits_for_the_calls_under_way() -> None:
    async def scene() -> None:
        async with staged(debtor=rings, agents=("101",), listed=50) as stage:
            await until(stage.placed)
            stage.books.settings = replace(CAMPAIGN, detection=True)
            await asyncio.sleep(3.0)
            assert not stage.run.campaign.detection
            assert "wait for the calls under way" in stage.run.trouble
            await until(lambda: stage.run.campaign.detection, 60.0)
            assert stage.run.trouble == ""

    play(scene())


def test_an_agent_of_another_campaign_is_told_where() -> None:
    async def scene() -> None:
        async with staged(agents=("101",)) as stage:
            stage.store.homes["102"] = "other"
            asked = stage.command("sign_in", agent="102")
            await until(lambda: asked in stage.store.replies)
            assert stage.store.replies[asked] == (False, "works for other: sign him out there first")
            assert stage.state("102") is AgentState.SIGNED_OUT
            assert not [one for one in stage.asterisk.originated if one.exten == "102"]

    play(scene())


def test_a_phones_code_is_for_the_campaign_that_knows_the_agent() -> None:
    async def scene() -> None:
        async with staged(agents=("101",)) as stage:
            await stage.store.save_campaign(replace(CAMPAIGN, id="c2"))
            await until(lambda: "c2" in stage.engine.runs)
            stage.asterisk.press("101", "*2")
            stage.asterisk.press("109", "*1")
            await until(lambda: stage.state("101") is AgentState.BREAK, 5.0)
            assert "101" not in stage.engine.runs["c2"].floor.team.agents
            assert all("109" not in run.floor.team.agents for run in stage.engine.runs.values())

    play(scene())


def test_two_campaigns_share_a_trunk() -> None:
    async def scene() -> None:
        async with staged(IVR, rings, 500) as stage:
            other = replace(IVR, id="c2", lines_max=1000)
            await stage.store.save_campaign(other)
            await stage.store.add_contacts("c2", contacts(500, 1000), EPOCH)
            stage.books.settings = replace(IVR, lines_max=1000)
            stage.store.books["c2"].status = Status.RUNNING
            await until(lambda: "c2" in stage.engine.runs)
            await asyncio.sleep(20.0)
            lines = [run.floor.lines() for run in stage.engine.runs.values()]
            assert sum(lines) <= 100
            assert min(lines) > 30

    play(scene())


def test_a_lost_leg_is_raised_again_and_the_customer_comes_back() -> None:
    async def scene() -> None:
        async with staged(
            debtor=lambda order: Debtor(rings_s=1.0, patience_s=60.0), agents=("101",), listed=1
        ) as stage:
            await until(lambda: stage.asterisk.talks)
            (leg,) = stage.asterisk.legs()
            stage.asterisk.end(leg)
            await until(lambda: len(stage.asterisk.talks) == 2, 9.0)
            assert {agent for _, agent in stage.asterisk.talks} == {"101"}
            await stage.quiet()
            assert list(stage.outcomes().values()) == ["connected"]

    play(scene())


def test_the_link_that_comes_back_is_compared_before_anybody_is_called() -> None:
    async def scene() -> None:
        async with staged(debtor=talks, agents=("101", "102"), listed=50) as stage:
            await until(lambda: stage.asterisk.talks)
            stage.asterisk.cut()
            await asyncio.sleep(15.0)
            stage.asterisk.join()
            await until(lambda: stage.run.reconciled, 3.0)
            await stage.quiet()
            assert set(stage.placed()) <= set(stage.outcomes())

    play(scene())


def test_events_of_nobody_mean_nothing() -> None:
    async def scene() -> None:
        async with staged(agents=("101",)) as stage:
            for kind in Seen:
                stage.asterisk._inbox.put_nowait(Event(kind, EPOCH, "stranger", "agent-101", "x"))
            await asyncio.sleep(1.0)
            assert stage.state("101") is not None
            assert stage.run.reconciled

    play(scene())


# ---- everything at once


IN_CALL = ["hold", "unhold", "to_ivr", "to_agent", "consult", "consult_end", "hand_over", "help"]
IN_CALL += ["listen", "whisper", "join", "take_over", "leave"]


async def storm(stage: Stage, agents: tuple[str, ...], chance: Random) -> None:
    """Two minutes of everything that breaks."""
    asterisk, store = stage.asterisk, stage.store
    for _ in range(60):
        await asyncio.sleep(chance.uniform(0.5, 4))
        breaks = ["leg", "order", "talk", "talk", "cut", "join", "slow", "down", "deaf", "work", "work", "work"]
        match chance.choice(breaks):
            case "leg" if list(asterisk.legs()):
                asterisk.end(chance.choice(list(asterisk.legs())))
            case "order":
                orders = ["break", "back", "sign_out", "sign_in", "wrapped", "hang_up", "disposition"]
                stage.command(chance.choice(orders), agent=chance.choice(agents), disposition="told")
            case "talk":
                for agent in agents:
                    name, to = chance.choice(IN_CALL), chance.choice(agents)
                    stage.command(name, 30.0, agent=agent, to=to, supervisor=chance.choice(["201", "202"]))
            case "cut" if asterisk.link:
                asterisk.cut()
            case "join" if not asterisk.link:
                asterisk.join(booted=chance.random() < 0.3)
            case "slow":
                store.slow_s = chance.choice([0.0, 0.01, 0.5, 1.5])
            case "down":
                store.down = not store.down
            case "deaf":
                store.deaf = {chance.choice(["claim", "lock", "write", "reply", ""])}
            case _:
                for agent in agents:
                    stage.command("back", agent=agent)
                    stage.command("sign_in", agent=agent)


def calm(store: TwinStore) -> None:
    store.down, store.slow_s, store.deaf = False, 0.0, set()


@pytest.mark.parametrize("seed", range(12))
def test_whatever_breaks_every_call_ends_once(seed: int) -> None:
    async def scene() -> None:
        chance = Random(seed)
        agents = tuple(f"1{number:02d}" for number in range(6))
        kind = chance.choice(list(Kind))
        campaign: Campaign = replace(
            CAMPAIGN,
            kind=kind,
            mode=Mode.IVR if kind is Kind.IVR else chance.choice([Mode.PROGRESSIVE, Mode.RATIO]),
            ratio=2.0,
            agent_wait_s=15,
            detection=chance.random() < 0.3,
            overflow=chance.choice(list(Overflow)),
        )
        async with staged(campaign, mixed(seed), 400, agents, seed) as stage:
            asterisk = stage.asterisk
            asterisk.deaf, asterisk.silent, asterisk.skew_s = 0.05, 0.01, chance.uniform(-100, 100)
            await storm(stage, agents, chance)
            calm(stage.store)
            if not asterisk.link:
                asterisk.join()
            asterisk.deaf = asterisk.silent = 0.0
            await asyncio.sleep(5.0)
            for boss in ("201", "202"):
                stage.command("leave", supervisor=boss)
                stage.command("sign_out", agent=boss)
            await stage.quiet(400.0)  # who is on hold goes back to his agent after 300 s
            ids = [one.attempt.id for one in stage.books.outcomes]
            assert len(ids) == len(set(ids))
            assert set(stage.placed()) <= set(ids)
            live = [one.attempt for one in stage.books.outcomes if one.verdict.live]
            counted = stage.run.abandons.rate(stage.run.pack.abandon_window, stage.clock.now()).live
            assert counted == len(live) or stage.run.token > 1, "only what was counted since the last board may be lost"
            await asyncio.sleep(70.0)
            for agent in agents:
                stage.command("sign_in", agent=agent)
                stage.command("back", agent=agent)
            await until(lambda: {stage.state(agent) for agent in agents} == {AgentState.IDLE}, 120.0)
            nothing_is_left(stage)

    play(scene())


def nothing_is_left(stage: Stage) -> None:
    run = stage.run
    books = run.floor.books
    assert not [*books.attempts, *books.notes, *books.waiting(), *run.contacts, *run.answers]
    assert len(run.floor.deadlines) == 0
    assert not [one for one in stage.asterisk.up.values() if one.order.context != Context.AGENT]
