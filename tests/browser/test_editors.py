"""The editors in a real browser, on a real engine, Redis and web: what is typed is checked, shown, kept and obeyed."""

from collections.abc import AsyncIterator

import pytest
import pytest_asyncio
from playwright.async_api import Page, async_playwright, expect

from dialer.config import Config
from dialer.law.rulebook import WEEKDAYS
from dialer.users import Role
from dialer.web.api.results import offered
from dialer.web.api.scripts import own_scripts
from dialer.web.talk import Stage

from . import shift as floor
from .pages import FLAGS, chromium
from .shift import CAMPAIGN, Shift, at_work, until
from .test_board import faults

pytestmark = [
    pytest.mark.asyncio(loop_scope="module"),
    pytest.mark.redis,
    pytest.mark.skipif(not chromium(), reason="no Chromium"),
]
expect.set_options(timeout=60_000)  # on a busy machine
LIMITS = "# as agreed\nparts = 3\ndefer_days = 14\n"


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def shift(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Shift]:
    folder = tmp_path_factory.mktemp("editors")
    (folder / "limits.toml").write_text(LIMITS)
    (folder / "sounds").mkdir()
    plain = floor.config_of

    def config_of(url: str) -> Config:
        config = plain(url)
        ivr = config.ivr.model_copy(update={"prompts": str(folder / "sounds")})
        offers = config.offers.model_copy(update={"limits": str(folder / "limits.toml")})
        return config.model_copy(update={"ivr": ivr, "offers": offers})

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(floor, "config_of", config_of)
        async with async_playwright() as playwright:
            chrome = await playwright.chromium.launch(executable_path=chromium(), args=FLAGS)
            async with at_work(folder, chrome, agents=2, contacts=60, past_s=300) as shift:
                yield shift
            await chrome.close()


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def page(shift: Shift) -> AsyncIterator[Page]:
    """An administrator's window; nothing may be said against it by the end."""
    secret = await shift.user("dewi", Role.ADMIN)
    context = await shift.context()
    page = await shift.enter(context, "dewi", secret, "/campaigns")
    said: list[str] = []
    page.on("console", lambda message: said.append(message.text) if message.type == "error" else None)
    page.on("pageerror", lambda error: said.append(str(error)))
    yield page
    await context.close()
    assert [text for text in said if "Failed to load resource" not in text] == []


async def tab(shift: Shift, page: Page, name: str) -> None:
    """Of the running campaign."""
    await page.goto(f"{shift.base}/campaigns?campaign={CAMPAIGN.id}")
    await page.get_by_role("tab", name=name).click()


async def saved(page: Page) -> None:
    await page.get_by_role("button", name="Simpan").click()
    await expect(page.locator(".toast").last).to_contain_text("Tersimpan")


async def test_a_week_is_narrowed_while_the_campaign_runs(shift: Shift, page: Page) -> None:
    run = shift.engine.runs[CAMPAIGN.id]
    await tab(shift, page, "Jadwal")
    monday = page.locator("input[name=week-mon]")
    await monday.fill("8-12")
    await expect(page.locator("td .fault").first).to_contain_text("Tulis jam seperti")
    await expect(page.get_by_role("button", name="Simpan")).to_be_disabled()
    await monday.fill("08:00-12:00, 13:00-17:00")
    await expect(page.locator(".week-next [data-changed=true]")).not_to_have_count(0)
    await expect(page.locator("section", has_text="Akibatnya").last).to_contain_text("dengan perubahan Anda")
    assert await faults(page) == []
    assert run.campaign.week == {}, "nothing is saved yet"
    for day in ("mon", "tue", "wed", "thu", "fri", "sat", "sun"):
        field = page.locator(f"input[name=week-{day}]")
        if await field.input_value() != "tutup":
            await page.locator("tr", has=field).get_by_role("button").click()
    await page.locator("input[name=shift-sat]").fill("13:00")
    await saved(page)
    await until(lambda: _is(run.campaign.week == dict.fromkeys(WEEKDAYS, "closed")))
    assert run.campaign.shifts == {"sat": "13:00"}
    await until(lambda: _is("own days" in run.decision.reason))
    await tab(shift, page, "Jadwal")
    for day in WEEKDAYS:
        await page.locator("tr", has=page.locator(f"input[name=week-{day}]")).get_by_role("button").click()
    await saved(page)
    await until(lambda: _is(run.campaign.week == {} and "own days" not in run.decision.reason))


async def _is(true: bool) -> bool:
    return true


