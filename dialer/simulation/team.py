"""Agents on invented time, by the product's own table: sign-in, talk, wrap-up, breaks, and home at the end.

A word that the table does not know in an agent's state is a defect of the simulator or of the product: it fails loudly.
"""

from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from math import inf

import numpy as np

from dialer.agents import TABLE, Word, step
from dialer.model import Agent, AgentState
from dialer.pace.snapshot import AgentSeen, Kind, Working
from dialer.simulation.queue import Queue
from dialer.simulation.result import Result
from dialer.simulation.scenario import Scenario


class Defect(AssertionError):
    """Simulator and product do not agree on what may happen."""


@dataclass(slots=True)
class Day:
    """One agent's day: seconds of the shift. `breaks`, `pauses`: due at, length; a pause also comes out of idleness."""

    id: str
    speed: float = 1.0  # times the usual length of talk and wrap-up
    sign_in_at: float = 0.0
    sign_out_at: float = inf
    breaks: Sequence[tuple[float, float]] = ()
    pauses: Sequence[tuple[float, float]] = ()


def days_of(scenario: Scenario, seed: int) -> list[Day]:
    """The team of a scenario."""
    of, chance, end = scenario, np.random.default_rng((seed, 3)), scenario.hours * 3600
    found = []
    for number in range(of.agents):
        speed = float(np.exp(of.speed_spread * chance.standard_normal()))
        breaks: list[tuple[float, float]] = []
        pauses: list[tuple[float, float]] = []
        if of.breaks and of.hours >= 4:
            for hour, length in ((0.25, 900.0), (0.5, 1800.0), (0.78, 900.0)):
                breaks.append((end * (hour + chance.uniform(-0.06, 0.06)), length))
        at = 0.0
        while at < end and of.pause_every_s:
            at += chance.exponential(of.pause_every_s)
            pauses.append((at, chance.exponential(of.pause_s)))
        for begin, minutes in of.walkouts:
            if number % 2:
                breaks.append((begin * 3600 + chance.uniform(0, 60), minutes * 60))
        sign_in_at = chance.uniform(0, of.log_in_s)
        found.append(Day(str(100 + number), speed, sign_in_at, inf, sorted(breaks), pauses))
    return found


@dataclass(slots=True, eq=False)
class Person:
    """One agent as he is now."""

    day: Day
    agent: Agent
    since: float = 0.0
    talking_to: str = ""
    free_at: float = 0.0
    leaves: bool = False
    breaks: deque[tuple[float, float]] = field(default_factory=deque)
    pauses: deque[tuple[float, float]] = field(default_factory=deque)

    @property
    def id(self) -> str:
        return self.day.id


