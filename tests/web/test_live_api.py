"""A campaign's live state, its shift and orders to its engine over the API; the engine is played by the test."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from dialer.adapters.redis_keys import campaign_keys
from dialer.model import Campaign, Command
from dialer.users import Role
from tests.web.house import House

pytestmark = pytest.mark.redis
BOARD = {"campaign": "april", "status": "paused", "agents": [{"id": "101", "state": "idle", "since": 1.0}]}


async def led(house: House) -> int:
    """A campaign that somebody leads; his token."""
    await house.store.save_campaign(Campaign("april", "April", trunk="carrier"))
    token = await house.store.lead("april", "engine", 60_000)
    assert token is not None
    return token


@asynccontextmanager
async def engine(
    house: House, token: int, ok: bool = True, text: str = "done", campaign: str = "april"
) -> AsyncIterator[list[Command]]:
    """Answers every command; what it was asked."""
    asked: list[Command] = []

    over = asyncio.Event()

    async def run() -> None:
        while not over.is_set():
            for command in await house.store.commands(campaign, token):
                asked.append(command)
                await house.store.reply(command, token, ok, text)
            await asyncio.sleep(0.01)

    task = asyncio.create_task(run())
    try:
        yield asked
    finally:
        over.set()
        await task


async def test_the_last_board_with_its_alerts(house: House) -> None:
    token = await led(house)
    client = await house.signed_in("ratna", Role.SUPERVISOR)
    assert (await client.get("/campaigns/april/live")).kind == "no_board"
    board = BOARD | {"at": house.clock.now() - 30, "kept": {"v": 1}}
    await house.store.publish("april", token, json.dumps(board).encode())
    found = (await client.get("/campaigns/april/live")).body
    assert "kept" not in found
    assert found["agents"] == {"101": BOARD["agents"][0]}
    assert found["alerts"] == [{"kind": "engine_silent", "level": "bad", "facts": {"seconds": 30}}]
    await house.store.publish("april", token, b"no board")
    assert (await client.get("/campaigns/april/live")).status == 503
    assert (await client.get("/campaigns/nobody/live")).status == 404


async def test_the_shift_in_columns(house: House) -> None:
    await led(house)
    now = house.clock.now()
    key = campaign_keys("april").pacing
    for turn in range(60):
        at = now - 3600 + turn * 60
        fields = ("at", f"{at:.3f}", "reason", f"turn {turn}", "working", str(turn))
        more = ("answer_rate", "0.25") if turn % 2 else ("answer_rate", "?")
        await house.store._link.one(("XADD", key, f"{int(at * 1000)}-0", *fields, *more))
    client = await house.signed_in("ratna", Role.SUPERVISOR)
    found = (await client.get("/campaigns/april/pacing?hours=1.1&points=11")).body
    assert 8 <= len(found["at"]) <= 11
    assert found["at"] == sorted(found["at"])
    assert set(found["numbers"]) == {"working", "answer_rate"}
    assert {len(column) for column in found["numbers"].values()} == {len(found["at"])} == {len(found["reason"])}
    assert set(found["numbers"]["answer_rate"]) <= {0.25, None}
    assert (await client.get("/campaigns/april/pacing?points=501")).status == 400
    assert (await client.get("/campaigns/none/pacing")).body["at"] == []


async def test_an_order_is_carried_out_and_answered(house: House) -> None:
    token = await led(house)
    client = await house.signed_in("ratna", Role.SUPERVISOR)
    async with engine(house, token, text="after this call") as asked:
        order = {"name": "break", "agent": "101", "reason": "rest"}
        answer = await client.post("/campaigns/april/orders", order, headers={"Idempotency-Key": "press-it-once"})
        assert (answer.status, answer.body) == (200, {"text": "after this call"})
        again = await client.post("/campaigns/april/orders", order, headers={"Idempotency-Key": "press-it-once"})
        assert again.body == answer.body
        await client.post("/campaigns/april/orders", {"name": "message", "agent": "all", "text": "Halo"})
        await client.post("/campaigns/april/orders", {"name": "start"})
    assert [(one.name, one.args) for one in asked] == [
        ("break", {"agent": "101", "reason": "rest", "forced": "1"}),
        ("message", {"agent": "all", "text": "Halo"}),
        ("start", {}),
    ]
    assert {one.sender for one in asked} == {"web:ratna"}


async def test_a_refusal_is_the_engines_word(house: House) -> None:
    token = await led(house)
    client = await house.signed_in("ratna", Role.SUPERVISOR)
    async with engine(house, token, ok=False, text="agent 101 is not signed in"):
        answer = await client.post("/campaigns/april/orders", {"name": "break", "agent": "101"})
    assert (answer.status, answer.kind, answer.body["detail"]) == (
        409, "engine_refused", "agent 101 is not signed in"
    )  # fmt: skip


@pytest.mark.parametrize(
    ("order", "status", "kind"),
    [
        ({"name": "break"}, 422, "no_agent"),
        ({"name": "reboot"}, 422, "bad_body"),
        ({"name": "break", "agent": "1; drop"}, 422, "bad_body"),
        ({"name": "message", "agent": "all", "text": "x" * 501}, 422, "bad_body"),
        ({"name": "start", "deadline": 9}, 422, "bad_body"),
    ],
)
async def test_what_makes_no_sense_reaches_no_engine(
    house: House, order: dict[str, object], status: int, kind: str
) -> None:
    token = await led(house)
    client = await house.signed_in("ratna", Role.SUPERVISOR)
    async with engine(house, token) as asked:
        answer = await client.post("/campaigns/april/orders", order)
    assert (answer.status, answer.kind, asked) == (status, kind, [])


async def test_each_order_needs_its_right(house: House) -> None:
    token = await led(house)
    agent = await house.signed_in("budi", Role.AGENT, "101")
    sees, runs = await house.program("board:see"), await house.program("board:see", "campaigns:run")
    orders = await house.program("board:see", "agents:order")
    start, listen = {"name": "start"}, {"name": "listen", "agent": "101", "supervisor": "900"}
    async with engine(house, token) as asked:
        assert (await agent.post("/campaigns/april/orders", start)).status == 403
        assert (await agent.get("/campaigns/april/live")).status == 403
        assert [(await one.post("/campaigns/april/orders", start)).status for one in (sees, runs, orders)] == [
            403, 200, 403
        ]  # fmt: skip
        assert [(await one.post("/campaigns/april/orders", listen)).status for one in (sees, runs, orders)] == [
            403, 403, 200
        ]  # fmt: skip
    assert [one.name for one in asked] == ["start", "listen"]
