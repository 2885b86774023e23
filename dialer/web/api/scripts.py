"""What agents say: a campaign's own scripts by language and stage, instead of those that come with Santun."""

from datetime import UTC, date, datetime
from typing import Annotated, Literal

import msgspec
from msgspec import Meta

from dialer.errors import BadInput
from dialer.web import sheets, talk
from dialer.web.access import Right
from dialer.web.doors import Office
from dialer.web.problems import Problem
from dialer.web.records import campaign_of
from dialer.web.route import Asked, Route
from dialer.web.sheets import Version, Versions
from dialer.web.talk import Stage, Step

Language = Literal["id", "en"]
Line = Annotated[str, Meta(max_length=200)]
Text = Annotated[str, Meta(max_length=2000)]
Own = dict[Language, dict[Stage, list[Step]]]
NO_SCRIPTS: Own = {}
SAMPLE_DUE, SAMPLE_PROMISED = date(2026, 11, 8), date(2026, 11, 20)


class StepGiven(msgspec.Struct, forbid_unknown_fields=True):
    """One thing to say, or to do where `say` is empty; `{name}` and the other variables are filled in."""

    title: Line
    say: Text = ""
    do: Text = ""


class Scripts(msgspec.Struct):
    """`stages`: what is read out now; `own`: of which stages the campaign has its own. `sample`: variable -> what it
    may look like; `first`: those that the first step may use, before it is known who is there.
    """

    language: Language
    version: Version
    stages: dict[Stage, list[Step]]
    own: list[Stage]
    sample: dict[str, str]
    first: list[str]


class ScriptChange(msgspec.Struct, forbid_unknown_fields=True):
    """The campaign's own scripts in this language, all of them: a stage that is left out is said as Santun has it.
    `revision`: of what was looked at."""

    language: Language
    stages: dict[Stage, Annotated[list[StepGiven], Meta(max_length=20)]]
    revision: int


class ScriptQuery(msgspec.Struct, forbid_unknown_fields=True):
    """`revision` 0: the newest."""

    language: Language = "id"
    revision: Annotated[int, Meta(ge=0, le=10**9)] = 0


async def show(office: Office, asked: Asked[ScriptQuery, None]) -> Scripts:
    """In one language."""
    campaign, _ = await campaign_of(office, asked)
    name, wanted = f"scripts/{campaign.id}", asked.query.revision
    found = await sheets.version(office, name, wanted) if wanted else await sheets.sheets(office).read(name)
    own: Own = sheets.decoded(found, Own) or {}
    return _shown(asked.query.language, own, sheets.shown(found), campaign.caller_name)


async def change(office: Office, asked: Asked[None, ScriptChange]) -> Scripts:
    """Agents get them with their next call."""
    campaign, _ = await campaign_of(office, asked)
    wanted, name = asked.body, f"scripts/{campaign.id}"
    stages = {
        stage: [Step(one.title.strip(), one.say.strip(), one.do.strip()) for one in script]
        for stage, script in wanted.stages.items()
    }
    if faults := [fault for stage, script in stages.items() for fault in talk.faults(stage, script)]:
        said = "; ".join(f"{one.stage.value} step {one.step + 1}: {SENTENCES[one.kind]}{one.word}" for one in faults)
        raise Problem(422, "bad_script", said[:2000], more={"faults": msgspec.to_builtins(faults)})
    known, _ = await sheets.content(office, name, Own)
    own: Own = {**(known or {}), wanted.language: stages}
    done = await sheets.keep(office, asked, name, own, wanted.revision)
    return _shown(wanted.language, own, sheets.shown(done), campaign.caller_name)


async def versions(office: Office, asked: Asked[None, None]) -> Versions:
    """Who changed them when."""
    campaign, _ = await campaign_of(office, asked)
    return await sheets.versions(office, f"scripts/{campaign.id}")


async def own_scripts(office: Office, campaign: str) -> Own:
    """What this campaign's agents say instead of ours; empty where there is no such thing, or it cannot be read."""
    try:
        found, _ = await sheets.content(office, f"scripts/{campaign}", Own)
    except (BadInput, Problem):
        return NO_SCRIPTS
    return found or NO_SCRIPTS


SENTENCES = {
    "empty": "no step",
    "no_title": "no title",
    "no_words": "nothing to say or to do",
    "brace": "a brace that belongs to no variable",
    "unknown": "no such variable: ",
    "debt_first": "a word of the debt before it is known who is there: ",
}


def _shown(language: Language, own: Own, version: Version, caller: str) -> Scripts:
    ours, theirs = talk.read(language), own.get(language, {})
    stages = {stage: list(theirs.get(stage, ours[stage])) for stage in Stage}
    return Scripts(language, version, stages, list(theirs), _sample(language, caller), sorted(talk.FOR_ANYONE))


def _sample(language: Language, caller: str) -> dict[str, str]:
    """An invented debtor's values, formatted as a real one's."""
    hour = datetime(2026, 11, 23, 9, tzinfo=UTC).hour
    return {
        "greeting": talk.greeting(hour, language), "caller": caller or "Santun", "name": "Budi Santoso",
        "lender": "Bank Maju", "product": "Kredit motor" if language == "id" else "motorcycle loan",
        "outstanding": talk.money(1_250_000, "IDR", language, 0), "minimum": talk.money(250_000, "IDR", language, 0),
        "due": talk.day(SAMPLE_DUE, language), "days_late": "15",
        "promised": talk.money(500_000, "IDR", language, 0), "promised_day": talk.day(SAMPLE_PROMISED, language),
    }  # fmt: skip


NO_CAMPAIGN = (404, "no_campaign")
WHERE = "/campaigns/{campaign}/scripts"
ROUTES = (
    Route("GET", WHERE, Right.CAMPAIGNS_SEE, show, "What agents say", query=ScriptQuery, gives=Scripts,
          problems=(NO_CAMPAIGN, (404, "no_version"))),
    Route("PUT", WHERE, Right.CAMPAIGNS_CHANGE, change, "Change what agents say", takes=ScriptChange, gives=Scripts,
          problems=(NO_CAMPAIGN, sheets.CHANGED, (422, "bad_script"))),
    Route("GET", WHERE + "/versions", Right.CAMPAIGNS_SEE, versions, "Who changed the scripts when", gives=Versions,
          problems=(NO_CAMPAIGN,)),
)  # fmt: skip
