"""Notes for desks: kept, numbered, published, and never an older one after a newer."""

import asyncio
import json
from dataclasses import replace
from typing import Any

import pytest
from redis.asyncio import Redis

from dialer.adapters.redis_keys import desk_key
from dialer.adapters.redis_process import RedisProcess
from dialer.adapters.redis_store import RedisStore
from dialer.adapters.redis_users import RedisUsers
from dialer.errors import NotLeader
from dialer.floor.desknote import DeskNote
from dialer.model import Agent, AgentState, Command
from dialer.users import Role, User
from tests.adapters.redis_lives import AT, CAMPAIGN, begin, claimed, contacts, link_of

pytestmark = pytest.mark.redis
COMING = Agent("101", "node", CAMPAIGN, AgentState.RAISING)
NOTE = DeskNote("101", CAMPAIGN, "node", "raising", AT, AT, 1, 1)


async def kept(store: RedisStore) -> dict[str, object]:
    raw = await link_of(store).one(("GET", desk_key("101")))
    return json.loads(raw) if raw else {}


async def test_the_last_note_is_kept_numbered_and_published(store: RedisStore, redis_process: RedisProcess) -> None:
    listener = Redis.from_url(redis_process.url).pubsub(ignore_subscribe_messages=True)
    await listener.subscribe(desk_key("101"))
    await listener.get_message(timeout=1.0)
    people = contacts(1)
    token = await begin(store, listed=people)
    await store.save_agents(CAMPAIGN, token, [COMING], [replace(NOTE, token=token)])
    (one,) = await claimed(store, token, people)
    told = replace(NOTE, state="reserved", attempt=one.id, token=token, turn=2)
    assert await store.reserve(token, replace(COMING, state=AgentState.IDLE), one, told)
    heard: list[dict[str, object]] = []
    async with asyncio.timeout(60):
        while len(heard) < 2:
            message = await listener.get_message(timeout=1.0)
            heard += [json.loads(message["data"])] if message else []
    await listener.aclose()  # type: ignore[no-untyped-call]
    assert [(note["seq"], note["state"]) for note in heard] == [(1, "raising"), (2, "reserved")]
    assert await kept(store) == heard[1]
    assert heard[1]["attempt"] == one.id


@pytest.mark.parametrize(
    ("late", "seq"),
    [
        ({"turn": 4}, 1),
        ({"turn": 5}, 1),
        ({"turn": 6}, 2),
        ({"token": 1, "turn": 9}, 1),
        ({"token": 3, "turn": 1}, 2),
        ({"campaign": "another", "token": 9, "turn": 9}, 1),
    ],
)
async def test_a_late_note_is_dropped(store: RedisStore, late: dict[str, Any], seq: int) -> None:
    token = await begin(store)
    await store.save_agents(CAMPAIGN, token, [COMING], [replace(NOTE, token=2, turn=5)])
    await store.save_agents(CAMPAIGN, token, [COMING], [replace(NOTE, **{"token": 2} | late, state="idle")])
    assert ((await kept(store))["seq"], (await kept(store))["state"]) == (seq, "idle" if seq == 2 else "raising")


async def test_nonsense_in_its_place_is_no_obstacle(store: RedisStore) -> None:
    token = await begin(store)
    for nonsense in ("", "{", "7", "[]", '{"seq": "x"}'):
        await link_of(store).one(("SET", desk_key("101"), nonsense))
        await store.save_agents(CAMPAIGN, token, [COMING], [NOTE])
        assert (await kept(store))["seq"] == 1


async def test_who_works_elsewhere_or_is_led_by_another_is_told_nothing(store: RedisStore) -> None:
    token = await begin(store)
    second = await begin(store, "second")
    await store.save_agents(CAMPAIGN, token, [COMING], [NOTE])
    await store.save_agents("second", second, [COMING], [replace(NOTE, campaign="second")])
    with pytest.raises(NotLeader):
        await store.save_agents(CAMPAIGN, token - 1, [COMING], [replace(NOTE, token=token - 1, state="idle", turn=9)])
    assert ((await kept(store))["campaign"], (await kept(store))["state"]) == (CAMPAIGN, "raising")


async def test_who_goes_over_has_one_home_at_a_time_and_notes_of_that_one_alone(store: RedisStore) -> None:
    token = await begin(store)
    await store.save_agents(CAMPAIGN, token, [COMING], [NOTE])
    assert await store.works_for("101") == CAMPAIGN
    gone = replace(COMING, state=AgentState.SIGNED_OUT, moves_to="c2")
    await store.save_agents(CAMPAIGN, token, [gone], [replace(NOTE, state="signed_out", moves_to="c2", turn=2)])
    assert (await store.works_for("101"), (await kept(store))["moves_to"]) == ("", "c2")
    (known,) = await store.agents(CAMPAIGN)
    assert known.moves_to == "c2", "whoever leads next finishes it"
    await store.save_agents("c2", 1, [replace(COMING, campaign="c2")], [replace(NOTE, campaign="c2")])
    assert await store.works_for("101") == "c2"
    await store.save_agents(CAMPAIGN, token, [replace(gone, moves_to="")], [replace(NOTE, state="signed_out", turn=3)])
    assert (await kept(store))["campaign"] == "c2"
    assert await store.agents(CAMPAIGN) == ()


async def test_what_an_agent_serves_is_what_his_user_says(store: RedisStore) -> None:
    users = RedisUsers(link_of(store))
    budi = User("budi", Role.AGENT, "x", "101", campaigns=("april", "may"))
    await users.add(budi)
    await users.add(User("citra", Role.AGENT, "x", "102"))
    assert await store.skills(["101", "102", "103"]) == {"101": ("april", "may")}
    await users.change(budi, replace(budi, agent="103", campaigns=("may",)))
    assert await store.skills(["101", "102", "103"]) == {"103": ("may",)}
    assert await store.skills([]) == {}


async def test_an_order_to_another_engine_is_put_once_and_answered_when_it_has_been(store: RedisStore) -> None:
    token = await begin(store)
    command = Command("move-101-1", CAMPAIGN, "sign_in", "engine:c2", AT, AT + 20, {"agent": "101"})
    for _ in range(2):
        assert await store.order(command) is None
    assert [one.id for one in await store.commands(CAMPAIGN, token)] == [command.id]
    await store.reply(command, token, True, "raising his leg")
    for _ in range(2):
        assert await store.order(command) == (True, "raising his leg")
    assert await store.commands(CAMPAIGN, token) == ()
