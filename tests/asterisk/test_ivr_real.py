"""The IVR on a real Asterisk: real RFC 4733 keys, real RTP, every ending of a conversation."""

import asyncio
import secrets
import threading
from collections.abc import AsyncIterator, Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from zoneinfo import ZoneInfo

import numpy as np
import pytest

from dialer.adapters import sounds
from dialer.adapters.asterisk_conf import AsteriskSettings
from dialer.adapters.asterisk_process import AsteriskProcess
from dialer.dialplan import IVR_RESULT, Told
from dialer.model import Fact
from ivr import session
from ivr.adapters.agi import Agi, Server
from ivr.adapters.audio import write_wav
from ivr.adapters.line import PaymentReminder
from ivr.adapters.speech import Speech
from ivr.adapters.wavs import WIDE_RATE
from ivr.session import Desk
from ivr.shipped import shipped
from tests.ivr import twins
from tests.ivr.debtor import LOUD, Debtor
from tests.ivr.people import GENEROUS

from .ami_client import AmiClient
from .conftest import TRUNK, Line

pytestmark = [pytest.mark.asyncio(loop_scope="session"), pytest.mark.asterisk]

SOON_S = 0.4  # the goal is 60 ms; see below
# The goal is 60 ms, printed below and in the bench. Tested is that no wait is silent: one that were would last 1 s and
# longer, and a machine that runs other things too makes gaps of 0.15 s, at worst 0.53 s.
GAP_LIMIT_S = 0.9


class Ivr:
    """A server in this process; debtors and facts per attempt."""

    def __init__(self, port: int, voice: Speech, background: ThreadPoolExecutor) -> None:
        self.stores: dict[str, twins.Store] = {}
        flow = replace(shipped(), repeats=1)  # so that silence ends sooner
        desk = Desk(self, self, twins.Ticking(), background.submit, ZoneInfo, twins.KEY, GENEROUS, True, flow)
        self.server = Server("127.0.0.1", port, {"payment_reminder": PaymentReminder(desk, voice, background)})

    def debtor(self, campaign: str, attempt: str) -> twins.Called | None:
        return self.stores[attempt].debtor(campaign, attempt) if attempt in self.stores else None

    def report(self, campaign: str, attempt: str, fact: Fact) -> None:
        self.stores[attempt].report(campaign, attempt, fact)


@pytest.fixture
def ivr(
    settings: AsteriskSettings, voice: Speech, pbx: AsteriskProcess, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Ivr]:
    monkeypatch.setattr(session, "FIRST_KEY_MS", 1500)
    with ThreadPoolExecutor(4) as background:
        ivr = Ivr(settings.ivr_port, voice, background)
        thread = threading.Thread(target=ivr.server.serve, daemon=True)
        thread.start()
        yield ivr
        ivr.server.stop(5)
        thread.join(5)


@dataclass
class Talk:
    """One call that is up."""

    debtor: Debtor
    store: twins.Store
    channel: str
    ami: AmiClient

    async def press(self, *ways: tuple[str, str]) -> None:
        """At each step, in order, these keys."""
        for number, (step, keys) in enumerate(ways):
            times = [name for name, _ in ways[: number + 1]].count(step)
            await until(lambda: self.store.told.count(("step", step)) >= times, f"{step} in {self.store.told}")  # noqa: B023
            self.debtor.press(keys)

    async def ended(self, result: str) -> None:
        """The dialplan got this result."""
        await self.ami.until("UserEvent", 50, UserEvent=Told.IVR_END, Uniqueid=self.channel, Result=result)

    @property
    def facts(self) -> dict[str, str]:
        return dict(self.store.told)


async def until(true: Callable[[], bool], what: str, limit_s: float = 50.0) -> None:
    for _ in range(round(limit_s / 0.01)):
        if true():
            return
        await asyncio.sleep(0.01)
    raise AssertionError(f"not within {limit_s} s: {what}")


@asynccontextmanager
async def talking(line: Line, ivr: Ivr, store: twins.Store | None = None) -> AsyncIterator[Talk]:
    """A call from Originate to the moment at which the IVR begins."""
    with Debtor() as debtor:
        channel = f"ivr-{secrets.token_hex(6)}"
        store = ivr.stores[channel] = store or twins.Store(contact=twins.contact(custom=ACCOUNT))
        uri = f"PJSIP/{TRUNK}/sip:debtor@{debtor.address}"
        await line.dial(uri, "santun-answered", "ivr", channel, attempt=channel, campaign="arrears", language="id")
        await line.ami.until("UserEvent", UserEvent=Told.IVR_BEGIN, Uniqueid=channel)
        yield Talk(debtor, store, channel, line.ami)
        await line.ami.send("Hangup", Channel=channel, Cause=16)


