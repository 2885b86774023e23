"""An agent at his desk: a real browser, Asterisk, engine and carrier; what is heard is measured, not believed."""

import numpy as np
import pytest

from dialer.adapters.sounds import RATE
from tests.asterisk.audio import read
from tests.asterisk.waiting import until

from .conftest import DEBTOR_HZ, House
from .pages import MICROPHONE_HZ

pytestmark = [pytest.mark.asyncio(loop_scope="session"), pytest.mark.asterisk, pytest.mark.redis]

NEAR_HZ = 25


async def test_sign_in_talk_and_result(house: House) -> None:
    """The whole of it: one click, a call, sound both ways, a pop in time, a promise in the stream."""
    await house.floor.open(record=True, wrap_up_max_s=60)
    tab = await house.agent("2101")
    await tab.ready()
    debtor = house.floor.debtor("human")
    house.floor.forget()
    await house.floor.add(debtor)
    await house.floor.order("start")
    await tab.until("desk.note.state === 'talking'")
    entered = await house.floor.entered("2101", lambda channel: not channel.startswith("leg-"), "the debtor")
    await tab.until(
        "performance.getEntriesByName('santun.pop').length && performance.getEntriesByName('santun.joined').length"
    )
    shown_ms = (await tab.marked("santun.pop") - float(entered["Timestamp"])) * 1000
    print(f"pop shown {shown_ms:.0f} ms after the debtor came into the room")
    assert shown_ms < 1000, "the figure itself belongs in the bench"

    heard = await tab.hears()
    assert heard["loud"] > 0.02, heard
    assert abs(heard["hertz"] - DEBTOR_HZ) < NEAR_HZ, heard
    recording = house.floor.settings.recordings / f"{entered['Uniqueid']}.wav"

    async def recorded() -> bool:
        found = loudest(read(recording))
        return any(abs(one - MICROPHONE_HZ) < NEAR_HZ for one in found) and any(
            abs(one - DEBTOR_HZ) < NEAR_HZ for one in found
        )

    await until(recorded, "both voices in the recording", 10)

    await tab.page.keyboard.press("F9")
    await tab.until("desk.note.state === 'wrap_up'")
    await tab.page.keyboard.press("4")
    await tab.page.keyboard.press("Control+Enter")
    (record,) = await house.floor.records(1)
    assert (record["outcome"], record["agent"], record["disposition"]) == ("connected", "2101", "refuses")
    assert float(record["talk_s"]) > 1
    assert not tab.said


def loudest(samples: "np.ndarray[tuple[int], np.dtype[np.int16]]") -> list[float]:
    """The two loudest frequencies, 100 Hz apart at least."""
    if samples.size < RATE:
        return []
    spectrum = np.abs(np.fft.rfft(samples[-RATE * 4 :] * np.hanning(samples[-RATE * 4 :].size)))
    scale = RATE / samples[-RATE * 4 :].size
    spectrum[: int(100 / scale)] = 0
    found = []
    for _ in range(2):
        top = int(np.argmax(spectrum))
        found.append(top * scale)
        spectrum[max(0, top - int(100 / scale)) : top + int(100 / scale)] = 0
    return found
