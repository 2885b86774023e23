"""The doors of the IVR: what a conversation needs of the outside; adapters and test twins implement them."""

from collections.abc import Sequence
from typing import Protocol

from dialer.dialplan import IvrResult
from dialer.floor.inbound import Listed
from dialer.model import Attempt, Campaign, Contact, Fact
from ivr.prompts import Sentence


class HungUp(Exception):
    """The debtor, or Asterisk, ended the call."""


class PhoneFailed(Exception):
    """The line is there, but what was asked of it did not happen."""


class Phone(Protocol):
    """One call. Each method raises HungUp once the call is gone, PhoneFailed when it cannot go on."""

    def prepare(self, sentences: tuple[Sentence, ...]) -> None:
        """These may be said soon: have them ready, without waiting for it."""

    def say(self, sentence: Sentence, keys: str) -> str:
        """Say it; a key of `keys` interrupts and is returned, else ''."""

    def wait(self, ms: int, keys: str) -> str:
        """Stream silence; a key of `keys` ends it and is returned, else ''."""

    def finish(self, result: IvrResult, language: str) -> None:
        """The last act: tell the dialplan what to do next, and in which language; empty: as before."""


class Called(Protocol):
    """Who is on the line, and in whose name we call."""

    @property
    def contact(self) -> Contact: ...

    @property
    def campaign(self) -> Campaign: ...

    @property
    def inbound(self) -> bool:
        """He called us: his number proves nothing."""


class Debtors(Protocol):
    """Whom an attempt called; asked from threads. Raises DialerError."""

    def debtor(self, campaign: str, attempt: str) -> Called | None:
        """None: no such call; nothing may be said of any debt."""


class Arrivals(Protocol):
    """Where calls that come in find their campaign and are put on the books; asked from threads. Raises StoreError."""

    def listed(self, number_key: str) -> Sequence[Listed]:
        """Who has this number, in every campaign."""

    def campaigns(self) -> Sequence[Campaign]:
        """All of them."""

    def enter(self, attempt: Attempt) -> None:
        """Put the call on the books; the same one again changes nothing."""


class Reports(Protocol):
    """Where facts are kept; called from threads. Raises StoreError when the fact may not have been stored."""

    def report(self, campaign: str, attempt: str, fact: Fact) -> object:
        """Store one fact; the same `seq` again changes nothing."""


class Clock(Protocol):
    """The only reader of time."""

    def now(self) -> float:
        """Seconds since the epoch, UTC."""
