"""The rarer ways of a desk: a plain telephone, the IVR, a paused recording, numbers by hand, keys that the debtor
hears, and what becomes of him when the agent's computer goes."""

import os
import signal
from contextlib import suppress
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from time import time
from zoneinfo import ZoneInfo

import pytest
from playwright.async_api import expect

from dialer.adapters.asterisk_conf import directories
from dialer.dialplan import Told
from dialer.keyed import number_key
from dialer.law.rulebook_reading import parse_pack
from dialer.model import Contact, Mode
from dialer.users import Phone
from tests import packs
from tests.asterisk import office
from tests.asterisk.waiting import until_now

from .conftest import PERSON_KEY, House
from .pages import Tab, browser, write_microphone
from .sound import LIMIT_S, TONES, recorded

pytestmark = [
    pytest.mark.asyncio(loop_scope="session"), pytest.mark.asterisk, pytest.mark.redis, pytest.mark.timeout(400)
]  # fmt: skip

KEY = bytes.fromhex(PERSON_KEY)
REFUSED = """async ([path, body]) => {
  const { post } = await import("/static/js/lib/api.js");
  try { await post(path, body); } catch (problem) { return [problem.status, problem.kind, problem.detail]; }
  return null;
}"""


async def talking(house: House, tab: Tab, contact: Contact | None = None) -> str:
    """He is called, and is on the line; the attempt."""
    await house.floor.add(contact or house.floor.debtor("human"))
    await house.floor.order("start")
    await tab.until("desk.note.state === 'talking' && desk.pop")
    return str(await tab.desk("desk.note.attempt"))


async def finished(tab: Tab, key: str = "4") -> None:
    """Hung up, and its result sent."""
    await tab.page.keyboard.press("F9")
    await tab.until("desk.note.state === 'wrap_up'")
    await tab.page.keyboard.press(key)
    await tab.page.keyboard.press("Control+Enter")


async def test_a_plain_telephone_a_paused_recording_and_the_ivr(house: House) -> None:
    """No microphone is asked for; what is said in a pause is not on the recording; handed over, the agent wraps up."""
    await house.floor.open(record=True, wrap_up_max_s=60)
    tab = await house.agent("1001", phone=Phone.SIP)
    await tab.page.get_by_text("Anda memakai pesawat telepon sendiri").wait_for()
    assert await tab.page.get_by_role("button", name="Periksa mikrofon").count() == 0
    await tab.page.get_by_role("button", name="Siap").click()
    await tab.until("desk.note?.state === 'idle'")
    attempt = await talking(house, tab)
    recording = house.floor.settings.recordings / f"{attempt}.wav"
    await recorded(recording, "debtor", "telephone")
    assert await tab.page.get_by_role("button", name="Bisukan").count() == 0  # his telephone has a key for it

    await tab.page.get_by_role("button", name="Jeda rekaman").click()
    await tab.page.get_by_text("Rekaman dijeda").wait_for()
    await recorded(recording)
    await tab.page.get_by_role("button", name="Rekam lagi").click()
    await tab.page.get_by_text("Rekaman dijeda").wait_for(state="detached")
    await recorded(recording, "debtor", "telephone")

    await tab.page.keyboard.press("t")
    await tab.page.get_by_role("button", name="Pembayaran lewat tombol").click()
    await tab.page.locator("dialog").get_by_role("button", name="Alihkan").click()
    await house.floor.told(Told.IVR_BEGIN, attempt)
    await tab.until("desk.note.state === 'wrap_up'")
    await tab.page.keyboard.press("1")
    await tab.page.get_by_label("Jumlah").fill("250000")
    await tab.page.get_by_role("button", name="Besok").click()
    await tab.page.keyboard.press("Control+Enter")
    await tab.until("desk.note.state === 'idle'")
    await house.floor.hang_up(attempt)  # he has heard enough
    (record,) = await house.floor.records(1)
    assert (record["outcome"], record["disposition"], record["agent"]) == ("connected", "promise", "1001")
    assert record["ivr_at"] >= record["joined_at"]
    assert not tab.said


async def test_keys_come_to_the_debtor_as_digits(house: House) -> None:
    carrier = house.floor.carrier
    await carrier.process.console("logger add channel keys dtmf")
    log = directories(carrier.settings.run)["SANTUN_LOG"] / "keys"
    try:
        await house.floor.open(wrap_up_max_s=60)
        tab = await house.agent("2101")
        await tab.ready()
        await talking(house, tab)
        await tab.page.keyboard.press("k")
        await tab.page.locator(".desk-keypad").wait_for()
        await tab.page.keyboard.type("42#")

        def digits() -> list[str]:
            lines = log.read_text(errors="replace").splitlines() if log.exists() else []
            return [line.split("DTMF end '", 1)[1][0] for line in lines if "DTMF end '" in line and "received" in line]

        await until_now(lambda: digits() == ["4", "2", "#"], "the debtor's telephone hears 4 2 #", LIMIT_S)
    finally:
        await carrier.process.console("logger remove channel keys")


