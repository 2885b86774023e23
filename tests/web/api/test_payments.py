"""Payments over HTTP: signed, once, withdrawn and hung up on a real engine and a real Redis."""

import asyncio
import json
import os
import re
import shutil
import subprocess
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from dialer.config import PaymentSender
from dialer.debts.payments import sign
from dialer.engine import Engine
from dialer.model import Kind, Mode, Status
from dialer.running.run import Site
from dialer.web.doors import Office
from tests import packs
from tests.site import TRUNK
from tests.twins import Debtor, TwinAsterisk, TwinClock, new_id
from tests.web.api.kit import FIRST, campaign, debtor, filled, iso, listed
from tests.web.house import Answer, Client, House, opened

SECRET = "0123456789abcdef0123456789abcdef"
DOCS = Path(__file__).parents[3] / "docs" / "api.md"


def senders(office: Office) -> None:
    payments = {
        "bank": PaymentSender(secret=SECRET),
        "maju": PaymentSender(secret=SECRET[::-1], lenders=("Bank Maju",)),
    }
    office.config = office.config.model_copy(update={"payments": payments})


@pytest.fixture
async def house(tmp_path: Path) -> AsyncIterator[House]:
    async with opened(tmp_path, prepare=senders) as house:
        yield house


async def tell(
    client: Client, at: float, body: Any, sender: str = "bank", secret: str = SECRET, **headers: str
) -> Answer:
    raw = body if isinstance(body, bytes) else json.dumps(body).encode()
    stamp = f"{at:.0f}"
    signed = {
        "X-Santun-Sender": sender,
        "X-Santun-Timestamp": stamp,
        "X-Santun-Signature": sign(secret.encode(), stamp, raw),
    }
    return await client.post("/payments", raw, headers=signed | headers)


def payment(at: float, amount: int = 500_000, name: str = "p1", **more: Any) -> dict[str, Any]:
    return {"id": name, "amount": amount, "paid_at": iso(at), "lender": "Bank Maju", "account": "A-0"} | more


async def test_a_promise_is_kept_and_the_debtor_left_in_peace(house: House) -> None:
    book = await filled(house)
    client, at = house.client(), house.clock.now()
    done = await tell(client, at, payment(at + 1))
    assert done.status == 200, done.body
    assert (done.body["matched"], done.body["relieved"], done.body["withdrawn"]) == (True, True, 1)
    assert done.body["accounts"] == [
        {"campaign": FIRST, "contact": book.people[0].id, "outstanding": 500_000, "currency": "IDR"}
    ]
    assert [one["state"] for one in done.body["promises"]] == ["kept"]
    again = await tell(client, at, payment(at + 1))
    assert (again.body["repeated"], again.body["withdrawn"], again.body["promises"]) == (True, 0, [])
    other = await tell(client, at, payment(at + 1, 600_000))
    assert other.kind == "payment_conflict"
    assert not await listed(house.store, book.people[0])
    assert await listed(house.store, book.people[1])
    reader = await house.program("payments:see", "debtors:see")
    rows = (await reader.get("/payments")).body
    assert [(one["id"], one["amount"], one["campaigns"]) for one in rows["payments"]] == [("p1", 500_000, [FIRST])]
    assert (await reader.get("/payments", params={"after": rows["next"]})).body["payments"] == []
    shown = (await reader.get(f"/debtors/{book.people[0].person}")).body
    assert [line["what"] for line in shown["history"]] == ["promise_kept", "payment", "call"]
    assert shown["silent_until"] > iso(at)


async def test_a_part_and_an_account_that_nobody_has(house: House) -> None:
    book = await filled(house)
    client, at = house.client(), house.clock.now()
    part = await tell(client, at, payment(at + 1, 100_000, contact=book.people[0].id, account="", lender=""))
    assert (part.body["relieved"], part.body["accounts"][0]["outstanding"]) == (False, 900_000)
    assert await listed(house.store, book.people[0])
    lost = await tell(client, at, payment(at, name="p2", account="none"))
    assert (lost.status, lost.body["matched"]) == (200, False)
    late = await tell(client, at, payment(at - 86_400, name="p3"))  # before the promise
    assert (late.body["promises"], late.body["accounts"][0]["outstanding"]) == ([], 400_000)


