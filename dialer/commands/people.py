"""`dialer dnc`, `withdraw`, `export` and `erase`: who is not called any more, by whom, and who is forgotten."""

import asyncio
import codecs
import getpass
import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import islice
from pathlib import Path

import msgspec
import typer

from dialer.adapters.redis_deeds import RedisAudit
from dialer.adapters.redis_link import Link
from dialer.adapters.redis_people import CAMPAIGN, LENDER
from dialer.adapters.site import OpenSite, check_key
from dialer.commands.desk import known, number_of, say
from dialer.commands.left import bring
from dialer.errors import BadInput
from dialer.keyed import number_key, person_key
from dialer.lists.numbers import NumberFault, read_number, split_numbers
from dialer.mask import mask_number, mask_text, shape
from dialer.users import Deed

AT_ONCE = 1000
SHOWN = 20
LINE_MAX = 1000
REASON_MAX = 200
_MARKS = {codecs.BOM_UTF16_LE: "utf-16", codecs.BOM_UTF16_BE: "utf-16"}


@dataclass(frozen=True, slots=True)
class Whom:
    """Whose stop is changed: numbers as people write them, a file of them, or the operator's id of a person; and for
    whom it holds (empty: for everybody)."""

    numbers: Sequence[str] = ()
    file: Path | None = None
    person: str = ""
    lender: str = ""
    campaign: str = ""


# ---- do not call ----------------------------------------------------------------------------------------------------


async def add(site: OpenSite, whom: Whom, reason: str) -> None:
    """Stop; the same again changes nothing. Exits with 1 where lines of a file were no numbers."""
    await check_key(site, from_now=True)
    scope = await _scope(site, whom)
    _somebody(whom)
    told = {"action": "add", "scope": scope, "reason": _plain(reason), "by": getpass.getuser()}
    persons, typed = _parties(site, whom.numbers, whom.person)  # before the first stop: a typo stops none
    bad: list[str] = []
    new, count, of_file = 0, len(persons) + len(typed), _file(site, whom.file, bad)
    while some := list(islice(of_file, AT_ONCE)):
        new += await site.store.stop([], some, scope)
        count += len(some)
    new += await site.store.stop(persons, typed, scope)
    await site.store.tell_stops(told | {"count": str(count), "new": str(new)}, site.clock.now())
    say(f"{new} new stops {_by(scope)}; {count - new} were there already.")
    for line in bad[:SHOWN]:
        say(line)
    if len(bad) > SHOWN:
        say(f"... and {len(bad) - SHOWN} more lines.")
    if bad:
        raise typer.Exit(1)


async def remove(site: OpenSite, whom: Whom, reason: str) -> None:
    """Lift stops of one scope; the reason is written down first."""
    scope = await _scope(site, whom)
    _somebody(whom)
    if not reason.strip():
        raise BadInput("a stop is lifted only with --reason TEXT, which is kept in the log of stops.")
    persons, numbers = _parties(site, whom.numbers, whom.person)
    lifted = await site.store.lift(persons, numbers, scope, _plain(reason), getpass.getuser(), site.clock.now())
    say(f"{lifted} stops {_by(scope)} lifted: {_plain(reason)}")
    if not lifted:
        say("None stood there; dialer dnc list NUMBER shows what stands.")
    left = await site.store.stops_of(persons, numbers)
    for name, scopes in zip(_names(site, whom.numbers, whom.person), left, strict=True):
        if scopes:
            say(f"{name} is still stopped {', '.join(map(_by, scopes))}.")
    if lifted:
        say("Contacts that were put to rest because of them stay at rest.")


async def listed(site: OpenSite, numbers: Sequence[str], person: str, count: int) -> None:
    """The stops of these numbers; without any, the last entries of the log of stops."""
    if numbers or person:
        found = await site.store.stops_of(*_parties(site, numbers, person))
        for name, scopes in zip(_names(site, numbers, person), found, strict=True):
            say(f"{name}: {'not called ' + ', '.join(map(_by, scopes)) if scopes else 'no stop'}")
        return
    entries = await site.store.told_stops(count)
    for one in entries:
        when = datetime.fromtimestamp(float(one.get("at", "0")), UTC)
        what = f"{one['count']} ({one.get('new', '0')} new)" if "count" in one else "1"
        said = f": {_plain(one['reason'])}" if one.get("reason") else ""
        say(
            f"{when:%Y-%m-%d %H:%M:%SZ} {one.get('action', '')} {what} {_by(one.get('scope', ''))} by {one['by']}{said}"
        )
    if not entries:
        say("No stop was added or lifted by hand yet.")


def _plain(reason: str) -> str:
    """As it may be kept and shown: one line, long runs of digits masked."""
    return mask_text(" ".join(reason.split()))[:REASON_MAX]


def _by(scope: str) -> str:
    if not scope:
        return "by anybody"
    kind, _, name = scope.partition(":")
    return f"by {kind} {name}"


async def _scope(site: OpenSite, whom: Whom) -> str:
    if whom.lender and whom.campaign:
        raise BadInput("--lender and --campaign: use one of them; without either the stop is for everybody.")
    if whom.campaign:
        return CAMPAIGN + (await known(site, whom.campaign)).id
    return LENDER + whom.lender if whom.lender else ""


def _somebody(whom: Whom) -> None:
    if not (whom.numbers or whom.file or whom.person):
        raise BadInput("name a number, such as 081234567890, or use --file FILE or --person ID.")


