"""Pictures of the supervisor's pages in both languages and themes, from a floor at work: for eyes and docs/screens.

python -m tests.browser.screens FOLDER [PAGE ...]
"""

import asyncio
import sys
import tempfile
from collections.abc import Awaitable, Callable, Mapping
from pathlib import Path

from playwright.async_api import ConsoleMessage, Page, async_playwright

from dialer.service import log_to_stderr
from dialer.users import Role

from .pages import FLAGS, chromium
from .shift import CAMPAIGN, Shift, at_work

LIST = Path(__file__).parents[2] / "docs" / "examples" / "debtors.csv"
LOOKS = [("id", "light"), ("en", "light"), ("id", "dark"), ("en", "dark")]
PAGES = {
    "board": f"/board?campaign={CAMPAIGN.id}",
    "wallboard": f"/wallboard?campaign={CAMPAIGN.id}",
    "campaigns": "/campaigns",
    "settings": "/campaigns",
    "week": "/campaigns",
    "scripts": "/campaigns",
    "results": "/campaigns",
    "preview": "/campaigns",
    "new": "/campaigns",
    "flows": "/flows",
    "offers": "/flows?tab=offers",
    "lists": "/lists",
    "debtors": "/debtors",
    "debtor": "/debtors",
    "pace": f"/board?campaign={CAMPAIGN.id}",
    "agent": f"/board?campaign={CAMPAIGN.id}",
    "docs": "/docs",
    "users": "/users",
}
SETTLES_S = 2.5


async def send_list(page: Page) -> None:
    """A list with its own headers."""
    await page.locator("input[type=file]").set_input_files(LIST)
    await page.locator(".map").wait_for()


async def find_debtor(page: Page) -> None:
    """By the id of a contact, with the log of decisions."""
    await page.locator("select.input").first.select_option("contact")
    await page.locator("input[type=search]").fill("K70003")
    await page.keyboard.press("Enter")
    await page.locator(".debtor header button").last.click()


async def tab(page: Page, number: int) -> None:
    """One of a campaign's."""
    await page.locator(".tabs-line button").nth(number).click()


STEPS: Mapping[str, Callable[[Page], Awaitable[None]]] = {
    "settings": lambda page: tab(page, 1),
    "week": lambda page: tab(page, 2),
    "scripts": lambda page: tab(page, 3),
    "results": lambda page: tab(page, 4),
    "preview": lambda page: tab(page, 5),
    "new": lambda page: page.locator(".head .button-main").click(),
    "lists": send_list,
    "debtor": find_debtor,
    "pace": lambda page: page.locator(".board-head .row > .button").first.click(),
    "agent": lambda page: page.locator(".agent").nth(3).click(),
}


async def main(folder: Path, wanted: list[str]) -> None:
    """Every page that is wanted, or all."""
    with tempfile.TemporaryDirectory() as scratch:
        async with async_playwright() as playwright:
            chrome = await playwright.chromium.launch(executable_path=chromium(), args=FLAGS)
            async with at_work(Path(scratch), chrome) as shift:
                await asyncio.sleep(20)
                if not wanted or "sign-in" in wanted:
                    await sign_in(shift, folder)
                secrets = {look: await shift.user("ratna-" + "-".join(look), Role.ADMIN) for look in LOOKS}
                for language, scheme in LOOKS:
                    context = await shift.context(scheme, language)
                    who = f"ratna-{language}-{scheme}"
                    page = await shift.enter(context, who, secrets[language, scheme])
                    complaining(page)
                    for name, path in PAGES.items():
                        if not wanted or name in wanted:
                            await page.goto(shift.base + path)
                            if name in STEPS:
                                await STEPS[name](page)
                            await asyncio.sleep(SETTLES_S)
                            await page.screenshot(path=folder / f"{name}-{language}-{scheme}.png")
                            print(name, language, scheme)
                    await context.close()
            await chrome.close()


def complaining(page: Page) -> None:
    """What its console says against it is printed."""

    def said(message: ConsoleMessage) -> None:
        if message.type == "error":
            print("console:", message.text)

    page.on("console", said)
    page.on("pageerror", lambda error: print("page:", error))


async def sign_in(shift: Shift, folder: Path) -> None:
    """The door, before anybody came in."""
    for language, scheme in LOOKS:
        context = await shift.context(scheme, language)
        page = await context.new_page()
        complaining(page)
        await page.goto(f"{shift.base}/sign-in")
        await page.locator("input[type=password]").wait_for()
        await page.screenshot(path=folder / f"sign-in-{language}-{scheme}.png")
        await context.close()


if __name__ == "__main__":
    log_to_stderr()  # a traceback of its own kind, without anybody's password
    Path(sys.argv[1]).mkdir(parents=True, exist_ok=True)
    asyncio.run(main(Path(sys.argv[1]), sys.argv[2:]))
