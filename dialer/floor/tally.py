"""The day so far of one campaign, for people: how far calls came, what was said, what agents did, what rules cost.

A day is the calendar day of the campaign's zone. Nothing here decides; each step costs the same however long the day.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

import msgspec

from dialer.errors import BadInput
from dialer.model import Agent, AgentState, Attempt, Fact, Outcome, Refused, Verdict
from dialer.outcomes import CHOICES, believed, promise_of, read_disposition, said_by_agent

MOST_BETWEEN_S = 5.0  # a longer pause between two looks was the engine's, not the agents'
WORDS_MOST = 100  # rules and choices are closed lists; whatever comes in, this does not grow beyond
_AT_WORK = frozenset({AgentState.PREVIEW, AgentState.RESERVED, AgentState.TALKING, AgentState.WRAP_UP})
_WORKING = _AT_WORK | {AgentState.IDLE}
_REACHED = frozenset({Outcome.CONNECTED, Outcome.IVR, Outcome.OVERFLOWED})


@dataclass(frozen=True, slots=True)
class Day:
    """`answered`: by a person; `served`: of them, by an agent or the IVR; `right`: the debtor himself, as agent or IVR
    found; `promised`: currency -> sum of the promises' amounts. `spent_s`: state -> seconds of all agents together.
    """

    date: str = ""
    dialled: int = 0
    answered: int = 0
    served: int = 0
    right: int = 0
    promises: int = 0
    promised: Mapping[str, int] = field(default_factory=dict)
    choices: Mapping[str, int] = field(default_factory=dict)  # what was keyed in the IVR -> how often
    results: Mapping[str, int] = field(default_factory=dict)  # agents' dispositions -> how often
    refused: Mapping[str, int] = field(default_factory=dict)  # rule -> contacts set aside
    spent_s: Mapping[str, float] = field(default_factory=dict)

    @property
    def utilisation(self) -> float | None:
        """Share of the agents' ready time that calls and their wrap-up took; None: nobody was ready yet."""
        ready = sum(self.spent_s.get(state, 0.0) for state in _WORKING)
        return sum(self.spent_s.get(state, 0.0) for state in _AT_WORK) / ready if ready else None


class Tally:
    """Counts one campaign's day; `zone`: whose midnight."""

    def __init__(self, zone: str) -> None:
        self.zone = zone
        self.day = Day()
        self._looked_at = 0.0
        self._midnight = 0.0

    def ended(self, attempt: Attempt, judged: Verdict, facts: Sequence[Fact], at: float, currency: str = "IDR") -> None:
        """One attempt came to its end. Inbound calls were not dialled, and count for what was said."""
        self._roll(at)
        day = self.day
        ours = attempt.kind != "inbound"
        word = read_disposition(attempt.disposition)[0]
        said = [(fact.name, fact.value) for fact in believed(attempt, facts) if fact.name in CHOICES]
        promises = [one for name, one in [*said, *said_by_agent(attempt.disposition)] if name == "promise"]
        self.day = replace(
            day,
            dialled=day.dialled + (ours and judged.outcome is not Outcome.NOT_PLACED),
            answered=day.answered + (ours and judged.live),
            served=day.served + (ours and judged.live and judged.outcome in _REACHED),
            right=day.right + judged.conversation,
            promises=day.promises + bool(promises),
            promised=_plus(day.promised, currency, _amount(promises[-1])) if promises else day.promised,
            choices=_counted(day.choices, dict.fromkeys(name for name, _ in said)),
            results=_counted(day.results, [word] if word else []),
        )

    def refused(self, refusals: Iterable[Refused], at: float) -> None:
        """Contacts that the gate set aside."""
        self._roll(at)
        self.day = replace(self.day, refused=_counted(self.day.refused, [one.rule for one in refusals]))

    def saw(self, agents: Iterable[Agent], at: float) -> None:
        """Where the agents are now; since the last look they were there too."""
        self._roll(at)
        between, self._looked_at = at - self._looked_at, at
        if not 0.0 < between <= MOST_BETWEEN_S:
            return
        spent = dict(self.day.spent_s)
        for agent in agents:
            if agent.state is not AgentState.SIGNED_OUT:
                spent[agent.state.value] = spent.get(agent.state.value, 0.0) + between
        self.day = replace(self.day, spent_s=spent)

    def shown(self, at: float) -> dict[str, object]:
        """For the board."""
        self._roll(at)
        spent = {state: round(seconds) for state, seconds in self.day.spent_s.items()}
        share = self.day.utilisation
        return asdict(self.day) | {"spent_s": spent, "utilisation": None if share is None else round(share, 4)}

    def _roll(self, at: float) -> None:
        if at < self._midnight and self.day.date:
            return
        now = datetime.fromtimestamp(at, ZoneInfo(self.zone))
        date = now.date().isoformat()
        if date > self.day.date:  # a clock that steps back begins no day again
            self.day = Day(date)
        self._midnight = at + 86400 - (now.hour * 3600 + now.minute * 60 + now.second)

    def dump(self) -> dict[str, object]:
        """To be kept as JSON: a restarted engine goes on with `load`."""
        return {"v": 1} | asdict(self.day)

    def load(self, kept: Mapping[str, Any]) -> None:
        """Take over what `dump` gave. Raises BadInput, and changes nothing, when it is not that."""
        if kept.get("v") != 1:
            raise BadInput("the kept day's counts are of another version: the day begins anew")
        try:
            self.day = msgspec.convert({name: value for name, value in kept.items() if name != "v"}, Day)
        except msgspec.ValidationError as error:
            raise BadInput(f"the kept day's counts cannot be read ({error}): the day begins anew") from error
        self._midnight = 0.0


def _counted(known: Mapping[str, int], words: Iterable[str]) -> Mapping[str, int]:
    found = dict(known)
    for word in words:
        if word in found or len(found) < WORDS_MOST:
            found[word] = found.get(word, 0) + 1
    return found


def _plus(known: Mapping[str, int], name: str, amount: int) -> Mapping[str, int]:
    return dict(known) | {name: known.get(name, 0) + amount}


def _amount(value: str) -> int:
    promise = promise_of(value)
    return promise[1] if promise else 0
