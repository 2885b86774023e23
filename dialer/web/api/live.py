"""A campaign as it is now and was over the shift, and a supervisor's orders to its engine."""

from typing import Annotated, Any, Literal

import msgspec
from msgspec import Meta

from dialer.desk.skills import MOVE
from dialer.model import CAMPAIGN_ID
from dialer.pace.series import NUMBERS
from dialer.web.access import Right
from dialer.web.alerts import alerts
from dialer.web.doors import Office
from dialer.web.live import shown
from dialer.web.problems import Problem
from dialer.web.route import Asked, Raw, Route

POINTS_MOST = 500
SHIFT_S = 12 * 3600
ORDER_S = 5.0
Extension = Annotated[str, Meta(pattern=r"^([0-9]{2,10}|all|)$")]

RUN = ("start", "pause", "stop")
ABOUT_AGENTS = (
    "message",
    "break",
    "back",
    "sign_out",
    "hang_up",
    "listen",
    "whisper",
    "join",
    "take_over",
    "leave",
    MOVE,
)


class SeriesQuery(msgspec.Struct, forbid_unknown_fields=True):
    """`hours` back from now, in at most `points` points."""

    hours: Annotated[float, Meta(gt=0, le=48)] = SHIFT_S / 3600
    points: Annotated[int, Meta(ge=2, le=POINTS_MOST)] = 240


class Shift(msgspec.Struct):
    """Columns of one length: `at` in epoch seconds, `numbers` by name (docs/pacing-series.md; null where it says none),
    `reason` as the pacer put it."""

    campaign: str
    at: list[float]
    numbers: dict[str, list[float | None]]
    reason: list[str]


class Order(msgspec.Struct, forbid_unknown_fields=True):
    """`agent`: an extension, for a message also `all`; `text`: of a message; `reason`: of a break; `to`: the
    campaign that he is to move to, one that he serves; `supervisor`: on
    whose own telephone one listens, whispers, joins or takes over."""

    name: Literal[
        "start", "pause", "stop", "message", "break", "back", "sign_out", "hang_up", "listen", "whisper", "join",
        "take_over", "leave", "move",
    ]  # fmt: skip
    agent: Extension = ""
    text: Annotated[str, Meta(max_length=500)] = ""
    reason: Annotated[str, Meta(max_length=40)] = ""
    to: Annotated[str, Meta(pattern=r"^([a-z0-9][a-z0-9-]{0,39})?$")] = ""
    supervisor: Annotated[str, Meta(pattern=r"^([0-9]{2,10})?$")] = ""


class Answer(msgspec.Struct):
    """What the engine said; it has been done."""

    text: str


async def live(office: Office, asked: Asked[None, None]) -> Raw:
    """The last board, as /live sends it, with its alerts."""
    campaign = _campaign(asked)
    raw = await office.books.published(campaign)
    if raw is None:
        raise Problem(404, "no_board", "There is no such campaign, or no engine has led it yet.")
    board = shown(raw)
    if board is None:
        raise Problem(503, "no_board", "The board cannot be read; the engine writes a new one within a second.", 1)
    return Raw(msgspec.json.encode(board | {"alerts": alerts(board, asked.at)}))


async def shift(office: Office, asked: Asked[SeriesQuery, None]) -> Shift:
    """The pacer's figures over time, sampled."""
    campaign, query = _campaign(asked), asked.query
    since = asked.at - query.hours * 3600
    entries = await office.books.pacing_sampled(campaign, since, asked.at, query.points)
    names = [name for name in NUMBERS if any(name in entry for entry in entries)]
    return Shift(
        campaign,
        [_number(entry.get("at")) or 0.0 for entry in entries],
        {name: [_number(entry.get(name)) for entry in entries] for name in names},
        [entry.get("reason", "") for entry in entries],
    )


async def order(office: Office, asked: Asked[None, Order]) -> Answer:
    """Carried out once or refused; never later than within ORDER_S."""
    campaign, wanted = _campaign(asked), asked.body
    right = Right.CAMPAIGNS_RUN if wanted.name in RUN else Right.AGENTS_ORDER
    if not asked.who.may(right):
        raise Problem(403, "not_allowed", f"This needs the right {right.value}.")
    if wanted.name in ABOUT_AGENTS and not wanted.agent:
        raise Problem(422, "no_agent", "Say which agent.")
    if wanted.name == MOVE:
        await _serves(office, wanted)
    asked.note = f"{wanted.name} {wanted.agent} {wanted.to}".strip()
    args: dict[str, Any] = {
        name: value
        for name in ("agent", "text", "reason", "supervisor", "to")
        if (value := getattr(wanted, name))
    }  # fmt: skip
    if wanted.name in ("break", "back", "sign_out"):
        args["forced"] = "1"
    return Answer(await office.ask(campaign, wanted.name, args, asked.who, ORDER_S, key=_once(asked)))


async def _serves(office: Office, wanted: Order) -> None:
    """He goes to none of which nobody said that he serves it."""
    user = next((one for one in await office.users.users() if one.agent == wanted.agent), None)
    if wanted.to not in await office.books.campaigns():
        raise Problem(422, "no_campaign", "There is no such campaign.")
    if user is not None and user.campaigns and wanted.to not in user.campaigns:
        raise Problem(422, "not_his", f"Agent {wanted.agent} serves {', '.join(user.campaigns)}.")


def _once(asked: Asked[None, Order]) -> str:
    """The engine applies an id once, whoever asks twice."""
    return f"web-{asked.who.name}-{asked.key}"[:200] if asked.key else ""


def _campaign(asked: Asked[Any, Any]) -> str:
    campaign = asked.path["campaign"]
    if not CAMPAIGN_ID.fullmatch(campaign):
        raise Problem(404, "no_campaign", "There is no such campaign.")
    return campaign


def _number(text: str | None) -> float | None:
    try:
        return float(text) if text else None
    except ValueError:
        return None


NO_BOARD = ((404, "no_board"),)
REFUSED = ((409, "engine_refused"), (504, "engine_silent"))

ROUTES = (
    Route("GET", "/campaigns/{campaign}/live", Right.BOARD_SEE, live, "A campaign as it is now", gives=dict[str, Any],
          problems=NO_BOARD),
    Route("GET", "/campaigns/{campaign}/pacing", Right.BOARD_SEE, shift, "The pacer's figures over the shift",
          query=SeriesQuery, gives=Shift, cost=5),
    Route("POST", "/campaigns/{campaign}/orders", Right.BOARD_SEE, order, "Order the engine that leads it", takes=Order,
          gives=Answer, problems=REFUSED),
)  # fmt: skip
