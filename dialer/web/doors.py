"""The doors of the web: what handlers may use of the outside, as Protocols, and the Office that holds them all."""

from collections.abc import AsyncGenerator, Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

from dialer.config import Config
from dialer.debts.plans import LimitsOf, none_offered
from dialer.forms.sheets import Sheet
from dialer.law.rulebook import Pack
from dialer.model import Campaign, Command
from dialer.ports import Clock, Store, Telephony
from dialer.users import ApiToken, Deed, Done, Session, Step, User
from dialer.web.access import Who
from dialer.web.problems import Problem

ASK_S = 5.0


class Reply(Protocol):
    """The engine's word to a command."""

    @property
    def ok(self) -> bool: ...
    @property
    def text(self) -> str: ...


class Books(Store, Protocol):
    """The engine's store and what the web reads beside it."""

    async def send(self, command: Command, wait_s: float) -> Reply | None:
        """The same id is applied once; None: nobody answered in `wait_s`."""

    async def tail(self, campaign: str, count: int, stream: str = "outcomes") -> tuple[Any, ...]: ...
    async def pacing_sampled(
        self, campaign: str, since: float, until: float, points: int
    ) -> tuple[Mapping[str, str], ...]:
        """One entry of the pacing series for each of `points` stretches, the oldest first."""


class Users(Protocol):
    """Who may sign in. Names are unique, extensions too."""

    async def user(self, name: str) -> User | None: ...
    async def users(self) -> tuple[User, ...]: ...
    async def add(self, user: User) -> None:
        """Raises BadInput where name or extension is taken."""

    async def change(self, before: User, after: User) -> None:
        """Raises BadInput where he has been changed meanwhile or the extension is taken."""

    async def remove(self, user: User) -> None: ...

    async def code_used(self, user: str, counter: int) -> bool:
        """True: this code of his has been used before; otherwise it has been now."""


class Sessions(Protocol):
    """Signed-in browsers."""

    async def open(self, user: User, step: Step, address: str, at: float) -> tuple[str, Session]:
        """(what the cookie says, the session)."""

    async def find(self, cookie: str, at: float, cost: int = 1) -> tuple[User, Session, float] | None:
        """Who it is, and how many seconds he has to wait (0.0: none); None: no such session, or it has run out.

        `cost` requests are counted; 0: none, and the session is kept from running idle all the same."""

    async def move(self, session: Session, user: User, step: Step, at: float) -> tuple[str, Session]:
        """The next step under a new id; the old one is gone."""

    async def close(self, session: Session) -> None: ...
    async def close_all(self, user: str, but: str = "") -> int:
        """Every session of a user, but for the one with this key; how many."""

    async def of(self, user: str) -> tuple[Session, ...]: ...


class Tokens(Protocol):
    """Programs' tokens."""

    async def make(self, token: ApiToken) -> str:
        """What is shown once; `token.id` and `token.secret` are set here."""

    async def find(self, shown: str, at: float, cost: int = 1) -> tuple[ApiToken, float] | None:
        """As Sessions.find."""

    async def all(self) -> tuple[ApiToken, ...]: ...
    async def revoke(self, token: str) -> bool: ...


class Throttle(Protocol):
    """So many tries, then one each so many seconds: log-ins, and requests that have no session."""

    async def take(self, kind: str, whose: str, at: float) -> float:
        """Count one; seconds to wait (0.0: none). `kind`: name, address, code or visitor."""

    async def give_back(self, kind: str, whose: str, at: float) -> None:
        """It was none that counts."""


class Audit(Protocol):
    """Who changed what."""

    async def write(self, deed: Deed) -> None: ...
    async def read(self, count: int, before: str = "") -> tuple[tuple[str, Deed], ...]:
        """Newest first, older than the entry `before`."""


class Once(Protocol):
    """Idempotency keys, kept for a day."""

    async def begin(self, whose: str, key: str, print_: str) -> Done | None:
        """None: it is new, and is this request's from now on."""

    async def done(self, whose: str, key: str, done: Done) -> None: ...
    async def drop(self, whose: str, key: str) -> None:
        """It came to nothing: the same request may come again."""


class Sheets(Protocol):
    """What is edited in the browser; names as in dialer/forms/sheets.py."""

    async def read(self, name: str) -> Sheet:
        """The newest version; one of revision 0 where there is none."""

    async def write(self, name: str, words: str, revision: int, by: str, at: float) -> Sheet | None:
        """As the version after `revision`; None: somebody else has written one meanwhile."""

    async def versions(self, name: str) -> tuple[Sheet, ...]:
        """Those that are kept, the newest first."""

    async def names(self, kind: str) -> tuple[str, ...]:
        """Of all sheets `kind/...`."""


class Passwords(Protocol):
    """Slow hashes, made away from the loop."""

    async def hash(self, password: str) -> str: ...
    async def fits(self, hashed: str, password: str) -> bool:
        """`hashed` empty: nobody's; takes as long and is False."""

    def is_old(self, hashed: str) -> bool:
        """Made with other parameters than today's."""


class Ear(Protocol):
    """What the engine publishes: boards by campaign, desk notes by agent. One connection a process."""

    async def want(self, kind: str, name: str) -> None:
        """Hear `board` of a campaign or `desk` of an agent from now on; again: harmless."""

    async def leave(self, kind: str, name: str) -> None: ...
    async def last(self, kind: str, name: str) -> bytes | None:
        """What was published last and is kept."""

    def heard(self) -> AsyncGenerator[tuple[str, str, bytes | None], None]:
        """(kind, name, what); None: something may have been missed, look at last(). One reader; never ends."""


@dataclass(slots=True)
class Office:
    """All that a handler may use. Parts that a site has not are None, and their routes say 503 by `need`."""

    config: Config
    books: Books
    clock: Clock
    users: Users
    sessions: Sessions
    tokens: Tokens
    throttle: Throttle
    audit: Audit
    once: Once
    passwords: Passwords
    ear: Ear
    new_id: Callable[[float], str]  # of commands and whatever else wants one that sorts by time
    pack_of: Callable[[Campaign], Pack]  # raises ConfigError
    phones: Mapping[str, Telephony] = field(default_factory=dict)  # nodes whose links this process holds itself
    limits_of: LimitsOf = none_offered  # what lenders let us offer
    parts: dict[str, Any] = field(default_factory=dict)  # doors of single resources, by the resource's name
    live: Any = None  # the hub of live.py

    async def ask(
        self, campaign: str, name: str, args: Mapping[str, str], who: Who, limit_s: float = ASK_S, key: str = ""
    ) -> str:
        """Order the engine that leads `campaign` and give its words; `key`: the same is applied once.

        Problem 409 engine_refused: it said no; 504 engine_silent: no engine answered in time, and none will carry it
        out later than `limit_s` from now.
        """
        at = self.clock.now()
        command = Command(key or self.new_id(at), campaign, name, f"web:{who.name}", at, at + limit_s, dict(args))
        reply = await self.books.send(command, limit_s)
        if reply is None:
            raise Problem(504, "engine_silent", "No engine answered in time; is one running for this campaign?")
        if not reply.ok:
            raise Problem(409, "engine_refused", reply.text)
        return reply.text

    def need(self, part: str) -> Any:
        """A resource's own door. Raises Problem 503."""
        found = self.parts.get(part)
        if found is None:
            raise Problem(503, "not_here", f"This process has no {part}.")
        return found
