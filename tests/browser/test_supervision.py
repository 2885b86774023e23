"""A supervisor at the board and agents at their desks, in real browsers on a real Asterisk: who hears whom is measured
by tones, what is ordered at one page is seen at the other."""

import asyncio

import pytest
from playwright.async_api import expect

from dialer.users import Phone

from .conftest import House
from .pages import Tab
from .sound import TONES, recorded

pytestmark = [
    pytest.mark.asyncio(loop_scope="session"), pytest.mark.asterisk, pytest.mark.redis, pytest.mark.timeout(400)
]  # fmt: skip


async def called(house: House, *agents: Tab) -> None:
    """A debtor for each."""
    await house.floor.add(*(house.floor.debtor("human") for _ in agents))
    await house.floor.order("start")
    for tab in agents:
        await tab.until("desk.note.state === 'talking' && desk.pop")


async def test_a_supervisor_listens_whispers_joins_and_takes_over(house: House) -> None:
    """All of it from the board of a supervisor whose telephone is his browser; then the result at his own desk."""
    await house.floor.open(record=True, wrap_up_max_s=90)
    agent, boss = await house.agent("2101"), await house.supervisor("2190")
    await agent.ready()
    tile = boss.page.locator(".agent", has_text="2101")
    await expect(tile).to_contain_text("Siap")
    await called(house, agent)
    await expect(tile).to_contain_text("Bicara")
    attempt = await agent.desk("desk.note.attempt")
    recording = house.floor.settings.recordings / f"{attempt}.wav"
    sees = agent.page.locator(".desk-aside")
    bar = boss.page.locator(".phone-bar")
    await recorded(recording, "debtor", "agent")

    await tile.click()
    await boss.page.locator("dialog").get_by_role("button", name="Dengarkan", exact=True).click()
    await expect(bar).to_contain_text("Anda mendengarkan agen 2101")
    await boss.page.keyboard.press("Escape")
    await expect(sees).to_contain_text("Pengawas mendengarkan")
    await expect(tile).to_contain_text("didengar 2190")
    assert await boss.faults() == []
    await asyncio.gather(
        boss.hears_just(TONES, "agent", "debtor"),
        agent.hears_just(TONES, "debtor"),
        recorded(recording, "debtor", "agent"),
    )
    await bar.get_by_role("button", name="Bisiki").click()
    await expect(sees).to_contain_text("berbicara kepada Anda saja")
    await asyncio.gather(agent.hears_just(TONES, "debtor", "supervisor"), recorded(recording, "debtor", "agent"))
    await bar.get_by_role("button", name="Ikut bicara").click()
    await expect(sees).to_contain_text("Pengawas ikut berbicara")
    await asyncio.gather(
        boss.hears_just(TONES, "agent", "debtor"),
        agent.hears_just(TONES, "debtor", "supervisor"),
        recorded(recording, "debtor", "agent", "supervisor"),
    )
    await bar.get_by_role("button", name="Ambil alih").click()
    await expect(bar).to_contain_text("Debitur ada di telepon Anda")
    await agent.until("desk.note.state === 'wrap_up'")
    await asyncio.gather(
        boss.hears_just(TONES, "debtor"), agent.hears_just(TONES), recorded(recording, "debtor", "supervisor")
    )

    await bar.get_by_role("link", name="Ke meja kerja").click()
    await boss.until("desk.note?.state === 'talking' && desk.phone.seen.leg && desk.pop")
    assert await boss.desk("desk.note.attempt") == attempt
    await boss.hears_just(TONES, "debtor")
    await boss.page.keyboard.press("F9")
    await boss.until("desk.note.state === 'wrap_up'")
    await boss.page.keyboard.press("6")
    await boss.page.keyboard.press("Control+Enter")
    (record,) = await house.floor.records(1)
    assert (record["outcome"], record["agent"], record["disposition"]) == ("connected", "2190", "hardship")
    assert (record["agents"], record["heard_by"]) == ("2101 2190 2190", "2190")  # the way to his desk was a new leg
    await boss.until("desk.note.state === 'signed_out'")  # he came for this one call
    assert not agent.said + boss.said