async def test_who_did_not_sign_is_not_heard(house: House) -> None:
    await filled(house)
    client, at = house.client(), house.clock.now()
    body = payment(at)
    for answer in (
        await tell(client, at, body, secret=SECRET[1:]),
        await tell(client, at, body, sender="nobody"),
        await tell(client, at, body, sender="nobody", secret=""),
        await tell(client, at, body, sender=""),
        await tell(client, at - 301, body),
        await tell(client, at + 301, body),
        await tell(client, at, body, **{"X-Santun-Signature": ""}),
        await tell(client, at, body, **{"X-Santun-Timestamp": f"{at + 1:.0f}"}),
        await client.post("/payments", body),
    ):
        assert answer.kind == "bad_signature"
        assert answer.status == 401
    boss = await house.signed_in("boss", "supervisor")  # type: ignore[arg-type] # a StrEnum
    assert (await boss.post("/payments", body)).kind == "bad_signature"
    assert (await house.store.told_payments("0", 9)) == ()


async def test_a_sender_tells_of_its_own_lenders_only(house: House) -> None:
    book = await filled(house)
    await house.store.add_contacts(FIRST, [debtor(7, lender="Bank Lain")], 1.0)
    client, at = house.client(), house.clock.now()

    async def maju(body: dict[str, Any]) -> Answer:
        return await tell(client, at, body, "maju", SECRET[::-1])

    assert (await maju(payment(at))).status == 200
    assert (await maju(payment(at, name="p2", lender="Bank Lain", account="A-7"))).kind == "not_your_lender"
    by_contact = payment(at, name="p3", lender="", account="", contact=debtor(7).id)
    assert (await maju(by_contact)).kind == "not_your_lender"
    assert (await maju(payment(at, name="p4", lender="", account="", contact=book.people[1].id))).status == 200
    assert (await maju(payment(at, name="p5", lender="", account="", contact="nobody"))).kind == "not_your_lender"


@pytest.mark.parametrize(
    "wrong",
    [
        {"amount": 0}, {"amount": -5}, {"amount": 1.5}, {"amount": "5"}, {"amount": 10**16}, {"amount": True},
        {"currency": "idr"}, {"currency": "USD"}, {"id": ""}, {"id": "a b"}, {"id": "x" * 101}, {"extra": 1},
        {"paid_at": "2027-01-20"}, {"paid_at": "2027-01-20T10:00:00"}, {"paid_at": "2020-01-01T00:00:00Z"},
        {"paid_at": "2030-01-01T00:00:00Z"}, {"account": ""}, {"account": "a\u0000"}, {"lender": "x" * 201},
    ],
    ids=str,
)  # fmt: skip
async def test_what_makes_no_sense_changes_nothing(house: House, wrong: dict[str, Any]) -> None:
    book = await filled(house)
    at = house.clock.now()
    assert (await tell(house.client(), at, payment(at) | wrong)).status in (409, 422)
    known = await house.store.contact(FIRST, book.people[0].id)
    assert known is not None
    assert known.amount == 1_000_000
    assert (await house.store.told_payments("0", 9)) == ()


@pytest.mark.parametrize("body", [b"", b"{", b"[]", b"null", b"\xff", b"[" * 15_000, b"x" * 20_000])
async def test_any_bytes(house: House, body: bytes) -> None:
    assert (await tell(house.client(), house.clock.now(), body)).status in (400, 413, 422)


# ---- on a real engine -----------------------------------------------------------------------------------------------


async def until(ready: Any, limit_s: float = 60.0) -> float:
    """Seconds that it took."""
    clock = asyncio.get_running_loop().time
    began = clock()
    while not ready():
        assert clock() - began < limit_s
        await asyncio.sleep(0.005)
    return clock() - began


