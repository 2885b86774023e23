"""The supervisor's pages in a real browser, on a real engine, Redis and web: what they show, order, load, find."""

import asyncio
import re
from collections.abc import AsyncIterator
from pathlib import Path

import pyotp
import pytest
import pytest_asyncio
from playwright.async_api import Page, async_playwright, expect

from dialer.model import AgentState
from dialer.users import Role

from .pages import AXE, FLAGS, LIMIT_MS, SERIOUS, chromium
from .shift import CAMPAIGN, PASSWORD, Shift, at_work, until

pytestmark = [
    pytest.mark.asyncio(loop_scope="module"),
    pytest.mark.redis,
    pytest.mark.skipif(not chromium(), reason="no Chromium"),
]
LIST = Path(__file__).parents[2] / "docs" / "examples" / "debtors.csv"


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def shift(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Shift]:
    async with async_playwright() as playwright:
        chrome = await playwright.chromium.launch(executable_path=chromium(), args=FLAGS)
        async with at_work(tmp_path_factory.mktemp("shift"), chrome, agents=6, contacts=300, past_s=900) as shift:
            yield shift
        await chrome.close()


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def page(shift: Shift) -> AsyncIterator[Page]:
    """One supervisor's window; nothing may be said against it by the end."""
    secret = await shift.user("ratna", Role.ADMIN, "900")
    context = await shift.context()
    page = await shift.enter(context, "ratna", secret)
    said: list[str] = []
    page.on("console", lambda message: said.append(message.text) if message.type == "error" else None)
    page.on("pageerror", lambda error: said.append(str(error)))
    yield page
    await context.close()
    assert [text for text in said if "Failed to load resource" not in text] == []


async def board(shift: Shift, page: Page) -> None:
    """The board, live."""
    await page.goto(f"{shift.base}/board?campaign={CAMPAIGN.id}")
    await expect(page.locator(".link-state")).to_have_text("Langsung")
    await expect(page.locator(".agent")).to_have_count(6)


async def faults(page: Page) -> list[str]:
    """What axe-core calls serious or critical."""
    await page.evaluate(AXE.read_text(encoding="utf-8"))
    found = await page.evaluate("async () => (await axe.run(document, { resultTypes: ['violations'] })).violations")
    return [
        f"{one['id']}: {node['target']} {node['failureSummary']}"
        for one in found
        if one["impact"] in SERIOUS
        for node in one["nodes"]
    ]


async def test_signing_in_goes_step_by_step(shift: Shift) -> None:
    accounts = shift.accounts
    _, shown = await accounts.add("wira", Role.SUPERVISOR, "", shift.phone, shift.now)
    context = await shift.context()
    page = await context.new_page()
    page.set_default_timeout(LIMIT_MS)
    await page.goto(f"{shift.base}/debtors")
    await page.wait_for_url("**/sign-in?next=/debtors")
    await page.locator("input[autocomplete=username]").fill("wira")
    await page.locator("input[autocomplete=current-password]").fill("not this one")
    await page.keyboard.press("Enter")
    await expect(page.locator(".note")).to_have_text("Nama pengguna atau kata sandi salah.")
    await page.locator("input[autocomplete=current-password]").fill(shown)
    await page.keyboard.press("Enter")
    await page.locator("input[autocomplete=new-password]").first.wait_for()
    for field in await page.locator("input[autocomplete=new-password]").all():
        await field.fill(PASSWORD)
    assert await faults(page) == []
    await page.keyboard.press("Enter")
    await expect(page.locator("code.secret")).to_have_text(re.compile(r"[A-Z2-7 ]{26,}"))
    secret = (await page.locator("code.secret").inner_text()).replace(" ", "")
    await expect(page.locator("svg.qr path")).to_have_count(1)
    await page.locator("input[autocomplete=one-time-code]").fill(pyotp.TOTP(secret).now())
    await page.keyboard.press("Enter")
    await page.wait_for_url(lambda url: url == f"{shift.base}/debtors")
    await expect(page.locator("nav.nav a")).to_have_text(
        ["Papan pantau", "Kampanye", "IVR & penawaran", "Daftar", "Debitur", "API"]
    )
    await context.close()


