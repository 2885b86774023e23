"""Results of talks: which words a campaign's agents are offered, by which keys, and which of them need a note."""

from typing import Annotated

import msgspec
from msgspec import Meta

from dialer.errors import BadInput
from dialer.web import results, sheets
from dialer.web.access import Right
from dialer.web.api.desk_form import Offered, Word
from dialer.web.doors import Office
from dialer.web.problems import Problem
from dialer.web.records import campaign_of
from dialer.web.route import Asked, Route
from dialer.web.sheets import Version, Versions


class ResultGiven(msgspec.Struct, forbid_unknown_fields=True):
    """`key`: one figure or letter; `note`: nothing is taken without one."""

    word: Word
    key: Annotated[str, Meta(min_length=1, max_length=1)]
    note: bool = False


class Results(msgspec.Struct):
    """`words`: in the order in which they are shown. `all`: every word that there is; `always`: those that no campaign
    can do without; `taken`: keys that the desk has for something else."""

    version: Version
    words: list[Offered]
    all: list[str]
    always: list[str]
    taken: list[str]


class ResultChange(msgspec.Struct, forbid_unknown_fields=True):
    """All of them. `revision`: of what was looked at."""

    words: Annotated[list[ResultGiven], Meta(max_length=36)]
    revision: int


class ResultQuery(msgspec.Struct, forbid_unknown_fields=True):
    """`revision` 0: the newest."""

    revision: Annotated[int, Meta(ge=0, le=10**9)] = 0


async def show(office: Office, asked: Asked[ResultQuery, None]) -> Results:
    """What is offered now."""
    campaign, _ = await campaign_of(office, asked)
    name, wanted = f"results/{campaign.id}", asked.query.revision
    sheet = await sheets.version(office, name, wanted) if wanted else await sheets.sheets(office).read(name)
    return _shown(sheets.decoded(sheet, list[Offered]), sheets.shown(sheet))


async def change(office: Office, asked: Asked[None, ResultChange]) -> Results:
    """Agents have them from their next call on; a talk that has begun keeps its own."""
    campaign, _ = await campaign_of(office, asked)
    wanted = [Offered(one.word, one.key.upper(), one.note) for one in asked.body.words]
    if faults := list(results.faults(wanted)):
        said = "; ".join(f"{one.word}{one.key}: {SENTENCES[one.kind]}" for one in faults)
        raise Problem(422, "bad_results", said[:2000], more={"faults": msgspec.to_builtins(faults)})
    done = await sheets.keep(office, asked, f"results/{campaign.id}", wanted, asked.body.revision)
    return _shown(wanted, sheets.shown(done))


async def versions(office: Office, asked: Asked[None, None]) -> Versions:
    """Who changed them when."""
    campaign, _ = await campaign_of(office, asked)
    return await sheets.versions(office, f"results/{campaign.id}")


async def offered(office: Office, campaign: str) -> list[Offered]:
    """With what a talk of this campaign may end."""
    try:
        found, _ = await sheets.content(office, f"results/{campaign}", list[Offered])
    except (BadInput, Problem):
        found = None
    return found or list(results.DEFAULT)


SENTENCES = {
    "unknown": "no such word",
    "word_twice": "offered twice",
    "lacks": "no campaign can do without it",
    "key_twice": "two words have this key",
    "key": "use one figure or letter",
    "key_taken": "the desk has this key for something else",
}


def _shown(found: list[Offered] | None, version: Version) -> Results:
    words = found or list(results.DEFAULT)
    return Results(version, words, list(results.WORDS), list(results.ALWAYS), sorted(results.TAKEN))


NO_CAMPAIGN = (404, "no_campaign")
WHERE = "/campaigns/{campaign}/results"
ROUTES = (
    Route("GET", WHERE, Right.CAMPAIGNS_SEE, show, "With what words talks end", query=ResultQuery,
          gives=Results, problems=(NO_CAMPAIGN, (404, "no_version"))),
    Route("PUT", WHERE, Right.CAMPAIGNS_CHANGE, change, "Change the words that are offered", takes=ResultChange,
          gives=Results, problems=(NO_CAMPAIGN, sheets.CHANGED, (422, "bad_results"))),
    Route("GET", WHERE + "/versions", Right.CAMPAIGNS_SEE, versions, "Who changed the words when", gives=Versions,
          problems=(NO_CAMPAIGN,)),
)  # fmt: skip
