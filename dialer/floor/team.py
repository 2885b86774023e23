"""The agents of one campaign: their legs, rooms, breaks; what each event means for them, as actions.

Rules of this file: an agent counts only while his own leg is proven to be in his room; a lost leg takes him out at
once and is raised again, with growing pauses; a break or sign-out asked for in a call is taken when he is free; one
agent has one leg: a second one that turns up is hung up.
"""

from collections.abc import Callable, Mapping
from dataclasses import replace

from dialer.agents import BUSY, WANTS_LEG, Word, step
from dialer.dialplan import SERVICE_CODES, endpoint, room
from dialer.floor.actions import Action, HangUp, LookAgain, RaiseLeg, SaveAgent
from dialer.floor.books import Told
from dialer.model import AGENT_ID, OWN_AGENT, Agent, AgentState, Attempt, Event, Seen
from dialer.routing import longest_idle

SUPERVISING = "supervising"  # a supervisor's break: callers are handed to him, none comes from the queue
LEG_PREFIX = "leg-"
RAISE_PAUSES_S = (0.5, 1.0, 2.0, 4.0, 8.0, 15.0, 30.0)
LEG_GRACE_S = 5.0  # so long a leg may be under way without a channel
LEG_OVERDUE_S = 30.0  # its Originate has ended by then, whatever was heard of it


