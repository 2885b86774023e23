"""A far end with ears: each phone and debtor sounds a tone of its own and writes down what it hears."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from dialer.adapters.asterisk_conf import directories
from dialer.adapters.sounds import RATE, Samples, Speech, tone, write_wav
from dialer.demo.carrier import Carrier, render

from .audio import read, rms
from .waiting import until

TONES = {"1001": 2750, "1002": 2950, "1003": 3150, "debtor": 3350}  # Hz; the music on hold lies below
WINDOW_S = 0.4
HEARD = 0.01  # of full scale; a tone is played at 0.15
DIALPLAN = """
[subscribers]
exten => _age[n]tX.,1,Answer()
 same => n,MixMonitor({folder}/said-${{EXTEN:5}}.wav,r({folder}/${{EXTEN:5}}.wav))
 same => n(loop),Playback(tone-${{EXTEN:5}})
 same => n,Goto(loop)
exten => _+X.,1,Goto(${{EXTEN:1}},1)
exten => _X.,1,Set(CHANNEL(hangup_handler_push)=sub-log,s,1)
 same => n,Set(attempt=${{PJSIP_HEADER(read,X-Santun-Attempt)}})
 same => n,Set(number=${{EXTEN}})
 same => n,Answer()
 same => n,MixMonitor({folder}/said-debtor.wav,r({folder}/debtor.wav))
 same => n(loop),Playback(tone-debtor)
 same => n,Goto(loop)
[sub-log]
exten => s,1,Set(line=${{attempt}}|${{number}}||05|${{CDR(start,u)}}|${{CDR(answer,u)}}|${{STRFTIME(,,%s.%3q)}}|)
 same => n,Set(FILE({log},,,al,u)=${{line}})
 same => n,Return()
"""


class Ears(Carrier):
    """A carrier with one debtor, whatever number is called."""

    @property
    def folder(self) -> Path:
        return self.settings.run / "heard"

    async def start(self, speech: Speech) -> None:
        run = self.settings.run
        for name, hz in TONES.items():
            write_wav(run / "sounds" / f"tone-{name}.wav", tone(hz, 4.0))
        render(self.settings, self._modules, run / "etc")
        self.folder.mkdir(parents=True)
        (run / "etc" / "extensions.conf").write_text(DIALPLAN.format(folder=self.folder, log=run / "calls.log"))
        with (run / "etc" / "modules.conf").open("a") as modules:
            modules.write("load=app_mixmonitor.so\n")
        assert directories(run)
        await self.process.start()

    async def hears(self, who: str, *whom: str, music: bool = False) -> None:
        """Within a few seconds he hears just these, and music or not."""
        path, wanted = self.folder / f"{who}.wav", (set(whom), music)
        found: list[Heard] = []

        async def so() -> bool:
            start = read(path).size
            await until(lambda: _grown(path, start), f"{who} is connected", 3.0)
            found.append(heard(read(path)[start:]))
            return (found[-1].tones, found[-1].music) == wanted

        try:
            await until(so, f"{who} hears {wanted}", 0.4)  # each look takes as long as what it hears
        except AssertionError as late:
            raise AssertionError(f"{late}; heard: {found}") from None


@dataclass(frozen=True, slots=True)
class Heard:
    """Who sounds in a piece of sound, and whether anything below the tones does."""

    tones: set[str]
    music: bool


def heard(samples: Samples) -> Heard:
    """By the energy at each tone's frequency, and below 1000 Hz."""
    if not samples.size:
        return Heard(set(), False)
    spectrum = np.abs(np.fft.rfft(samples / 32768.0)) * 2 / samples.size
    hz = np.fft.rfftfreq(samples.size, 1 / RATE)
    tones = {name for name, at in TONES.items() if spectrum[np.abs(hz - at) < 15].max() > HEARD}
    low = np.fft.irfft(np.where((hz > 100) & (hz < 1000), np.fft.rfft(samples / 32768.0), 0))
    return Heard(tones, rms((low * 32768).astype(np.int16)) > HEARD)


async def _grown(path: Path, start: int) -> bool:
    return read(path).size - start >= WINDOW_S * RATE
