"""Keys and scripts: each script's keys are in one hash slot, also in the eyes of a Redis Cluster."""

import asyncio
from dataclasses import replace
from datetime import date
from pathlib import Path

import pytest
from redis.crc import key_slot

from dialer.adapters.programs import redis_server
from dialer.adapters.redis_codec import encode
from dialer.adapters.redis_deeds import RedisOnce
from dialer.adapters.redis_ivr import IvrStore
from dialer.adapters.redis_keys import CampaignKeys, campaign_keys, number_keys, person_keys, promises_key
from dialer.adapters.redis_link import Link
from dialer.adapters.redis_outcomes import promise_word
from dialer.adapters.redis_process import RedisProcess
from dialer.adapters.redis_scripts import digest, sources
from dialer.adapters.redis_store import RedisStore
from dialer.adapters.redis_upkeep import Upkeep
from dialer.debts import history
from dialer.debts.payments import Told
from dialer.debts.promises import Promise
from dialer.errors import BadInput
from dialer.floor.desknote import desk_note
from dialer.forms.privacy import Privacy
from dialer.model import Agent, AgentState, Campaign, Command, Fact, Number, Refused, Status
from dialer.ports import Unwritten
from dialer.users import Done
from tests.adapters.redis_lives import (
    AT,
    CAMPAIGN,
    ROOT,
    Recorded,
    attempt,
    begin,
    claimed,
    contacts,
    finish,
    link_of,
    until,
    with_link,
)  # fmt: skip

pytestmark = pytest.mark.redis
ELSEWHERE = {"report", "sheet", "web_rate", "web_session", "web_swap"}  # the IVR's client; tests/web/test_redis_web.py


def test_campaign_tags_cannot_meet_others() -> None:
    tags = {name: getattr(campaign_keys("a"), name) for name in CampaignKeys.__slots__}
    assert len(set(tags.values())) == len(tags)
    assert len({key_slot(name.encode()) for name in tags.values()}) == 1
    assert not {"a"} & {person_keys("a").state[1:].partition("}")[0], number_keys("a").state[1:].partition("}")[0]}


@pytest.mark.parametrize("campaign", ["", "p:1", "A", "a}b", "a b", "x" * 41, "a\n"])
def test_what_is_no_campaign_id_gets_no_keys(campaign: str) -> None:
    with pytest.raises(BadInput):
        campaign_keys(campaign)


async def everything(store: RedisStore) -> None:
    """One call of each script at least."""
    people = contacts(4)
    token = await begin(store, listed=people)
    agent = Agent("101", "node", CAMPAIGN, AgentState.RAISING)
    note = desk_note(agent, None, Campaign(CAMPAIGN, CAMPAIGN), AT, token, 1)
    await store.save_agents(CAMPAIGN, token, [agent], [note])
    attempts = await claimed(store, token, people[:2])
    assert await store.reserve(token, agent, attempts[0])
    await store.refuse(token, CAMPAIGN, [(people[3], people[3].numbers[0], Refused("hours", AT + 5))], AT)
    assert await store.recall(CAMPAIGN, token, ["hours"], AT) == 1
    assert await store.write(token, CAMPAIGN, attempts, [finish(attempts[0], people[0])]) == 1
    await store.hand_over([Unwritten(CAMPAIGN, attempts[0].id, facts=True)])
    await store.taken(token, CAMPAIGN, await store.handed_over(CAMPAIGN))
    assert await store.call_back(CAMPAIGN, people[3].id, AT + 99, "101", AT)
    await store.correct(CAMPAIGN, token, {"attempt": attempts[0].id})
    taken = attempt(people[1])
    await store.lock([taken], AT + 40)  # stale in age only: it is open
    await store.stop([people[2].person], [])
    assert await store.lift([people[2].person], [], "", "by mistake", "test", AT) == 1
    await store.stop([people[2].person], [])
    third = attempt(people[2])
    await store.lock([third], AT)
    assert await store.claim(token, [third], AT) == [False]
    command = Command("c1", CAMPAIGN, "pause", "test", AT, AT + 5)
    sent = asyncio.create_task(store.send(command, 5.0))
    await until(lambda: store.commands(CAMPAIGN, token))
    await store.reply(command, token, True, "done")
    assert (await sent) is not None
    await store.set_status(CAMPAIGN, token, Status.PAUSED)
    await store.publish(CAMPAIGN, token, b"{}")
    await store.pacing(CAMPAIGN, token, {"at": "1"})
    await store.trunk_share("trunk", "engine", 30, 5.0)
    await store.trim(CAMPAIGN, AT)
    await store.replace_contacts(CAMPAIGN, [replace(people[2], amount=7)])
    promise = Promise("x1", CAMPAIGN, people[2].id, people[2].person, 5, "IDR", date(2027, 1, 1), AT, AT - 9, "101")
    await link_of(store).run(
        [
            ("HSET", promises_key(promise.person), promise.id, encode(promise)),
            ("ZADD", campaign_keys(CAMPAIGN).promised, "5", promise_word(promise)),
        ]
    )
    assert await store.fall_due(CAMPAIGN, AT) == 1
    await store.pay(Told("bank", "1", AT, 5, "IDR", contact=people[2].id), AT)
    await store.pay(Told("bank", "2", AT, 5, "IDR", contact=people[2].id), AT)
    await store.withdraw(people[2].person, AT)
    await store.remember(people[2].person, history.note("n1", AT, "test", "friendly"))
    await RedisOnce(link_of(store)).done("test", "key-0001", Done("print", 200, f'"{people[2].id}"'.encode()))
    await store.erase(people[2].person)
    await store.remember(people[1].person, history.note("n2", AT, "test", "friendly"))
    assert (await Upkeep(link_of(store), store, Privacy(history_days=1)).run(AT + 9e5))["history entries"]
    assert await store.renew(CAMPAIGN, "engine", token, 1000)
    await store.resign(CAMPAIGN, "engine", token)


async def test_the_keys_of_each_script_share_a_slot(redis_process: RedisProcess) -> None:
    link = Recorded(redis_process.url)
    store = with_link(redis_process.url, link)
    try:
        await everything(store)
    finally:
        await store.close()
    calls = [command for command in link.sent if command[0] == "EVALSHA"]
    assert {command[1] for command in calls} == {digest(name) for name in sources() if name not in ELSEWHERE}
    for command in calls:
        assert len({key_slot(str(key).encode()) for key in command[3 : 3 + int(command[2])]}) == 1, command


async def cluster_is_up(link: Link) -> bool:
    return b"cluster_state:ok" in await link.one(("CLUSTER", "INFO"))


async def test_all_of_it_runs_on_a_cluster_node(tmp_path: Path) -> None:
    redis = RedisProcess(redis_server(ROOT), tmp_path / "redis", "no", options=("--cluster-enabled", "yes"))
    await redis.start()
    recorded = Recorded(redis.url)
    store = with_link(redis.url, recorded)
    try:
        await recorded.one(("CLUSTER", "ADDSLOTSRANGE", 0, 16383))
        await until(lambda: cluster_is_up(recorded))
        await everything(store)
        ivr = IvrStore(redis.url)
        assert await asyncio.to_thread(ivr.report, CAMPAIGN, "x", Fact(0, AT, "step"))
        ivr.close()
    finally:
        await store.close()
        await redis.stop()


def test_a_number_has_another_lock_than_a_person() -> None:
    assert person_keys("same").state != number_keys(Number("+1", "same").key).state
