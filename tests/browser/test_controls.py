"""What a supervisor orders at the board, and what it says: each control by its effect on a real engine, each alert by
its cause, each figure by the stream."""

import asyncio
import re
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import partial
from itertools import cycle

import pytest
import pytest_asyncio
from playwright.async_api import Page, async_playwright, expect

from dialer.adapters.site import new_id
from dialer.law.abandon import Fate
from dialer.model import AgentState, CallState, Command, Mode, Status
from dialer.users import Role
from tests.twins import Debtor

from .pages import FLAGS, LIMIT_MS, chromium
from .shift import CAMPAIGN, Shift, at_work, until

pytestmark = [
    pytest.mark.asyncio(loop_scope="module"),
    pytest.mark.redis,
    pytest.mark.skipif(not chromium(), reason="no Chromium"),
]
LIMIT_S = LIMIT_MS / 1000
CONTACTS = 130
BUSY = Debtor(answers=False, dials_s=0.05, rings_s=0.3)
CONGESTED = Debtor(answers=False, dials_s=0.05, rings_s=0.05, ends=(34, 503))


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def shift(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Shift]:
    async with async_playwright() as playwright:
        chrome = await playwright.chromium.launch(executable_path=chromium(), args=FLAGS)
        folder = tmp_path_factory.mktemp("controls")
        async with at_work(folder, chrome, agents=6, contacts=CONTACTS, past_s=0) as shift:
            met(shift, BUSY)
            yield shift
        await chrome.close()


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def page(shift: Shift) -> AsyncIterator[Page]:
    """A supervisor's board, live."""
    secret = await shift.user("ratna", Role.SUPERVISOR)
    context = await shift.context(width=1280)
    page = await shift.enter(context, "ratna", secret, f"/board?campaign={CAMPAIGN.id}")
    page.set_default_timeout(LIMIT_MS)
    said: list[str] = []
    page.on("pageerror", lambda error: said.append(str(error)))
    yield page
    await context.close()
    assert said == []


def met(shift: Shift, *debtors: Debtor) -> None:
    """From now on calls meet these, one after the other."""
    turn = cycle(debtors)
    shift.asterisk._debtor = lambda order: next(turn)


async def quiet(shift: Shift) -> None:
    """Nobody is dialled or rung any more."""
    run = shift.engine.runs[CAMPAIGN.id]
    early = {CallState.CLAIMED, CallState.PLACED, CallState.RINGING}

    async def none() -> bool:
        return not any(one.state in early for one in run.floor.attempts.values())

    await until(none, LIMIT_S)


async def test_pause_stop_and_start(shift: Shift, page: Page) -> None:
    """Each by the calls that are started, or not."""
    run, badge = shift.engine.runs[CAMPAIGN.id], page.locator(".board-head .badge").first

    async def grows(before: int) -> bool:
        return len(shift.asterisk.originated) > before

    for button, sure, word, meant in (
        ("Jeda", "", "Dijeda", Status.PAUSED),
        ("Hentikan", "Hentikan kampanye", "Berhenti", Status.STOPPED),
    ):
        await until(partial(grows, len(shift.asterisk.originated)), LIMIT_S)
        await page.get_by_role("button", name=button, exact=True).click()
        if sure:
            await page.locator("dialog").get_by_role("button", name=sure).click()
        await expect(badge).to_have_text(word)
        assert run.status is meant
        await quiet(shift)
        before, sequence = len(shift.asterisk.originated), run.sequence
        await until(partial(beyond, shift, sequence + 2), LIMIT_S)
        assert len(shift.asterisk.originated) == before, "a call was started"
        await expect(page.get_by_role("button", name=button, exact=True)).to_be_disabled()
        await page.get_by_role("button", name="Mulai", exact=True).click()
        await expect(badge).to_have_text("Berjalan")
        await until(partial(grows, before), LIMIT_S)