async def test_an_account_is_skipped_or_called_by_hand_within_the_rules(house: House) -> None:
    """Preview: skipped with words of one's own; another of his numbers by hand; after the talk he is left in peace."""
    await house.floor.open(mode=Mode.PREVIEW, wrap_up_max_s=60, preview_s=600)
    first, second = (house.floor.debtor("human") for _ in range(2))
    other = house.floor.debtor("human").numbers[0]
    first = replace(first, numbers=(*first.numbers, other), name="Budi")
    second = replace(second, numbers=(*second.numbers, replace(other, key="n-second")), name="Siti")
    await house.floor.add(first, second)
    tab = await house.agent("2101")
    await house.floor.order("start")
    await tab.ready("preview")
    await tab.until("desk.pop?.name")
    skipped = await tab.desk("desk.note.contact")
    await tab.page.get_by_label("Alasan lain").fill("anaknya sedang sakit")
    await tab.page.keyboard.press("Enter")
    await tab.until(f"desk.note.state === 'preview' && desk.pop && desk.pop.contact !== '{skipped}'")
    called = await tab.desk("desk.pop.contact")
    refusals = [one for _, one in await house.floor.store.tail(house.floor.campaign.id, 10, "refusals")]
    assert [(one["debtor"], one["rule"], one["reason"]) for one in refusals] == [
        (skipped, "skipped", "anaknya sedang sakit")
    ]

    await tab.page.get_by_role("button", name="sendiri").click()
    await tab.until("desk.note.state === 'talking' && desk.pop.attempt === desk.note.attempt")
    await tab.hears_just(TONES, "debtor")
    await finished(tab)
    (record,) = await house.floor.records(1)
    assert (record["kind"], record["number"], record["debtor"]) == ("manual", other.e164, called)
    await tab.until("desk.note.state !== 'wrap_up'")
    assert await refused(tab, contact=called, number=0) == (409, "engine_refused")  # spoken with today


async def refused(tab: Tab, path: str = "/desk/dial", **body: object) -> tuple[int, str] | None:
    """What the API says no with."""
    found = await tab.page.evaluate(REFUSED, [path, body])
    return found and (found[0], found[1])


