"""What the command line shows of a list: how it would be understood, numbers masked, and what came of loading it."""

from collections.abc import Iterable, Iterator, Mapping

from rich.console import RenderableType
from rich.table import Table
from rich.text import Text

from dialer.commands import show
from dialer.contacts import ListRules, Rejected, Restored, read_row
from dialer.lists.columns import Columns, word_of
from dialer.lists.importing import Summary
from dialer.mask import mask_number
from dialer.model import Contact


def mapping(columns: Columns) -> RenderableType:
    """What each column is read as."""
    table = Table("column", "is read as", box=None)
    words = word_of(columns)
    for name in columns.all:
        told = "not understood, not used" if name in columns.unknown else words.get(name, "ours, passed over")
        table.add_row(Text(name), Text(told))
    for name, value in columns.constants.items():
        table.add_row(Text("(where empty)"), Text(f"{name} = {value}"))
    return table


def rows(columns: Columns, rules: ListRules, table: Iterable[tuple[int, Mapping[str, str]]]) -> Iterator[str]:
    """Each row as it would be understood, and what of it is not used."""
    for line, row in table:
        for one in read_row(line, row, columns, rules):
            if isinstance(one, Contact):
                yield f"line {line}: {'; '.join(_told(one))}"
            elif isinstance(one, Rejected):
                yield show.reject(one)
            else:
                yield restored(one)


def _told(one: Contact) -> Iterator[str]:
    yield one.name or "no name"
    yield ", ".join(f"{number.kind} {mask_number(number.e164)}" for number in one.numbers)
    yield f"{one.currency} {one.amount:,}" if one.amount else "no amount"
    yield f"due {one.due}" if one.due else "no due date"
    yield one.zone or "zone not known: the strictest hours"
    texts = (("lender", one.lender), ("product", one.product), ("language", one.language))
    yield from (f"{name} {text}" for name, text in texts if text)
    counts = (("minimum", one.minimum), ("fee", one.fee), ("incentive", one.incentive), ("priority", one.priority))
    yield from (f"{name} {count:,}" for name, count in (*counts, ("score", one.score)) if count)
    yield from (f"consent {said.what} of {said.on} ({said.source})" for said in one.consents)
    yield from (f"{name} = {text}" for name, text in one.custom)
    if one.secret:
        yield "can prove who he is"


def restored(one: Restored) -> str:
    """One line for a number that is used although a spreadsheet had changed it."""
    return f"line {one.line}, {one.column}: written as {one.value}, no digit was lost"


def loaded(seen: Summary, campaign: str, columns: Columns, kept: bool, updated: bool) -> Iterator[str]:
    """What came of an import; `kept`: there is a reject file; `updated`: data of those known were replaced."""
    yield f"{seen.new} new debtors in {campaign}; {seen.lost} rows and {seen.values} single values not used."
    if seen.known:
        done = f"{seen.changed} of them got newer data" if updated else "stay as they are"
        yield f"{seen.known} were there already{';' if updated else ' and'} {done}."
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
