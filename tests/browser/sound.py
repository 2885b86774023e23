"""Who is heard by whom, by tones: on a debtor's line, of which the recording has both sides."""

from pathlib import Path

import numpy as np

from dialer.adapters.sounds import RATE
from tests.asterisk.audio import read
from tests.asterisk.waiting import until

from .conftest import DEBTOR_HZ, SIP_HZ
from .pages import LIMIT_MS, MICROPHONE_HZ, SUPERVISOR_HZ

TONES = {"debtor": DEBTOR_HZ, "agent": MICROPHONE_HZ, "supervisor": SUPERVISOR_HZ, "telephone": SIP_HZ}
LIMIT_S = LIMIT_MS / 1000
WINDOW_S = 0.6
HEARD = 0.01  # of full scale; a tone is sounded at 0.1 or more


async def recorded(path: Path, *names: str) -> None:
    """On his line the debtor says and hears just these."""
    found: list[set[str]] = []

    async def so() -> bool:
        start = read(path).size

        async def grown() -> bool:
            return read(path).size - start >= WINDOW_S * RATE

        await until(grown, "the recording grows", LIMIT_S)
        sound = read(path)[start:] / 32768.0
        spectrum = np.abs(np.fft.rfft(sound)) * 2 / sound.size
        hz = np.fft.rfftfreq(sound.size, 1 / RATE)
        found.append({name for name, at in TONES.items() if spectrum[np.abs(hz - at) < 20].max() > HEARD})
        return found[-1] == set(names)

    try:
        await until(so, f"recorded: {names}", 1.0)  # each look takes as long as what is looked at
    except AssertionError as late:
        raise AssertionError(f"{late}; recorded: {found}") from None
