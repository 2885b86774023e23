"""What the lender offers, chosen by key at the desk; an agent who goes over to another campaign. By a real browser."""

from dataclasses import replace
from datetime import date
from pathlib import Path

import pytest
from playwright.async_api import expect

from dialer.adapters.clock import SystemClock
from dialer.adapters.limit_files import LimitFile
from dialer.debts.promises import State

from .conftest import House

pytestmark = [
    pytest.mark.asyncio(loop_scope="session"), pytest.mark.asterisk, pytest.mark.redis, pytest.mark.timeout(400)
]  # fmt: skip

OFFERS = """
parts = 3
round_to = 1000
first_days = 3
[lender."Bank Maju"]
early_days = 2
early_percent = 10
"""


async def test_an_offer_is_chosen_by_key_and_written_as_the_ivrs(house: House, tmp_path: Path) -> None:
    """Every key follows the one before at once, whatever the page has drawn by then."""
    path = tmp_path / "limits.toml"
    path.write_text(OFFERS)
    house.floor.limits_of = house.web.limits_of = LimitFile(path).limits
    await house.floor.open(wrap_up_max_s=60)
    tab = await house.agent("2101")
    await tab.ready()
    debtor = replace(
        house.floor.debtor("human"), lender="Bank Maju", amount=1_250_000, incentive=75_000, zone="Asia/Jakarta"
    )
    await house.floor.add(debtor)
    await house.floor.order("start")
    await tab.until("desk.note.state === 'talking' && desk.pop")
    page, offers = tab.page, await tab.desk("desk.pop.offers")
    assert [one["name"] for one in offers] == ["early", "short", "long"]
    assert [one["total"] for one in offers] == [1_175_000, 1_250_000, 1_250_000]

    await page.keyboard.press("o")
    await page.keyboard.press("3")
    await expect(page.locator("dialog .desk-cost dd")).to_have_count(4)  # three parts and the sum
    await page.keyboard.press("Enter")
    await expect(page.locator("dialog")).to_have_count(0)
    assert await tab.desk("desk.draft.offer") == offers[2]["id"]
    await page.keyboard.press("F9")
    await tab.until("desk.note.state === 'wrap_up'")

    path.write_text("parts = 2\nround_to = 5000\n")  # the lender has thought better of it
    await page.keyboard.press("Control+Enter")
    await expect(page.get_by_role("alert")).to_contain_text("tidak lagi")
    await tab.until("desk.pop.offers.length === 1")
    for key in ("o", "1", "Enter", "Control+Enter"):
        await page.keyboard.press(key)
    (record,) = await house.floor.records(1)
    assert record["disposition"] == "offer"
    (day, amount), rest = record["offer"].split(";")[1].split("="), record["offer"].split(";")[2:]
    assert (record["promise_due"], record["promise_amount"]) == (day, amount)
    assert int(amount) + sum(int(one.partition("=")[2]) for one in rest) == 1_250_000
    (promise,) = await house.floor.store.promises(debtor.person, SystemClock().now())
    assert (promise.by, promise.state, promise.due, promise.amount) == (
        "2101", State.PENDING, date.fromisoformat(day), int(amount)
    )  # fmt: skip
    assert ["409" in one for one in tab.said] == [True], "the one refusal"


async def test_who_goes_over_to_another_campaign_is_called_there(house: House) -> None:
    await house.floor.open(wrap_up_max_s=60)
    store, second = house.floor.store, replace(house.floor.campaign, id="second", name="Mei")
    await store.save_campaign(second)
    tab = await house.agent("2101")
    user = await house.web.users.user("agen2101")
    assert user is not None
    await house.web.users.change(user, replace(user, campaigns=("real", "second")))
    await tab.page.reload()
    await tab.until("desk.info?.serves.length === 2")
    await tab.ready()
    await house.floor.order("move", agent="2101", to="second")
    await tab.until("desk.note.campaign === 'second' && desk.note.state === 'idle' && desk.phone.seen.leg")
    assert await store.works_for("2101") == "second"
    assert (await tab.desk("desk.news.map((one) => one.what)"))[0] == "moved_on"
    assert await tab.desk("desk.tab") == "here"

    page = tab.page
    await page.keyboard.press("b")
    await page.keyboard.press("1")  # meant for the dialog, which may not be drawn yet
    await tab.until("desk.note.state === 'break' && desk.note.break_reason")
    await page.evaluate("document.body.append(Object.assign(document.createElement('input'), { id: 'typed' }))")
    await page.locator("#typed").press("x")
    await page.evaluate("document.getElementById('typed').remove()")
    await page.keyboard.press("b")  # the rest of a word whose field has gone
    await page.get_by_role("button", name="Kembali").hover()
    assert await tab.desk("desk.note.state") == "break"
    assert not tab.said
