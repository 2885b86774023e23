"""Every key in Redis, in one place. What stands in braces decides the hash slot: one script, one slot."""

from dataclasses import dataclass
from functools import lru_cache

from dialer.errors import BadInput
from dialer.forms.sheets import NAME
from dialer.model import CAMPAIGN_ID

CAMPAIGNS = "santun:campaigns"
KEYED_BY = "santun:keyed-by"  # mark of the secret by which people are known here
IVR_BEATS = "santun:ivr-beats"
SHEETS = "santun:sheets"  # names of what is edited in the browser
STOPS_LOG = "santun:stops"  # stream: who stopped or lifted what, and why
ENDED = "santun:ended"  # campaign -> since when it is known to be stopped
UNWANTED = "santun:unwanted"  # attempts whose recordings are to go, score: since when
UPKEEP = "santun:upkeep"  # whoever does it this hour
PAYMENTS = "{santun:payments}:told"  # stream: every payment that we were told of
PAYMENT_IDS = "{santun:payments}:ids"  # payment -> what it said


@dataclass(frozen=True, slots=True)
class CampaignKeys:
    """All that one campaign owns."""

    settings: str
    status: str
    lease: str  # "token engine", expires
    fence: str  # the newest token given
    contacts: str  # id -> contact
    later: str  # callable from (score) on
    ready: str  # callable now, score rank * 1e7 + due
    rest: str  # done, score since when
    open: str  # attempt id -> attempt
    unsettled: str  # attempt id -> effects of a written outcome that person and number have yet to get
    outcomes: str  # public stream
    refusals: str  # public stream
    refused: str  # contact -> lines of "rule until times"
    behind: str  # contact -> as the engine gave it back, when the list's data had been replaced meanwhile
    withdrawn: str  # contacts that are not to come back to the list
    log: str  # decisions, chained: decisionlog.py
    log_head: str  # "seq hash" of the last decision
    log_anchor: str  # "seq hash" of the last one trimmed
    corrections: str  # hashes of corrections written
    counters: str
    agents: str  # agent id -> agent
    snapshot: str
    live: str  # channel of snapshots
    pacing: str  # public stream of decisions
    commands: str  # stream of commands not yet applied
    command_ids: str  # command id -> entry of that stream
    told: str  # channel: attempt id with new facts; empty: a command
    call_backs: str  # contact -> the minute at which he wants to be called
    late: str  # "attempt token" -> a change that could not be written in its time: dialer/running/late.py
    promised: str  # "attempt person" of promises that are pending, score: when they end
    promises_ended: str  # the same of others, score: when it was seen
    forgotten: str  # open attempts whose person was erased during the call
    erased: str  # attempts whose person was erased, score: when; nothing of them comes back


@lru_cache(maxsize=1024)
def campaign_keys(campaign: str) -> CampaignKeys:
    """Refuses what is no campaign id: it could land in somebody else's keys."""
    if not CAMPAIGN_ID.fullmatch(campaign):
        raise BadInput(f"campaign id {campaign!r}: use a-z, 0-9 and -, at most 40 characters")
    return CampaignKeys(*(f"{{{campaign}}}:{name.replace('_', '-')}" for name in CampaignKeys.__slots__))


def chunks_key(campaign: str, load: str) -> str:
    """What one import has brought: chunk -> how many were new."""
    return f"{{{campaign}}}:chunks:{load}"


def facts_key(campaign: str, attempt: str) -> str:
    """What the IVR learnt in one call: number in the order -> fact."""
    return f"{{{campaign}}}:facts:{attempt}"


def reply_key(campaign: str, command: str) -> str:
    """Where the sender of a command waits."""
    return f"{{{campaign}}}:reply:{command}"


@dataclass(frozen=True, slots=True)
class PartyKeys:
    """A person or a number: flags and lock, times of attempts, times of conversations."""

    state: str
    attempts: str
    talks: str


def person_keys(key: str) -> PartyKeys:
    """Under `{p:...}`."""
    return PartyKeys(f"{{p:{key}}}:state", f"{{p:{key}}}:attempts", f"{{p:{key}}}:talks")


def history_key(person: str) -> str:
    """What happened to a person, oldest first."""
    return f"{{p:{person}}}:history"


def promises_key(person: str) -> str:
    """What a person promised: attempt -> promise."""
    return f"{{p:{person}}}:promises"


def payments_key(person: str) -> str:
    """What a person paid: payment -> what counts for his promises."""
    return f"{{p:{person}}}:payments"


def number_keys(key: str) -> PartyKeys:
    """Under `{n:...}`."""
    return PartyKeys(f"{{n:{key}}}:state", f"{{n:{key}}}:attempts", f"{{n:{key}}}:talks")


def sheet_keys(name: str) -> tuple[str, str]:
    """The newest version of a sheet, and those that are kept. Refuses what is no name of one."""
    if not NAME.fullmatch(name):
        raise BadInput(f"sheet {name!r}: use a name such as scripts/april")
    return f"{{s:{name}}}:sheet", f"{{s:{name}}}:versions"


def agent_key(agent: str) -> str:
    """The campaign an agent works for."""
    return f"{{a:{agent}}}:campaign"


def desk_key(agent: str) -> str:
    """The last note for an agent's desk, and the channel of his notes and messages."""
    return f"{{a:{agent}}}:desk"


def messages_key(agent: str) -> str:
    """The last messages to an agent, the newest first."""
    return f"{{a:{agent}}}:messages"


def trunk_key(trunk: str) -> str:
    """Engine -> its slice of the trunk."""
    return f"{{t:{trunk}}}:slices"


def number_index(bucket: str) -> str:
    """A bucket of numbers and their contacts."""
    return f"{{n:{bucket}}}:contacts"


def account_index(bucket: str) -> str:
    """A bucket of lenders' accounts and their contacts."""
    return f"{{c:{bucket}}}:contacts"


def person_index(bucket: str) -> str:
    """A bucket of persons and their contacts."""
    return f"{{p:{bucket}}}:contacts"
