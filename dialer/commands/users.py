"""`dialer user ...`: who may sign in, and programs' tokens; what the API's /users and /tokens do, from the machine."""

import getpass
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime

from rich.table import Table

from dialer.adapters.passwords import HashPool
from dialer.adapters.redis_deeds import RedisAudit
from dialer.adapters.redis_link import Link
from dialer.adapters.redis_sessions import Limits, RedisSessions, RedisTokens
from dialer.adapters.redis_users import RedisUsers
from dialer.adapters.site import OpenSite, seals_of
from dialer.commands.desk import out, say
from dialer.users import ONE_TIME_DAYS, Deed, Phone, Role
from dialer.web.accounts import Accounts, token_for


@dataclass(frozen=True, slots=True)
class Books:
    """What the commands work on."""

    accounts: Accounts
    tokens: RedisTokens
    audit: RedisAudit

    async def note(self, at: float, what: str, target: str, note: str = "") -> None:
        """Into the audit, under the name of who is logged in on this machine."""
        await self.audit.write(Deed(at, f"shell:{getpass.getuser()}", "", what, target, "", 200, note))


@asynccontextmanager
async def open_books(site: OpenSite) -> AsyncIterator[Books]:
    """Of this site."""
    link, passwords = Link(site.config.redis.url), HashPool()
    users = RedisUsers(link, seals_of(site.config.privacy))
    try:
        yield Books(
            Accounts(users, RedisSessions(link, users, Limits()), passwords), RedisTokens(link, Limits()),
            RedisAudit(link),
        )  # fmt: skip
    finally:
        passwords.close()
        await link.close()


def ids(text: str) -> list[str]:
    """april,may -> both."""
    return [one.strip() for one in text.split(",") if one.strip()]


async def add(site: OpenSite, name: str, role: Role, agent: str, phone: Phone, campaigns: Sequence[str] = ()) -> None:
    """One more user; his one-time password is printed this once."""
    at = site.clock.now()
    async with open_books(site) as books:
        user, shown = await books.accounts.add(name, role, agent, phone, at, campaigns)
        await books.note(at, "user add", name, f"role={role.value} agent={agent}")
    say(f"{user.name}: {shown}")
    _first_steps(user.wants_code)


async def serve(site: OpenSite, name: str, campaigns: Sequence[str]) -> None:
    """From now on these campaigns, in this order."""
    at = site.clock.now()
    async with open_books(site) as books:
        await books.accounts.change(name, None, None, None, at, campaigns)
        await books.note(at, "user campaigns", name, " ".join(campaigns))
    say(f"{name} serves {', '.join(campaigns)}." if campaigns else f"{name} serves any campaign, as he chooses.")


async def reset(site: OpenSite, name: str, enrol_again: bool) -> None:
    """A new one-time password; his sessions end."""
    at = site.clock.now()
    async with open_books(site) as books:
        shown = await books.accounts.reset(name, at, enrol_again)
        user = await books.accounts.known(name)
        await books.note(at, "user reset", name, "enrol again" if enrol_again else "")
    say(f"{name}: {shown}")
    _first_steps(user.wants_code and not user.enrolled)


async def remove(site: OpenSite, name: str) -> None:
    """He signs in no more."""
    async with open_books(site) as books:
        await books.accounts.remove(name)
        await books.note(site.clock.now(), "user remove", name)
    say(f"{name} is removed, and signed out everywhere.")


async def listed(site: OpenSite) -> None:
    """Users and tokens, without their secrets."""
    async with open_books(site) as books:
        users, tokens = await books.accounts.users.users(), await books.tokens.all()
    table = Table("name", "role", "extension", "phone", "serves", "last sign-in", "", box=None)
    for one in users:
        waits = "waits for the first sign-in" if one.one_time_until else ""
        seen = _day(one.signed_in_at) if one.signed_in_at else "never"
        table.add_row(
            one.name, one.role.value, one.agent, one.phone.value if one.agent else "", " ".join(one.campaigns), seen,
            waits,
        )  # fmt: skip
    for token in tokens:
        table.add_row(
            token.name, f"token {token.id}", "", "", "", "", f"until {_day(token.until)}: {', '.join(token.rights)}"
        )
    out.print(table if users or tokens else "Nobody may sign in yet: dialer user add NAME --role admin")


async def token(site: OpenSite, name: str, rights: Sequence[str], days: int) -> None:
    """A program's token, printed this once."""
    at = site.clock.now()
    new = token_for(name, rights, days, f"shell:{getpass.getuser()}", at)
    async with open_books(site) as books:
        shown = await books.tokens.make(new)
        await books.note(at, "user token", name, " ".join(new.rights))
    say(shown)
    say(f"Shown this once; good until {_day(new.until)}. Authorization: Bearer TOKEN")


async def revoke(site: OpenSite, token_id: str) -> None:
    """A token serves no more."""
    async with open_books(site) as books:
        done = await books.tokens.revoke(token_id)
        await books.note(site.clock.now(), "user revoke", token_id, "" if done else "was not there")
    say(f"Token {token_id} is revoked." if done else f"There is no token {token_id}; dialer user list shows them.")


def _first_steps(code: bool) -> None:
    then = ", then shows a code of an authenticator app" if code else ""
    say(f"This password is good once, for {ONE_TIME_DAYS:.0f} days: at the first sign-in he chooses his own{then}.")


def _day(at: float) -> str:
    return datetime.fromtimestamp(at, UTC).strftime("%Y-%m-%d %H:%M UTC")