class Team:
    """`told`: kind, call, agent; `on_free(person)` when somebody is idle; `on_talk_end(call)`, `on_wrap_end(call)`."""

    def __init__(
        self,
        days: Sequence[Day],
        queue: Queue,
        result: Result,
        told: Callable[[Kind, str | None, str | None], None],
        on_free: Callable[[Person], bool],
        on_talk_end: Callable[[str], None],
        on_wrap_end: Callable[[str], None],
    ) -> None:
        self._queue, self._result, self._told = queue, result, told
        self._on_free, self._on_talk_end, self._on_wrap_end = on_free, on_talk_end, on_wrap_end
        self.idle: dict[str, Person] = {}  # longest idle first
        self.seen: dict[str, AgentSeen] = {}
        self.people = [Person(day, Agent(day.id, "simulated"), breaks=deque(day.breaks)) for day in days]
        for person in self.people:
            person.pauses.extend(person.day.pauses)
            queue.later(person.day.sign_in_at, self._sign_in, person)
            if person.day.sign_out_at < inf:
                queue.later(person.day.sign_out_at, self.leave, person)

    @property
    def talks(self) -> int:
        """Agents with a caller."""
        return sum(1 for person in self.people if person.talking_to)

    def free_at(self, until: float) -> list[float]:
        """When each agent who is idle or gets so before `until` is free; the past for those who are."""
        found = []
        for person in self.people:
            state = person.agent.state
            when = person.since if state is AgentState.IDLE else person.free_at
            due = min([one[0] for one in (*list(person.breaks)[:1], *list(person.pauses)[:1])], default=inf)
            if state in (AgentState.IDLE, AgentState.TALKING, AgentState.WRAP_UP) and when <= until and due > when:
                found.append(when)
        return found

    def take(self, person: Person, call: str, talk_s: float, wrap_s: float, by_his_pace: bool) -> None:
        """A caller for this idle agent."""
        pace = person.day.speed if by_his_pace else 1.0
        self.idle.pop(person.id, None)
        person.talking_to = call
        self._happens(person, Word.RESERVE)
        self._happens(person, Word.JOINED)
        self._told(Kind.CONNECT, call, person.id)
        person.free_at = self._queue.at + (talk_s + wrap_s) * pace
        self._queue.later(talk_s * pace, self._talk_ends, person, call, wrap_s * pace)

    def leave(self, person: Person) -> None:
        """Home, as soon as he is free."""
        person.leaves = True
        if person.agent.state in (AgentState.IDLE, AgentState.BREAK):
            self.idle.pop(person.id, None)
            self._sign_out(person)

    def close(self) -> None:
        """Count the time spent so far; what comes after counts no more."""
        for person in self.people:
            self._spend(person)

    # ---- his day

    def _happens(self, person: Person, word: Word) -> None:
        if word not in TABLE[person.agent.state]:
            raise Defect(f"agent {person.id} is {person.agent.state}: the table knows no {word} there")
        self._spend(person)
        person.agent = step(person.agent, word, self._queue.at)
        state = _WORKING.get(person.agent.state)
        if state is not None:
            self.seen[person.id] = AgentSeen(person.id, state, self._queue.at)
        else:
            self.seen.pop(person.id, None)

    def _spend(self, person: Person) -> None:
        at = self._queue.at
        if person.agent.state in (AgentState.TALKING, AgentState.WRAP_UP):
            self._result.busy_s += at - person.since
        elif person.agent.state is AgentState.IDLE:
            self._result.idle_s += at - person.since
        person.since = at

    def _sign_in(self, person: Person) -> None:
        person.agent = replace(person.agent, leg=f"leg-{person.id}")  # raised and parked in no time
        self._happens(person, Word.SIGN_IN)
        self._happens(person, Word.LEG_UP)
        self._told(Kind.SIGN_IN, None, person.id)
        self._free(person)

    def _sign_out(self, person: Person) -> None:
        self._happens(person, Word.SIGN_OUT)
        self._told(Kind.SIGN_OUT, None, person.id)

    def _free(self, person: Person) -> None:
        """Idle, if no break is due and the day is not over; a waiting caller is served."""
        at = self._queue.at
        if person.leaves:
            self._sign_out(person)
            return
        if person.breaks and person.breaks[0][0] <= at:
            self._break(person, person.breaks.popleft()[1])
            return
        length = 0.0
        while person.pauses and person.pauses[0][0] <= at:
            length = person.pauses.popleft()[1]
        if length:
            self._break(person, length)
            return
        self.idle[person.id] = person
        self._told(Kind.IDLE, None, person.id)
        if not self._on_free(person) and person.pauses:
            self._queue.later(max(0.0, person.pauses[0][0] - at), self._pauses, person, person.since)

    def _pauses(self, person: Person, since: float) -> None:
        """A pause that nobody announced, out of idleness."""
        if person.agent.state is AgentState.IDLE and person.since == since:
            del self.idle[person.id]
            self._free(person)

    def _break(self, person: Person, length: float) -> None:
        self._happens(person, Word.BREAK)
        self._told(Kind.BREAK_START, None, person.id)
        self._queue.later(length, self._back, person)

    def _back(self, person: Person) -> None:
        if person.agent.state is AgentState.BREAK:
            self._happens(person, Word.BACK)
            self._told(Kind.BREAK_END, None, person.id)
            self._free(person)

    def _talk_ends(self, person: Person, call: str, wrap_s: float) -> None:
        person.talking_to = ""
        self._on_talk_end(call)
        self._happens(person, Word.CUSTOMER_LEFT)
        self._told(Kind.TALK_END, call, person.id)
        self._queue.later(wrap_s, self._wrap_ends, person, call)

    def _wrap_ends(self, person: Person, call: str) -> None:
        self._happens(person, Word.WRAPPED)
        self._on_wrap_end(call)
        self._told(Kind.WRAP_END, call, person.id)
        self._free(person)


_WORKING = {
    AgentState.IDLE: Working.IDLE,
    AgentState.RESERVED: Working.RESERVED,
    AgentState.TALKING: Working.TALKING,
    AgentState.WRAP_UP: Working.WRAP_UP,
    AgentState.BREAK: Working.BREAK,
}
