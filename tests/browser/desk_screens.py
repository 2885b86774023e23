"""Pictures of the agent's desk, from a call through a real Asterisk: for eyes and docs/screens.

SANTUN_SCREENS=FOLDER python -m pytest tests/browser/desk_screens.py    (not part of the tests)
"""

import os
from dataclasses import replace
from datetime import UTC, date, datetime
from pathlib import Path

import pytest

from dialer.adapters.clock import SystemClock
from dialer.debts.history import Entry, What, note
from dialer.debts.plans import Limits
from dialer.keyed import number_key
from dialer.model import Contact

from .conftest import PASSWORD, PERSON_KEY, House
from .pages import Tab

pytestmark = [
    pytest.mark.asyncio(loop_scope="session"), pytest.mark.asterisk, pytest.mark.redis, pytest.mark.timeout(400)
]  # fmt: skip

FOLDER = Path(os.environ.get("SANTUN_SCREENS", "/tmp/santun-screens"))
CHECK, READY, TOMORROW = range(3)
WORDS = {
    "id": ("Periksa mikrofon", "Siap", "Besok"),
    "en": ("Check the microphone", "Ready", "Tomorrow"),
}
DAY_S = 86_400
SETTLES_MS = 2500


def days_ago(days: int) -> date:
    return datetime.fromtimestamp(SystemClock().now() - days * DAY_S, UTC).date()


async def known(house: House, language: str) -> Contact:
    """A debtor with a past."""
    store, at = house.floor.store, int(SystemClock().now()) - 9 * DAY_S
    dialled = house.floor.debtor("human")
    numbers = tuple(replace(one, key=number_key(bytes.fromhex(PERSON_KEY), one.e164)) for one in dialled.numbers)
    debtor = replace(
        dialled, numbers=numbers, name="Budi Santoso", account="K-1042", lender="Bank Maju", product="kredit motor",
        amount=1_250_000, minimum=100_000, incentive=75_000, due=days_ago(12), zone="Asia/Makassar", language=language,
    )  # fmt: skip
    promised = Entry(
        What.CALL, "01m80sm17q56je4t5pncfqz46g", at, "real", debtor.id, "connected", "debtor", disposition="promise",
        amount=500_000, currency="IDR", due=days_ago(4), agent="2102", talk_s=142,
    )  # fmt: skip
    broken = replace(promised, what=What.BROKEN, id="01m80sm17q56je4t5pncfqz46h", at=at + 6 * DAY_S)
    words = "Gajian tanggal 25, minta dihubungi sore hari."
    for entry in (promised, note("01m80sm17q56je4t5pncfqz46j", at + 60, "sari", words, "real", debtor.id), broken):
        await store.remember(debtor.person, entry)
    return debtor


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("language", ["id", "en"])
async def test_pictures(house: House, language: str, scheme: str) -> None:
    words, page = WORDS[language], (tab := await Tab.of(await house.context(scheme=scheme))).page
    house.tabs.append(tab)

    async def picture(name: str) -> None:
        await page.wait_for_timeout(SETTLES_MS)
        await page.screenshot(path=FOLDER / f"desk-{name}-{language}-{scheme}.png")

    limits = Limits(
        early_days=3, early_percent=10, parts=4, first_percent=30, round_to=1000, parts_fee=15_000, defer_days=14
    )
    house.floor.limits_of = house.web.limits_of = lambda campaign, lender: limits
    await house.floor.open(
        wrap_up_max_s=60, record=True, caller_name="PT Maju Bersama", name="April, kredit motor", preview_s=600
    )
    await house.user("dewi", "2101")
    await page.set_viewport_size({"width": 1280, "height": 720})  # a small laptop
    await page.add_init_script(f"localStorage.setItem('santun.lang', '{language}')")
    await tab.enter(house.base, "dewi", PASSWORD)
    await tab.until("desk.info")
    await page.get_by_role("button", name=words[CHECK]).click()
    await picture("start")
    await page.get_by_role("button", name=words[READY]).click()
    await tab.until("desk.note?.state === 'idle' && desk.phone.seen.leg")
    await picture("ready")
    await house.floor.add(debtor := await known(house, language))
    await page.keyboard.press("n")
    await picture("by-hand")
    await page.keyboard.type(debtor.numbers[0].e164)
    await page.keyboard.press("Enter")
    await page.locator("dialog .desk-offer").first.wait_for()
    await picture("found")
    await page.keyboard.press("Escape")
    await house.floor.order("start")
    await tab.until("desk.note.state === 'talking' && desk.pop")
    await picture("call")
    await page.keyboard.press("o")
    await page.keyboard.press("3")
    await picture("offers")
    await page.keyboard.press("Enter")
    await picture("offer-taken")
    await page.keyboard.press("F9")
    await tab.until("desk.note.state === 'wrap_up'")
    await page.keyboard.press("1")
    await page.get_by_role("button", name=words[TOMORROW]).click()
    await page.locator(".desk-fields input").first.fill("500.000")
    await picture("wrap-up")