ACCOUNT = (("va_number", "8077081234567890"), ("va_bank", "Bank Maju"))
VERIFY = [("person", "1"), ("secret", "1234#")]
WAYS: dict[str, tuple[list[tuple[str, str]], str, str]] = {
    "promise": ([*VERIFY, ("menu", "2"), ("promise", "3"), ("date", "2511#"), ("confirm", "1")], "done", "promise"),
    "change": (
        [*VERIFY, ("menu", "2"), ("promise", "3"), ("date", "3113"), ("date", "2511"), ("confirm", "2"),
         ("promise", "1"), ("confirm", "1")], "done", "promise",
    ),
    "pay now": ([*VERIFY, ("menu", "1"), ("account", "3"), ("confirm", "1")], "done", "promise"),
    "offer": ([*VERIFY, ("menu", "3"), ("relief", "2"), ("plans", "2"), ("parts_ask", "1")], "done", "offer"),
    "hardship": ([*VERIFY, ("menu", "34")], "done", "hardship"),
    "dispute": ([*VERIFY, ("menu", "421")], "done", "dispute"),
    "call later": ([*VERIFY, ("menu", "43"), ("later", "4"), ("hour", "1000"), ("later_ask", "1")], "done",
        "call_back"),
    "new number": ([*VERIFY, ("menu", "441"), ("number", "081234567890#"), ("number_ask", "1"), ("menu", "0")], "agent",
        "agent"),
    "stop": ([*VERIFY, ("menu", "44"), ("contact", "2"), ("stop_ask", "1")], "done", "stop"),
    "agent": ([*VERIFY, ("menu", "0")], "agent", "agent"),
    "paid": ([*VERIFY, ("menu", "9"), ("menu", "4"), ("more", "1")], "done", "paid_claim"),
    "wrong person": ([("person", "9"), ("wrong_sure", "1")], "done", "wrong_person"),
    "not there": ([("person", "3")], "done", "not_at_home"),
    "wrong keys": ([("person", "5"), ("person", "1"), ("secret", "0000"), ("secret", "1111"), ("secret", "22")], "done",
        "not_verified"),
    "silence": ([], "done", "no_input"),
    "all at once": ([("person", "1123441")], "done", "paid_claim"),
}  # fmt: skip


@pytest.mark.timeout(400)
async def test_every_way_at_once(line: Line, ivr: Ivr, capsys: pytest.CaptureFixture[str]) -> None:
    """All debtors press their keys during playback; each gets his ending, and none of their lines is ever dead."""
    answers = asyncio.create_task(_answers(line, ivr))
    gaps = await asyncio.gather(*(_one_way(line, ivr, name) for name in WAYS))
    answered = await answers
    with capsys.disabled():
        print(f"\nlargest RTP gap per way, ms: {dict(zip(WAYS, (round(gap * 1000) for gap in gaps), strict=True))}")
        print(f"end of a key to the first sound, ms: {[round(one * 1000) for one in answered]}")
    assert max(gaps) < GAP_LIMIT_S
    assert max(answered) < SOON_S


async def _one_way(line: Line, ivr: Ivr, name: str) -> float:
    keys, result, how = WAYS[name]
    async with talking(line, ivr) as talk:
        await talk.press(*keys)
        await talk.ended(result)
        heard = list(talk.debtor.heard)
        if result == "agent":
            await line.ami.until("UserEvent", UserEvent=Told.WANTS_AGENT, Uniqueid=talk.channel)
        else:
            await line.ami.until("Hangup", Uniqueid=talk.channel)
        assert talk.store.told[-1][0] == "closed"
        assert talk.facts["closed"].split()[0] == how
        assert talk.facts.get("promise", "").startswith({"promise": "2026-11-25", "change": "2026-11-21"}.get(name, ""))
        assert sum(packet.peak > LOUD for packet in heard) > 50, "nothing was heard"
        return max(talk.debtor.gaps())


async def test_a_key_interrupts_the_prompt_at_once(line: Line, ivr: Ivr) -> None:
    """The greeting is cut off by the first key; the line sends from the first moment on."""
    async with talking(line, ivr) as talk:
        await until(lambda: talk.debtor.spoke_after(0) is not None, "the first word")
        assert talk.debtor.heard[0].at - talk.debtor.answered_at < SOON_S
        talk.debtor.press("1")
        await until(lambda: ("step", "secret") in talk.store.told, "the next step", 3)