class Team:
    """Agents by id. `told` hears sign_in, sign_out, break_start, break_end, idle, talk_end, wrap_end."""

    def __init__(self, node: str, campaign: str, new_id: Callable[[float], str], told: Told) -> None:
        self.agents: dict[str, Agent] = {}
        self._node, self._campaign, self._new_id, self._told = node, campaign, new_id, told
        self._legs: dict[str, str] = {}  # leg -> agent, from the Originate on
        self._raised: dict[str, float] = {}  # leg that is not yet in its room -> since when
        self._failures: dict[str, int] = {}
        self._raise_at: dict[str, float] = {}
        self.awaited: Callable[[str, float], bool] = _not_awaited  # whether a held caller of his waits for this agent

    # ---- what is asked

    def adopt(self, agent: Agent) -> None:
        """An agent read from the store when this engine takes over."""
        self.agents[agent.id] = agent
        if agent.leg:
            self._legs[agent.leg] = agent.id

    def sign_in(self, agent_id: str, at: float, break_reason: str = "") -> tuple[bool, str, list[Action]]:
        """Start to raise his leg; with a reason he is on that break when it is up."""
        if not AGENT_ID.fullmatch(agent_id):
            return False, f"{agent_id!r} is no agent: use his extension, 2 to 10 digits", []
        known = self.agents.get(agent_id, Agent(agent_id, self._node, self._campaign))
        known = replace(known, moves_to="") if known.state is AgentState.SIGNED_OUT and known.moves_to else known
        agent = self._step(known, Word.SIGN_IN, at)
        if agent is known:
            stays = (
                known
                if known.sent_by or known.state is AgentState.BREAK
                else self.keep(_cleared(replace(known, break_next=False, sign_out_next=False)))
            )
            return True, f"already {known.state}", [SaveAgent(stays)]
        if break_reason:
            agent = self.keep(replace(agent, break_next=True, break_reason=break_reason))
        return True, "raising his leg", [SaveAgent(agent), *self._raise(agent, at)]

    def adopt_leg(self, agent_id: str, leg: str, break_reason: str, at: float) -> list[Action]:
        """A leg that did something else is in his room: he is on this break."""
        known = self.agents.get(agent_id, Agent(agent_id, self._node, self._campaign))
        agent = self.keep(replace(self._step(known, Word.SIGN_IN, at), break_next=True, break_reason=break_reason))
        self._legs[leg] = agent_id
        return self.leg_up(agent, leg, at)

    def leaves_after(self, agent_id: str) -> None:
        """He came for this one call."""
        self.keep(replace(self.agents[agent_id], sign_out_next=True))

    def ask(
        self, agent_id: str, word: Word, at: float, reason: str = "", by: str = ""
    ) -> tuple[bool, str, list[Action]]:
        """`break`, `back` or `sign_out`, as the agent wishes, or as `by` orders; in a call or its wrap-up: afterwards.

        What was ordered only an order takes back.
        """
        agent = self.agents.get(agent_id)
        if agent is None:
            return False, f"agent {agent_id} is not signed in", []
        if word is Word.BACK and agent.sent_by and not by:
            return False, f"{agent.sent_by} has ordered it", []
        if agent.moves_to and word in (Word.SIGN_OUT, Word.BACK):  # he goes home, or stays
            agent = self.keep(replace(agent, moves_to=""))
            if agent.state is AgentState.SIGNED_OUT:
                return True, agent.state.value, [SaveAgent(agent)]
        if agent.state in _AFTERWARDS and word in (Word.BREAK, Word.SIGN_OUT):
            out = word is Word.SIGN_OUT
            agent = replace(agent, break_next=agent.break_next or not out, sign_out_next=agent.sign_out_next or out)
            agent = self.keep(_sent(agent, word, reason, by))
            return True, "after this call", [SaveAgent(agent)]
        if word is Word.BACK and (agent.break_next or agent.sign_out_next):
            agent = self.keep(_cleared(replace(agent, break_next=False, sign_out_next=False)))
            return True, "stays", [SaveAgent(agent)]
        if word is Word.BREAK and agent.state is AgentState.BREAK and (reason or by):
            agent = self.keep(_sent(agent, word, reason, by))  # the same break, from now on for this
            return True, agent.state.value, [SaveAgent(agent)]
        moved = self._step(agent, word, at)
        if moved is agent:
            return False, f"agent {agent_id} is {agent.state}: no {word} from there", []
        if word is not Word.BACK:
            moved = self.keep(_sent(moved, word, reason, by))
        return True, moved.state.value, self._arrive(moved, at)

    def move(self, agent_id: str, to: str, at: float, by: str = "") -> tuple[bool, str, list[Action]]:
        """Out of here, now or after his call, and on to campaign `to`; nobody's until that one takes him in."""
        ok, text, actions = self.ask(agent_id, Word.SIGN_OUT, at, by=by)
        if not ok:
            return ok, text, actions
        moves = self.keep(replace(self.agents[agent_id], moves_to=to))
        return True, text if text == "after this call" else f"goes over to {to}", [*actions, SaveAgent(moves)]

    def works_here(self, agent_id: str) -> bool:
        """Whether he is signed in."""
        agent = self.agents.get(agent_id)
        return agent is not None and agent.state is not AgentState.SIGNED_OUT

    def has_idle(self) -> bool:
        """Whether anybody waits for a customer."""
        return any(agent.state is AgentState.IDLE for agent in self.agents.values())

    def longest_idle(self) -> Agent | None:
        """Who has waited longest for a customer."""
        return longest_idle(self.agents.values(), self._node)

    # ---- his part in a call

    def reserve(self, agent: Agent, attempt: str, at: float) -> Agent:
        """Idle -> reserved for this attempt."""
        return self.keep(replace(self._step(agent, Word.RESERVE, at), attempt=attempt))

    def offer(self, agent: Agent, contact: str, until: float, at: float) -> Agent:
        """Idle -> he is shown this account."""
        return self.keep(replace(self._step(agent, Word.OFFER, at), offer=contact, offer_until=until))

    def not_offered(self, agent_id: str, at: float) -> list[Action]:
        """He sees no account any more; where he had only looked at it he is idle again, as the last in the queue."""
        agent = self.agents.get(agent_id)
        if agent is None or not (agent.offer or agent.state is AgentState.PREVIEW):
            return []
        moved = self.keep(replace(self._step(agent, Word.OFFER_OVER, at), offer="", offer_until=0.0))
        return self._arrive(moved, at) if moved.state is not agent.state else [SaveAgent(moved)]

    def promise(self, agent: Agent, attempt: str, at: float) -> list[Action]:
        """He is reserved for a call before it is dialled; who was on a break is on it again afterwards."""
        if agent.state is not AgentState.BREAK:
            return [SaveAgent(self.reserve(agent, attempt, at))]
        kept = self.reserve(self._step(agent, Word.BACK, at), attempt, at)
        return [SaveAgent(self.keep(replace(kept, break_next=True, break_reason=agent.break_reason)))]

    def promised(self) -> set[str]:
        """Attempts that an agent is reserved for."""
        return {agent.attempt for agent in self.agents.values() if agent.state is AgentState.RESERVED}

    def waiting_for(self, attempt: Attempt) -> list[Agent]:
        """Whoever is reserved for a call that is not answered yet: his desk shows how it stands."""
        if attempt.kind not in OWN_AGENT:
            return []
        return [one for one in self.agents.values() if one.state is AgentState.RESERVED and one.attempt == attempt.id]

    def let_go(self, attempt: str, at: float) -> list[Action]:
        """Nobody is reserved for this attempt any more."""
        held = [one.id for one in self.agents.values() if one.attempt == attempt]
        return [action for agent_id in held for action in self.join_failed(agent_id, attempt, at)]

    def joined(self, agent_id: str, attempt: str, at: float) -> list[Action]:
        """The customer is in his room."""
        agent = self.agents[agent_id]
        moved = self._step(agent, Word.JOINED, at)
        if moved is agent:
            return []
        was_away = agent.state is AgentState.BREAK
        return [SaveAgent(self.keep(replace(moved, attempt=attempt, break_next=moved.break_next or was_away)))]

    def join_failed(self, agent_id: str, attempt: str, at: float) -> list[Action]:
        """His customer did not come: idle again, as the last in the queue, or he would be tried again and again."""
        agent = self.agents.get(agent_id)
        if agent is None or agent.attempt != attempt or agent.state is not AgentState.RESERVED:
            return []
        moved = self.keep(replace(self._step(agent, Word.JOIN_FAILED, at), attempt=""))
        return self._arrive(moved, at)

    def customer_left(self, agent_id: str, attempt: str, at: float) -> list[Action]:
        """The talk is over: wrap-up."""
        agent = self.agents.get(agent_id)
        if agent is None or agent.attempt != attempt:
            return []
        moved = self._step(agent, Word.CUSTOMER_LEFT, at)
        if moved is agent:
            return []
        self._told("talk_end", attempt, agent_id, at)
        return [SaveAgent(self.keep(replace(moved, help=False)))]

    def cut_off(self, agent_id: str, attempt: str, at: float) -> list[Action]:
        """His customer is held by the dialplan, which does so only when his leg went."""
        agent = self.agents.get(agent_id)
        if agent is None or agent.attempt != attempt:
            return []
        return [SaveAgent(self.keep(replace(self._step(agent, Word.CUT_OFF, at), attempt="")))]

    def wrapped(self, agent_id: str, at: float) -> list[Action]:
        """Wrap-up done, by the agent or by its time limit."""
        agent = self.agents.get(agent_id)
        if agent is None or agent.state is not AgentState.WRAP_UP:
            return []
        self._told("wrap_end", agent.attempt, agent_id, at)
        return self._arrive(self.keep(replace(self._step(agent, Word.WRAPPED, at), attempt="")), at)

    # ---- legs

    def owner(self, channel: str) -> str:
        """Whose leg this is; empty: nobody's any more."""
        return self._legs.get(channel, "")

    def owns(self, channel: str) -> bool:
        """Whether this channel is the leg of one of these agents."""
        return channel in self._legs

    def leg_seen(self, event: Event, at: float) -> list[Action]:
        """An event of a leg."""
        agent = self.agents[self._legs[event.channel]]
        if event.kind is Seen.JOINED and event.room == room(agent.id):
            return self.leg_up(agent, event.channel, at)
        if event.kind is Seen.LEFT and event.room == room(agent.id) and agent.leg == event.channel:
            return [SaveAgent(self._without_leg(agent, at))]  # it hangs up next: raised again then
        if event.kind in (Seen.HANGUP, Seen.FAILED):
            return self.leg_down(event.channel, at)
        return []

    def stray(self, channel: str, room_name: str, at: float) -> list[Action]:
        """A leg in a room that was not raised by us as we know, but may be by the engine before us: taken, or ended."""
        agent = self.agents.get(channel.removeprefix(LEG_PREFIX).partition("-")[0])
        if not channel.startswith(LEG_PREFIX) or agent is None or agent.state is AgentState.SIGNED_OUT:
            return []  # it may be another campaign's
        if agent.leg or agent.id in self._legs.values() or room_name != room(agent.id):
            return [HangUp(channel, "a second leg")]
        self._legs[channel] = agent.id
        return self.leg_up(agent, channel, at)

    def leg_up(self, agent: Agent, leg: str, at: float) -> list[Action]:
        """His leg is parked: he counts from now on."""
        self._raised.pop(leg, None)
        if agent.state is AgentState.SIGNED_OUT:
            return [HangUp(leg, "signed out")]
        self._failures.pop(agent.id, None)
        self._raise_at.pop(agent.id, None)
        agent = self.keep(replace(agent, leg=leg))
        moved = self._step(agent, Word.LEG_UP, at)
        return self._arrive(moved, at) if moved is not agent else [SaveAgent(agent)]

    def leg_down(self, leg: str, at: float) -> list[Action]:
        """His leg went: out of the count at once, and raised again if he still wants to work."""
        agent = self.agents[self._legs.pop(leg)]
        self._raised.pop(leg, None)
        if agent.leg and agent.leg != leg:
            return []  # an older leg's end, after a newer one came up
        agent = self._without_leg(agent, at)
        if agent.state in WANTS_LEG:
            failures = self._failures.get(agent.id, 0)
            self._failures[agent.id] = failures + 1
            self._raise_at[agent.id] = at + RAISE_PAUSES_S[min(failures, len(RAISE_PAUSES_S) - 1)]
        return [SaveAgent(agent)]

    def _without_leg(self, agent: Agent, at: float) -> Agent:
        moved = self._step(agent, Word.LEG_DOWN, at)
        return self.keep(replace(moved, leg="", attempt="" if agent.state in BUSY else agent.attempt))

    def reachable(self, name: str, at: float) -> list[Action]:
        """An agent's phone has registered: no need to wait for the pause to end."""
        for agent in self.agents.values():
            if endpoint(agent.id) == name and agent.id in self._raise_at:
                return self._raise(agent, at)
        return []

    def tick(self, at: float) -> list[Action]:
        """Legs whose pause is over; legs of which nothing is heard; breaks that end by themselves."""
        due = [self.agents[agent_id] for agent_id, when in self._raise_at.items() if when <= at]
        actions = [action for agent in due for action in self._raise(agent, at)]
        over = [one.id for one in self.agents.values() if 0.0 < one.break_until <= at and one.state is AgentState.BREAK]
        actions += [action for agent_id in over for action in self.ask(agent_id, Word.BACK, at, by="engine")[2]]
        if any(at - since > LEG_OVERDUE_S for since in self._raised.values()):
            actions.append(LookAgain("nothing is heard of an agent's leg"))
        return actions

    def legs(self) -> Mapping[str, Agent]:
        """Every leg that is up or under way, with its agent as he is now."""
        return {leg: self.agents[agent_id] for leg, agent_id in self._legs.items()}

    def legs_up_now(self, in_room: Mapping[str, str], at: float, asked: Mapping[str, Agent]) -> list[Action]:
        """Reconcile: `in_room` is channel -> room of everything that is up; `asked`: our legs() when that was asked.

        Of an agent who has changed since, the events know more.
        """
        actions: list[Action] = []
        for leg, agent in asked.items():
            if self._legs.get(leg) != agent.id or self.agents[agent.id] is not agent:
                continue
            if leg not in in_room:
                if at - self._raised.get(leg, 0.0) > LEG_GRACE_S:
                    actions += self.leg_down(leg, at)
            elif in_room[leg] == room(agent.id) and (agent.leg != leg or agent.state in _PARKED_NEXT):
                actions += self.leg_up(agent, leg, at)
        for channel, room_name in in_room.items():
            if room_name and channel.startswith(LEG_PREFIX) and channel not in self._legs and channel not in asked:
                actions += self.stray(channel, room_name, at)
        for agent in list(self.agents.values()):
            if agent.state in WANTS_LEG and not agent.leg and agent.id not in self._legs.values():
                self._failures.pop(agent.id, None)  # it may have been the link
                self._raise_at[agent.id] = at
        return actions

    def phone_key(self, event: Event) -> tuple[str, str]:
        """(agent, word) of a service code dialled on an agent's phone; the word is empty for an unknown code."""
        return event.room, SERVICE_CODES.get(event.result, "")

    def _raise(self, agent: Agent, at: float) -> list[Action]:
        self._raise_at.pop(agent.id, None)
        if agent.leg or agent.id in self._legs.values() or agent.state not in WANTS_LEG:
            return []
        leg = LEG_PREFIX + agent.id + "-" + self._new_id(at)
        self._legs[leg] = agent.id
        self._raised[leg] = at
        return [RaiseLeg(agent, leg)]

    def _arrive(self, agent: Agent, at: float) -> list[Action]:
        """He is somewhere new: wishes kept for this moment, the leg of one who left, the pacer's count."""
        leaves = agent.state is AgentState.IDLE and (agent.sign_out_next or agent.break_next)
        if leaves and not self.awaited(agent.id, at):  # else he is sent his caller now, and leaves after him
            word = Word.SIGN_OUT if agent.sign_out_next else Word.BREAK
            agent = self._step(agent, word, at)
            until = at + agent.break_s if agent.break_s and word is Word.BREAK else 0.0
            agent = self.keep(replace(agent, sign_out_next=False, break_next=False, break_until=until))
        actions: list[Action] = [SaveAgent(agent)]
        if agent.state is AgentState.SIGNED_OUT:
            self._raise_at.pop(agent.id, None)
            actions += [HangUp(leg, "signed out") for leg, owner in self._legs.items() if owner == agent.id]
        elif agent.state is AgentState.RAISING:
            actions += self._raise(agent, at)
        return actions

    def _step(self, agent: Agent, word: Word, at: float) -> Agent:
        moved = step(agent, word, at)
        if moved.state is not agent.state:
            self._tell(agent, moved, at)
            if agent.state in (AgentState.BREAK, AgentState.SIGNED_OUT):
                moved = _cleared(moved)
        return self.keep(moved)

    def _tell(self, before: Agent, after: Agent, at: float) -> None:
        if before.state is AgentState.BREAK:
            self._told("break_end", "", after.id, at)
        kind = {
            AgentState.IDLE: "idle",
            AgentState.BREAK: "break_start",
            AgentState.SIGNED_OUT: "sign_out",
            AgentState.LOST: "sign_out",
        }.get(after.state)
        if before.state in (AgentState.RAISING, AgentState.LOST) and after.state is AgentState.IDLE:
            self._told("sign_in", "", after.id, at)
        if kind:
            self._told(kind, "", after.id, at)

    def keep(self, agent: Agent) -> Agent:
        """The agent as he is from now on."""
        self.agents[agent.id] = agent
        return agent


_PARKED_NEXT = frozenset({AgentState.RAISING, AgentState.LOST})
_AFTERWARDS = BUSY | {AgentState.WRAP_UP}


def _sent(agent: Agent, word: Word, reason: str, by: str) -> Agent:
    """With why he goes, and who sends him."""
    if word is not Word.BREAK:
        return replace(agent, sent_by=by or agent.sent_by)
    return replace(agent, break_reason=reason, break_s=0.0, break_until=0.0, sent_by=by or agent.sent_by)


def _not_awaited(agent_id: str, at: float) -> bool:
    return False


def _cleared(agent: Agent) -> Agent:
    return replace(agent, break_reason="", break_s=0.0, break_until=0.0, sent_by="")