async def test_the_board_lives(shift: Shift, page: Page) -> None:
    await board(shift, page)
    flights = page.locator(".flights")
    before = await flights.inner_text()
    await expect(flights).not_to_have_text(before)
    known = {agent.id: agent.state for agent in shift.engine.runs[CAMPAIGN.id].floor.team.agents.values()}
    assert await page.locator(".agent .who").all_inner_texts() == sorted(known)
    points = await page.locator(".chart canvas").count()
    assert points == 3
    assert await page.evaluate("document.documentElement.scrollHeight") <= 768, "one screen"
    assert await page.evaluate("document.documentElement.scrollWidth") <= 1366


async def test_what_the_law_forbids_is_refused_with_its_reason(shift: Shift, page: Page) -> None:
    await board(shift, page)
    await page.get_by_role("button", name="Atur laju").click()
    await page.get_by_label("Batas terabaikan").fill("90")
    await page.keyboard.press("Enter")
    await expect(page.locator("dialog .note")).to_contain_text("abandon_rate_max")
    await page.keyboard.press("Escape")
    await expect(page.locator("dialog")).to_have_count(0)


async def test_an_agent_is_sent_on_a_break_and_a_message_arrives(shift: Shift, page: Page) -> None:
    await board(shift, page)
    async with shift.desk("106") as notes:
        await page.locator(".agent", has_text="106").click()
        await page.locator("dialog").get_by_role("button", name="Pesan").click()
        await page.locator("dialog textarea").fill("Tolong bicara pelan-pelan")
        await page.get_by_role("button", name="Kirim pesan").click()
        async with asyncio.timeout(LIMIT_MS / 1000):
            async for note in notes:
                if note.get("note") == "message":
                    assert (note["text"], note["sender"]) == ("Tolong bicara pelan-pelan", "web:ratna")
                    break
    await page.locator(".agent", has_text="106").click()
    assert await faults(page) == []
    ask = page.locator("dialog").get_by_role("button", name="Minta istirahat")
    if await ask.count():
        await ask.click()
    await expect(page.locator("dialog").get_by_role("button", name="Minta kembali")).to_be_visible()
    agent = shift.engine.runs[CAMPAIGN.id].floor.team.agents["106"]
    assert agent.break_next or agent.state is AgentState.BREAK, "in a talk: afterwards"
    await page.locator("dialog").get_by_role("button", name="Minta kembali").click()
    await expect(page.locator("dialog").get_by_role("button", name="Minta istirahat")).to_be_visible()
    await page.keyboard.press("Escape")


async def test_the_board_says_that_its_link_is_down_and_comes_back(shift: Shift, page: Page) -> None:
    await board(shift, page)
    await page.context.set_offline(True)
    try:
        await page.evaluate("() => dispatchEvent(new Event('offline'))")
        for reader in list(shift.office.live._readers):
            reader.close(1001)
        await expect(page.locator(".link-state")).to_contain_text("Putus")
        await expect(page.locator(".board.is-old")).to_have_count(1)
    finally:
        await page.context.set_offline(False)
    await expect(page.locator(".link-state")).to_have_text("Langsung")
    await expect(page.locator(".board.is-old")).to_have_count(0)


async def test_an_engine_that_falls_silent_is_seen(shift: Shift, page: Page) -> None:
    await board(shift, page)
    with shift.silent():
        await expect(page.locator(".board-alerts")).to_contain_text("Mesin diam")
        await expect(page.locator(".board.is-old")).to_have_count(1)
    await expect(page.locator(".board-alerts")).not_to_contain_text("Mesin diam")


