"""The pages: who sees which, and the one shell that all of them share."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from dialer.users import Role
from dialer.web.access import Right, Who

STATIC = Path(__file__).parent / "static"
NO_SCRIPT = "Halaman ini memerlukan JavaScript. / This page needs JavaScript."

# Nothing inline: the policy of guard.py forbids it. theme.js runs before the first paint, i18n.js sets the language.
SHELL = """<!doctype html>
<html lang="id">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Santun</title>
<link rel="icon" href="/static/icon.svg" type="image/svg+xml">
<script src="/static/js/theme.js"></script>
{styles}
<script type="module" src="/static/js/{script}.js"></script>
</head>
<body>
<div id="app"></div>
<noscript>{no_script}</noscript>
</body>
</html>
"""
EVERYWHERE = ("css/tokens.css", "css/base.css")


@dataclass(frozen=True, slots=True)
class Page:
    """`script`: js/SCRIPT.js fills it; `styles` beside those of every page. `right` None: nobody need be signed in."""

    script: str
    right: Right | None
    styles: tuple[str, ...] = ()

    @property
    def html(self) -> str:
        """The whole document."""
        sheets = (f'<link rel="stylesheet" href="/static/{one}">' for one in (*EVERYWHERE, *self.styles))
        return SHELL.format(styles="\n".join(sheets), script=self.script, no_script=NO_SCRIPT)


PAGES: Mapping[str, Page] = {
    "/sign-in": Page("sign-in", None, ("css/sign-in.css",)),
    "/docs": Page("docs", Right.SELF, ("css/docs.css",)),
    "/agent": Page("desk", Right.DESK, ("css/desk.css",)),
    "/board": Page("board", Right.BOARD_SEE, ("vendor/uplot.css", "css/board.css")),
    "/wallboard": Page("wallboard", Right.BOARD_SEE, ("css/wallboard.css",)),
    "/campaigns": Page("campaigns", Right.CAMPAIGNS_SEE, ("css/campaigns.css",)),
    "/flows": Page("flows", Right.CAMPAIGNS_SEE, ("css/campaigns.css", "css/flows.css")),
    "/lists": Page("lists", Right.LISTS_SEE, ("css/campaigns.css", "css/lists.css")),
    "/debtors": Page("debtors", Right.DEBTORS_SEE, ("css/debtors.css",)),
    "/users": Page("users", Right.USERS_SEE),
}


def home_of(role: Role) -> str:
    """Where somebody lands who has signed in."""
    return "/agent" if role is Role.AGENT else "/board"


def home(who: Who) -> str:
    """The same, of who asks."""
    return home_of(who.role)
