"""Who may do what: roles, rights, and what is shown to whom."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from dialer.mask import mask_number
from dialer.users import Role


class Right(StrEnum):
    """What a route asks for. `see` never changes anything."""

    SELF = "self"  # one's own name, password, sessions
    DESK = "desk"  # one's own desk: only with an extension
    BOARD_SEE = "board:see"
    CAMPAIGNS_SEE = "campaigns:see"
    CAMPAIGNS_RUN = "campaigns:run"  # start, pause, stop, mode and caps within limits
    CAMPAIGNS_CHANGE = "campaigns:change"
    LISTS_SEE = "lists:see"
    LISTS_CHANGE = "lists:change"
    DEBTORS_SEE = "debtors:see"
    DEBTORS_CHANGE = "debtors:change"
    PERSONS_CHANGE = "persons:change"  # export and erasure of all that is held of one
    STOPS_SEE = "stops:see"
    STOPS_CHANGE = "stops:change"
    CALL_BACKS_SEE = "call-backs:see"
    CALL_BACKS_CHANGE = "call-backs:change"
    PROMISES_SEE = "promises:see"
    PROMISES_CHANGE = "promises:change"
    PAYMENTS_SEE = "payments:see"
    PAYMENTS_CHANGE = "payments:change"
    AGENTS_SEE = "agents:see"
    AGENTS_ORDER = "agents:order"  # message, forced break or sign-out, listen, whisper, join, take over
    OUTCOMES_SEE = "outcomes:see"
    RECORDINGS_SEE = "recordings:see"
    NUMBERS_SEE = "numbers:see"  # in full; without it they are masked
    USERS_SEE = "users:see"
    USERS_CHANGE = "users:change"
    TOKENS_CHANGE = "tokens:change"
    AUDIT_SEE = "audit:see"


_AGENT = frozenset({Right.SELF, Right.DESK})
_ADMIN_ONLY = frozenset(
    {Right.USERS_SEE, Right.USERS_CHANGE, Right.TOKENS_CHANGE, Right.AUDIT_SEE, Right.PERSONS_CHANGE}
)
_PEOPLE_ONLY = frozenset({Right.SELF, Right.DESK, Right.USERS_CHANGE, Right.TOKENS_CHANGE})

RIGHTS: Mapping[Role, frozenset[Right]] = {
    Role.AGENT: _AGENT,
    Role.SUPERVISOR: frozenset(Right) - _ADMIN_ONLY,
    Role.ADMIN: frozenset(Right),
    Role.TOKEN: frozenset(),
}
FOR_TOKENS = frozenset(Right) - _PEOPLE_ONLY  # what a token may be given


@dataclass(frozen=True, slots=True)
class Who:
    """Who asks. `agent`: his extension, if he takes calls; `key`: what his requests are counted under."""

    name: str
    role: Role
    rights: frozenset[Right]
    agent: str = ""
    address: str = ""
    key: str = ""

    def may(self, right: Right) -> bool:
        """Whether he has the right; a desk needs an extension, too."""
        return right in self.rights and (right is not Right.DESK or bool(self.agent))


def token_rights(words: Iterable[str]) -> frozenset[Right]:
    """What a token's words stand for now; what no token may have any more is left out."""
    known = {right.value: right for right in FOR_TOKENS}
    return frozenset(known[word] for word in words if word in known)


def number_for(who: Who, e164: str) -> str:
    """A number as `who` may see it."""
    return e164 if who.may(Right.NUMBERS_SEE) else mask_number(e164)


def fields_for(who: Who, account: Mapping[str, Any], agent_fields: Iterable[str]) -> dict[str, Any]:
    """Of an account's fields those that `who` may see: an agent what the operator allows, others all."""
    allowed = set(account) if who.may(Right.DEBTORS_SEE) else set(agent_fields)
    return {name: value for name, value in account.items() if name in allowed}
