"""How soon an agent sees who is on the line: `./run bench pop`; not part of the tests.

From Asterisk's own time of the debtor's BridgeEnter to the frame that shows his account in a real Chromium. The account
is sent when the agent is reserved, so a negative figure says that it was there before the debtor.
"""

import os

import pytest

from .conftest import House
from .pages import Tab

pytestmark = [
    pytest.mark.asyncio(loop_scope="session"), pytest.mark.asterisk, pytest.mark.redis, pytest.mark.timeout(900)
]  # fmt: skip

CALLS = int(os.environ.get("SANTUN_CALLS", "100"))
P99_MS = 200
MARKS = """() => Object.fromEntries(["santun.pop", "santun.joined"].map((name) => [name, Object.fromEntries(
  performance.getEntriesByName(name).map((one) => [one.detail, (performance.timeOrigin + one.startTime) / 1000]))]))"""


async def test_pop(house: House, capsys: pytest.CaptureFixture[str]) -> None:
    await house.floor.open(wrap_up_max_s=30)
    tab = await house.agent("2101")
    await tab.ready()
    house.floor.forget()
    await house.floor.add(*(house.floor.debtor("human") for _ in range(CALLS)))
    await house.floor.order("start")
    for _ in range(CALLS):
        await one_call(tab)
    entered = {
        event["Uniqueid"]: float(event["Timestamp"])
        for event in house.floor.ami.events
        if event["Event"] == "BridgeEnter" and not event["Uniqueid"].startswith("leg-")
    }
    marks = await tab.page.evaluate(MARKS)
    for name, what in (("santun.pop", "account shown"), ("santun.joined", "tone in the ear")):
        took = sorted((at - entered[attempt]) * 1000 for attempt, at in marks[name].items() if attempt in entered)
        assert len(took) >= CALLS - 1, f"{len(took)} of {CALLS} calls were seen"
        p50, p90, p99 = (took[min(len(took) - 1, int(len(took) * share))] for share in (0.5, 0.9, 0.99))
        figures = f"p50 {p50:.0f}, p90 {p90:.0f}, p99 {p99:.0f} ms"
        with capsys.disabled():
            print(f"\n{what} after BridgeEnter, {len(took)} calls, load {os.getloadavg()[0]:.1f}: {figures}")
            if name == "santun.pop":
                print(f"asked for: p99 {P99_MS} ms: {'kept' if p99 <= P99_MS else 'NOT kept'}")


async def one_call(tab: Tab) -> None:
    """Until the result is sent."""
    shown = "performance.getEntriesByName('santun.pop').at(-1)?.detail"
    await tab.until(f"desk.note.state === 'talking' && {shown} === desk.note.attempt")
    attempt = await tab.desk("desk.note.attempt")
    await tab.page.keyboard.press("F9")
    await tab.until("desk.note.state === 'wrap_up'")
    await tab.page.keyboard.press("4")
    await tab.page.keyboard.press("Control+Enter")
    await tab.until(f"desk.note.attempt !== '{attempt}'")
