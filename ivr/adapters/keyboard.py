"""The Phone port on a terminal: what is said is printed, and spoken where there is a sound device; keys are typed."""

import shutil
import subprocess
from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import TypeVar
from zoneinfo import ZoneInfo

from dialer.debts.plans import Limits
from dialer.dialplan import IvrResult
from dialer.keyed import secret_key
from dialer.model import Campaign, Contact, Fact, Kind
from ivr.adapters.clock import SystemClock
from ivr.adapters.speech import Speech
from ivr.flow import Flow
from ivr.ports import HungUp
from ivr.prompts import Sentence
from ivr.session import FIRST_KEY_MS, Call, Desk, play

T = TypeVar("T")

SECRET = "1234"  # noqa: S105  # an invented debtor's
KEY = bytes(32)
HOME = ZoneInfo("Asia/Jakarta")
SOUND_CARDS = Path("/proc/asound/cards")
GENEROUS = Limits(
    early_days=3, early_percent=10, parts=3, part_least=100_000, first_percent=30, interest_cut_percent=50,
    parts_fee=10_000, defer_days=14, defer_fee=25_000, round_to=1000,
)  # fmt: skip
SAMPLES = ("sample", "plain", "new")


def debtor(name: str, today: date) -> Contact:
    """Invented: `sample` has everything and the code 1234, `plain` neither offers nor account, `new` no name."""
    known = Contact(
        id="c1", person="p1", numbers=(), name="Budi Santoso", zone=HOME.key, lender="Dana Sejahtera",
        product="pinjaman tunai", amount=1_250_000, due=today - timedelta(days=3), secret=secret_key(KEY, SECRET),
        secret_digits=len(SECRET), incentive=100_000,
        custom=(("va_bank", "Bank Maju"), ("va_number", "8077081234567890"), ("interest", "150000")),
    )  # fmt: skip
    plain = Contact("c2", "p2", (), name="Siti Rahayu", zone=HOME.key, language="id", amount=750_000)
    nameless = Contact(
        "c3", "p3", (), zone=HOME.key, amount=300_000, due=today + timedelta(days=2), secret=secret_key(KEY, SECRET),
        secret_digits=len(SECRET),
    )  # fmt: skip
    return {"sample": known, "plain": plain, "new": nameless}[name]


@dataclass(slots=True)
class Invented:
    """The debtor, and a place for facts: they are printed."""

    contact: Contact
    campaign: Campaign
    inbound: bool = False
    facts: list[Fact] = field(default_factory=list)

    def debtor(self, campaign: str, attempt: str) -> "Invented":
        return self

    def report(self, campaign: str, attempt: str, fact: Fact) -> None:
        self.facts.append(fact)
        print(f"    [{fact.name} {fact.value}]".replace(" ]", "]"))


@dataclass(slots=True)
class Terminal:
    """One call. An empty line is silence, the end of input a hang-up; keys typed ahead are pressed in order."""

    voice: Speech | None = None
    typed: list[str] = field(default_factory=list)

    def prepare(self, sentences: tuple[Sentence, ...]) -> None:
        pass

    def say(self, sentence: Sentence, keys: str) -> str:
        print(f"  {sentence}")
        if self.typed and self.typed[0] in keys:
            return self.typed.pop(0)
        if self.voice:
            path = self.voice.sentence(sentence).with_suffix(".wav")
            subprocess.run(["aplay", "-q", str(path)], check=False)
        return ""

    def wait(self, ms: int, keys: str) -> str:
        if not keys:
            return ""
        if not self.typed and ms >= FIRST_KEY_MS:
            try:
                self.typed = list(input("> ").strip())
            except EOFError:
                raise HungUp from None
        while self.typed:
            key = self.typed.pop(0)
            if key in keys:
                return key
        return ""

    def finish(self, result: IvrResult, language: str) -> None:
        print(f"    [{result.value}]")


def speaks() -> bool:
    """Is there a sound device, and a program for it?"""
    cards = SOUND_CARDS.read_text(encoding="utf-8") if SOUND_CARDS.exists() else ""
    return shutil.which("aplay") is not None and "[" in cards


def at_once(job: Callable[[], T], /) -> Future[T]:
    """A background without threads."""
    future: Future[T] = Future()
    try:
        future.set_result(job())
    except Exception as error:  # the session takes it out again
        future.set_exception(error)
    return future


def rehearsal(name: str, flow: Flow, language: str, agent: bool) -> tuple[Call, Desk, Invented]:
    """A call to an invented debtor."""
    clock = SystemClock()
    today = datetime.fromtimestamp(clock.now(), UTC).astimezone(HOME).date()
    campaign = Campaign(
        "talk", "Talk", kind=Kind.AGENTS if agent else Kind.IVR, caller_name="Dana Sejahtera", language=language
    )
    person = Invented(debtor(name, today), campaign)
    limits = GENEROUS if name == "sample" else Limits()
    desk = Desk(person, person, clock, at_once, lambda _: HOME, KEY, limits, name == "sample", flow)
    return Call("talk", "talk", language), desk, person


def talk(name: str, flow: Flow, language: str, agent: bool, voice: Speech | None) -> str:
    """The conversation from beginning to end; how it ended."""
    call, desk, _ = rehearsal(name, flow, language, agent)
    return play(call, Terminal(voice), desk)
