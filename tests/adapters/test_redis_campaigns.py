"""Campaigns, leadership, commands, agents, the trunk's slices."""

import asyncio
from dataclasses import replace

import pytest

from dialer.adapters.redis_campaigns import SLICE_S
from dialer.adapters.redis_codec import Reply
from dialer.adapters.redis_keys import IVR_BEATS, campaign_keys, reply_key, trunk_key
from dialer.adapters.redis_process import RedisProcess
from dialer.adapters.redis_store import RedisStore
from dialer.model import Agent, AgentState, Campaign, Command, Kind, Mode, Retry, Status
from dialer.ports import Store
from tests.adapters.redis_lives import AT, CAMPAIGN, attempt, begin, claimed, contacts, finish, link_of, until

pytestmark = pytest.mark.redis
KEYS = campaign_keys(CAMPAIGN)
TWO = {"first": 1, "second": 2}


def as_port(store: RedisStore) -> Store:
    """mypy holds the store against its port here."""
    return store


async def test_a_campaign_is_kept(store: RedisStore) -> None:
    rich = Campaign(CAMPAIGN, "One", Kind.IVR, Mode.IVR, lines_max=7, retries={"busy": Retry(60, 3)})
    await store.save_campaign(rich)
    await store.save_campaign(Campaign("another", "Two"))
    assert await store.campaigns() == ("another", CAMPAIGN)
    assert await store.campaign(CAMPAIGN) == (rich, Status.READY)
    token = await store.lead(CAMPAIGN, "engine", 1000) or 0
    await store.set_status(CAMPAIGN, token, Status.RUNNING)
    await store.save_campaign(replace(rich, name="New"))
    assert await store.campaign(CAMPAIGN) == (replace(rich, name="New"), Status.RUNNING)
    assert await store.campaign("unknown") is None
    assert await as_port(store).health() > 0


async def test_broken_settings_are_no_campaign_and_a_broken_status_calls_nobody(store: RedisStore) -> None:
    await store.save_campaign(Campaign(CAMPAIGN, "One"))
    link = link_of(store)
    await link.one(("SET", KEYS.status, "galloping"))
    found = await store.campaign(CAMPAIGN)
    assert found is not None
    assert found[1] is Status.PAUSED
    await link.one(("SET", KEYS.settings, "{"))
    assert await store.campaign(CAMPAIGN) is None
    assert store.broken == {KEYS.status: 1, KEYS.settings: 1}


# ---- leadership


async def test_one_leads_and_the_next_token_is_higher(store: RedisStore) -> None:
    first = await store.lead(CAMPAIGN, "one", 60_000)
    assert first == 1
    assert await store.lead(CAMPAIGN, "two", 60_000) is None
    assert await store.lead(CAMPAIGN, "one", 60_000) == first
    assert await store.renew(CAMPAIGN, "one", first, 60_000)
    assert not await store.renew(CAMPAIGN, "two", first, 60_000)
    await store.resign(CAMPAIGN, "two", first)
    assert await store.lead(CAMPAIGN, "two", 60_000) is None
    await store.resign(CAMPAIGN, "one", first)
    assert await store.lead(CAMPAIGN, "two", 60_000) == first + 1


async def test_a_lease_runs_out_by_itself(store: RedisStore) -> None:
    first = await store.lead(CAMPAIGN, "one", 30) or 0

    async def led_by_two() -> bool:
        return await store.lead(CAMPAIGN, "two", 60_000) is not None

    await until(led_by_two)
    assert not await store.renew(CAMPAIGN, "one", first, 60_000)


async def test_a_lease_that_ran_out_unnoticed_is_taken_up_again(store: RedisStore) -> None:
    token = await store.lead(CAMPAIGN, "one", 60_000) or 0
    await link_of(store).one(("DEL", KEYS.lease))
    assert await store.renew(CAMPAIGN, "one", token, 60_000)
    await link_of(store).run([("DEL", KEYS.lease), ("SET", KEYS.fence, 0)])
    assert await store.renew(CAMPAIGN, "one", token + 5, 60_000), "a replica took over and has not heard of our token"
    assert await link_of(store).one(("GET", KEYS.fence)) == str(token + 5).encode()


# ---- commands


def command(name: str, word: str = "pause") -> Command:
    return Command(name, CAMPAIGN, word, "cli", AT, AT + 5, {"agent": "101"})


async def test_a_command_is_applied_once_and_answered(store: RedisStore) -> None:
    token = await begin(store)
    one, two = command("one"), command("two")
    asked = [asyncio.create_task(store.send(each, 10)) for each in (one, one)]

    async def arrived() -> bool:
        return len(await store.commands(CAMPAIGN, token)) == 1

    await until(arrived)
    assert await store.send(two, 0.01) is None, "nobody has answered yet"
    assert await store.commands(CAMPAIGN, token) == (one, two)
    await store.reply(one, token, True, "paused")
    await store.reply(one, token, False, "again")
    assert await asyncio.gather(*asked) == [Reply(True, "paused")] * 2
    assert await store.commands(CAMPAIGN, token) == (two,)
    await store.reply(two, token, False, "too late")
    assert await store.answer(two, 1) == Reply(False, "too late")
    assert 0 < await link_of(store).one(("PTTL", reply_key(CAMPAIGN, "two"))) <= 60_000
    assert await store.commands(CAMPAIGN, token) == ()


