"""The pages and their files: who sees which, and what is sent along."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from dialer.users import Role
from dialer.web.access import Right, Who

STATIC = Path(__file__).parent / "static"


@dataclass(frozen=True, slots=True)
class Page:
    """An html file of static/. `right` None: nobody need be signed in."""

    file: str
    right: Right | None


PAGES: Mapping[str, Page] = {
    "/sign-in": Page("sign-in.html", None),
    "/docs": Page("docs.html", Right.SELF),
    "/agent": Page("agent.html", Right.DESK),
    "/board": Page("board.html", Right.BOARD_SEE),
    "/wallboard": Page("wallboard.html", Right.BOARD_SEE),
    "/campaigns": Page("campaigns.html", Right.CAMPAIGNS_SEE),
    "/lists": Page("lists.html", Right.LISTS_SEE),
    "/debtors": Page("debtors.html", Right.DEBTORS_SEE),
    "/users": Page("users.html", Right.USERS_SEE),
}


def home_of(role: Role) -> str:
    """Where somebody lands who has signed in."""
    return "/agent" if role is Role.AGENT else "/board"


def home(who: Who) -> str:
    """The same, of who asks."""
    return home_of(who.role)
