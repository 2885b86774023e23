"""A real Chromium with an invented microphone, and what is asked of its pages."""

import asyncio
import os
import shutil
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import quote

import numpy as np
import soundfile
from playwright.async_api import Browser, BrowserContext, Page, async_playwright

MICROPHONE_HZ = 1000
SUPERVISOR_HZ = 1700
LIMIT_MS = 60_000
LOOK_TENTHS = 5
LOOKS = 20
AXE = Path(__file__).parent / "axe" / "axe.min.js"
SERIOUS = ("serious", "critical")
FLAGS = (
    "--no-sandbox --disable-gpu --disable-quic --no-first-run --disable-background-networking"
    " --disable-component-update --disable-sync --use-fake-device-for-media-stream --use-fake-ui-for-media-stream"
    " --allow-loopback-in-peer-connection"
).split()
# What the agent's ear gets in a second: loudness 0..1, and the loudest frequency.
LISTEN = """async () => {
  const stream = document.querySelector("audio").srcObject;
  if (!stream) return { loud: 0, hertz: 0 };
  const context = new AudioContext({ sampleRate: 8000 });
  const analyser = new AnalyserNode(context, { fftSize: 2048, smoothingTimeConstant: 0 });
  context.createMediaStreamSource(stream).connect(analyser);
  let loud = 0, hertz = 0;
  const samples = new Float32Array(2048), spectrum = new Float32Array(1024);
  for (let turn = 0; turn < 10; turn++) {
    await new Promise((done) => setTimeout(done, 100));
    analyser.getFloatTimeDomainData(samples);
    const now = Math.sqrt(samples.reduce((sum, one) => sum + one * one, 0) / samples.length);
    if (now <= loud) continue;
    loud = now;
    analyser.getFloatFrequencyData(spectrum);
    hertz = (spectrum.indexOf(Math.max(...spectrum)) * 8000) / 2048;
  }
  await context.close();
  return { loud, hertz };
}"""

# Which of these tones are in the ear, over so many tenths of a second.
TONES = """async ([tones, turns]) => {
  const stream = [...document.querySelectorAll("audio")].map((one) => one.srcObject).find(Boolean);
  if (!stream) return [];
  const context = new AudioContext({ sampleRate: 8000 });
  const analyser = new AnalyserNode(context, { fftSize: 2048, smoothingTimeConstant: 0 });
  context.createMediaStreamSource(stream).connect(analyser);
  const heard = new Set(), spectrum = new Float32Array(1024);
  for (let turn = 0; turn < turns; turn++) {
    await new Promise((done) => setTimeout(done, 100));
    analyser.getFloatFrequencyData(spectrum);
    for (const [name, hertz] of Object.entries(tones)) {
      const at = Math.round((hertz * 2048) / 8000);
      if (Math.max(...spectrum.slice(at - 2, at + 3)) > -50) heard.add(name);
    }
  }
  await context.close();
  return [...heard].sort();
}"""
# A microphone that hears one tone. The real one stays open: who is being recorded may also be played to.
SPEAK = """(() => {
  const real = navigator.mediaDevices.getUserMedia.bind(navigator.mediaDevices);
  navigator.mediaDevices.getUserMedia = async (wanted) => {
    globalThis.realMicrophone = await real(wanted);
    const context = new AudioContext(), there = context.createMediaStreamDestination();
    await context.resume();
    const tone = new OscillatorNode(context, { frequency: HERTZ }), loud = new GainNode(context, { gain: 0.3 });
    tone.connect(loud).connect(there);
    tone.start();
    return there.stream;
  };
})()"""


def chromium() -> str:
    """Its program; empty: there is none."""
    return os.environ.get("SANTUN_CHROMIUM", "") or shutil.which("chromium") or ""


def write_microphone(path: Path) -> None:
    """Ten seconds of one tone, which Chromium repeats."""
    at = np.arange(48_000 * 10) / 48_000
    soundfile.write(path, (0.3 * np.sin(2 * np.pi * MICROPHONE_HZ * at)).astype(np.float32), 48_000)