async def test_two_agents_are_ordered_about(house: House) -> None:
    """Messages, a call for help, a forced break and end: each is seen at the other page at once; a supervisor with a
    plain telephone joins one of the two."""
    await house.floor.open(wrap_up_max_s=90)
    first, second = await house.agent("2101"), await house.agent("2102")
    boss = await house.supervisor("1003", phone=Phone.SIP)
    for tab in (first, second):
        await tab.ready()
    await called(house, first, second)
    board = boss.page
    one, other = (board.locator(".agent", has_text=name) for name in ("2101", "2102"))
    await expect(one).to_contain_text("Bicara")
    await expect(other).to_contain_text("Bicara")

    await board.keyboard.press("m")
    await board.locator("dialog textarea").fill("Tetap sopan")
    await board.get_by_role("button", name="Kirim pesan").click()
    for tab in (first, second):
        await expect(tab.page.locator(".desk-news")).to_contain_text("Tetap sopan")
        await expect(tab.page.locator(".desk-news")).to_contain_text("ratna")
    await one.click()
    await board.locator("dialog").get_by_role("button", name="Pesan").click()
    await board.locator("dialog textarea").fill("Hanya untuk Anda")
    await board.get_by_role("button", name="Kirim pesan").click()
    await expect(first.page.locator(".desk-news")).to_contain_text("Hanya untuk Anda")

    await second.page.keyboard.press("F2")  # one key
    await expect(other).to_contain_text("Minta bantuan")
    await expect(board.locator(".board-alerts")).to_contain_text("Agen 2102 minta bantuan")
    assert await board.locator(".agent .who").first.inner_text() == "2102", "who needs help comes first"
    await expect(first.page.locator(".desk-news")).not_to_contain_text("bantuan")
    await other.click()
    await board.locator("dialog").get_by_role("button", name="Ikut bicara").click()
    await expect(other).to_contain_text("Minta bantuan")
    await expect(second.page.locator(".desk-aside")).to_contain_text("Pengawas ikut berbicara")
    await asyncio.gather(
        second.hears_just(TONES, "debtor", "telephone"), first.hears_just(TONES, "debtor")
    )  # the other hears nothing of it
    await board.keyboard.press("Escape")
    await board.locator(".phone-bar").get_by_role("button", name="Berhenti mendengarkan").click()
    await expect(second.page.locator(".desk-aside")).not_to_contain_text("Pengawas")
    await second.page.keyboard.press("F2")
    await expect(other).not_to_contain_text("Minta bantuan")

    await one.click()
    await board.locator("dialog").get_by_role("button", name="Minta istirahat").click()
    await board.keyboard.press("Escape")
    await first.page.get_by_text("Istirahat setelah panggilan ini").wait_for()
    await first.page.keyboard.press("F9")
    await first.until("desk.note.state === 'wrap_up'")
    await first.page.keyboard.press("4")
    await first.page.keyboard.press("Control+Enter")
    await first.until("desk.note.state === 'break' && desk.note.sent_by === 'web:ratna'")
    await expect(
        first.page.get_by_role("button", name="Kembali bekerja")
    ).to_be_disabled()  # only an order takes it back
    await other.click()
    await board.locator("dialog").get_by_role("button", name="Keluarkan").click()
    await board.keyboard.press("Escape")
    await second.page.keyboard.press("F9")
    await second.until("desk.note.state === 'wrap_up'")
    await second.page.keyboard.press("4")
    await second.page.keyboard.press("Control+Enter")
    await second.until("desk.note.state === 'signed_out' && desk.phone.seen.phone === 'off'")
    await expect(other).to_have_count(0)
    await one.click()
    await board.locator("dialog").get_by_role("button", name="Minta kembali").click()
    await first.until("desk.note.state === 'idle'")
    await house.floor.books(2)
    assert not first.said + second.said + boss.said
