"""Campaigns: created from a template, looked at, changed while they run within limits, foretold before they begin."""

import hashlib
import json
from collections.abc import Mapping, Sequence
from typing import Annotated, Any

import msgspec
from msgspec import Meta

from dialer import campaigns
from dialer.config import validate_campaign
from dialer.errors import BadInput, ConfigError
from dialer.forms.told import parts, told
from dialer.model import CAMPAIGN_ID, Campaign, Kind, Mode, Status
from dialer.web.access import Right
from dialer.web.doors import Office
from dialer.web.problems import Problem
from dialer.web.records import campaign_of, pack_or_fault, records
from dialer.web.route import Asked, Route

# what the engine takes over at once while it calls; everything else waits for a pause
LIVE = frozenset(
    "mode ratio lines_max lines_per_agent_max calls_per_second abandon_rate_max wrap_up_max_s shift_ends name"
    " shifts week first_day last_day"
    " callback_own_agent_s agent_wait_s promise_days_max promise_least promise_grace_days breaks cool_down_s".split()
)
SETTINGS_MAX = 60

# what differs from model.Campaign's own safe defaults
TEMPLATES: Mapping[str, Mapping[str, str]] = {
    "agents": {"kind": "agents", "mode": "progressive"},
    "agents_predictive": {"kind": "agents", "mode": "predictive", "detection": "false"},
    "agents_with_ivr": {"kind": "agents", "mode": "progressive", "overflow": "ivr"},
    "preview": {"kind": "agents", "mode": "preview"},
    "reminder": {"kind": "ivr", "mode": "ivr", "ivr_agents": "false"},
    "reminder_with_agents": {"kind": "ivr", "mode": "ivr", "ivr_agents": "true"},
}

Word = Annotated[str, Meta(max_length=20_000)]
Value = str | int | float | bool | dict[str, Any]


class CampaignShown(msgspec.Struct):
    """A campaign in a list. `due`: contacts that may be called now, `later`: that wait."""

    id: str
    name: str
    kind: Kind
    mode: Mode
    status: Status
    due: int
    later: int


class CampaignList(msgspec.Struct):
    """All of them, by id."""

    campaigns: list[CampaignShown]


class SettingFault(msgspec.Struct):
    """`code` stays the same, whatever `text` says; `params` go with it. Empty: there is the text alone."""

    code: str
    params: dict[str, str]
    text: str


class CampaignFull(msgspec.Struct):
    """`settings`: every one by its name, in its own form; `live`: those that may be changed while it runs; `revision`
    goes with a change that must not overwrite somebody else's; `faults`: why it cannot run; `counters`: what came of
    its attempts so far.
    """

    id: str
    status: Status
    revision: str
    due: int
    later: int
    contacts: int
    settings: dict[str, Any]
    live: list[str]
    faults: list[SettingFault]
    counters: dict[str, int]


class NewCampaign(msgspec.Struct, forbid_unknown_fields=True):
    """`settings`: any other setting by its name; what is left out is the template's, or the safe default."""

    id: Annotated[str, Meta(pattern=f"^{CAMPAIGN_ID.pattern}$")]
    template: str = "agents"
    settings: dict[str, Value] = {}


class CampaignChange(msgspec.Struct, forbid_unknown_fields=True):
    """What is left out stays. `revision`: of the settings that were looked at; another one by now: 409."""

    settings: dict[str, Value]
    revision: Annotated[str, Meta(max_length=64)] = ""


class TemplateList(msgspec.Struct):
    """Template -> the settings in which it differs from the defaults."""

    templates: dict[str, dict[str, str]]


async def list_all(office: Office, asked: Asked[None, None]) -> CampaignList:
    """With what is left of their lists."""
    shown = []
    for name in await office.books.campaigns():
        found = await office.books.campaign(name)
        if found is not None:
            one, status = found
            due, later = await office.books.remaining(name, asked.at)
            shown.append(CampaignShown(one.id, one.name, one.kind, one.mode, status, due, later))
    return CampaignList(shown)


async def templates(office: Office, asked: Asked[None, None]) -> TemplateList:
    """To choose from."""
    return TemplateList({name: dict(words) for name, words in TEMPLATES.items()})


async def create(office: Office, asked: Asked[None, NewCampaign]) -> CampaignFull:
    """It does not start by itself."""
    wanted = asked.body
    if wanted.template not in TEMPLATES:
        raise Problem(422, "no_template", f"Use one of {', '.join(TEMPLATES)}.")
    if await office.books.campaign(wanted.id) is not None:
        raise Problem(409, "campaign_there", f"Campaign {wanted.id} is there already.")
    campaign = await changed_campaign(office, wanted.id, None, {**TEMPLATES[wanted.template], **wanted.settings})
    await office.books.save_campaign(campaign)
    asked.note = f"{wanted.id} from {wanted.template}"
    return await _full(office, campaign, Status.READY, asked.at)


