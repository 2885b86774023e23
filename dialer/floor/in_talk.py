"""What happens to a caller between his agent and the end: hold, hand-over, a supervisor who hears or takes him.

Part of the floor. handover.py and supervise.py send him, moves.py and spies.py know who waits for whom and who hears
whom; here is what each event means.
"""

from abc import ABC, abstractmethod
from collections.abc import Mapping

from dialer.agents import Word as AgentWord
from dialer.calls import Word, evolve, step
from dialer.dialplan import Context, room
from dialer.floor.actions import Action, LookAgain, Save, SaveAgent, SendTo
from dialer.floor.books import Books
from dialer.floor.deadlines import Deadlines
from dialer.floor.moves import Moves
from dialer.floor.spies import Spies, heard_by
from dialer.floor.team import SUPERVISING, Team
from dialer.model import AgentState, Attempt, CallState, Event, Link, Seen

MOVE_LIMIT_S = 1.0  # so long a caller may be on his way from one place of ours to another


class InTalk(ABC):
    """The floor's callers who are with an agent."""

    books: Books
    attempts: Mapping[str, Attempt]
    deadlines: Deadlines
    team: Team
    moves: Moves
    spies: Spies

    @abstractmethod
    def then_serve(self, actions: list[Action], at: float) -> list[Action]:
        """Whoever waits longest is served first by an agent who may have become free."""

    # ---- on his way from his agent

    def move(self, attempt: Attempt, where: str, context: str, exten: str, at: float) -> Action:
        """His agent sends him there; `where`: as Notes.moving has it."""
        self.books.notes[attempt.id].moving = where
        self.deadlines.set("moved", attempt.id, at + MOVE_LIMIT_S)
        return SendTo(attempt, context, exten)

    def not_moved(self, attempt_id: str, at: float) -> list[Action]:
        """Asterisk refused, or nothing is heard of him."""
        attempt = self.attempts.get(attempt_id)
        if attempt is None or not self.books.notes[attempt_id].moving:
            return []
        why = f"{attempt_id} has not come where he was sent"
        return [*self.then_serve(self.stays(attempt, at), at), LookAgain(why)]

    def stays(self, attempt: Attempt, at: float) -> list[Action]:
        """He is not where he was to go: the one who was kept for him is free."""
        self.books.notes[attempt.id].moving = ""
        return [*self.moves.drop(attempt.id, at), *self.his_desk(attempt)]

    def on_hold(self, attempt_id: str, at: float) -> list[Action]:
        """He hears music."""
        notes, attempt = self.books.notes[attempt_id], evolve(self.attempts[attempt_id], on_hold_at=at)
        notes.moving, notes.left_at = "", 0.0
        self.books.put(attempt)
        return self.his_desk(attempt)

    def is_back(self, attempt: Attempt, at: float) -> list[Action]:
        """With the agent who had put him on hold, or whose colleague did not get him."""
        notes = self.books.notes[attempt.id]
        notes.moving, notes.left_at = "", 0.0
        if attempt.state is not CallState.ON_HOLD:
            return []
        moved = evolve(step(attempt, Word.JOINED, at), hold_s=attempt.hold_s + max(0.0, at - attempt.on_hold_at))
        self.books.put(moved)
        return [Save(moved), *self.his_desk(moved)]

    def unlinked(self, link: Link, at: float) -> list[Action]:
        """The line between two agents is down: if nobody is being handed over at the moment, that was it."""
        attempt = self.attempts.get(link.attempt)
        if attempt is None or self.books.notes[attempt.id].moving == link.to:
            return []
        return [*self.moves.drop(attempt.id, at), *self.his_desk(attempt)]

    def left_on_hold(self) -> list[Action]:
        """Those whose agent's leg went: they are in no room, so the dialplan has not noticed."""
        on_hold = [one for one in self.attempts.values() if one.state is CallState.ON_HOLD and one.agent]
        agents = self.team.agents
        gone = [one for one in on_hold if one.agent not in agents or agents[one.agent].attempt != one.id]
        return [SendTo(one, Context.HELD, one.agent) for one in gone]

    def his_desk(self, attempt: Attempt) -> list[Action]:
        """His agent's desk shows what is new."""
        agent = self.team.agents.get(attempt.agent)
        return [SaveAgent(agent)] if agent is not None else []

    # ---- supervisors

    def heard(self, agent_id: str) -> list[Action]:
        """Who hears him is written down with his call; his desk shows it."""
        agent = self.team.agents[agent_id]
        attempt = self.attempts.get(agent.attempt)
        if attempt is not None and attempt.agent == agent_id:
            for spy in self.spies.at(agent_id):
                attempt = evolve(attempt, heard_by=heard_by(attempt.heard_by, spy))
            self.books.put(attempt)
        return [SaveAgent(agent)]

    def hand_to(self, agent_id: str, attempt: Attempt, at: float) -> list[Action]:
        """The caller goes to an agent who is not idle, but here for him: a supervisor."""
        self.moves.keep(attempt.id, agent_id, at)
        return [self.move(attempt, agent_id, Context.HAND_OVER, agent_id, at)]

    def spy_seen(self, event: Event, at: float) -> list[Action]:
        """An event of a supervisor's leg."""
        spy = self.spies.get(event.channel)
        if spy is None:
            return []
        match event.kind:
            case Seen.ANSWERED if self.spies.up(spy.channel) is not None:
                return self.heard(spy.agent)
            case Seen.JOINED if event.room == room(spy.supervisor) and spy.supervisor in self.spies.take_over:
                self.spies.drop(spy.channel)
                actions = self.team.adopt_leg(spy.supervisor, spy.channel, SUPERVISING, at)
                return [*actions, *self.taken_over(spy.supervisor, at), *self.heard(spy.agent)]
            case Seen.HANGUP | Seen.FAILED:
                self.spies.drop(spy.channel)
                self.spies.take_over.pop(spy.supervisor, None)
                return self.heard(spy.agent)
        return []

    def taken_over(self, supervisor: str, at: float) -> list[Action]:
        """His leg has come into his room: the caller whom he wanted follows, if he is still there."""
        own = self.team.agents.get(supervisor)
        if own is None or own.state is not AgentState.BREAK or not own.leg or supervisor not in self.spies.take_over:
            return []
        attempt = self.attempts.get(self.spies.take_over.pop(supervisor))
        if attempt is None or attempt.state not in (CallState.TALKING, CallState.ON_HOLD):
            return self.team.ask(supervisor, AgentWord.SIGN_OUT, at)[2]
        self.team.leaves_after(supervisor)
        return self.hand_to(supervisor, attempt, at)
