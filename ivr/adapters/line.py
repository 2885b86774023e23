"""The Phone port on a real call: sentences as files, silence that streams, and every end of a call told apart."""

import contextlib
import threading
import time
from collections.abc import Callable, Mapping
from concurrent.futures import CancelledError, Executor, wait
from pathlib import Path
from typing import TypeVar

import structlog
from asterisk.agi import AGIAppError, AGIError, AGIHangup

from dialer.dialplan import IVR_RESULT, IvrResult, Var
from dialer.errors import SetupError
from dialer.floor.inbound import Incoming
from dialer.model import Overflow
from ivr.adapters.agi import Agi, TooSlow
from ivr.adapters.speech import SILENCE_MS, Speech
from ivr.adapters.wavs import HEADER_BYTES, RATE
from ivr.ports import HungUp, PhoneFailed
from ivr.prompts import Sentence
from ivr.session import Call, Desk, arrive, play
from ivr.shipped import CALL_BACK

log = structlog.get_logger("ivr.line")

MARGIN_S = 5.0  # what Asterisk may take longer than the file plays
PATIENCE_S = 0.015  # for a sentence that only has to be joined; what takes longer is made while silence streams
MAKING_STEP_MS = 60
MAKING_MOST_S = 20.0  # of silence, for what a voice makes; then he hears the courteous message
_BYTES_PER_S = RATE * 2
_PER_MS = RATE // 1000

T = TypeVar("T")


class AgiPhone:
    """One call. `makers`: threads in which sounds are made, and nothing else; `seen` turns a file of ours into the name
    by which Asterisk finds it."""

    def __init__(self, agi: Agi, voice: Speech, makers: Executor, seen: Callable[[Path], str] = str) -> None:
        self._agi = agi
        self._voice = voice
        self._makers = makers
        self._seen = seen

    def prepare(self, sentences: tuple[Sentence, ...]) -> None:
        self._makers.submit(self._render, sentences)

    def say(self, sentence: Sentence, keys: str) -> str:
        try:
            path = self._voice.ready(sentence)
            if path is None:
                making = self._makers.submit(self._voice.sentence, sentence)
                wait([making], PATIENCE_S)
                ends = time.monotonic() + MAKING_MOST_S
                while not making.done():
                    if key := self.wait(MAKING_STEP_MS, keys):
                        return key
                    if time.monotonic() > ends:
                        making.cancel()
                        raise PhoneFailed(f"{sentence.name} was not made within {MAKING_MOST_S:.0f} s")
                path = making.result()
            length_s = (path.with_suffix(".wav").stat().st_size - HEADER_BYTES) / _BYTES_PER_S
        except (SetupError, OSError, RuntimeError, CancelledError) as error:  # the last two: this program is ending
            raise PhoneFailed(f"{sentence.name} cannot be rendered: {error}") from error
        return self._play(path, keys, 0, length_s)

    def wait(self, ms: int, keys: str) -> str:
        while ms > 0:
            part = min(ms, SILENCE_MS)
            if key := self._play(self._voice.silence, keys, (SILENCE_MS - part) * _PER_MS, part / 1000):
                return key
            ms -= part
        return ""

    def finish(self, result: IvrResult, language: str) -> None:
        if language:
            self._guarded(lambda: self._agi.set_variable(Var.LANGUAGE.value, language))
        self._guarded(lambda: self._agi.set_variable(IVR_RESULT, result.value))

    def mark(self, variables: Mapping[Var, str]) -> None:
        """For the dialplan: what an Originate of ours would have set."""

        def set_all() -> None:
            for name, value in variables.items():
                self._agi.set_variable(name.value, value)

        self._guarded(set_all)

    def _render(self, sentences: tuple[Sentence, ...]) -> None:
        for sentence in sentences:
            try:
                self._voice.sentence(sentence)
            except (SetupError, OSError) as error:
                log.warning("A sentence was not prepared.", action="later", name=sentence.name, error=str(error))

    def _play(self, path: Path, keys: str, offset: int, length_s: float) -> str:
        key, end = self._guarded(lambda: self._agi.play(self._seen(path), keys, offset, length_s + MARGIN_S))
        if not key and end <= offset and length_s > 0:  # Asterisk answers thus, and at once, when there is no such file
            raise PhoneFailed(f"Asterisk does not find {path.parent.name}/{path.name}")
        return key

    def _guarded(self, act: Callable[[], T]) -> T:
        try:
            return act()
        except (AGIHangup, AGIAppError) as error:
            raise HungUp from error
        except (AGIError, TooSlow) as error:
            raise PhoneFailed(f"{type(error).__name__}: {error}") from error


class PaymentReminder:
    """The scripts `payment_reminder` and `call_back`: which call is it, then the conversation. `makers` are not the
    desk's threads: a voice that is slow keeps no fact and no debtor's record waiting."""

    def __init__(self, desk: Desk, voice: Speech, makers: Executor, seen: Callable[[Path], str] = str) -> None:
        self.desk = desk  # of the next conversation; one under way keeps the one with which it began
        self._voice = voice
        self._makers = makers
        self._seen = seen
        self.endings: dict[str, int] = {}
        self.on_end: Callable[[float], None] = _unheard  # seconds that each conversation lasted
        self._lock = threading.Lock()

    def take_over(self, desk: Desk) -> None:
        """Of the next conversations."""
        self.desk = desk

    def __call__(self, agi: Agi) -> None:
        attempt, campaign, language = (
            agi.get_variable(name.value) for name in (Var.ATTEMPT, Var.CAMPAIGN, Var.LANGUAGE)
        )
        phone = AgiPhone(agi, self._voice, self._makers, self._seen)
        began = time.monotonic()
        waits = agi.env.get("agi_network_script") == CALL_BACK
        if attempt or waits:
            how = play(Call(attempt, campaign, language, waits), phone, self.desk)
        else:
            how = self._came_in(agi, phone)
        with self._lock:
            self.endings = self.endings | {how: self.endings.get(how, 0) + 1}  # whoever reads it, reads it whole
        self.on_end(time.monotonic() - began)

    def _came_in(self, agi: Agi, phone: AgiPhone) -> str:
        """Nobody of ours has placed it. Its id is the channel's own."""
        said = (agi.env.get(name, "") for name in ("agi_uniqueid", "agi_callerid", "agi_dnid"))
        found = arrive(Incoming(*said), phone, self.desk)
        if found is None:
            return "stranger"
        attempt, campaign = found.attempt, found.campaign
        with contextlib.suppress(HungUp, PhoneFailed):  # the conversation finds out too, and closes
            phone.mark(
                {
                    Var.ATTEMPT: attempt.id,
                    Var.CAMPAIGN: campaign.id,
                    Var.OVERFLOW: Overflow.MESSAGE.value,
                    Var.GRACE_MS: str(campaign.grace_ms),
                    Var.AGENT_WAIT_S: str(campaign.agent_wait_s),
                    Var.OFFER_S: str(campaign.agent_offer_s),
                    Var.CALL_MAX_S: str(campaign.call_max_s),
                    Var.LANGUAGE: attempt.language,
                    Var.RECORD: "yes" if campaign.record else "no",
                }
            )
        return play(Call(attempt.id, campaign.id, attempt.language), phone, self.desk)


def _unheard(seconds: float) -> None:
    """Where nobody wants to know."""