async def show(office: Office, asked: Asked[None, None]) -> CampaignFull:
    """Every setting, and how it stands."""
    return await _full(office, *(await campaign_of(office, asked)), asked.at)


async def change(office: Office, asked: Asked[None, CampaignChange]) -> CampaignFull:
    """The engine that leads it takes it over within a second or two."""
    before, status = await campaign_of(office, asked)
    wanted = asked.body
    if wanted.revision and wanted.revision != _revision(before):
        raise Problem(409, "changed_meanwhile", "Somebody has changed the campaign meanwhile; look again.")
    after = await changed_campaign(office, before.id, before, wanted.settings)
    changes = [name for name in campaigns.FIELDS if getattr(before, name) != getattr(after, name)]
    slow = sorted(set(changes) - LIVE)
    if slow and not asked.who.may(Right.CAMPAIGNS_CHANGE):
        raise Problem(403, "not_allowed", f"{', '.join(slow)}: this needs the right {Right.CAMPAIGNS_CHANGE.value}.")
    if slow and status is Status.RUNNING:
        raise Problem(409, "running", f"{', '.join(slow)}: pause the campaign first.")
    asked.note = "; ".join(campaigns.changes(before, after))
    await office.books.save_campaign(after)
    return await _full(office, after, status, asked.at)


async def changed_campaign(office: Office, name: str, known: Campaign | None, given: Mapping[str, Value]) -> Campaign:
    """What is given, over what is known. Raises Problem 422 with every fault at once."""
    if len(given) > SETTINGS_MAX:
        raise Problem(422, "bad_settings", "Too many settings.")
    words = {key: value if isinstance(value, str) else json.dumps(value) for key, value in given.items()}
    trunks = {trunk: settings.caller_ids for trunk, settings in office.config.trunk.items()}
    try:
        wanted = campaigns.settings(name, words, known, trunks)
    except BadInput as error:
        raise _bad_settings(str(error), error.faults) from None
    except (ValueError, RecursionError) as error:
        raise _bad_settings(str(error), ()) from None
    if faults := await _faults(office, wanted):
        raise _bad_settings("; ".join(faults), faults)
    return wanted


def _bad_settings(sentence: str, faults: Sequence[str]) -> Problem:
    more = {"faults": msgspec.to_builtins(_shown(faults))} if faults else None
    return Problem(422, "bad_settings", sentence[:2000], more=more)


async def _faults(office: Office, campaign: Campaign) -> list[str]:
    trunk = office.config.trunk.get(campaign.trunk)
    if trunk is None:
        where, trunks = f"trunk = {campaign.trunk!r}", ", ".join(office.config.trunk)
        return [told("use_one_of", f"{where}: use one of {trunks}", where=where, known=trunks)]
    found = await pack_or_fault(office, campaign)
    if isinstance(found, ConfigError):
        return list(found.faults) or [told("pack_unusable", str(found), why=found.detail)]
    return validate_campaign(campaign, found, trunk)


def _shown(faults: Sequence[str]) -> list[SettingFault]:
    return [SettingFault(*parts(one), str(one)) for one in faults]


async def _full(office: Office, campaign: Campaign, status: Status, at: float) -> CampaignFull:
    store = records(office)
    due, later = await office.books.remaining(campaign.id, at)
    settings: dict[str, Any] = msgspec.to_builtins(campaign)
    settings.pop("id")
    return CampaignFull(
        campaign.id, status, _revision(campaign), due, later, await store.listed(campaign.id), settings, sorted(LIVE),
        _shown(await _faults(office, campaign)), await store.counters(campaign.id),
    )  # fmt: skip


def _revision(campaign: Campaign) -> str:
    """Of its settings: the same give the same."""
    return hashlib.sha256(msgspec.json.encode(campaign)).hexdigest()[:16]


NO_CAMPAIGN = (404, "no_campaign")
ROUTES = (
    Route("GET", "/campaigns", Right.CAMPAIGNS_SEE, list_all, "All campaigns", gives=CampaignList),
    Route("GET", "/templates", Right.CAMPAIGNS_SEE, templates, "What a campaign may be made from", gives=TemplateList),
    Route("POST", "/campaigns", Right.CAMPAIGNS_CHANGE, create, "Create a campaign", takes=NewCampaign,
          gives=CampaignFull, status=201, problems=((409, "campaign_there"), (422, "bad_settings"))),
    Route("GET", "/campaigns/{campaign}", Right.CAMPAIGNS_SEE, show, "One campaign", gives=CampaignFull,
          problems=(NO_CAMPAIGN,)),
    Route("PATCH", "/campaigns/{campaign}", Right.CAMPAIGNS_RUN, change, "Change settings", takes=CampaignChange,
          gives=CampaignFull, problems=(NO_CAMPAIGN, (409, "running"), (422, "bad_settings"))),
)  # fmt: skip
