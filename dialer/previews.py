"""What the command line shows of a list: how it would be understood, numbers masked, and what came of loading it."""

from collections.abc import Iterable, Iterator, Mapping

from rich.console import RenderableType
from rich.table import Table
from rich.text import Text

from dialer import show
from dialer.columns import Columns, word_of
from dialer.contacts import ListRules, Rejected, Restored, read_row
from dialer.importing import Summary
from dialer.mask import mask_number
from dialer.model import Contact


def preview(
    columns: Columns, rules: ListRules, rows: Iterable[tuple[int, Mapping[str, str]]]
) -> Iterator[RenderableType]:
    """The mapping, the rows, what of them is not used, the columns that mean nothing."""
    table = Table("column", "is read as", box=None)
    words = word_of(columns)
    for name in columns.all:
        told = "not understood, not used" if name in columns.unknown else words.get(name, "ours, passed over")
        table.add_row(Text(name), Text(told))
    for name, value in columns.constants.items():
        table.add_row(Text("(where empty)"), Text(f"{name} = {value}"))
    yield table
    found = [(line, read_row(line, row, columns, rules)) for line, row in rows]
    contacts = [(line, one) for line, results in found for one in results if isinstance(one, Contact)]
    yield Text("")
    yield _contacts(contacts)
    for _, results in found:
        for one in results:
            if isinstance(one, Rejected):
                yield Text(show.reject(one))
            elif isinstance(one, Restored):
                yield Text(restored(one))


def restored(one: Restored) -> str:
    """One line for a number that is used although a spreadsheet had changed it."""
    return f"line {one.line}, {one.column}: written as {one.value}, no digit was lost"


def loaded(seen: Summary, campaign: str, columns: Columns, kept: bool) -> Iterator[str]:
    """What came of an import; `kept`: there is a reject file."""
    yield f"{seen.new} new debtors in {campaign}; {seen.lost} rows and {seen.values} single values not used."
    if seen.known:
        yield f"{seen.known} were there already and stay as they are."
    if seen.elsewhere:
        yield f"{seen.elsewhere} are on the list of another campaign too: calls of both count together for each person."
    if seen.shared:
        yield f"{seen.shared} times a number stands with more than one person: it has caps and a lock of its own."
    if seen.restored:
        yield f"{seen.restored} numbers changed by a spreadsheet are used; the first: {restored(seen.examples[0])}"
    yield from (show.reject(one) for one in seen.rejected)
    if columns.unknown:
        yield f"Columns not understood and not used: {', '.join(columns.unknown)}"
    more = seen.lost + seen.values - len(seen.rejected)
    if more and not kept:
        yield f"... and {more} more: --rejects FILE keeps them all."


def _contacts(contacts: Iterable[tuple[int, Contact]]) -> RenderableType:
    table = Table("line", "name", "numbers", "debt", "due", "zone", "more", box=None)
    for line, one in contacts:
        numbers = ", ".join(f"{number.kind} {mask_number(number.e164)}" for number in one.numbers)
        debt = f"{one.currency} {one.amount:,}" if one.amount else ""
        due = one.due.isoformat() if one.due else ""
        zone = one.zone or "not known: the strictest"
        table.add_row(str(line), *(Text(cell) for cell in (one.name, numbers, debt, due, zone, "; ".join(_more(one)))))
    return table


def _more(one: Contact) -> Iterator[str]:
    texts = (("lender", one.lender), ("product", one.product), ("language", one.language))
    yield from (f"{name} {text}" for name, text in texts if text)
    counts = (("minimum", one.minimum), ("fee", one.fee), ("incentive", one.incentive), ("priority", one.priority))
    yield from (f"{name} {count:,}" for name, count in (*counts, ("score", one.score)) if count)
    yield from (f"consent {said.what} of {said.on} ({said.source})" for said in one.consents)
    yield from (f"{name} = {text}" for name, text in one.custom)
    if one.secret:
        yield "can prove who he is"