async def test_a_script_is_written_with_its_variables_and_seen(shift: Shift, page: Page) -> None:
    await tab(shift, page, "Naskah")
    said = page.locator("textarea[name=say-1]")
    await said.fill("Tagihan {sum} belum dibayar.")
    await expect(page.locator(".preview-script .is-unknown")).to_have_text("{sum}")
    await page.get_by_role("button", name="Simpan").click()
    await expect(page.locator(".edit-step .fault")).to_have_text("Tidak ada variabel {sum}.")
    await said.fill("Tagihan ")
    await page.get_by_role("button", name="Sisipkan outstanding").click()
    await expect(said).to_have_value("Tagihan {outstanding}")
    await expect(page.locator(".preview-script mark").filter(has_text="Rp1.250.000").first).to_be_visible()
    assert await faults(page) == []
    await saved(page)
    own = await own_scripts(shift.office, CAMPAIGN.id)
    assert own["id"][Stage.EARLY][1].say == "Tagihan {outstanding}"
    await expect(page.locator("button", has_text="Awal")).to_contain_text("sendiri")


async def test_results_get_their_keys(shift: Shift, page: Page) -> None:
    await tab(shift, page, "Hasil")
    await page.locator("input[name=key-refuses]").fill("1")
    await expect(page.locator("td .fault").filter(has_text="Dua kata memakai tombol ini.")).to_have_count(2)
    await page.locator("input[name=key-refuses]").fill("r")
    await page.locator("input[name=note-dispute]").check()
    await page.locator("input[name=on-machine]").uncheck()
    await expect(page.locator("input[name=on-stop]")).to_be_disabled()
    assert await faults(page) == []
    await saved(page)
    kept = {one.word: one for one in await offered(shift.office, CAMPAIGN.id)}
    assert (kept["refuses"].key, kept["dispute"].note, "machine" in kept) == ("R", True, False)


async def test_who_is_skipped_now_has_a_name_and_a_why(shift: Shift, page: Page) -> None:
    await tab(shift, page, "Siapa yang dilewati")
    await page.locator("tbody button").first.click()
    await expect(page.locator("a[href^='/debtors?person=']").first).to_be_visible()
    assert await faults(page) == []


async def test_a_conversation_is_written_proved_drawn_and_refused(shift: Shift, page: Page) -> None:
    page.set_default_timeout(60_000)
    await page.goto(f"{shift.base}/flows")
    await page.get_by_role("button", name="Percakapan baru").click()
    await page.locator("dialog input").fill("pengingat")
    await page.keyboard.press("Enter")
    await expect(page.locator(".drawing .node")).to_have_count(67, timeout=60_000)
    text = page.locator("textarea[name=source-flow]")
    sound = await text.input_value()
    broken = sound.replace('to = "', 'to = "tidak_', 1)
    line = next(n for n, one in enumerate(broken.splitlines(), 1) if "tidak_" in one)
    await text.fill(broken)
    await page.get_by_role("button", name="Simpan").click()
    await expect(page.locator(".code-fault").first).to_contain_text(f"Baris {line}:", timeout=60_000)
    await expect(page.locator(".code-fault").first).to_contain_text("tidak ada langkah tidak_")
    await expect(page.locator(".code-lines .is-wrong").first).to_have_text(str(line))
    await page.locator(".node").first.click()
    await expect(page.locator(".flow-steps .is-picked")).to_have_count(1)
    assert await faults(page) == []
    await page.get_by_role("button", name="Urungkan").click()
    await expect(text).to_have_value(sound)
    await page.locator(f"select[name=flow-{CAMPAIGN.id}]").select_option("pengingat")
    await expect(page.locator(".note", has_text="belum punya suara: buat dulu")).to_be_visible(timeout=60_000)
    await expect(page.locator(f"select[name=flow-{CAMPAIGN.id}]")).to_have_value("")


async def test_limits_are_tried_before_they_are_kept(shift: Shift, page: Page) -> None:
    await page.goto(f"{shift.base}/flows?tab=offers")
    text = page.locator("textarea[name=limits]")
    await expect(page.locator("tbody tr", has_text="Lunas nanti")).to_be_visible()
    await text.fill(LIMITS.replace("parts = 3", "parts = 99"))
    await expect(page.locator(".code-fault")).to_contain_text("Baris 2:")
    await expect(page.locator(".code-fault")).to_contain_text("parts = 99: pakai paling banyak 24")
    await text.fill(LIMITS.replace("defer_days = 14", "defer_days = 0"))
    await expect(page.locator("tbody tr", has_text="Lunas nanti")).to_have_count(0)
    assert await faults(page) == []
    await saved(page)
    text_now, _ = await shift.office.parts["limits"].read()
    assert text_now == LIMITS.replace("defer_days = 14", "defer_days = 0")
    assert shift.office.limits_of(CAMPAIGN.id, "").defer_days == 0