@asynccontextmanager
async def browser(microphone: Path) -> AsyncIterator[Browser]:
    """One browser for all."""
    async with async_playwright() as playwright:
        flags = [*FLAGS, f"--use-file-for-fake-audio-capture={microphone}"]
        started = await playwright.chromium.launch(executable_path=chromium(), headless=True, args=flags)
        try:
            yield started
        finally:
            await started.close()


@dataclass(slots=True)
class Tab:
    """One page of one person; `said`: what its console complained of."""

    page: Page
    said: list[str]

    @staticmethod
    async def of(context: BrowserContext) -> "Tab":
        page = await context.new_page()
        page.set_default_timeout(LIMIT_MS)
        tab = Tab(page, [])
        page.on("console", lambda message: tab.heard(message.type, message.text))
        page.on("pageerror", lambda error: tab.said.append(str(error)))
        return tab

    def heard(self, kind: str, text: str) -> None:
        """A 401 is how the sign-in page learns that nobody is signed in yet."""
        if kind == "error" and "401" not in text:
            self.said.append(text)

    async def enter(self, base: str, name: str, password: str, to: str = "/agent", code: str = "") -> None:
        """Sign in as people do; `code` of his generator, where he has one."""
        await self.page.goto(f"{base}/sign-in?next={quote(to, safe='/')}")
        await self.page.locator("input[autocomplete=username]").fill(name)
        await self.page.locator("input[type=password]").fill(password)
        await self.page.keyboard.press("Enter")
        if code:
            await self.page.locator("input[autocomplete=one-time-code]").fill(code)
            await self.page.keyboard.press("Enter")
        await self.page.wait_for_url(lambda url: url == f"{base}{to}")

    async def speak(self, hertz: int) -> None:
        """From the next page on his microphone hears this."""
        await self.page.context.add_init_script(SPEAK.replace("HERTZ", str(hertz)))

    async def hears_just(self, tones: Mapping[str, int], *names: str) -> None:
        """Within some looks, of `tones` these and no others are in his ear."""
        heard: list[list[str]] = []
        async with asyncio.timeout(LIMIT_MS / 1000):
            while True:
                heard.append(await self.page.evaluate(TONES, [tones, LOOK_TENTHS]))
                if heard[-1] == sorted(names):
                    return
                assert len(heard) < LOOKS, heard

    async def ready(self, state: str = "idle") -> None:
        """One click, and the telephone is up."""
        await self.page.get_by_role("button", name="Siap").click()
        await self.until(f"desk.note?.state === '{state}' && desk.phone.seen.leg")

    async def until(self, what: str, limit_ms: int = LIMIT_MS) -> None:
        """Something of the desk becomes true."""
        await self.page.wait_for_function(
            f"() => {{ const {{ desk }} = globalThis.santun ?? {{}}; return desk && ({what}); }}", timeout=limit_ms
        )

    async def desk(self, what: str) -> Any:
        """A value of the desk."""
        return await self.page.evaluate(f"() => {{ const {{ desk }} = globalThis.santun; return {what}; }}")

    async def hears(self) -> Mapping[str, float]:
        """Of about a second."""
        heard: Mapping[str, float] = await self.page.evaluate(LISTEN)
        return heard

    async def marked(self, name: str) -> float:
        """When the page marked this last, epoch seconds."""
        at: float = await self.page.evaluate(
            "(name) => (performance.timeOrigin + performance.getEntriesByName(name).at(-1).startTime) / 1000", name
        )
        return at

    async def faults(self) -> list[str]:
        """What axe-core calls serious or critical. Its text is run by the test's own channel, which no CSP forbids."""
        await self.page.evaluate(AXE.read_text(encoding="utf-8"))
        found = await self.page.evaluate(
            "async () => (await axe.run(document, { resultTypes: ['violations'] })).violations"
        )
        return [
            f"{one['id']} ({one['impact']}): {node['target']} {node['failureSummary']}"
            for one in found
            if one["impact"] in SERIOUS
            for node in one["nodes"]
        ]
