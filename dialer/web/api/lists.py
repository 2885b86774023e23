"""Lists: a file uploaded, looked at, loaded in a process of its own; what of it was not used.

An upload belongs to whoever sent it; every web process that shares the folder of uploads can show and load it.
"""

from collections.abc import AsyncIterator, Mapping
from datetime import date, datetime
from pathlib import Path
from typing import Annotated, Any, Protocol, cast

import msgspec
from msgspec import Meta

from dialer.lists.importing import Across
from dialer.model import CAMPAIGN_ID
from dialer.web.access import Right
from dialer.web.doors import Office
from dialer.web.problems import Problem
from dialer.web.records import known_campaign, utc
from dialer.web.route import Asked, Download, Route, Upload

UPLOAD_MAX = 2 << 30
UPLOAD_LIMIT_S = 3600.0
LOOK_LIMIT_S = 70.0
ROWS = 10
Words = Annotated[
    dict[Annotated[str, Meta(max_length=200)], Annotated[str, Meta(max_length=200)]], Meta(max_length=200)
]


class Looked(Protocol):
    """What its columns mean."""

    unit: str
    columns: dict[str, str] | None
    unknown: list[str]
    first: list[Any]


class Kept(Protocol):
    """One upload."""

    id: str
    name: str
    at: float
    size: int
    state: str
    looked: Any
    summary: dict[str, Any]
    error: str
    campaign: str

    @property
    def rejects(self) -> Path: ...


class Lists(Protocol):
    """The uploads of this site."""

    async def take(self, chunks: AsyncIterator[bytes], name: str, owner: str, at: float) -> Kept: ...
    async def of(self, owner: str) -> list[Any]: ...
    async def find(self, name: str, owner: str) -> Kept | None: ...
    async def drop(self, one: Any) -> None: ...
    async def look(self, one: Any, mapping: Mapping[str, Any], rows: int, at: float) -> None: ...
    def load(self, one: Any, mapping: Mapping[str, Any], at: float, **wanted: Any) -> None: ...


class Reading(msgspec.Struct, forbid_unknown_fields=True, omit_defaults=True):
    """How the file is written; what is left out is found out, or the site's."""

    day_first: bool | None = None
    region: str = ""
    country_codes: list[int] = []
    currency: str = ""
    delimiter: str = ""
    encoding: str = ""
    sheet: str = ""


class ListMapping(msgspec.Struct, forbid_unknown_fields=True):
    """`columns`: header -> field, phone, phone2, custom:NAME or ignore; `values`: field -> what an empty cell means."""

    columns: Words = {}
    values: Words = {}
    reading: Reading = msgspec.field(default_factory=Reading)


class Look(msgspec.Struct, forbid_unknown_fields=True):
    """Look again with another mapping."""

    mapping: ListMapping = msgspec.field(default_factory=ListMapping)
    rows: Annotated[int, Meta(ge=0, le=100)] = ROWS


class Load(msgspec.Struct, forbid_unknown_fields=True):
    """`across`: debts on another campaign's list; `weight`: its share in a mix of lists (0: no mix); `update`: debtors
    who are there get the file's newer data; `as_of`: the day its days past due were counted (none: today, WIB).
    """

    campaign: Annotated[str, Meta(pattern=f"^{CAMPAIGN_ID.pattern}$")]
    mapping: ListMapping = msgspec.field(default_factory=ListMapping)
    across: Across = Across.SAY
    weight: Annotated[int, Meta(ge=0, le=100)] = 0
    update: bool = False
    as_of: date | None = None


class Reject(msgspec.Struct):
    """A value that was not used; `value` shows its shape. `row_lost`: nor was its row. `code` stays the same, whatever
    `reason` and `cure` say; `facts` go with it."""

    line: int
    column: str
    value: str
    reason: str
    cure: str
    row_lost: bool
    code: str
    facts: dict[str, str]


class FirstRow(msgspec.Struct):
    """One of the first rows: as it would be read, numbers masked, and what of it would not be used."""

    line: int
    read: dict[str, str]
    refused: list[Reject]


class UploadShown(msgspec.Struct):
    """`state`: new, looked_at, loading, loaded, failed. `columns`: header -> what it is read as; `done` of `total`: how
    far it is, in `unit`; the other counts are rows.
    """

    upload: str
    file_name: str
    at: datetime
    bytes: int
    state: str
    fault: str
    campaign: str
    unit: str
    columns: dict[str, str]
    unknown: list[str]
    first: list[FirstRow]
    done: int
    total: int
    counts: dict[str, int]
    rejected: list[Reject]


class UploadList(msgspec.Struct):
    """One's own."""

    uploads: list[UploadShown]


COUNTS = ("rows", "new", "known", "changed", "lost", "values", "restored", "twice", "shared", "elsewhere")


async def take(office: Office, asked: Asked[None, Upload]) -> UploadShown:
    """CSV or XLSX as the body, its name in X-File-Name; looked at once, by its headers."""
    lists = _lists(office)
    one = await lists.take(asked.body.chunks, asked.body.file_name, asked.who.name, asked.at)
    await lists.look(one, {}, ROWS, asked.at)
    asked.note = f"{one.size} bytes"
    return _shown(one)


