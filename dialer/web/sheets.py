"""Editors over sheets: read, written unless somebody else was faster, with their versions; said in one way."""

from datetime import datetime
from typing import Any, TypeVar, cast

import msgspec

from dialer.forms.sheets import Sheet
from dialer.web.doors import Office, Sheets
from dialer.web.problems import Problem
from dialer.web.records import utc
from dialer.web.route import Asked

T = TypeVar("T")


class Version(msgspec.Struct):
    """A version that was written. `revision` 0: nobody has written one, what is shown comes with Santun."""

    revision: int
    by: str
    at: datetime | None


class Versions(msgspec.Struct):
    """The newest first."""

    versions: list[Version]


CHANGED = (409, "changed_meanwhile")


def sheets(office: Office) -> Sheets:
    """The site's. Raises Problem 503."""
    return cast(Sheets, office.need("sheets"))


async def content(office: Office, name: str, kind: type[T]) -> tuple[T | None, Sheet]:
    """What stands in a sheet of JSON; None: nothing, or what a later Santun has written and this one cannot read."""
    found = await sheets(office).read(name)
    return decoded(found, kind), found


def decoded(found: Sheet, kind: type[T]) -> T | None:
    """The same of a version."""
    if not found.revision:
        return None
    try:
        return msgspec.json.decode(found.text, type=kind)
    except (msgspec.DecodeError, ValueError):
        return None


async def keep(office: Office, asked: Asked[Any, Any], name: str, value: Any, revision: int) -> Sheet:
    """Write it. Raises Problem 409 where another version has been written since `revision`."""
    text = value if isinstance(value, str) else msgspec.json.encode(value).decode()
    done = await sheets(office).write(name, text, revision, asked.who.name, asked.at)
    if done is None:
        raise Problem(409, "changed_meanwhile", "Somebody has changed it meanwhile; look again.")
    asked.note = f"{name} version {done.revision}"
    return done


async def unchanged(office: Office, name: str, revision: int) -> None:
    """Raises Problem 409 where another version has been written since `revision`."""
    if (await sheets(office).read(name)).revision != revision:
        raise Problem(409, "changed_meanwhile", "Somebody has changed it meanwhile; look again.")


async def version(office: Office, name: str, revision: int) -> Sheet:
    """One that is kept. Raises Problem 404."""
    for one in await sheets(office).versions(name):
        if one.revision == revision:
            return one
    raise Problem(404, "no_version", "This version is not kept.")


async def versions(office: Office, name: str) -> Versions:
    """Without what stands in them."""
    return Versions([shown(one) for one in await sheets(office).versions(name)])


def shown(one: Sheet) -> Version:
    """As the API says it."""
    return Version(one.revision, one.by, utc(one.at) if one.revision else None)
