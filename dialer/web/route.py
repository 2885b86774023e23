"""The shape of every API module: a table of routes, and what a handler is asked.

    class NewStop(msgspec.Struct, forbid_unknown_fields=True):
        number: str
        reason: str = ""

    async def add(office: Office, asked: Asked[None, NewStop]) -> Stop:
        if not asked.who.may(Right.STOPS_CHANGE): ...        # the route's right has been checked already
        raise Problem(409, "stopped_already", "He is on the list already.")

    ROUTES = (Route("POST", "/stops", Right.STOPS_CHANGE, add, "Do not call these numbers", takes=NewStop, gives=Stop),)

Path parameters come as text in `asked.path`, the query as a decoded struct (`query=`), the body as a decoded struct
(`takes=`) or, with `takes=Upload`, as a stream. `gives`: what the handler returns; None: an empty answer (204);
Download: a file. Times in structs are `datetime` in UTC, money is an integer beside its currency. `asked.at` is now.
A change by a signed-in page needs its CSRF token, is counted, audited under `METHOD path` with the path parameters as
target (`asked.note` adds a word), and answered once per Idempotency-Key: all that is done before and after the handler.
"""

from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from typing import Any, Generic, Protocol, TypeVar

from dialer.users import Session
from dialer.web.access import Right, Who
from dialer.web.doors import Office

Q = TypeVar("Q")
B = TypeVar("B")
BODY_MAX = 64 * 1024
LIMIT_S = 15.0


@dataclass(slots=True)
class Asked(Generic[Q, B]):
    """One request, checked and decoded. `key`: its idempotency key, empty without one; `note`: for the audit."""

    who: Who
    path: Mapping[str, str]
    query: Q
    body: B
    at: float
    key: str = ""
    note: str = ""
    headers: Mapping[str, str] = field(default_factory=dict)  # of the request: signatures, languages
    session: Session | None = None  # None: a token, or nobody
    set_cookie: str | None = None  # a session's new id; empty: take it away. Only for sign-in and sign-out.


@dataclass(frozen=True, slots=True)
class Upload:
    """A body as a stream: `chunks` ends, or raises Problem, before it is larger than the route's body_max."""

    chunks: AsyncIterator[bytes]
    content_type: str
    file_name: str = ""


class Parts(Protocol):
    """A file that is made while it is sent: `size` bytes, given from `start` to before `stop`."""

    @property
    def size(self) -> int: ...
    def pieces(self, start: int, stop: int) -> AsyncGenerator[bytes, None]: ...


@dataclass(frozen=True, slots=True)
class Download:
    """A file to be sent: from disk, from memory, or in parts; from disk and in parts by ranges, too."""

    content_type: str
    file_name: str
    path: Path | None = None
    content: bytes = b""
    parts: Parts | None = None


@dataclass(frozen=True, slots=True)
class Raw:
    """JSON that is encoded already."""

    content: bytes


Handler = Callable[[Office, Asked[Any, Any]], Awaitable[Any]]


class Replay(StrEnum):
    """What becomes of a second request with the same Idempotency-Key."""

    ANSWER = "answer"  # it gets the first one's answer, which is kept for a day
    DONE = "done"  # the answer holds a secret and is not kept: it gets 409 shown_once
    NO = "no"  # keys mean nothing here: it is done again


@dataclass(frozen=True, slots=True)
class Route:
    """One operation under /api/v1. `right` None: nobody need be signed in.

    `limit_s`: how long the handler may take, `body_max` in bytes; `cost`: how many requests it counts as;
    `signed`: a change without session or token that proves itself (a payment's signature): no CSRF, its handler checks.
    `once`: what is kept for an idempotency key.
    """

    method: str
    path: str
    right: Right | None
    run: Handler
    summary: str
    takes: Any = None
    gives: Any = None
    query: Any = None
    status: int = 200
    body_max: int = BODY_MAX
    limit_s: float = LIMIT_S
    cost: int = 1
    signed: bool = False
    once: Replay = Replay.ANSWER
    audited: bool = True  # False: a change that is none, such as a preview by POST
    problems: tuple[tuple[int, str], ...] = ()  # statuses of its own, for the document

    @property
    def changes(self) -> bool:
        """Whether it may change anything."""
        return self.method not in ("GET", "HEAD")

    @property
    def name(self) -> str:
        """The operation's id: get_campaigns_campaign_live."""
        words = [self.method.lower(), *self.path.replace("{", "").replace("}", "").replace("-", "_").split("/")]
        return "_".join(word for word in words if word)