async def listed(office: Office, asked: Asked[None, None]) -> UploadList:
    """What waits here."""
    return UploadList([_shown(one) for one in await _lists(office).of(asked.who.name)])


async def show(office: Office, asked: Asked[None, None]) -> UploadShown:
    """How far it is."""
    return _shown(await _one(office, asked))


async def look(office: Office, asked: Asked[None, Look]) -> UploadShown:
    """With another mapping; nothing is loaded."""
    one = await _one(office, asked)
    if one.state == "loading":
        raise Problem(409, "loading", "It is being loaded.")
    await _lists(office).look(one, _tables(asked.body.mapping), asked.body.rows, asked.at)
    return _shown(one)


async def load(office: Office, asked: Asked[None, Load]) -> UploadShown:
    """Begin to load it; the same file twice changes nothing."""
    one, wanted = await _one(office, asked), asked.body
    await known_campaign(office, wanted.campaign)
    if one.state == "loading":
        raise Problem(409, "loading", "It is being loaded already.")
    as_of = wanted.as_of.isoformat() if wanted.as_of else ""
    _lists(office).load(
        one, _tables(wanted.mapping), asked.at, campaign=wanted.campaign, across=wanted.across, weight=wanted.weight,
        update=wanted.update, as_of=as_of,
    )  # fmt: skip
    asked.note = f"into {wanted.campaign}"
    return _shown(one)


async def rejects(office: Office, asked: Asked[None, None]) -> Download:
    """The rows that were not used, as they were, and why: correct them and load the file in place of the list."""
    one = await _one(office, asked)
    if one.state != "loaded":
        raise Problem(409, "not_loaded", "There is none before the list is loaded.")
    return Download("text/csv", f"rejects-{Path(one.name).stem}.csv", one.rejects)


async def drop(office: Office, asked: Asked[None, None]) -> None:
    """Forget the file, and end what is done with it; what has been brought stays."""
    await _lists(office).drop(await _one(office, asked))


def _lists(office: Office) -> Lists:
    return cast(Lists, office.need("lists"))


async def _one(office: Office, asked: Asked[Any, Any]) -> Kept:
    found = await _lists(office).find(asked.path["upload"], asked.who.name)
    if found is None:
        raise Problem(404, "no_upload", "There is no such upload of yours here.")
    return found


def _tables(mapping: ListMapping) -> dict[str, Any]:
    """As a mapping file has them."""
    reading = {name: value for name, value in msgspec.to_builtins(mapping.reading).items() if value is not None}
    return {"columns": mapping.columns, "values": mapping.values, "reading": reading}


def _shown(one: Kept) -> UploadShown:
    looked, seen = one.looked, one.summary
    first = [FirstRow(row.line, row.read, [_refused(one) for one in row.refused]) for row in looked.first]
    rejected = [
        Reject(
            row["line"],
            row["column"],
            row["value"],
            row["reason"],
            row["cure"],
            row["row_lost"],
            row.get("code", ""),
            dict(row.get("facts", ())),
        )
        for row in seen.get("rejected", [])
    ]
    return UploadShown(
        one.id, one.name, utc(one.at), one.size, one.state, one.error, one.campaign, looked.unit, looked.columns or {},
        looked.unknown, first, seen.get("done", 0), seen.get("total", 0),
        {name: seen.get(name, 0) for name in COUNTS}, rejected,
    )  # fmt: skip


def _refused(one: Any) -> Reject:
    return Reject(
        one.line, one.column, one.value, one.reason, one.cure, one.row_lost, one.code, dict(one.facts)
    )  # fmt: skip


GONE = ((404, "no_upload"), (503, "not_here"))
WHERE = "/lists/uploads/{upload}"
ROUTES = (
    Route("POST", "/lists/uploads", Right.LISTS_CHANGE, take, "Upload a list", takes=Upload, gives=UploadShown,
          status=201, body_max=UPLOAD_MAX, limit_s=UPLOAD_LIMIT_S, cost=3, problems=(GONE[1],)),
    Route("GET", "/lists/uploads", Right.LISTS_SEE, listed, "My uploads", gives=UploadList),
    Route("GET", WHERE, Right.LISTS_SEE, show, "An upload, and how far it is", gives=UploadShown, problems=GONE),
    Route("POST", WHERE + "/look", Right.LISTS_CHANGE, look, "Look again with another mapping", takes=Look,
          gives=UploadShown, limit_s=LOOK_LIMIT_S, cost=3, audited=False, problems=(*GONE, (409, "loading"))),
    Route("POST", WHERE + "/load", Right.LISTS_CHANGE, load, "Load it into a campaign", takes=Load, gives=UploadShown,
          status=202, cost=3, problems=(*GONE, (409, "loading"))),
    Route("GET", WHERE + "/rejects", Right.LISTS_SEE, rejects, "The rows that were not used", gives=Download,
          problems=(*GONE, (409, "not_loaded"))),
    Route("DELETE", WHERE, Right.LISTS_CHANGE, drop, "Forget an upload", problems=GONE),
)  # fmt: skip