async def beyond(shift: Shift, sequence: int) -> bool:
    """The engine has published this board."""
    return bool(shift.engine.runs[CAMPAIGN.id].sequence >= sequence)


async def test_mode_target_and_caps(shift: Shift, page: Page) -> None:
    """Each is in the engine when the board says so; beyond its limits none is taken."""
    run = shift.engine.runs[CAMPAIGN.id]
    await page.get_by_role("button", name="Atur laju").click()
    dialog = page.locator("dialog")
    for label, text in (
        ("Saluran per agen siap", "1.4"),
        ("Batas terabaikan", "2.5"),
        ("Saluran paling banyak", "23"),
        ("Saluran per agen paling banyak", "2.2"),
        ("Panggilan per detik paling banyak", "7"),
    ):
        await dialog.get_by_label(label).fill(text)
    await dialog.get_by_label("Cara").select_option("ratio")
    await dialog.get_by_role("button", name="Terapkan").click()
    await expect(dialog).to_have_count(0)
    await expect(page.locator(".toast").last).to_contain_text("Berlaku setelah")
    now = run.campaign
    assert (now.mode, now.ratio, now.abandon_rate_max) == (Mode.RATIO, 1.4, 0.025)
    assert (now.lines_max, now.lines_per_agent_max, now.calls_per_second) == (23, 2.2, 7.0)
    await expect(page.locator(".figures")).to_contain_text("/ 23")
    await expect(page.locator(".board-rates header")).to_contain_text("2,5")
    for label, text, why in (
        ("Saluran paling banyak", "50000", "lines_max"),
        ("Saluran per agen siap", "50", "ratio"),
        ("Batas terabaikan", "40", "abandon_rate_max"),
    ):
        await page.get_by_role("button", name="Atur laju").click()
        await dialog.get_by_label(label).fill(text)
        await dialog.get_by_role("button", name="Terapkan").click()
        await expect(dialog.locator(".note")).to_contain_text(why)
        await page.keyboard.press("Escape")
    assert run.campaign == now


async def test_the_funnel_and_the_windows_add_up_with_the_stream(shift: Shift, page: Page) -> None:
    """Board, API and wallboard say what the outcome stream says, to the last call."""
    run = shift.engine.runs[CAMPAIGN.id]

    met(shift, *(Debtor(rings_s=0.3, patience_s=seconds) for seconds in (1.5, 3.0, 4.0)), BUSY)

    async def wrapped() -> None:
        for one in [one for one in run.floor.team.agents.values() if one.state is AgentState.WRAP_UP]:
            await shift.order("wrapped", agent=one.id, disposition=next(says))

    async def some() -> bool:
        await wrapped()
        return run.tally.day.promises > 1 and run.tally.day.right > 2

    async def over() -> bool:
        await wrapped()
        return not run.floor.attempts and run.status is Status.PAUSED

    day = datetime.now(UTC).date() + timedelta(days=2)
    says = cycle((f"promise:{day};250000", "hardship", "no_result"))
    await until(some, 40)
    await page.get_by_role("button", name="Jeda", exact=True).click()

    await until(over, 40)
    await until(partial(beyond, shift, run.sequence + 2), LIMIT_S)
    entries = [one for _, one in await shift.store.tail(CAMPAIGN.id, 10_000) if one["type"] == "outcome"]
    dialled = [one for one in entries if one["outcome"] != "not_placed"]
    answered = [one for one in dialled if one["live"] == "1"]
    right = [one for one in entries if one["conversation"] == "1"]
    promised = [one for one in entries if one["disposition"] == "promise"]
    assert promised
    funnel = [len(one) for one in (dialled, answered, right, promised)]
    await expect(page.locator(".funnel b")).to_have_text([thousands(n) for n in funnel])
    await expect(page.locator(".board-flow p")).to_contain_text(
        thousands(sum(int(one["promise_amount"] or 0) for one in promised))
    )
    lost = [one for one in answered if one["outcome"] not in ("connected", "ivr")]
    windows = page.locator(".window .more")
    await expect(windows).to_have_count(4)
    for window in await windows.all():
        await expect(window).to_contain_text(f"{len(lost)} dari {len(answered)} jawaban")
    told = await page.evaluate(
        "(campaign) => fetch(`/api/v1/campaigns/${campaign}/live`).then((answer) => answer.json())", CAMPAIGN.id
    )
    assert [told["day"][name] for name in ("dialled", "answered", "right", "promises")] == funnel
    assert sum(told["outcomes"].values()) == len(entries)
    await page.goto(f"{shift.base}/wallboard?campaign={CAMPAIGN.id}")
    await expect(page.locator(".wall-funnel b").first).to_have_text(thousands(funnel[0]))
    assert (await page.locator(".wall-funnel b").all_inner_texts())[:4] == [thousands(n) for n in funnel]
    assert await page.get_by_role("button").count() == 0, "it only shows"
    await page.goto(f"{shift.base}/board?campaign={CAMPAIGN.id}")
    await page.get_by_role("button", name="Mulai", exact=True).click()
    await expect(page.locator(".board-head .badge").first).to_have_text("Berjalan")