async def test_a_campaign_is_created_and_changed(shift: Shift, page: Page) -> None:
    await page.goto(f"{shift.base}/campaigns")
    await page.get_by_role("button", name="Kampanye baru").click()
    await page.locator("dialog input").nth(0).fill("Demo")
    await expect(page.locator("dialog .fault")).to_have_text("Kode ini sudah dipakai.")
    await page.keyboard.press("Escape")
    await page.locator(".pick", has_text=CAMPAIGN.name).click()
    await page.get_by_role("tab", name="Pengaturan").click()
    await page.get_by_label("Pencatatan paling lama").fill("21")
    await page.get_by_role("button", name="Simpan").click()
    await expect(page.locator(".toast")).to_contain_text("Tersimpan")
    found = await shift.store.campaign(CAMPAIGN.id)
    assert found is not None
    assert found[0].wrap_up_max_s == 21
    await page.get_by_role("tab", name="Siapa yang dilewati").click()
    await expect(page.locator(".hours .meter").first).to_be_visible()


async def test_a_list_is_sent_mapped_and_loaded(shift: Shift, page: Page) -> None:
    before = await shift.store.listed(CAMPAIGN.id)
    await page.goto(f"{shift.base}/lists?campaign={CAMPAIGN.id}")
    await page.locator("input[type=file]").set_input_files(LIST)
    await expect(page.locator(".map div")).not_to_have_count(0)
    assert await faults(page) == []
    await page.get_by_label("produk").select_option("ignore")
    await expect(page.locator(".map .is-unused")).to_have_count(1)
    await page.get_by_role("button", name="Muat ke kampanye").click()
    await expect(page.locator(".uploads .badge")).to_have_text("Sudah dimuat")
    new = page.locator(".tile", has_text="Kontak baru").locator(".value")
    assert await shift.store.listed(CAMPAIGN.id) - before == int(await new.inner_text()) > 0


async def test_a_debtor_is_found_with_every_why(shift: Shift, page: Page) -> None:
    entries = await until(lambda: shift.store.tail(CAMPAIGN.id, 5), 20)
    contact = entries[0][1]["debtor"]
    await page.goto(f"{shift.base}/debtors")
    await page.locator("select.input").first.select_option("contact")
    await page.locator("input[type=search]").fill(contact)
    await page.keyboard.press("Enter")
    await expect(page.locator(".entry").first).to_be_visible()
    assert re.fullmatch(r"\?person=[\w%-]+", await page.evaluate("location.search")), "no number in an address"
    await page.get_by_role("button", name="Lihat catatan keputusan").click()
    await expect(page.locator("td", has_text="boleh").first).to_be_visible()
    await page.get_by_role("button", name="Catat").click()
    await page.locator("dialog textarea").fill("Minta dihubungi sore, 081234567890")
    await page.get_by_role("button", name="Simpan").click()
    await expect(page.locator(".entry").first).to_contain_text("Minta dihubungi sore")
    assert "081234567890" not in await page.locator(".history").inner_text()
    assert await faults(page) == []


async def test_language_and_theme_change_at_once(shift: Shift, page: Page) -> None:
    await board(shift, page)
    await page.locator(".bar .menu summary").click()
    await page.get_by_role("button", name="English").click()
    await expect(page.locator("nav.nav a").nth(1)).to_have_text("Board")
    assert await page.evaluate("document.documentElement.lang") == "en"
    await page.get_by_role("button", name="Dark").click()
    assert await page.evaluate("getComputedStyle(document.body).backgroundColor") == "rgb(17, 23, 26)"
    assert await faults(page) == []
    await page.get_by_role("button", name="As the device").click()
    await page.get_by_role("button", name="Indonesia").click()


async def test_the_wallboard_names_nobody(shift: Shift, page: Page) -> None:
    await page.goto(f"{shift.base}/wallboard?campaign={CAMPAIGN.id}")
    await expect(page.locator(".wall-agent")).to_have_count(6)
    text = await page.locator("main").inner_text()
    assert not re.search(r"K7\d{4}|\+62|08\d{6}", text)