async def test_no_number_by_hand_after_hours_or_from_nowhere(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    """The gate is the same as for any call; a number that no account has cannot even be said."""
    hour = datetime.now(ZoneInfo("Asia/Jakarta")).hour
    open_ = "02:00-04:00" if hour >= 12 else "20:00-22:00"
    days = dict.fromkeys(("mon", "tue", "wed", "thu", "fri", "sat", "sun"), open_)
    closed = parse_pack(packs.toml("demo") | {"hours": {"source": "this test's", **days}})
    monkeypatch.setattr(office, "PACK", replace(closed, ring_min_s=1))
    await house.floor.open()
    debtor = house.floor.debtor("human")
    await house.floor.add(debtor)
    tab = await house.agent("2101")
    await tab.ready()
    await house.floor.order("start")
    assert await refused(tab, contact=debtor.id, number=0) == (409, "engine_refused")
    assert await refused(tab, contact=debtor.id, number=1) == (409, "engine_refused")
    assert await refused(tab, contact="nobody", number=0) == (409, "engine_refused")
    status, _ = await refused(tab, contact=debtor.id, number="+6281234567890") or (0, "")
    assert status in (400, 422)
    status, _ = await refused(tab, contact=debtor.id, e164="+6281234567890") or (0, "")
    assert status in (400, 422)
    assert not await house.floor.store.open_attempts(house.floor.campaign.id)
    assert not await house.floor.store.tail(house.floor.campaign.id, 10)


async def test_a_number_is_dialled_by_hand_from_a_break_by_keyboard_alone(house: House) -> None:
    """In a campaign that dials by itself: found by number, account, or as seen before; on a break again afterwards."""
    await house.floor.open(mode=Mode.PREDICTIVE, wrap_up_max_s=60)
    second = house.floor.debtor("human").numbers[0]
    budi = house.floor.debtor("human")
    numbers = tuple(replace(one, key=number_key(KEY, one.e164)) for one in (*budi.numbers, second))
    budi = replace(budi, numbers=numbers, name="Budi", lender="Bank Maju", account="A-77", amount=500_000)
    tab = await house.agent("2101")
    page, dialog = tab.page, tab.page.locator("dialog")
    await tab.ready()
    await house.floor.order("start")
    await page.keyboard.press("b")
    await page.keyboard.press("3")
    await tab.until("desk.note.state === 'break'")
    await house.floor.add(budi)
    assert not await tab.faults()

    await page.keyboard.press("n")
    await page.keyboard.type("081234500000")
    await page.keyboard.press("Enter")
    await expect(dialog.get_by_role("alert")).to_contain_text("hanya nomor dari akun")
    await page.get_by_label("Nomor telepon").fill(second.e164)
    await page.keyboard.press("Enter")
    await expect(dialog.get_by_role("heading", name="Budi")).to_be_visible()
    assert second.e164[-6:] not in await dialog.inner_text()
    assert not await tab.faults()
    await page.keyboard.press("2")
    await tab.until("desk.note.state === 'talking' && desk.pop.attempt === desk.note.attempt")
    await expect(dialog).to_have_count(0)
    await tab.hears_just(TONES, "debtor")
    await finished(tab)
    (record,) = await house.floor.records(1)
    assert (record["kind"], record["number"], record["debtor"]) == ("manual", second.e164, budi.id)
    await tab.until("desk.note.state === 'break'")

    await page.keyboard.press("n")
    await dialog.get_by_role("button", name="Budi").click()
    await expect(dialog.get_by_role("heading", name="Budi")).to_be_visible()
    await page.keyboard.press("1")
    await expect(dialog.get_by_role("alert")).to_contain_text("Tidak ditelepon: ")
    await page.keyboard.press("Escape")
    await page.keyboard.press("n")
    await page.get_by_label("nomor akun").fill("a-77")
    await page.get_by_label("Pemberi pinjaman").fill("Bank Maju")
    await page.keyboard.press("Enter")
    await expect(dialog.get_by_role("heading", name="Budi")).to_be_visible()
    assert await tab.desk("desk.note.state") == "break"
    assert [one for one in tab.said if "404" not in one and "409" not in one] == []


# ---- the agent's computer goes


async def test_a_closed_lid_keeps_the_debtor_for_the_same_agent(house: House, scratch: Path) -> None:
    """All of the browser stands still, as under a closed lid: nothing is said, no sound comes. Opened again in time the
    agent has him back; until then he hears music."""
    await house.floor.open(wrap_up_max_s=60, grace_ms=60_000)
    microphone = scratch / "lid.wav"
    write_microphone(microphone)
    async with browser(microphone) as lid:
        usual, house.chrome = house.chrome, lid
        try:
            tab = await house.agent("2101")
        finally:
            house.chrome = usual
        await tab.ready()
        attempt = await talking(house, tab)
        await tab.page.get_by_label("Catatan").fill("gajian tanggal 25")
        asleep = family(str(microphone))
        assert len(asleep) > 2
        try:
            for pid in asleep:
                os.kill(pid, signal.SIGSTOP)
            slept = time()
            await house.floor.ami.until("UserEvent", LIMIT_S, UserEvent=Told.HELD, Uniqueid=attempt)
            print(f"held {time() - slept:.1f} s after the lid was closed")
            await house.floor.known_as("2101", "lost")
        finally:
            for pid in asleep:
                with suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGCONT)
        await house.floor.known_as("2101", "talking")  # the page still says so from before it slept
        await tab.until(f"desk.note.state === 'talking' && desk.note.attempt === '{attempt}' && desk.phone.seen.leg")
        await tab.hears_just(TONES, "debtor")
        assert await tab.page.get_by_label("Catatan").input_value() == "gajian tanggal 25"
        await expect(tab.page.locator(".desk-news")).to_contain_text("Jalur Anda pulih")
        assert not house.floor.calls()  # he was never hung up on
        house.tabs.remove(tab)


def family(word: str) -> list[int]:
    """The processes of the browser that was started with this word, itself the first."""
    parents: dict[int, int] = {}
    known: set[int] = set()
    for folder in Path("/proc").glob("[0-9]*"):
        with suppress(OSError, ValueError):
            pid, text = int(folder.name), (folder / "cmdline").read_text()
            parents[pid] = int((folder / "stat").read_text().rpartition(")")[2].split()[1])
            if word in text and "--type=" not in text:
                known.add(pid)
    found = [pid for pid in known if parents[pid] not in known]
    for pid in found:
        found += [one for one, parent in parents.items() if parent == pid]
    return found


async def test_who_does_not_come_back_is_not_waited_for(house: House) -> None:
    """His page closed for good: the debtor hears "one moment", then a colleague; where there is none, the message."""
    await house.floor.open(wrap_up_max_s=60, grace_ms=2000)
    first, second = await house.agent("2101"), await house.agent("2102")
    await first.ready()
    attempt = await talking(house, first)
    await second.ready()
    await first.page.close()
    await house.floor.told(Told.HELD, attempt)
    await second.until("desk.note.state === 'talking' && desk.pop")
    assert await second.desk("desk.note.attempt") == attempt
    await second.hears_just(TONES, "debtor")
    await second.page.close()
    await house.floor.told(Told.MESSAGE, attempt)
    await house.floor.hang_up(attempt)
    (record,) = await house.floor.records(1)
    assert (record["outcome"], record["agent"], record["agents"]) == ("connected", "2102", "2101 2102")
