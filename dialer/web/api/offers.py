"""What lenders let us offer: the file that desk and IVR read, edited with its faults beside it and tried on a debt."""

from dataclasses import asdict
from datetime import date, datetime
from typing import Annotated, Protocol, cast
from zoneinfo import ZoneInfo

import msgspec
from msgspec import Meta

from dialer.debts import plans
from dialer.debts.plans import Limits
from dialer.forms import told
from dialer.lists.provinces import WIB
from dialer.web import sheets
from dialer.web.access import Right
from dialer.web.doors import Office
from dialer.web.problems import Problem
from dialer.web.route import Asked, Route
from dialer.web.sheets import Version, Versions

SHEET = "offers"
Text = Annotated[str, Meta(max_length=100_000)]
Sum = Annotated[int, Meta(ge=0, le=10**15)]


class LimitsKept(Protocol):
    """The file."""

    @property
    def file(self) -> str: ...
    async def read(self) -> tuple[str, str]: ...
    async def write(self, text: str, known: str) -> str | None: ...
    def faults(self, text: str) -> list[tuple[int, str]]: ...
    def limits(self, text: str, campaign: str, lender: str) -> Limits: ...


class LineFault(msgspec.Struct):
    """`line` counts from 1. `code` stays the same, whatever `text` says; `params` go with it."""

    line: int
    text: str
    code: str = ""
    params: dict[str, str] = {}


class LimitsShown(msgspec.Struct):
    """`file` empty: the site has none ([offers] limits). `revision`: of the text; `fields`: every limit with its
    default; `version`: who wrote it here last."""

    file: str
    text: str
    revision: str
    faults: list[LineFault]
    fields: dict[str, int | list[int]]
    version: Version


class LimitsChange(msgspec.Struct, forbid_unknown_fields=True):
    """`revision`: of the text that was looked at."""

    text: Text
    revision: Annotated[str, Meta(max_length=64)]


class Trial(msgspec.Struct, forbid_unknown_fields=True):
    """A debt on which a text is tried; sums as in lists. `campaign`, `lender` empty: as for any other."""

    text: Text
    amount: Sum
    minimum: Sum = 0
    incentive: Sum = 0
    interest: Sum = 0
    campaign: Annotated[str, Meta(max_length=40)] = ""
    lender: Annotated[str, Meta(max_length=200)] = ""


class Part(msgspec.Struct):
    """So much, on that day at the latest."""

    day: date
    amount: int


class Tried(msgspec.Struct):
    """`name`: early, short, long, defer."""

    name: str
    total: int
    waived: int
    fee: int
    payments: list[Part]


class TrialResult(msgspec.Struct):
    """`faults` empty: the text may be kept."""

    faults: list[LineFault]
    offers: list[Tried]


async def show(office: Office, asked: Asked[None, None]) -> LimitsShown:
    """As the file says now."""
    kept = _kept(office)
    text, print_ = await kept.read()
    last = await sheets.sheets(office).read(SHEET)
    version = sheets.shown(last) if last.text == text else Version(0, "", None)
    return LimitsShown(kept.file, text, print_, _faults(kept, text), _fields(), version)


async def trial(office: Office, asked: Asked[None, Trial]) -> TrialResult:
    """What a text would offer for a debt; nothing is kept."""
    kept, wanted = _kept(office), asked.body
    if faults := _faults(kept, wanted.text):
        return TrialResult(faults, [])
    limits = kept.limits(wanted.text, wanted.campaign, wanted.lender)
    debt = plans.Debt(wanted.amount, wanted.minimum, wanted.incentive, wanted.interest)
    today = datetime.fromtimestamp(asked.at, ZoneInfo(WIB)).date()
    found = [
        Tried(one.name, one.total, one.waived, one.fee, [Part(part.day, part.amount) for part in one.payments])
        for one in plans.offers(debt, limits, today)
    ]
    return TrialResult([], found)


async def change(office: Office, asked: Asked[None, LimitsChange]) -> LimitsShown:
    """Desks and IVR read it within seconds; talks under way keep what they have offered."""
    kept, wanted = _kept(office), asked.body
    if faults := _faults(kept, wanted.text):
        said = "; ".join(f"{one.line}: {one.text}" for one in faults)
        raise Problem(422, "bad_limits", said[:2000], more={"faults": msgspec.to_builtins(faults)})
    if not kept.file:
        raise Problem(409, "no_limits_file", "The site has no file of limits: set [offers] limits.")
    done = await kept.write(wanted.text, wanted.revision)
    if done is None:
        raise Problem(409, "changed_meanwhile", "Somebody has changed it meanwhile; look again.")
    last = await sheets.sheets(office).read(SHEET)
    version = await sheets.keep(office, asked, SHEET, wanted.text, last.revision)
    return LimitsShown(kept.file, wanted.text, done, [], _fields(), sheets.shown(version))


async def versions(office: Office, asked: Asked[None, None]) -> Versions:
    """What was written here, by whom."""
    return await sheets.versions(office, SHEET)


def _kept(office: Office) -> LimitsKept:
    return cast(LimitsKept, office.need("limits"))


def _faults(kept: LimitsKept, text: str) -> list[LineFault]:
    return [LineFault(line, str(sentence), *told.parts(sentence)) for line, sentence in kept.faults(text)]


def _fields() -> dict[str, int | list[int]]:
    values = asdict(Limits())
    return {name: sorted(value) if isinstance(value, frozenset) else value for name, value in values.items()}


SEE, CHANGE = Right.CAMPAIGNS_SEE, Right.CAMPAIGNS_CHANGE
BODY_MAX = 400_000
ROUTES = (
    Route("GET", "/offers", SEE, show, "What lenders let us offer", gives=LimitsShown),
    Route("PUT", "/offers", CHANGE, change, "Change what lenders let us offer", takes=LimitsChange, gives=LimitsShown,
          body_max=BODY_MAX, problems=(sheets.CHANGED, (409, "no_limits_file"), (422, "bad_limits"))),
    Route("POST", "/offers/trial", SEE, trial, "What a text would offer for a debt", takes=Trial, gives=TrialResult,
          body_max=BODY_MAX, audited=False),
    Route("GET", "/offers/versions", SEE, versions, "Who changed it when", gives=Versions),
)  # fmt: skip
