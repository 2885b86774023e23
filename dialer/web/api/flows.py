"""Conversations of the IVR: written, proved, each version kept; a campaign gets one that is sound and can be heard."""

from typing import Annotated, Any, cast

import msgspec
from msgspec import Meta

from dialer.errors import SetupError
from dialer.forms.conversations import Proof, Proofs, Source
from dialer.web import sheets
from dialer.web.access import Right
from dialer.web.doors import Office
from dialer.web.problems import Problem
from dialer.web.records import campaign_of
from dialer.web.route import Asked, Route
from dialer.web.sheets import Version, Versions

SHIPPED = "payment_reminder"
SWITCHES = "flows"
PROVE_LIMIT_S, MAKE_LIMIT_S = 40.0, 120.0
FlowName = Annotated[str, Meta(pattern=r"^([a-z0-9][a-z0-9_-]{0,39})?$")]


class Switch(msgspec.Struct, frozen=True):
    """Which version of which flow a campaign has."""

    flow: str
    revision: int


Switches = dict[str, Switch]


class FlowShown(msgspec.Struct):
    """A flow in a list; `label`: as it names itself in records, `campaigns`: those that have it."""

    flow: str
    label: str
    version: Version
    campaigns: list[str]


class FlowList(msgspec.Struct):
    """By name."""

    flows: list[FlowShown]


class FlowFull(msgspec.Struct):
    """`texts` by language; `proof`: what the IVR says of it."""

    flow: str
    version: Version
    source: Source
    proof: Proof
    campaigns: list[str]


class FlowChange(msgspec.Struct, forbid_unknown_fields=True):
    """A new version. `revision`: of what was looked at, 0: it is new."""

    source: Source
    revision: int


class FlowQuery(msgspec.Struct, forbid_unknown_fields=True):
    """`revision` 0: the newest."""

    revision: Annotated[int, Meta(ge=0, le=10**9)] = 0


class CampaignFlow(msgspec.Struct):
    """`flow` empty: the one with which the IVR was started. `newest`: a later version is there."""

    flow: str
    revision: int
    newest: int


class FlowWanted(msgspec.Struct, forbid_unknown_fields=True):
    """`flow` empty: the one with which the IVR was started; `revision` 0: its newest version."""

    flow: FlowName = ""
    revision: Annotated[int, Meta(ge=0, le=10**9)] = 0


# ---- flows


async def listed(office: Office, asked: Asked[None, None]) -> FlowList:
    """Those that were written here."""
    shelf, switches = sheets.sheets(office), await _switches(office)
    shown = []
    for name in await shelf.names("flow"):
        found = await shelf.read(name)
        plain = name.removeprefix("flow/")
        kept = sheets.decoded(found, Kept)
        shown.append(FlowShown(plain, kept.label if kept else "", sheets.shown(found), _users(switches, plain)))
    return FlowList(shown)


class Kept(msgspec.Struct):
    """As a sheet has it: sound when it was written."""

    label: str
    source: Source


async def show(office: Office, asked: Asked[FlowQuery, None]) -> FlowFull:
    """Its texts, and what the IVR says of them now."""
    name = _name(asked)
    wanted = asked.query.revision
    found = await sheets.version(office, name, wanted) if wanted else await sheets.sheets(office).read(name)
    kept = sheets.decoded(found, Kept)
    if kept is None:
        raise Problem(404, "no_flow", "There is no such flow here.")
    plain = asked.path["flow"]
    users = _users(await _switches(office), plain)
    return FlowFull(plain, sheets.shown(found), kept.source, await _prove(office, kept.source), users)


async def template(office: Office, asked: Asked[None, None]) -> Source:
    """The payment reminder as it comes with Santun, to begin with."""
    try:
        return await _proofs(office).shipped(SHIPPED)
    except SetupError as error:
        raise Problem(503, "no_ivr", error.detail) from error


async def check(office: Office, asked: Asked[None, Source]) -> Proof:
    """Every fault with its file and line; nothing is kept."""
    return await _prove(office, asked.body)


async def change(office: Office, asked: Asked[None, FlowChange]) -> FlowFull:
    """A new version, if it is sound. Campaigns that have the flow keep theirs until they are given this one."""
    name, wanted = _name(asked), asked.body
    await sheets.unchanged(office, name, wanted.revision)  # a proof takes a second
    proof = await _prove(office, wanted.source)
    if proof.faults:
        said = "; ".join(f"{one.file}:{one.line}: {one.text}" for one in proof.faults)
        raise Problem(422, "bad_flow", said[:2000], more={"faults": msgspec.to_builtins(proof.faults)})
    done = await sheets.keep(office, asked, name, Kept(proof.label, wanted.source), wanted.revision)
    plain = asked.path["flow"]
    return FlowFull(plain, sheets.shown(done), wanted.source, proof, _users(await _switches(office), plain))


async def versions(office: Office, asked: Asked[None, None]) -> Versions:
    """Who wrote them when."""
    return await sheets.versions(office, _name(asked))


async def make(office: Office, asked: Asked[FlowQuery, None]) -> Proof:
    """Render what has no sound yet, by the voices of the folder; `lacking` tells what is left."""
    name, wanted = _name(asked), asked.query.revision
    found = await sheets.version(office, name, wanted) if wanted else await sheets.sheets(office).read(name)
    kept = sheets.decoded(found, Kept)
    if kept is None:
        raise Problem(404, "no_flow", "There is no such flow here.")
    return await _prove(office, kept.source, make=True)