async def test_a_ringing_call_is_hung_up_within_a_second(house: House) -> None:
    clock = TwinClock()
    house.office.clock = clock
    asterisk = TwinAsterisk(clock, lambda order: Debtor(answers=False, rings_s=1000.0))
    settings = replace(campaign(), kind=Kind.IVR, mode=Mode.IVR, trunk="trunk", lines_max=2, record=False)
    people = [debtor(turn) for turn in range(3)]
    await house.store.save_campaign(settings)
    await house.store.add_contacts(FIRST, people, clock.now() - 10)
    engine = Engine(Site("e1", {"trunk": TRUNK}, lambda _: packs.demo(), new_id), house.store, {"a": asterisk}, clock)
    running = asyncio.create_task(engine.run())
    try:
        await until(lambda: engine.runs and engine.runs[FIRST].reconciled)
        runner = await house.program("campaigns:run", "board:see")
        assert (await runner.post(f"/campaigns/{FIRST}/orders", {"name": "start"})).status == 200
        run = engine.runs[FIRST]
        assert run.status is Status.RUNNING
        await until(lambda: sum(one.ringing_at > 0 for one in run.floor.attempts.values()) == 2)
        called, other = (
            next(one for one in run.floor.attempts.values() if one.contact == wanted.id) for wanted in people[:2]
        )
        began = clock.monotonic()
        done = await tell(house.client(), clock.now(), payment(clock.now(), 1_000_000))
        answered_s = clock.monotonic() - began
        await until(lambda: called.id in asterisk.hung_up)
        took_s = clock.monotonic() - began
        assert (done.body["relieved"], done.body["calls"]) == (True, ["hanging up"])
        assert took_s < 3.0, f"answered after {answered_s:.3f} s, hung up after {took_s:.3f} s"
        assert other.id not in asterisk.hung_up
        await until(lambda: called.id not in run.floor.attempts)
        await until(lambda: not run.writes)
        ended = [one for _, one in await house.store.tail(FIRST, 9)]
        assert [(one["attempt"], one["outcome"], one["reason"]) for one in ended] == [(called.id, "cancelled", "paid")]
        assert not await listed(house.store, people[0])
    finally:
        engine.stop()
        await running


async def test_without_an_engine_the_payment_counts_all_the_same(house: House) -> None:
    book = await filled(house, talked=0)
    at = house.clock.now()
    await house.store.lock([_ringing(book.people[0], at)], at)
    done = await tell(house.client(), at, payment(at, 1_000_000))
    assert (done.status, done.body["relieved"]) == (200, True)
    assert done.body["calls"] == ["No engine answered in time; is one running for this campaign?"]


def _ringing(one: Any, at: float) -> Any:
    from tests.web.api.kit import attempt_of

    return attempt_of(one, at, at)


# ---- as the documentation says --------------------------------------------------------------------------------------


@pytest.mark.skipif(not (shutil.which("curl") and shutil.which("openssl")), reason="needs curl and openssl")
async def test_the_example_of_the_documentation_works(house: House, tmp_path: Path) -> None:
    await filled(house)
    at = house.clock.now()
    (example,) = re.findall(r"```sh\n(# a payment.*?)```", DOCS.read_text(encoding="utf-8"), re.DOTALL)
    example = example.replace("$(date +%s)", f"{at:.0f}").replace("2026-11-22T09:30:00+07:00", iso(at))
    env = {"PATH": os.environ["PATH"], "SANTUN": house.base, "SECRET": SECRET, "HOME": str(tmp_path)}
    ran = await asyncio.to_thread(
        subprocess.run,
        ["bash", "-euo", "pipefail", "-c", example],
        capture_output=True,
        timeout=20,
        env=env,
        check=False,
    )
    assert ran.returncode == 0, ran.stderr
    assert json.loads(ran.stdout)["matched"] is True