def _file(site: OpenSite, path: Path | None, bad: list[str]) -> Iterator[str]:
    """Keyed hashes of a file's numbers, one or more a line; `bad` learns of lines that hold none."""
    if path is None:
        return
    rules = site.config.list_rules()
    try:
        with path.open("rb") as raw:
            encoding = _MARKS.get(raw.read(2), "utf-8-sig")
        with path.open(encoding=encoding, errors="replace") as file:
            for turn, line in enumerate(iter(lambda: file.readline(LINE_MAX), ""), 1):
                if len(line) == LINE_MAX:  # a number may be cut in two
                    raise BadInput(f"--file {path} line {turn} is too long: write one number a line.")
                for cell in split_numbers(line.strip().strip('"')):
                    try:
                        if cell.strip() and not cell.startswith("#"):
                            yield _key(site, read_number(cell, rules.region, rules.country_codes))
                    except NumberFault as fault:
                        bad.append(f"{path.name} line {turn}: {shape(cell)} is {fault.reason}; {fault.cure}.")
    except (OSError, UnicodeError) as error:
        raise BadInput(f"--file {path} cannot be read: {getattr(error, 'strerror', 'not UTF-8')}.") from None


def _key(site: OpenSite, e164: str) -> str:
    return number_key(site.config.person_key, e164)


def _parties(site: OpenSite, numbers: Sequence[str], person: str) -> tuple[list[str], list[str]]:
    """Keyed hashes: of the person, of the numbers."""
    persons = [person_key(site.config.person_key, person.strip())] if person.strip() else []
    return persons, [_key(site, number_of(site, text)) for text in numbers]


def _names(site: OpenSite, numbers: Sequence[str], person: str) -> list[str]:
    """The same as they may be shown."""
    persons = ["the person"] if person.strip() else []
    return persons + [mask_number(number_of(site, text)) for text in numbers]


# ---- one person -----------------------------------------------------------------------------------------------------


async def withdraw(site: OpenSite, number: str, person: str, campaign: str) -> None:
    """Off the list, of one campaign or of all; a call under way goes on, and he does not come back."""
    if campaign:
        await known(site, campaign)
    key, _ = await _one(site, number, person)
    taken = await site.store.withdraw(key, site.clock.now(), campaign)
    told = {"action": "withdraw", "scope": CAMPAIGN + campaign if campaign else "", "by": getpass.getuser()}
    await site.store.tell_stops(told | {"count": str(taken), "person": key}, site.clock.now())
    say(f"{taken} accounts taken off the list of {campaign or 'every campaign'}; they do not come back to it.")


async def export(site: OpenSite, number: str, person: str, out: Path | None, spools: Sequence[Path]) -> None:
    """All that is held of a person; the audit knows who took it. Exits with 1 where not all could be looked through."""
    faults = await bring(site, spools)
    key, _ = await _one(site, number, person)
    at = site.clock.now()
    held = await site.store.held(key, at)
    link = Link(site.config.redis.url)
    try:
        audit = RedisAudit(link)
        await audit.write(Deed(at, f"shell:{getpass.getuser()}", "", "person export", f"person={key}", "", 200))
    finally:
        await link.close()
    body = msgspec.json.format(msgspec.json.encode(held), indent=2)
    if out is None:
        say(body.decode())
    else:
        try:
            await asyncio.to_thread(_write_apart, out, body + b"\n")
        except OSError as error:
            raise BadInput(f"--out {out} cannot be written: {error.strerror}.") from None
        say(f"{len(held['accounts'])} accounts, {len(held['calls'])} calls, {len(held['history'])} entries in {out}.")
    _not_whole(faults)


def _write_apart(path: Path, body: bytes) -> None:
    """For nobody else to read."""
    flags = os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW
    with open(os.open(path, flags, 0o600), "wb") as file:
        file.write(body)


async def erase(site: OpenSite, number: str, person: str, yes: bool, spools: Sequence[Path]) -> None:
    """Forget a person, after a question; a word not to call him stays, as a keyed hash. Exits with 1 where not all
    could be looked through."""
    faults = await bring(site, spools)
    key, places = await _one(site, number, person)
    what = f"{len(places)} accounts in {', '.join(sorted(set(places))) or 'no campaign'}"
    if not yes and not typer.confirm(f"Erase this person for good: {what}, and what calls have taught?", default=False):
        raise BadInput("nothing was erased.")
    erased = await site.store.erase(key)
    told = {"action": "erase", "count": str(erased), "by": getpass.getuser()}  # nobody's hash: he is forgotten
    await site.store.tell_stops(told, site.clock.now())
    say(f"{erased} accounts erased. Recordings of his calls go within seconds, where `dialer keep` runs.")
    _not_whole(faults)


def _not_whole(faults: Sequence[str]) -> None:
    for one in faults:
        typer.echo(one, err=True)
    if faults:
        raise typer.Exit(1)


async def _one(site: OpenSite, number: str, person: str) -> tuple[str, list[str]]:
    """A person's keyed hash and the campaigns of his accounts. Raises BadInput where it is not one person."""
    if bool(number) is bool(person):
        raise BadInput("name the person: by a number such as 081234567890, or by --person ID.")
    persons, numbers = _parties(site, [number] if number else [], person)
    for key in numbers:
        found = {contact.person for _, contact in await site.store.contacts_of(key)}
        if len(found) != 1:
            who = f"{len(found)} persons have" if found else "nobody has"
            cure = (
                "name one by --person ID, the id in your list, or his first number as +62..." if found else "is it his?"
            )
            raise BadInput(f"{who} {_names(site, [number], '')[0]}: {cure}")
        persons = list(found)
    places = [place.campaign for place, _ in await site.store.contacts_of_person(persons[0])]
    if not places and person and not await site.store.is_known(persons[0]):
        raise BadInput("nobody on any list has this --person ID; is it written as in your list?")
    return persons[0], places
