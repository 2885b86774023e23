"""The calls of one campaign and its team: what each event means, as actions; the heart of answer, route and outcome.

Rules of this file: no I/O and no clock; an event for a call it does not know means nothing; a call leaves only through
Close, once; whoever waits is served before anything else happens to a free agent.
"""

import heapq
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace

from dialer.actions import Action, Close, HangUp, LookAgain, Save, SaveAgent, SendToAgent
from dialer.agents import Word as Wish
from dialer.calls import NEEDS_AGENT, UNANSWERED, Word, learn, step, word_of
from dialer.dialplan import Context, room
from dialer.model import AgentState, Attempt, CallState, Campaign, Command, Event, LiveChannel, Seen
from dialer.originate import timeout_s
from dialer.routing import JOIN_LIMIT_S, choose
from dialer.team import Team, Told

GHOST_S = 35.0  # after its timeout an INVITE may still be under way for 32 s (SIP timer B)
OVERDUE_S = 5.0
NO_CHANNEL_S = 1.0  # a busy Asterisk tells that an Originate failed before it tells of the channel that was dialled
_SETTLED = frozenset({CallState.GONE, CallState.ENDED})
_SAVED = frozenset(CallState) - _SETTLED - UNANSWERED - {CallState.JOINING}  # joining is written with the reservation