def thousands(n: int) -> str:
    return f"{n:,}".replace(",", ".")


async def test_what_is_ordered_while_no_engine_is_there_never_happens(shift: Shift, page: Page) -> None:
    """The page says so; an engine that comes later does not carry it out, nor anything whose time has passed."""
    campaign = CAMPAIGN.id
    async with shift.without_engine():
        await page.get_by_role("button", name="Jeda", exact=True).click()
        await expect(page.locator(".board-alerts")).to_contain_text("Mesin diam")
        await expect(page.locator(".toast").last).to_contain_text("Tidak ada mesin")
        now = shift.now
        late = Command(new_id(now), campaign, "stop", "test", now - 60, now - 1, {})
        asked = asyncio.create_task(shift.store.send(late, LIMIT_S))
    reply = await asked
    assert reply is None or not reply.ok
    await expect(page.locator(".board-alerts")).not_to_contain_text("Mesin diam")
    run = shift.engine.runs[campaign]
    await until(partial(beyond, shift, run.sequence + 2), LIMIT_S)
    assert run.status is Status.RUNNING
    found = await shift.store.campaign(campaign)
    assert found is not None
    assert found[1] is Status.RUNNING
    await expect(page.locator(".board-head .badge").first).to_have_text("Berjalan")


async def test_alerts_come_from_their_causes_and_go_with_them(shift: Shift, page: Page) -> None:
    """The law's limit, the trunk, agents who wait, the list."""
    run, alerts = shift.engine.runs[CAMPAIGN.id], page.locator(".board-alerts")
    rate, near = run.abandons.rate(run.pack.abandon_window, shift.now), 0.9 * run.campaign.abandon_rate_max
    lost = max(1, int(rate.live * near) + 1, rate.counted)
    fates = [Fate.ABANDONED] * (lost - rate.counted)
    for fate in fates + [Fate.SERVED] * (round(lost / near) - rate.live - len(fates)):
        run.abandons.add(shift.now, fate)
    await expect(alerts).to_contain_text("mendekati batas")
    for _ in range(6):
        run.abandons.add(shift.now, Fate.ABANDONED)
    await expect(alerts).to_contain_text("melewati batas")

    met(shift, CONGESTED)
    await expect(alerts).to_contain_text(re.compile("kegagalan berturut-turut|bermasalah, dicoba lagi"))
    await expect(page.locator(".health")).to_contain_text(re.compile("gagal berturut-turut|berhenti"))
    met(shift, BUSY)

    team = run.floor.team
    idle = next(one for one in team.agents.values() if one.state is AgentState.IDLE)
    team.keep(replace(idle, since=shift.now - 200))
    await expect(alerts).to_contain_text("menunggu lama")

    await expect(alerts).to_contain_text(re.compile("Daftar hampir habis|sudah habis|Tidak ada yang boleh"))