async def _answers(line: Line, ivr: Ivr) -> list[float]:
    """From the end of a key to the first sound of the next sentence, out of silence."""
    async with talking(line, ivr) as talk:
        return [await _answered(talk, keys) for keys in ("1", "1234")]


async def _answered(talk: Talk, keys: str) -> float:
    """Press when the voice has paused for longer than between two sentences."""
    debtor, pressed = talk.debtor, len(talk.debtor.keys_ended) + len(keys)
    await until(lambda: debtor.silent_for(0.8), "a pause")
    debtor.press(keys)
    await until(lambda: len(debtor.keys_ended) == pressed, "the keys")
    await until(lambda: debtor.spoke_after(debtor.keys_ended[-1]) is not None, "an answer")
    answered = debtor.spoke_after(debtor.keys_ended[-1])
    assert answered
    return answered - debtor.keys_ended[-1]


async def test_the_debtor_hangs_up(line: Line, ivr: Ivr) -> None:
    async with talking(line, ivr) as talk:
        await talk.press(*VERIFY)
        await until(lambda: "told" in talk.facts, "the debt is being told")
        talk.debtor.hang_up()
        await line.ami.until("Hangup", Uniqueid=talk.channel)
        await until(lambda: "closed" in talk.facts, "the last fact", 5)
        assert talk.facts["closed"].startswith("hung_up ")
    await until(lambda: ivr.server.calls == 0, "the thread has ended", 5)


@pytest.mark.parametrize(
    "store", [twins.Store(contact=None), twins.Store(unreadable=True)], ids=["unknown", "store down"]
)
async def test_who_cannot_be_served_hears_the_message(line: Line, ivr: Ivr, store: twins.Store) -> None:
    async with talking(line, ivr, store) as talk:
        await talk.ended("message")
        await line.ami.until("UserEvent", UserEvent=Told.MESSAGE, Uniqueid=talk.channel)


async def test_a_server_that_goes_leaves_the_message(line: Line, ivr: Ivr) -> None:
    """Its connections closed in mid-sentence, as when it is killed: nobody hears silence."""
    async with talking(line, ivr) as talk:
        await until(lambda: talk.debtor.spoke_after(0) is not None, "the first word")
        await asyncio.to_thread(ivr.server.stop, 0.0)
        await talk.ended("")
        await line.ami.until("UserEvent", UserEvent=Told.MESSAGE, Uniqueid=talk.channel)


async def test_a_redirect_out_of_the_ivr_is_a_hang_up_to_it(line: Line, ivr: Ivr) -> None:
    async with talking(line, ivr) as talk:
        await until(lambda: talk.debtor.spoke_after(0) is not None, "the first word")
        await line.redirect(talk.channel, "santun-message", "s")
        await until(lambda: "closed" in talk.facts, "the last fact", 5)
        assert talk.facts["closed"].startswith("hung_up ")
        await line.ami.until("UserEvent", UserEvent=Told.MESSAGE, Uniqueid=talk.channel)


async def test_a_narrow_telephone_gets_the_narrow_file_and_a_wide_one_alone_plays_too(
    line: Line, settings: AsteriskSettings, pbx: AsteriskProcess, tmp_path: Path
) -> None:
    """`ivr prompts render --wide` takes nothing from a trunk of 8 kHz; wait() may count on 8 kHz for its silence."""
    write_wav(tmp_path / "both", sounds.tone(440, 1.0))
    write_wav(tmp_path / "both", sounds.silence(2.0), WIDE_RATE)
    write_wav(tmp_path / "wide", np.repeat(sounds.tone(440, 1.0), 2), WIDE_RATE)
    ends: list[tuple[str, int]] = []

    def script(agi: Agi) -> None:
        ends.extend(agi.play(str(tmp_path / name), "", 0, 10.0) for name in ("both", "wide"))
        agi.set_variable(IVR_RESULT, "done")

    server = Server("127.0.0.1", settings.ivr_port, {"payment_reminder": script})
    thread = threading.Thread(target=server.serve, daemon=True)
    thread.start()
    with Debtor() as debtor:
        channel = f"ivr-{secrets.token_hex(6)}"
        uri = f"PJSIP/{TRUNK}/sip:debtor@{debtor.address}"
        await line.dial(uri, "santun-answered", "ivr", channel, attempt=channel, campaign="arrears", language="id")
        await line.ami.until("UserEvent", 20, UserEvent=Told.IVR_END, Uniqueid=channel, Result="done")
        loud = sum(packet.peak > LOUD for packet in debtor.heard)
    server.stop(5)
    thread.join(5)
    assert [end for _, end in ends] == [8000, 16000]
    assert 85 < loud < 105
