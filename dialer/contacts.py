"""1/8 list: rows of a list -> clean contacts in order of calling, or what is wrong with them and the cure.

A fault that could make us call the wrong person, speak a wrong sum or ask for a wrong date costs the row; a second
number that is none, or a consent that nobody can prove, costs only itself. Nothing is guessed: what can be read in two
ways is refused.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from functools import lru_cache, partial
from typing import TypeVar
from zoneinfo import ZoneInfo

from dialer import keyed, mask
from dialer.errors import BadInput
from dialer.lists import order, values
from dialer.lists.columns import Columns
from dialer.lists.numbers import NumberFault, read_number, restored, split_numbers
from dialer.lists.provinces import WIT, zone_of, zone_of_post_code
from dialer.lists.values import NO_FACTS, Unreadable
from dialer.model import Consent, Contact, Number

UNREADABLE = ""  # under this name stands why a row cannot be read at all
NUMBERS_MAX = 10
CELL_MAX = 1000  # characters
CUSTOM_MAX = 200  # characters of a custom value
DAYS_MAX = 36_500
CONSENTS = {"consent_calls": "calls", "consent_whereabouts": "whereabouts", "consent_other_hours": "other_hours"}


@dataclass(frozen=True, slots=True)
class ListRules:
    """What a list is read by. `key`: the secret of all keyed hashes; `region`: whose numbers have no country code."""

    key: bytes = field(repr=False)
    region: str = "ID"
    country_codes: frozenset[int] = frozenset({62})
    day_first: bool = False  # 03/04/2026 is 3 April; without it such a date is refused as ambiguous
    currency: str = "IDR"
    as_of: date | None = None  # the day on which the list's days past due were counted

    def number_of(self, text: str) -> tuple[str, str]:
        """E.164 of one number, and its keyed hash. Raises NumberFault."""
        e164 = read_number(text, self.region, self.country_codes)
        return e164, keyed.number_key(self.key, e164)


@dataclass(frozen=True, slots=True)
class Rejected:
    """A value that is not used, and why. `value` shows its shape, never a number, a name or a secret."""

    line: int
    column: str
    value: str
    reason: str
    cure: str
    row_lost: bool = True  # false: the row's contact is used without this value
    code: str = ""  # the reason as a word that stays the same, with its facts: for other languages
    facts: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class Restored:
    """A number that a spreadsheet had changed without losing a digit: used, and told of. `value` is its shape."""

    line: int
    column: str
    value: str


Found = Contact | Rejected | Restored


class _Fault(Exception):
    def __init__(
        self, column: str, value: str, reason: str, cure: str, code: str = "", facts: Mapping[str, str] = NO_FACTS
    ) -> None:
        super().__init__(reason)
        self.column, self.value, self.reason, self.cure = column, value, reason, cure
        self.code, self.facts = code, tuple(facts.items())

    def at(self, line: int, row_lost: bool = True) -> Rejected:
        return Rejected(line, self.column, self.value, self.reason, self.cure, row_lost, self.code, self.facts)


# ---- rows -----------------------------------------------------------------------------------------------------------


def read_rows(
    rows: Iterable[tuple[int, Mapping[str, str]]], columns: Columns, rules: ListRules
) -> Iterator[Contact | Rejected]:
    """Every row as a Contact, or Rejected; a row may give both when only one of its numbers is unusable.

    The second row with the same person and account is rejected, and names the line of the first. For short lists:
    importing.py does the same for a million rows.
    """
    seen: dict[bytes, int] = {}
    for line, row in rows:
        for result in read_row(line, row, columns, rules):
            if isinstance(result, Contact):
                first = seen.setdefault(bytes.fromhex(result.id), line)
                if first != line:
                    yield twice(line, first, columns)
                    continue
            if not isinstance(result, Restored):
                yield result


def twice(line: int, first: int, columns: Columns) -> Rejected:
    """What a row gets whose person and account stood there before."""
    reason = f"the same person and account as in line {first}"
    facts = (("line", str(first)),)
    return Rejected(
        line, columns.fields.get("account", ""), "", reason, "keep one of the two rows", code="same_row", facts=facts
    )


def read_row(line: int, row: Mapping[str, str], columns: Columns, rules: ListRules, alias: str = "") -> list[Found]:
    """One row: a Contact and what of it is not used, or one Rejected with `row_lost`. Blank rows give nothing."""
    if not any(cell.strip() for cell in row.values()):
        return []
    told: list[Found] = []
    try:
        _check_cells(row, columns)
        numbers = _numbers(line, row, columns, rules, told)
        return [_contact(line, row, columns, rules, numbers, alias, told), *told]
    except _Fault as fault:
        return [fault.at(line)]


def check_constants(columns: Columns, rules: ListRules) -> None:
    """Raises BadInput where the values that a mapping gives for empty cells are none: it would cost every row."""
    empty = dict.fromkeys(columns.all, "")
    told: list[Found] = []
    try:
        _contact(0, empty, columns, rules, (Number("+0", "0"),), "", told)
    except _Fault as fault:
        raise BadInput(f"the mapping's values.{fault.column}: {fault.reason}; {fault.cure}.") from None


def _check_cells(row: Mapping[str, str], columns: Columns) -> None:
    if UNREADABLE in row:
        raise _Fault(
            "", "", row[UNREADABLE], "correct the line; quote cells that hold the delimiter", "unreadable_line"
        )
    for name in columns.all:
        if name not in row:
            raise _Fault(
                name, "", "fewer cells than the header has columns", "complete the row with empty cells", "fewer_cells"
            )
        if len(row[name]) > CELL_MAX:
            raise _Fault(
                name,
                "",
                f"a cell of more than {CELL_MAX} characters",
                "shorten it; is a quote left open?",
                "cell_too_long",
                {"n": str(CELL_MAX)},
            )


def _contact(
    line: int, row: Mapping[str, str], columns: Columns, rules: ListRules, numbers: tuple[Number, ...], alias: str,
    told: list[Found],
) -> Contact:  # fmt: skip
    cells = {meaning: text for meaning, text in columns.constants.items() if meaning not in columns.fields}
    for meaning, column in columns.fields.items():
        if text := values.plain_cell(row[column]) or columns.constants.get(meaning, ""):
            cells[meaning] = text

    def read(meaning: str, reader: Callable[[str], Value], default: Value) -> Value:
        if meaning not in cells:
            return default
        try:
            return reader(cells[meaning])
        except Unreadable as error:
            column = columns.fields.get(meaning, meaning)
            raise _Fault(
                column, mask.shape(cells[meaning]), error.reason, error.cure, error.code, error.facts
            ) from None

    currency = read("currency", values.read_currency, rules.currency)
    money, day = partial(values.read_amount, currency=currency), partial(values.read_date, day_first=rules.day_first)
    person_id = read("person_id", values.read_identifier, "")
    person = keyed.person_key(rules.key, person_id or numbers[0].e164)
    lender, product = read("lender", values.read_line, ""), read("product", values.read_line, "")
    account = read("account", values.read_identifier, "")
    birth = read("birth_date", day, None)
    province, post_code = read("province", values.read_line, ""), read("post_code", values.read_post_code, "")
    zone = _zone(read("zone", values.read_zone, ""), zone_of(province), zone_of_post_code(post_code), columns)
    expires = read("expires", day, None)
    due = read("due", day, None) or _due(read("days_past_due", values.read_integer, None), rules, columns)
    return Contact(
        id=keyed.contact_key(rules.key, person, account or f"{lender}\0{product}"),
        person=person,
        numbers=numbers,
        name=read("name", values.read_line, ""),
        language=read("language", values.read_language, ""),
        zone=zone,
        lender=lender,
        product=product,
        currency=currency,
        amount=read("amount", money, 0),
        due=due,
        secret=keyed.secret_key(rules.key, f"{birth:%d%m%Y}") if birth else "",
        secret_digits=8 if birth else 0,
        priority=read("priority", values.read_integer, 0),
        alias=alias,
        account=account,
        minimum=read("minimum", money, 0),
        fee=read("fee", money, 0),
        incentive=read("incentive", money, 0),
        province=province,
        regency=read("city", values.read_line, ""),
        post_code=post_code,
        consents=_consents(line, cells, day, columns, told),
        custom=_custom(row, columns),
        score=order.score(read("score", values.read_score, None), due, rules.as_of),
        expires=_end_of(expires, zone) if expires else 0.0,
    )


def _numbers(
    line: int, row: Mapping[str, str], columns: Columns, rules: ListRules, told: list[Found]
) -> tuple[Number, ...]:
    """The row's numbers in order of calling, each once; those that are none go to `told`.

    One that stands there as the debtor's and as somebody else's counts as somebody else's.
    """
    found: dict[str, Number] = {}
    faults: list[_Fault] = []
    for column, kind in columns.phones:
        for text in split_numbers(row[column]):
            if not (clean := text.strip()) or clean.casefold() in values.BLANK:
                continue
            try:
                e164 = read_number(clean, rules.region, rules.country_codes)
            except NumberFault as error:
                faults.append(_Fault(column, mask.shape(text), error.reason, error.cure, error.code, error.facts))
                continue
            if restored(clean, e164):
                told.append(Restored(line, column, mask.shape(clean)))
            found[e164] = Number(e164, keyed.number_key(rules.key, e164), kind)  # later kinds are stricter
    if len(found) > NUMBERS_MAX:
        raise _Fault(
            columns.phones[0][0],
            "",
            f"{len(found)} numbers",
            f"keep the {NUMBERS_MAX} best",
            "too_many_numbers",
            {"n": str(len(found)), "most": str(NUMBERS_MAX)},
        )
    if not found:
        raise (
            faults[0]
            if faults
            else _Fault(columns.phones[0][0], "", "no number", "give at least one number", "no_number")
        )
    told += [fault.at(line, row_lost=False) for fault in faults]
    return tuple(found.values())


# ---- what is put together of several values -------------------------------------------------------------------------

Value = TypeVar("Value")


def _zone(named: str, of_province: str, of_post_code: str, columns: Columns) -> str:
    known = [zone for zone in (named, of_province, of_post_code) if zone]
    if len(set(known)) > 1:
        column = next(columns.fields[name] for name in ("zone", "province", "post_code") if name in columns.fields)
        raise _Fault(
            column, "", "zone, province and post code contradict each other", "correct one of them", "places_contradict"
        )
    return known[0] if known else ""


def _due(days: int | None, rules: ListRules, columns: Columns) -> date | None:
    """The due date of an account that is so many days late."""
    if days is None:
        return None
    column = columns.fields.get("days_past_due", "days_past_due")
    if days > DAYS_MAX:
        raise _Fault(column, mask.shape(str(days)), "too many days", "correct it", "too_many_days")
    if rules.as_of is None:
        raise _Fault(
            column,
            mask.shape(str(days)),
            "counted from which day?",
            "give the due date, or load --as-of DAY",
            "days_from_when",
        )
    return rules.as_of - timedelta(days=days)


def _consents(
    line: int, cells: Mapping[str, str], day: Callable[[str], date], columns: Columns, told: list[Found]
) -> tuple[Consent, ...]:
    """Consent counts only with its day and its source: one that cannot be proven is none."""
    found = []
    for meaning, what in CONSENTS.items():
        if meaning not in cells:
            continue
        try:
            on = _consent_day(cells[meaning], cells.get("consent_date", ""), day)
            if on is not None:
                if "consent_source" not in cells:
                    raise Unreadable(
                        "a consent without its source", "say where it is kept: consent_source", "consent_no_source"
                    )
                found.append(Consent(what, values.read_line(cells["consent_source"]), on))
        except Unreadable as error:
            column = columns.fields.get(meaning, meaning)
            fault = _Fault(column, mask.shape(cells[meaning]), error.reason, error.cure, error.code, error.facts)
            told.append(fault.at(line, row_lost=False))
    return tuple(found)


def _consent_day(text: str, elsewhere: str, day: Callable[[str], date]) -> date | None:
    """A consent's cell holds its day, or yes with the day in consent_date; None: there is none."""
    try:
        given = values.read_yes(text)
    except Unreadable:
        return day(text)
    if given and not elsewhere:
        raise Unreadable(
            "a consent without its day", "write the day on which it was given, or fill consent_date", "consent_no_day"
        )
    return day(elsewhere) if given else None


def _custom(row: Mapping[str, str], columns: Columns) -> tuple[tuple[str, str], ...]:
    found = []
    for column, name in columns.custom:
        if text := row[column].strip():
            try:
                found.append((name, values.read_line(text, CUSTOM_MAX)))
            except Unreadable as error:
                raise _Fault(column, mask.shape(text), error.reason, error.cure, error.code, error.facts) from None
    return tuple(found)


@lru_cache(maxsize=1024)
def _end_of(day: date, zone: str) -> float:
    """The last moment of a day where the debtor lives; where that is not known, where it ends first."""
    midnight = datetime.combine(day + timedelta(days=1), time(), ZoneInfo(zone or WIT))
    return midnight.timestamp()
