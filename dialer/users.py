"""Who may sign in, and what his password must be: words, rules, no storage."""

import re
from dataclasses import dataclass
from enum import StrEnum
from itertools import pairwise

USER_NAME = re.compile(r"[a-z][a-z0-9._-]{1,39}")
PASSWORD_MIN = 12
PASSWORD_MAX = 128
ONE_TIME_DAYS = 7.0
_ALPHABET = "23456789abcdefghjkmnpqrstuvwxyz"  # nothing that reads like another
# long enough and yet among the first that anybody tries
COMMON = frozenset(
    "password1234 passwordpassword passw0rd1234 qwertyuiop12 qwerty123456 qwertyuiopas 1q2w3e4r5t6y 1qaz2wsx3edc"
    " letmeinletmein welcome12345 administrator admin1234567 iloveyou1234 sayangkamu123 indonesia123 indonesia1945"
    " bismillah123 bismillah1234 jakarta12345 rahasia12345 katasandi123 katakunci123 changeme1234 changemenow1"
    " merdeka171945 asdfghjkl123 zaq12wsxcde3 abcdefghijkl abc123abc123 trustno1trustno1".split()
)


class Role(StrEnum):
    """What somebody is here for."""

    AGENT = "agent"
    SUPERVISOR = "supervisor"
    ADMIN = "admin"
    TOKEN = "token"  # noqa: S105 - a program; its rights are its token's


class Phone(StrEnum):
    """What an agent speaks into."""

    BROWSER = "browser"
    SIP = "sip"


class Step(StrEnum):
    """What a session still asks for before it opens anything."""

    PASSWORD = "password"  # noqa: S105 - the first one has to be changed
    ENROL = "enrol"
    CODE = "code"
    DONE = "done"


@dataclass(frozen=True, slots=True)
class User:
    """One who signs in. `agent`: his extension, empty for who takes no calls; times in epoch seconds.

    `password`: an argon2 hash; `one_time_until` above 0: it was given by somebody else, must be changed, and ends then.
    `totp`: the secret in base 32, `enrolled` once he has shown a code of it.
    """

    name: str
    role: Role
    password: str
    agent: str = ""
    phone: Phone = Phone.BROWSER
    one_time_until: float = 0.0
    totp: str = ""
    campaigns: tuple[str, ...] = ()  # that he serves, in his order; empty: he chooses among all, and stays there
    enrolled: bool = False
    made_at: float = 0.0
    changed_at: float = 0.0
    signed_in_at: float = 0.0

    @property
    def wants_code(self) -> bool:
        """Whether a password alone is not enough."""
        return self.role in (Role.SUPERVISOR, Role.ADMIN)


@dataclass(frozen=True, slots=True)
class Session:
    """One browser that signed in. `key`: the hash of its cookie; `csrf` is to be sent with every change."""

    key: str
    user: str
    step: Step
    csrf: str
    made_at: float
    address: str


@dataclass(frozen=True, slots=True)
class ApiToken:
    """A program's. `secret`: the hash of what was shown once; `until` 0: no end."""

    id: str
    name: str
    secret: str
    rights: tuple[str, ...]
    made_by: str
    made_at: float
    until: float = 0.0


@dataclass(frozen=True, slots=True)
class Deed:
    """One line of the audit: who did what to whom, when, from where, and what came of it. No secrets, no numbers."""

    at: float
    who: str
    role: str
    what: str
    target: str
    address: str
    status: int
    note: str = ""


@dataclass(frozen=True, slots=True)
class Done:
    """What became of a request with an idempotency key. `status` 0: it is under way; `print`: of what was asked."""

    print: str
    status: int
    body: bytes


def password_fault(password: str, name: str) -> str:
    """What is wrong with a password, as a sentence; empty: nothing. Length counts, not kinds of characters."""
    if len(password) < PASSWORD_MIN:
        return f"Use {PASSWORD_MIN} characters or more; a few words that you remember do well."
    if len(password) > PASSWORD_MAX:
        return f"Use at most {PASSWORD_MAX} characters."
    if any(ord(char) < 32 for char in password):
        return "Leave out line breaks and other control characters."
    plain = password.casefold()
    if name.casefold() in plain or "santun" in plain:
        return "Leave your name and this program's name out of it."
    if plain in COMMON or len(set(plain)) < 5 or _runs(plain):
        return "That one is among the first that anybody would try."
    return ""


def _runs(text: str) -> bool:
    """Whether it only counts up or down: 123456789012, abcdefghijkl."""
    wraps = 10 if text.isdigit() else 0x110000
    steps = {(ord(after) - ord(before)) % wraps for before, after in pairwise(text)}
    return len(steps) == 1


def one_time_password(random: bytes) -> str:
    """Four groups of five out of 20 random bytes: 98 bits to be typed once."""
    chars = "".join(_ALPHABET[byte % len(_ALPHABET)] for byte in random[:20])
    return "-".join(chars[at : at + 5] for at in range(0, 20, 5))