class Floor:
    """All calls and agents of a campaign on one node. `told` hears the pacer's events as they happen."""

    def __init__(self, campaign: Campaign, node: str, new_id: Callable[[float], str], told: Told) -> None:
        self.campaign, self.node = campaign, node
        self.attempts: dict[str, Attempt] = {}
        self.team = Team(node, campaign.id, new_id, told)
        self._told = told
        self._due: list[tuple[float, str, str]] = []  # when, what, attempt
        self._failed_with: dict[str, frozenset[str]] = {}  # attempt -> agents who did not get it
        self._in_room_since: dict[str, float] = {}

    # ---- calls come and go

    def claimed(self, attempt: Attempt, at: float) -> None:
        """A new attempt: from here on it is on the books."""
        self.attempts[attempt.id] = attempt
        self._told("launch", attempt.id, "", at)
        self._later(at + timeout_s(self.campaign) + OVERDUE_S, "overdue", attempt.id)

    def adopt(self, attempt: Attempt) -> None:
        """An attempt read from the store when this engine takes over; reconcile() finds out how it stands."""
        self.attempts[attempt.id] = attempt
        if attempt.state is CallState.TALKING:
            self._in_room_since[attempt.id] = attempt.joined_at

    def placed(self, attempt_id: str, at: float) -> None:
        """Asterisk acknowledged the Originate."""
        self._move(attempt_id, Word.PLACED, at)

    def not_placed(self, attempt_id: str, why: str, at: float) -> list[Action]:
        """It was never given to Asterisk, or refused by it."""
        attempt = self.attempts.get(attempt_id)
        if attempt is None or attempt.state is not CallState.CLAIMED:
            return []
        self.attempts[attempt_id] = replace(attempt, cancelled=why)
        return self._happened(attempt_id, Word.NOT_PLACED, at, at)

    def recorded(self, attempt_id: str) -> None:
        """Its outcome is written."""
        self.attempts.pop(attempt_id, None)
        self._failed_with.pop(attempt_id, None)
        self._in_room_since.pop(attempt_id, None)

    def cancel(self, attempt_id: str, why: str) -> list[Action]:
        """End a call that nobody has answered yet."""
        attempt = self.attempts.get(attempt_id)
        if attempt is None or attempt.state not in UNANSWERED or attempt.cancelled:
            return []
        self.attempts[attempt_id] = replace(attempt, cancelled=why)
        return [HangUp(attempt_id, why)]

    # ---- events

    def seen(self, event: Event, at: float) -> list[Action]:
        """Everything that one event of Asterisk means here."""
        if event.kind is Seen.REACHABLE:
            return self.team.reachable(event.channel, at)
        if self.team.owns(event.channel):
            return self._then_serve(self.team.leg_seen(event, at), at)
        attempt = self.attempts.get(event.channel)
        if attempt is None:
            return []
        if event.kind is Seen.JOINED:
            return self._joined(attempt, event)
        if event.kind is Seen.LEFT:
            return self._then_serve(self._left(attempt, event), at)
        self.attempts[attempt.id] = learn(attempt, event)
        word = word_of(event, attempt, self.campaign.kind, self.campaign.detection)
        if word is Word.FAILED:
            self._later(at + NO_CHANNEL_S, "no_channel", attempt.id)
            return []
        return [] if word is None else self._happened(attempt.id, word, event.at, at)

    def sent(self, attempt_id: str, at: float) -> None:
        """The Redirect is out: the proof must come soon."""
        self._later(at + JOIN_LIMIT_S, "join", attempt_id)

    def join_failed(self, attempt_id: str, at: float) -> list[Action]:
        """Asterisk refused the Redirect, or no proof came: the next agent."""
        return self._happened(attempt_id, Word.JOIN_FAILED, at, at)

    def _happened(self, attempt_id: str, word: Word, at: float, now: float) -> list[Action]:
        """`at` is when it happened, `now` when we act on it: after a pause of ours they differ."""
        before, after = self._move(attempt_id, word, at)
        if after is before:
            return []
        actions = self._consequences(before, word, at)
        after = self.attempts[attempt_id]
        if after.state in NEEDS_AGENT:
            served = self._serve(after, now)
            return [*actions, *(served or [Save(after)])]
        if after.state in _SAVED and after.state is not before.state:
            actions.append(Save(after))
        return self._then_serve(actions, now)

    def _move(self, attempt_id: str, word: Word, at: float) -> tuple[Attempt, Attempt]:
        before = self.attempts.get(attempt_id)
        if before is None:
            raise KeyError(attempt_id)
        after = self.attempts[attempt_id] = step(before, word, at)
        return before, after

    def _consequences(self, before: Attempt, word: Word, at: float) -> list[Action]:
        attempt_id = before.id
        match word:
            case Word.RINGING:
                self._told("ring", attempt_id, "", at)
            case Word.ANSWERED | Word.ANSWERED_DETECT | Word.ANSWERED_IVR:
                self._answered(before, word, at)
            case Word.PERSON:
                self._told("live", attempt_id, "", at)
                self._wait(attempt_id, at + self.campaign.connect_limit_ms / 1000)
            case Word.MACHINE:
                self._told("machine", attempt_id, "", at)
            case Word.WANTS_AGENT:
                self._wait(attempt_id, at + self.campaign.agent_wait_s)
            case Word.HELD:
                self._wait(attempt_id, at + self.campaign.grace_ms / 1000)
                self._later(at + self.campaign.grace_ms / 2000, "serve", attempt_id)
            case Word.OVERFLOW_IVR | Word.OVERFLOW_MESSAGE:
                self._told("overflow" if word is Word.OVERFLOW_IVR else "abandon", attempt_id, "", at)
                return self.team.join_failed(before.agent, attempt_id, at)
            case Word.JOIN_FAILED:
                return self._next_agent(before, at)
            case Word.FAILED_UP:
                return [HangUp(attempt_id, "failed")]
            case Word.HANGUP | Word.LOST | Word.FAILED | Word.NOT_PLACED:
                return self._gone(before, at)
            case _:
                pass
        return []

    def _answered(self, before: Attempt, word: Word, at: float) -> None:
        self._told("answer", before.id, "", at)
        if before.state not in UNANSWERED:
            return  # its Hangup came first: the answer counts, nobody is left to serve
        if word is not Word.ANSWERED_DETECT:
            self._told("live", before.id, "", at)
        if word is Word.ANSWERED:
            self._wait(before.id, at + self.campaign.connect_limit_ms / 1000)

    def _wait(self, attempt_id: str, until: float) -> None:
        self.attempts[attempt_id] = replace(self.attempts[attempt_id], waits_until=until)
        self._later(until + OVERDUE_S, "overdue", attempt_id)

    # ---- routing

    def _then_serve(self, actions: list[Action], at: float) -> list[Action]:
        """Whoever waits longest is served first by an agent who may have become free."""
        if not self.team.has_idle():
            return actions
        waiting = [attempt for attempt in self.attempts.values() if attempt.state in NEEDS_AGENT]
        for attempt in sorted(waiting, key=lambda one: one.waits_until):
            actions = [*actions, *self._serve(attempt, at)]
        return actions

    def _serve(self, attempt: Attempt, at: float) -> list[Action]:
        refused = self._failed_with.get(attempt.id, frozenset())
        agent = choose(attempt, self.team.agents.values(), at, refused)
        if agent is None:
            return []
        agent = self.team.reserve(agent, attempt.id, at)
        attempt = replace(step(attempt, Word.RESERVED, at), agent=agent.id)
        self.attempts[attempt.id] = attempt
        self._later(at + 2 * JOIN_LIMIT_S, "join", attempt.id)  # the store and the ack have as long again
        return [SendToAgent(attempt, agent)]

    def _next_agent(self, before: Attempt, at: float) -> list[Action]:
        self._failed_with[before.id] = self._failed_with.get(before.id, frozenset()) | {before.agent}
        return self.team.join_failed(before.agent, before.id, at)

    def _joined(self, attempt: Attempt, event: Event) -> list[Action]:
        agent_id = next((one for one in self.team.agents if room(one) == event.room), None)
        moved = step(attempt, Word.JOINED, event.at)
        if agent_id is None or moved is attempt:
            return []
        actions: list[Action] = []
        if attempt.agent != agent_id:
            actions += self.team.join_failed(attempt.agent, attempt.id, event.at)
        agent = self.team.joined(agent_id, attempt.id, event.at)
        self.attempts[attempt.id] = moved = replace(moved, agent=agent_id)
        self._in_room_since[attempt.id] = event.at
        if not attempt.joined_at:
            self._told("connect", attempt.id, agent_id, event.at)
        saved: list[Action] = [Save(moved)] if agent is None else [Save(moved), SaveAgent(agent)]
        return actions + saved

    def _left(self, attempt: Attempt, event: Event) -> list[Action]:
        if event.room != room(attempt.agent) or attempt.id not in self._in_room_since:
            return []
        talked = event.at - self._in_room_since.pop(attempt.id)
        moved = replace(step(attempt, Word.LEFT, event.at), talk_s=attempt.talk_s + talked, left_at=event.at)
        self.attempts[attempt.id] = moved
        return self.team.customer_left(attempt.agent, attempt.id, event.at)

    # ---- the end of a call

    def _gone(self, before: Attempt, at: float) -> list[Action]:
        attempt = self.attempts[before.id]
        if attempt.id in self._in_room_since:  # its Hangup came before its BridgeLeave
            talked = at - self._in_room_since.pop(attempt.id)
            attempt = self.attempts[before.id] = replace(attempt, talk_s=attempt.talk_s + talked, left_at=at)
        self._tell_end(before, attempt, at)
        actions = self.team.join_failed(attempt.agent, attempt.id, at)
        actions += self.team.customer_left(attempt.agent, attempt.id, at)
        if self._wrapping(attempt):
            self._later(at + self.campaign.wrap_up_max_s, "wrap", attempt.id)
            return [*actions, Save(attempt)]
        return [*actions, self._close(attempt)]

    def _tell_end(self, before: Attempt, attempt: Attempt, at: float) -> None:
        waited = before.state in (CallState.WAITING, CallState.JOINING)
        if waited and not attempt.joined_at and not attempt.wanted_agent:
            self._told("hung_up", attempt.id, "", at)
        elif before.state in UNANSWERED:
            ended = "busy" if attempt.cause == 17 else "no_answer" if attempt.ringing_at else "failed"
            self._told(ended, attempt.id, "", at)

    def _close(self, attempt: Attempt) -> Close:
        return Close(attempt, facts=bool(attempt.ivr_at or attempt.overflow_to == "ivr" or attempt.ivr_result))

    def _wrapping(self, attempt: Attempt) -> bool:
        agent = self.team.agents.get(attempt.agent)
        return agent is not None and agent.attempt == attempt.id and agent.state is AgentState.WRAP_UP

    def wrap(self, agent_id: str, disposition: str, at: float) -> list[Action]:
        """The agent is done with his last call: its outcome can be written."""
        agent = self.team.agents.get(agent_id)
        if agent is None or agent.state is not AgentState.WRAP_UP:
            return []
        attempt = self.attempts.get(agent.attempt)
        actions = self.team.wrapped(agent_id, at)
        if attempt is not None and attempt.state is CallState.GONE:
            attempt = replace(attempt, disposition=disposition or attempt.disposition, wrapped_at=at)
            self.attempts[attempt.id] = attempt
            actions.append(self._close(attempt))
        return self._then_serve(actions, at)

    # ---- commands of agents and supervisors

    def command(self, command: Command, at: float) -> tuple[bool, str, list[Action]]:
        """sign_in, sign_out, break, back, wrapped, disposition, hang_up; args: agent, disposition."""
        agent_id = command.args.get("agent", "")
        match command.name:
            case "sign_in":
                return self.team.sign_in(agent_id, at)
            case "sign_out" | "break" | "back":
                ok, text, actions = self.team.ask(agent_id, _ASKS[command.name], at)
                return ok, text, self._then_serve(actions, at)
            case "wrapped":
                actions = self.wrap(agent_id, command.args.get("disposition", ""), at)
                return bool(actions), "wrapped" if actions else "no call to wrap up", actions
            case "disposition" | "hang_up":
                return self._in_call(command, agent_id)
            case _:
                return False, f"{command.name!r} is no command for agents", []

    def _in_call(self, command: Command, agent_id: str) -> tuple[bool, str, list[Action]]:
        agent = self.team.agents.get(agent_id)
        attempt = self.attempts.get(agent.attempt) if agent else None
        if attempt is None:
            return False, f"agent {agent_id} has no call", []
        if command.name == "hang_up":
            if attempt.state in _SETTLED:
                return False, "the call is over", []
            return True, "hanging up", [HangUp(attempt.id, "agent")]
        attempt = self.attempts[attempt.id] = replace(attempt, disposition=command.args.get("disposition", ""))
        return True, "noted", [Save(attempt)]

    def phone_key(self, event: Event, at: float) -> list[Action]:
        """A service code dialled on an agent's own phone."""
        agent_id, word = self.team.phone_key(event)
        order = Command(event.channel, self.campaign.id, word, "phone", at, at, {"agent": agent_id})
        return self.command(order, at)[2] if word else []

    # ---- time and proof

    def next_due(self) -> float | None:
        """When tick() has something to do at the latest."""
        return self._due[0][0] if self._due else None

    def tick(self, at: float) -> list[Action]:
        """Deadlines that have passed."""
        actions = self.team.tick(at)
        while self._due and self._due[0][0] <= at:
            _, what, attempt_id = heapq.heappop(self._due)
            attempt = self.attempts.get(attempt_id)
            if attempt is not None:
                actions += self._deadline(what, attempt, at)
        return actions

    def _deadline(self, what: str, attempt: Attempt, at: float) -> list[Action]:
        if what == "join" and attempt.state is CallState.JOINING:
            return self.join_failed(attempt.id, at)
        if what == "serve" and attempt.state in NEEDS_AGENT:
            return self._serve(attempt, at)
        if what == "wrap" and self._wrapping(attempt):
            return self.wrap(attempt.agent, "", at)
        if what == "no_channel" and attempt.state in UNANSWERED and not attempt.dialled:
            return self._happened(attempt.id, Word.FAILED, at, at)
        if what == "overdue" and attempt.state in UNANSWERED | NEEDS_AGENT:
            self._later(at + OVERDUE_S, "overdue", attempt.id)
            return [LookAgain(f"no end of {attempt.id} seen")]
        return []

    def _later(self, when: float, what: str, attempt_id: str) -> None:
        heapq.heappush(self._due, (when, what, attempt_id))

    def reconcile(self, channels: Sequence[LiveChannel], at: float, booted: bool = False) -> list[Action]:
        """What Asterisk says is up is the truth: adopt what is there, close what is proven gone."""
        up = {channel.id: channel for channel in channels}
        actions = self.team.legs_up_now({channel.id: channel.room for channel in channels}, at)
        for attempt in list(self.attempts.values()):
            if attempt.state in _SETTLED:
                actions += self._settle(attempt)
            elif attempt.id in up:
                actions += self._adopted(attempt, up[attempt.id], at)
            elif attempt.state not in UNANSWERED or booted or at >= self._ghost_until(attempt):
                actions += self._happened(attempt.id, Word.LOST, at, at)
            else:
                self._later(self._ghost_until(attempt), "overdue", attempt.id)
        return actions

    def _ghost_until(self, attempt: Attempt) -> float:
        return attempt.claimed_at + timeout_s(self.campaign) + GHOST_S

    def _settle(self, attempt: Attempt) -> list[Action]:
        """A call that was over when we took over, and waits for a wrap-up that may never come."""
        if attempt.state is CallState.GONE and not self._wrapping(attempt):
            return [self._close(attempt)]
        return []

    def _adopted(self, attempt: Attempt, channel: LiveChannel, at: float) -> list[Action]:
        if not channel.up:
            return []
        actions: list[Action] = []
        for kind, room_name, result in _missed(attempt, channel):
            # nobody knows when he answered: too late for an agent, the dialplan takes him on
            since = at - self.campaign.connect_limit_ms / 1000 if kind is Seen.ANSWERED else at
            actions += self.seen(Event(kind, since, attempt.id, room_name, result), at)
        return actions

    def lines(self) -> int:
        """Calls that hold a line of the trunk."""
        return sum(attempt.state not in _SETTLED for attempt in self.attempts.values())


_ASKS = {"sign_out": Wish.SIGN_OUT, "break": Wish.BREAK, "back": Wish.BACK}


def _missed(attempt: Attempt, channel: LiveChannel) -> Iterable[tuple[Seen, str, str]]:
    """The events we must have missed, for a channel that is up where it is."""
    if attempt.state in UNANSWERED:
        yield Seen.DIALLED, "", ""
        yield Seen.ANSWERED, "", ""
    if channel.room:
        yield Seen.JOINED, channel.room, ""
    elif channel.context in _PLACES:
        yield _PLACES[channel.context]


_PLACES: dict[str, tuple[Seen, str, str]] = {
    Context.IVR: (Seen.IVR_BEGIN, "", ""),
    Context.MESSAGE: (Seen.MESSAGE, "", ""),
    Context.VOICEMAIL: (Seen.DETECTED, "", "machine"),
    Context.HELD: (Seen.HELD, "", ""),
    Context.WAIT_AGENT: (Seen.WANTS_AGENT, "", ""),
}
