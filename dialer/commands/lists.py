"""`dialer load`: a file into a campaign's list, and what of it is not used."""

import csv
from collections.abc import Sequence
from pathlib import Path

from dialer import contacts, show
from dialer.adapters import list_files
from dialer.adapters.site import OpenSite
from dialer.commands.desk import known, say
from dialer.errors import BadInput
from dialer.model import Contact

CHUNK = 500
REJECTS_SHOWN = 20


async def load(site: OpenSite, file: Path, campaign: str, rejects: Path | None) -> None:
    """The same file twice changes nothing."""
    await known(site, campaign)
    rules, now = site.config.list_rules(), site.clock.now()
    new, batch, refused = 0, list[Contact](), list[contacts.Rejected]()
    written = list_files.inspect(file)
    columns = contacts.read_header(written.header)
    for row in contacts.read_rows(list_files.rows(written), columns, rules):
        if isinstance(row, contacts.Rejected):
            refused.append(row)
            continue
        batch.append(row)
        if len(batch) >= CHUNK:
            new += await site.store.add_contacts(campaign, batch, now)
            batch = []
    new += await site.store.add_contacts(campaign, batch, now) if batch else 0
    lost = sum(one.row_lost for one in refused)
    say(f"{new} new debtors in {campaign}; {lost} rows and {len(refused) - lost} single values not used.")
    for one in refused[:REJECTS_SHOWN]:
        say(show.reject(one))
    if columns.unknown:
        say(f"Columns not understood and not used: {', '.join(columns.unknown)}")
    if rejects is not None:
        _write_rejects(rejects, refused)
    elif len(refused) > REJECTS_SHOWN:
        say(f"... and {len(refused) - REJECTS_SHOWN} more: --rejects FILE keeps them all.")


def _write_rejects(path: Path, rejects: Sequence[contacts.Rejected]) -> None:
    try:
        with path.open("w", newline="", encoding="utf-8") as file:
            rows = csv.writer(file)
            rows.writerow(("line", "column", "value_shape", "reason", "cure", "row_lost"))
            rows.writerows((r.line, r.column, r.value, r.reason, r.cure, int(r.row_lost)) for r in rejects)
    except OSError as error:
        raise BadInput(f"--rejects {path} cannot be written: {error.strerror}; the list itself is loaded.") from None