# ---- who has which


async def of_campaign(office: Office, asked: Asked[None, None]) -> CampaignFlow:
    """What its callers hear."""
    campaign, _ = await campaign_of(office, asked)
    return await _of(office, (await _switches(office)).get(campaign.id))


async def switch(office: Office, asked: Asked[None, FlowWanted]) -> CampaignFlow:
    """From the next call on; conversations under way go on with theirs."""
    campaign, _ = await campaign_of(office, asked)
    wanted = asked.body
    found, sheet = await sheets.content(office, SWITCHES, Switches)
    switches = dict(found or {})
    switches.pop(campaign.id, None)
    if wanted.flow:
        name = f"flow/{wanted.flow}"
        one = await sheets.version(office, name, wanted.revision) if wanted.revision else None
        one = one or await sheets.sheets(office).read(name)
        kept = sheets.decoded(one, Kept)
        if kept is None:
            raise Problem(404, "no_flow", "There is no such flow here.")
        _fit(await _prove(office, kept.source))
        switches[campaign.id] = Switch(wanted.flow, one.revision)
    await sheets.keep(office, asked, SWITCHES, switches, sheet.revision)
    asked.note = f"{campaign.id}: {wanted.flow or 'as the IVR was started'}"
    return await _of(office, switches.get(campaign.id))


def _fit(proof: Proof) -> None:
    """Raises Problem 409 where nobody may be given it to hear."""
    if proof.faults:
        raise Problem(409, "bad_flow", "It is not sound any more; look at its faults.")
    if proof.lacking is None:
        raise Problem(409, "sounds_elsewhere", "Whether its sounds are there is not known here: set [ivr] prompts.")
    if proof.lacking:
        said = f"{len(proof.lacking)} sentences have no sound yet: {', '.join(proof.lacking[:10])}"
        raise Problem(409, "sounds_missing", said, more={"lacking": proof.lacking, "n": len(proof.lacking)})


async def _of(office: Office, one: Switch | None) -> CampaignFlow:
    if one is None:
        return CampaignFlow("", 0, 0)
    newest = await sheets.sheets(office).read(f"flow/{one.flow}")
    return CampaignFlow(one.flow, one.revision, newest.revision)


async def _switches(office: Office) -> Switches:
    found, _ = await sheets.content(office, SWITCHES, Switches)
    return found or {}


def _users(switches: Switches, flow: str) -> list[str]:
    return sorted(campaign for campaign, one in switches.items() if one.flow == flow)


def _name(asked: Asked[Any, Any]) -> str:
    return f"flow/{asked.path['flow']}"


def _proofs(office: Office) -> Proofs:
    return cast(Proofs, office.need("proofs"))


async def _prove(office: Office, source: Source, make: bool = False) -> Proof:
    try:
        return await _proofs(office).prove(source, make)
    except SetupError as error:
        raise Problem(503, "no_ivr", error.detail) from error


NO_CAMPAIGN, NO_FLOW, NO_IVR = (404, "no_campaign"), (404, "no_flow"), (503, "no_ivr")
UNFIT = ((409, "bad_flow"), (409, "sounds_missing"), (409, "sounds_elsewhere"))
BODY_MAX = 6 * 100_000
SEE, CHANGE = Right.CAMPAIGNS_SEE, Right.CAMPAIGNS_CHANGE
ROUTES = (
    Route("GET", "/flows", SEE, listed, "Conversations that were written here", gives=FlowList),
    Route("GET", "/flow-template", SEE, template, "The payment reminder, to begin with", gives=Source,
          limit_s=PROVE_LIMIT_S, cost=3, problems=(NO_IVR,)),
    Route("POST", "/flow-check", SEE, check, "Prove a conversation; nothing is kept", takes=Source, gives=Proof,
          body_max=BODY_MAX, limit_s=PROVE_LIMIT_S, cost=3, audited=False, problems=(NO_IVR,)),
    Route("GET", "/flows/{flow}", SEE, show, "One conversation, proved", query=FlowQuery, gives=FlowFull,
          limit_s=PROVE_LIMIT_S, cost=3, problems=(NO_FLOW, (404, "no_version"), NO_IVR)),
    Route("PUT", "/flows/{flow}", CHANGE, change, "Write a conversation", takes=FlowChange, gives=FlowFull,
          body_max=BODY_MAX, limit_s=PROVE_LIMIT_S, cost=3, problems=(sheets.CHANGED, (422, "bad_flow"), NO_IVR)),
    Route("GET", "/flows/{flow}/versions", SEE, versions, "Who wrote it when", gives=Versions),
    Route("POST", "/flows/{flow}/sounds", CHANGE, make, "Render what has no sound yet", query=FlowQuery, gives=Proof,
          limit_s=MAKE_LIMIT_S, cost=10, problems=(NO_FLOW, (404, "no_version"), NO_IVR)),
    Route("GET", "/campaigns/{campaign}/flow", SEE, of_campaign, "Which conversation its callers hear",
          gives=CampaignFlow, problems=(NO_CAMPAIGN,)),
    Route("PUT", "/campaigns/{campaign}/flow", CHANGE, switch, "Give it another conversation", takes=FlowWanted,
          gives=CampaignFlow, limit_s=PROVE_LIMIT_S, cost=3,
          problems=(NO_CAMPAIGN, NO_FLOW, sheets.CHANGED, *UNFIT, NO_IVR)),
)  # fmt: skip