async def test_a_broken_command_is_dropped_and_the_next_is_read(store: RedisStore) -> None:
    token = await begin(store)
    link = link_of(store)
    await link.one(("XADD", KEYS.commands, "*", "nonsense", "1"))
    await link.one(("XADD", KEYS.commands, "*", "command", b'{"id":"x"}'))
    assert await store.send(command("one"), 0.01) is None
    assert await store.commands(CAMPAIGN, token) == (command("one"),)
    assert store.broken == {KEYS.commands: 2}
    assert await link.one(("XLEN", KEYS.commands)) == 1


# ---- agents

COMING = Agent("101", "node", CAMPAIGN, AgentState.RAISING, AT)
IDLE = replace(COMING, state=AgentState.IDLE, leg="leg")


async def test_an_agent_is_reserved_once(store: RedisStore) -> None:
    people = contacts(2)
    token = await begin(store, listed=people)
    await store.save_agents(CAMPAIGN, token, [COMING])
    await store.save_agents(CAMPAIGN, token, [IDLE])
    one, two = await claimed(store, token, people)
    assert await store.reserve(token, IDLE, replace(one, agent="101"))
    assert await store.reserve(token, IDLE, replace(one, agent="101")), "the answer was lost, asked again"
    assert not await store.reserve(token, IDLE, replace(two, agent="101"))
    assert await store.agents(CAMPAIGN) == (replace(IDLE, state=AgentState.RESERVED, attempt=one.id),)
    assert {each.agent for each in await store.open_attempts(CAMPAIGN)} == {"101", ""}
    await store.write(token, CAMPAIGN, [], [finish(one, people[0])])
    talking_before = replace(IDLE, state=AgentState.RESERVED, attempt=two.id)
    assert await store.reserve(token, talking_before, two), "his idle word is still on its way"
    assert await store.agents(CAMPAIGN) == (talking_before,)


async def test_nobody_is_reserved_for_a_call_that_is_over(store: RedisStore) -> None:
    people = contacts(1)
    token = await begin(store, listed=people)
    await store.save_agents(CAMPAIGN, token, [COMING, IDLE])
    assert not await store.reserve(token, IDLE, attempt(people[0]))
    (one,) = await claimed(store, token, people)
    assert not await store.reserve(token, replace(IDLE, id="999"), one), "and nobody who is unknown"
    assert await store.agents(CAMPAIGN) == (IDLE,)


async def test_an_agent_works_for_one_campaign_at_a_time(store: RedisStore) -> None:
    first, second = [await begin(store, name) for name in TWO]
    assert await store.works_for("101") == ""
    await store.save_agents("first", first, [COMING])
    await store.save_agents("second", second, [replace(COMING, campaign="second"), replace(COMING, id="102")])
    assert [one.id for one in await store.agents("second")] == ["102"]
    assert await store.works_for("101") == "first"
    await store.save_agents("first", first, [replace(COMING, state=AgentState.SIGNED_OUT)])
    await store.save_agents("second", second, [replace(COMING, campaign="second")])
    assert [one.id for one in await store.agents("second")] == ["101", "102"]
    assert await store.agents("first") == ()


async def test_an_agent_of_a_campaign_that_nobody_leads_is_free(store: RedisStore) -> None:
    first, second = [await begin(store, name) for name in TWO]
    await store.save_agents("first", first, [COMING])
    await store.resign("first", "engine", first)
    await store.save_agents("second", second, [replace(COMING, campaign="second")])
    assert await store.works_for("101") == "second"
    assert await store.agents("first") == ()


# ---- trunk and IVR


async def test_a_trunk_is_never_shared_out_twice(store: RedisStore) -> None:
    assert await store.trunk_share("t", "one", 30, 6.0) == (30, 6.0)
    assert await store.trunk_share("t", "two", 30, 6.0) == (0, 0.0), "until the first asks again"
    assert await store.trunk_share("t", "one", 30, 6.0) == (15, 3.0)
    assert await store.trunk_share("t", "two", 30, 6.0) == (15, 3.0)
    assert await store.trunk_share("t", "three", 30, 6.0) == (0, 0.0)
    shares = [await store.trunk_share("t", name, 31, 6.0) for name in ("one", "two", "three") * 2]
    assert sum(lines for lines, _ in shares[3:]) == 31
    link = link_of(store)
    for name in ("two", "three"):
        lines, cps, since = str(await link.one(("HGET", trunk_key("t"), name)), "ascii").split()
        old = float(since) + {"two": -SLICE_S - 1, "three": 3600}[name]  # as from a clock that was set right since
        await link.one(("HSET", trunk_key("t"), name, f"{lines} {cps} {old}"))
    assert await store.trunk_share("t", "one", 30, 6.0) == (30, 6.0), "the others are gone"


async def test_a_broken_heartbeat_is_named(store: RedisStore, redis_process: RedisProcess) -> None:
    await link_of(store).one(("HSET", IVR_BEATS, "one", "5.5", "two", "soon"))
    assert await store.ivr_beats() == {"one": 5.5}
    assert store.broken == {IVR_BEATS: 1}
