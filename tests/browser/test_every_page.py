"""Every page, on a small laptop: axe-core, by keyboard alone, nothing cut off, nothing said in the console; in both
languages and themes."""

from collections.abc import AsyncIterator

import pytest
import pytest_asyncio
from playwright.async_api import Page, async_playwright, expect

from dialer.users import Role
from dialer.web.pages import PAGES

from .pages import AXE, FLAGS, LIMIT_MS, SERIOUS, chromium
from .shift import CAMPAIGN, Shift, at_work

pytestmark = [
    pytest.mark.asyncio(loop_scope="module"),
    pytest.mark.redis,
    pytest.mark.skipif(not chromium(), reason="no Chromium"),
]
WIDTH, HEIGHT = 1280, 720
LIVE = ("/board", "/wallboard")  # always busy
TABS_MOST = 250
# What a hand could press, but for what is hidden, disabled or reached by arrows.
REACHABLE = """() => [...document.querySelectorAll("a[href], button, input, select, textarea, summary, [tabindex='0']")]
  .filter((one) => !one.disabled && one.tabIndex >= 0 && one.type !== "hidden" && one.checkVisibility())
  .map((one, n) => {
    one.dataset.walk = String(n);
    return `${n} ${one.localName} ${(one.ariaLabel ?? one.textContent).trim().slice(0, 40)}`;
  })"""
# Where the keyboard is: its place in REACHABLE, and whether one sees it.
HERE = """() => {
  const one = document.activeElement;
  if (!one || one === document.body) return null;
  const box = one.getBoundingClientRect(), look = getComputedStyle(one);
  const seen = box.bottom > 0 && box.right > 0 && box.top < innerHeight && box.left < innerWidth;
  const marked = (look.outlineStyle !== "none" && parseFloat(look.outlineWidth) > 0) || look.boxShadow !== "none";
  return [one.dataset.walk ?? "", seen && marked, one.outerHTML.slice(0, 90)];
}"""
# Texts that do not fit and cannot be scrolled to. Dots are well where the whole is a click or a title away.
CUT = """() => {
  const found = [], root = document.documentElement;
  const say = (what, one) => found.push(`${what}: ${one.className} ${one.textContent.trim().slice(0, 40)}`);
  if (root.scrollWidth > innerWidth) found.push(`the page is ${root.scrollWidth} wide`);
  for (const one of document.querySelectorAll("main *, header *")) {
    if (!one.checkVisibility() || !one.textContent.trim()) continue;
    if (one.closest("svg, canvas, .sr, .skip, select, .uplot")) continue;
    const look = getComputedStyle(one), box = one.getBoundingClientRect();
    if (!box.width || !box.height || look.clipPath !== "none") continue;  // for ears alone
    const clips = (way) => look[way] === "hidden" || look[way] === "clip";
    const wide = one.scrollWidth > one.clientWidth + 1;
    if (look.textOverflow === "ellipsis") {
      if (wide && !one.closest("[title], a, button, summary")) say("dots", one);
    } else {
      if (clips("overflowX") && wide) say("cut at its side", one);
      if (clips("overflowY") && one.scrollHeight > one.clientHeight + 2) say("cut below", one);
    }
    let parent = one.parentElement;
    while (parent && getComputedStyle(parent).overflowX === "visible") parent = parent.parentElement;
    if ((!parent || parent === root || parent === document.body) && box.right > innerWidth + 1) say("outside", one);
  }
  return found;
}"""


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def shift(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Shift]:
    async with async_playwright() as playwright:
        chrome = await playwright.chromium.launch(executable_path=chromium(), args=FLAGS)
        folder = tmp_path_factory.mktemp("pages")
        async with at_work(folder, chrome, agents=14, contacts=200, past_s=900) as shift:
            yield shift
        await chrome.close()


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def page(shift: Shift) -> AsyncIterator[Page]:
    """Of an administrator who also has a desk."""
    secret = await shift.user("ratna", Role.ADMIN, "900")
    context = await shift.context(width=WIDTH)
    page = await shift.enter(context, "ratna", secret)
    await page.set_viewport_size({"width": WIDTH, "height": HEIGHT})
    page.set_default_timeout(LIMIT_MS)
    yield page
    await context.close()


async def settled(page: Page, base: str, path: str) -> None:
    """Its own requests are answered, its heading is there."""
    query = f"?campaign={CAMPAIGN.id}" if path in LIVE else ""
    await page.goto(f"{base}{path}{query}")
    await page.locator("h1").first.wait_for(state="attached")
    if path in LIVE:
        await page.locator(".agent, .wall-agent").nth(13).wait_for()
    elif path != "/agent":
        await page.wait_for_load_state("networkidle")
    else:
        await page.get_by_role("button", name="Siap").wait_for()


async def axe(page: Page) -> list[str]:
    found = await page.evaluate("async () => (await axe.run(document, { resultTypes: ['violations'] })).violations")
    return [
        f"{one['id']}: {node['target']} {node['failureSummary']}"
        for one in found
        if one["impact"] in SERIOUS
        for node in one["nodes"]
    ]


@pytest.mark.parametrize("path", sorted(PAGES))
async def test_page(shift: Shift, page: Page, path: str) -> None:
    if path == "/sign-in":
        page = await (await shift.context(width=WIDTH)).new_page()
        await page.set_viewport_size({"width": WIDTH, "height": HEIGHT})
    said: list[str] = []
    page.on("console", lambda message: said.append(message.text) if message.type == "error" else None)
    page.on("pageerror", lambda error: said.append(str(error)))
    await settled(page, shift.base, path)
    await page.evaluate(AXE.read_text(encoding="utf-8"))
    faults = {"id, light": await axe(page), "id, cut off": await page.evaluate(CUT), "keyboard": await walk(page)}
    for tab in (await page.get_by_role("tab").all())[1:]:  # editors are behind tabs
        name = await tab.inner_text()
        await tab.click()
        await expect(tab).to_have_attribute("aria-selected", "true")
        await expect(page.locator("main")).not_to_contain_text("Memuat")
        faults |= {name: await axe(page), f"{name}, cut off": await page.evaluate(CUT)}
    await page.emulate_media(color_scheme="dark")
    await page.evaluate("async () => (await import('/static/js/lib/i18n.js')).setLang('en')")
    faults |= {"en, dark": await axe(page), "en, cut off": await page.evaluate(CUT)}
    await page.emulate_media(color_scheme="light")
    await page.evaluate("async () => (await import('/static/js/lib/i18n.js')).setLang('id')")
    if path == "/sign-in":
        said = [text for text in said if "401" not in text]  # so it learns that nobody is signed in
        await page.context.close()
    assert [f"{where}: {what}" for where, found in (faults | {"console": said}).items() for what in found] == []


async def walk(page: Page) -> list[str]:
    """By Tab alone: what is not reached, what one does not see when one is there."""
    names: list[str] = await page.evaluate(REACHABLE)
    await page.evaluate("() => document.activeElement?.blur()")
    reached: set[str] = set()
    wrong: list[str] = []
    for _ in range(min(TABS_MOST, 2 * len(names) + 5)):
        await page.keyboard.press("Tab")
        here = await page.evaluate(HERE)
        if here is not None:
            place, seen, html = here
            wrong += [] if seen else [f"not seen: {html}"]
            reached.add(place)
        elif len(reached) >= len(names):  # round, and at the browser's own
            break
    return wrong + [f"not reached: {name}" for name in names if name.split()[0] not in reached]
