"""The calls of one campaign and its team: what each event means, as actions; the heart of answer, route and outcome.

Rules of this file: no I/O and no clock; an event for a call it does not know means nothing; a call leaves only through
Close, once; whoever waits is served before anything else happens to a free agent.
"""

from collections.abc import Callable, Mapping
from math import inf

from dialer.calls import (
    NEEDS_AGENT,
    NOTHING,
    SETTLED,
    TABLE,
    UNANSWERED,
    Facts,
    Word,
    evolve,
    learn,
    step,
    told,
    word_of,
)
from dialer.debts.plans import LimitsOf, none_offered
from dialer.dialplan import IvrResult, room
from dialer.floor.actions import Action, Close, HangUp, LookAgain, RecordAgain, Save, SaveAgent, SendToAgent
from dialer.floor.books import Books, Told
from dialer.floor.in_talk import InTalk
from dialer.floor.moves import Moves
from dialer.floor.spies import Spies
from dialer.floor.team import Team
from dialer.model import OWN_AGENT, WAS_UP, AgentState, Attempt, CallState, Campaign, Contact, Event, Seen
from dialer.originate import timeout_s
from dialer.routing import JOIN_LIMIT_S, choose, may_send

OVERDUE_S = 5.0
AGAIN_S = 1.0
READY_S = 0.1  # so long after its answer a call is in the dialplan, even if nothing says so
RESPONSE_S = 1.0  # so long after a Hangup the word whether the call had been answered may come
FAILED_S = 1.0  # so long after a failed Originate its channel may live, or be told of for the first time
_LEG_ENDS = frozenset({Seen.LEFT, Seen.HANGUP})
_UNSERVED = SETTLED | {CallState.IN_IVR, CallState.IN_MESSAGE}
_UNSAVED = SETTLED | UNANSWERED | {CallState.JOINING}  # joining is written with the reservation


class Floor(InTalk):
    """All calls and agents of a campaign on one node. `told` hears the pacer's events as they happen."""

    def __init__(self, campaign: Campaign, node: str, new_id: Callable[[float], str], told: Told) -> None:
        self.campaign, self.node, self.new_id = campaign, node, new_id
        self.books = Books(told)
        self.attempts: Mapping[str, Attempt] = self.books.attempts
        self.deadlines = self.books.deadlines
        self.team = Team(node, campaign.id, new_id, told)
        self.team.awaited = self._awaited
        self.moves, self.spies = Moves(self.team), Spies()
        self.contact_of: Callable[[str], Contact | None] = _nobody  # of an attempt, where it is at hand
        self.limits_of: LimitsOf = none_offered  # what lenders let us offer
        self.spared: frozenset[str] = frozenset()  # agents whom a call-back waits for: for others the last choice

    # ---- calls come and go

    def claimed(self, attempt: Attempt, at: float) -> None:
        """A new attempt: from here on it is on the books."""
        self.books.begin(attempt).given = False
        self.books.told("launch", attempt.id, "", at)
        self.deadlines.set("overdue", attempt.id, at + timeout_s(self.campaign) + OVERDUE_S)

    def adopt(self, attempt: Attempt) -> None:
        """An attempt read from the store when this engine takes over; reconcile() finds out how it stands."""
        self.books.adopt(attempt)

    def came_in(self, attempt: Attempt, at: float) -> None:
        """A call that the IVR took: what was told of it so far was of no call of ours, so Asterisk is asked soon."""
        self.books.adopt(attempt)
        self.deadlines.set("came_in", attempt.id, at + AGAIN_S)

    def may_place(self, attempt_id: str) -> bool:
        """Whether its Originate may be written now; if so, a call may exist from here on."""
        attempt = self.attempts.get(attempt_id)
        if attempt is None or attempt.state is not CallState.CLAIMED or attempt.cancelled:
            return False
        self.books.notes[attempt_id].given = True
        return True

    def is_given(self, attempt_id: str) -> bool:
        """Whether Asterisk may know of it."""
        return self.books.notes[attempt_id].given

    def claimed_at(self, channel: str) -> float:
        """Nothing can have happened to this call before; -inf: it is no call of ours."""
        attempt = self.attempts.get(channel)
        return -inf if attempt is None else attempt.claimed_at

    def placed(self, attempt_id: str, at: float) -> None:
        """Asterisk acknowledged the Originate."""
        if attempt_id in self.attempts:
            self.books.put(step(self.attempts[attempt_id], Word.PLACED, at))

    def not_placed(self, attempt_id: str, why: str, at: float) -> list[Action]:
        """It was never given to Asterisk, or refused by it."""
        attempt = self.attempts.get(attempt_id)
        if attempt is None or attempt.state is not CallState.CLAIMED:
            return []
        return self._happened(attempt, Word.NOT_PLACED, at, at, {"cancelled": attempt.cancelled or why})

    def recorded(self, attempt_id: str) -> None:
        """Its outcome is on its way to be written."""
        self.books.drop(attempt_id)

    def cancel(self, attempt_id: str, why: str, at: float) -> list[Action]:
        """End a call that nobody has answered yet."""
        attempt = self.attempts.get(attempt_id)
        if attempt is None or attempt.state not in UNANSWERED or attempt.cancelled:
            return []
        if not self.books.notes[attempt_id].given:
            return self.not_placed(attempt_id, why, at)
        self.books.put(evolve(attempt, cancelled=why))
        return [HangUp(attempt_id, why)]

    def lines(self) -> int:
        """Calls that hold a line of the trunk."""
        return sum(attempt.state not in SETTLED for attempt in self.attempts.values())

    def has_unanswered(self) -> bool:
        """Whether the dialplan is still to run for a call that is out."""
        return any(one.state in UNANSWERED or one.state is CallState.DETECTING for one in self.attempts.values())

    # ---- events

    def seen(self, event: Event, at: float) -> list[Action]:
        """Everything that one event of Asterisk means here; `event.at` by our clock, `at` is now."""
        attempt = self.attempts.get(event.channel)
        if attempt is None:
            return self._seen_of_team(event, at)
        match event.kind:
            case Seen.JOINED:
                return self._joined(attempt, event, at)
            case Seen.LEFT:
                return self._left(attempt, event, at)
            case Seen.ROOM_REFUSED:
                return self._refused(attempt, event, at)
            case Seen.FAILED:
                return self._failed(attempt, event, at)
            case Seen.HANGUP:
                self.books.notes[attempt.id].was_up = event.result == WAS_UP
        word = word_of(event, self.campaign.kind, self.campaign.detection)
        actions = self._happened(attempt, word, event.at, at, told(event))
        if event.kind is Seen.READY:
            actions += self._ready(event.channel, event.at, at)
        return actions

    def _seen_of_team(self, event: Event, at: float) -> list[Action]:
        if self.team.owns(event.channel):
            actions = [*self.team.leg_seen(event, at), *self.taken_over(self.team.owner(event.channel), at)]
            return self.then_serve(actions + (self.left_on_hold() if event.kind in _LEG_ENDS else []), at)
        if self.spies.get(event.channel) is not None:
            return self.spy_seen(event, at)
        if event.kind in (Seen.HANGUP, Seen.FAILED) and (link := self.moves.link(event.channel)) is not None:
            return self.then_serve(self.unlinked(link, at), at)
        if event.kind is Seen.REACHABLE:
            return self.team.reachable(event.channel, at)
        if event.kind is Seen.JOINED:
            return self.then_serve(self.team.stray(event.channel, event.room, at), at)
        return []

    def _refused(self, attempt: Attempt, event: Event, at: float) -> list[Action]:
        if event.room == room(self.moves.kept.get(attempt.id, "")):
            return self.stays(attempt, at)
        if event.room != room(attempt.agent):
            return []  # of an earlier try
        actions = self._happened(attempt, Word.JOIN_FAILED, event.at, at)
        return [*actions, LookAgain(f"{event.room} took no customer")] if actions else []

    def happened(self, attempt_id: str, word: Word, at: float) -> list[Action]:
        """A word that no single event tells: proven gone, late with its join."""
        attempt = self.attempts.get(attempt_id)
        return [] if attempt is None else self._happened(attempt, word, at, at)

    def _happened(
        self, before: Attempt, word: Word | None, at: float, now: float, facts: Facts = NOTHING
    ) -> list[Action]:
        """`at` is when it happened, `now` when we act on it: after a pause of ours they differ."""
        after = learn(before, facts) if word is None else step(before, word, at, facts)
        if after is before:
            return []
        self.books.put(after)
        if word is None or word not in TABLE[before.state]:
            return []
        actions = self._released(before, after, at)
        if after.answered_at and not before.answered_at:
            actions += self._answered(before, after, word, at, now)
        actions += self._consequences(before, word, at, now)
        actions = self.then_serve(actions, now)
        after = self.attempts[before.id]
        if after.state is not before.state and after.state not in _UNSAVED and not _is_brief(after):
            actions.append(Save(after))
        return actions

    def _released(self, before: Attempt, after: Attempt, at: float) -> list[Action]:
        """The agent of a caller who is no longer with him, or on the way to him."""
        if after.state in (CallState.TALKING, CallState.ON_HOLD, CallState.JOINING):
            return []
        self.books.notes[after.id].moving = ""
        actions = self.moves.drop(after.id, at)
        if self.books.notes[after.id].in_room_since:  # what said so came before his BridgeLeave
            actions += self._talked(after, at)
        if before.state is CallState.JOINING:
            actions += self.team.join_failed(before.agent, before.id, at)
        if before.kind in OWN_AGENT and after.state in _UNSERVED:
            actions += self.team.let_go(before.id, at)
        return actions

    def _consequences(self, before: Attempt, word: Word, at: float, now: float) -> list[Action]:
        attempt_id = before.id
        match word:
            case Word.RINGING if not before.ringing_at:
                self.books.told("ring", attempt_id, "", at)
                self.deadlines.set("rang", attempt_id, at + self.campaign.ring_s)
                return [SaveAgent(one) for one in self.team.waiting_for(before)]
            case Word.PERSON if before.state not in SETTLED:
                self.books.live(attempt_id, at)
                self._wait(attempt_id, at + self.campaign.connect_limit_ms / 1000)
            case Word.MACHINE if before.state not in SETTLED:
                self.books.told("machine", attempt_id, "", at)
            case Word.WANTS_AGENT:
                self._wait(attempt_id, at + self.campaign.agent_wait_s)
            case Word.ON_HOLD:
                return self.on_hold(attempt_id, at)
            case Word.HELD:
                self._wait(attempt_id, at + self.campaign.grace_ms / 1000)
                self.deadlines.set("serve", attempt_id, at + self.campaign.grace_ms / 2000)
                return self.team.cut_off(before.agent, attempt_id, at)
            case Word.OVERFLOW_IVR | Word.OVERFLOW_MESSAGE | Word.IVR_BEGIN | Word.MESSAGE:
                self._fell(before, word, at)
            case Word.JOIN_FAILED:
                return self._not_joined(before, at, now)
            case Word.HANGUP | Word.LOST | Word.FAILED | Word.NOT_PLACED:
                return self._gone(before, word, at, now)
        return []

    # ---- answered

    def _answered(self, before: Attempt, after: Attempt, word: Word, at: float, now: float) -> list[Action]:
        self.books.told("answer", before.id, "", at)
        if before.state is CallState.GONE:  # its Hangup came first: the answer counts, nobody is left to serve
            return self._end(before.id, before.state, at) if self.books.notes[before.id].waiting_end else []
        if after.state is not CallState.DETECTING and word is not Word.MACHINE:
            self.books.live(before.id, at)
        if word is Word.ANSWERED:
            self.deadlines.set("ready", before.id, now + READY_S)
        return []

    def _ready(self, attempt_id: str, at: float, now: float) -> list[Action]:
        """The dialplan runs and may be left by a Redirect: the time in which an agent must come begins."""
        attempt = self.attempts[attempt_id]
        if attempt.state is not CallState.WAITING or attempt.waits_until:
            return []
        self._wait(attempt_id, at + self.campaign.connect_limit_ms / 1000)
        actions = self.then_serve([], now)
        after = self.attempts[attempt_id]
        return [*actions, Save(after)] if after.state is CallState.WAITING else actions

    def _wait(self, attempt_id: str, until: float) -> None:
        self.books.put(evolve(self.attempts[attempt_id], waits_until=until))
        self.deadlines.set("overdue", attempt_id, until + OVERDUE_S)

    def _fell(self, before: Attempt, word: Word, at: float) -> None:
        """The dialplan went on by itself. While a Redirect is under way it decides which of both comes first."""
        if before.state is CallState.JOINING:
            notes = self.books.notes[before.id]
            notes.fell = notes.fell or word
            self.books.put(evolve(self.attempts[before.id], waits_until=0.0))
            return
        if before.state is CallState.IN_IVR and word is Word.MESSAGE and not before.ivr_result:
            # the IVR broke off, or stood still: it said nothing itself
            self.books.put(evolve(self.attempts[before.id], ivr_result=IvrResult.MESSAGE.value))
        if before.state not in UNANSWERED and word is not Word.IVR_BEGIN:
            served = "served" if before.wanted_agent else "abandon"
            self.books.fate(before.id, "overflow" if word is Word.OVERFLOW_IVR else served, "", at)

    # ---- routing

    def then_serve(self, actions: list[Action], at: float) -> list[Action]:
        """Whoever waits longest is served first by an agent who may have become free."""
        waiting = self.books.waiting()
        if not self.team.has_idle():
            waiting = [one for one in waiting if one.kind in OWN_AGENT]  # somebody may be reserved for him
        for attempt in waiting:
            actions = [*actions, *self._serve(attempt, at)]
        return actions

    def _awaited(self, agent_id: str, at: float) -> bool:
        """Whether a caller of his is held and comes back to him now that his leg is up."""
        held = (one for one in self.books.waiting() if one.state is CallState.HELD and one.agent == agent_id)
        return any(may_send(one, at) and agent_id not in self.books.notes[one.id].failed_with for one in held)

    def let_go(self, attempt_id: str, at: float) -> list[Action]:
        """A call-back comes to nothing before it was placed: whoever was reserved for it is free."""
        return self.then_serve(self.team.let_go(attempt_id, at), at)

    def _serve(self, attempt: Attempt, at: float) -> list[Action]:
        failed_with = self.books.notes[attempt.id].failed_with
        agent = choose(attempt, self.team.agents.values(), at, failed_with, self.spared)
        if agent is None:
            return []
        agent = self.team.reserve(agent, attempt.id, at)
        attempt = evolve(step(attempt, Word.RESERVED, at), agent=agent.id)
        self.books.put(attempt)
        self.deadlines.set("join", attempt.id, at + 2 * JOIN_LIMIT_S)  # the store and the ack have as long again
        return [SendToAgent(attempt, agent)]

    def may_redirect(self, attempt_id: str, agent_id: str, at: float) -> bool:
        """Whether what SendToAgent asked for is still wanted: much may have happened since."""
        attempt = self.attempts.get(attempt_id)
        if attempt is None or attempt.state is not CallState.JOINING or attempt.agent != agent_id:
            return False
        return may_send(evolve(attempt, state=CallState.WAITING), at)

    def sent(self, attempt_id: str, agent_id: str, at: float) -> None:
        """The Redirect is acknowledged: the proof must come soon."""
        if self._joins(attempt_id, agent_id):
            self.deadlines.set("join", attempt_id, at + JOIN_LIMIT_S)

    def join_failed(self, attempt_id: str, agent_id: str, at: float) -> list[Action]:
        """Asterisk refused the Redirect: the next agent."""
        return self.happened(attempt_id, Word.JOIN_FAILED, at) if self._joins(attempt_id, agent_id) else []

    def _joins(self, attempt_id: str, agent_id: str) -> bool:
        attempt = self.attempts.get(attempt_id)
        return attempt is not None and attempt.state is CallState.JOINING and attempt.agent == agent_id

    def _not_joined(self, before: Attempt, at: float, now: float) -> list[Action]:
        notes = self.books.notes[before.id]
        notes.failed_with |= {before.agent}
        fell, notes.fell = notes.fell, None
        return [] if fell is None else self._happened(self.attempts[before.id], fell, at, now)

    def _joined(self, attempt: Attempt, event: Event, now: float) -> list[Action]:
        agent_id = event.room.removeprefix(room(""))
        if agent_id not in self.team.agents or Word.JOINED not in TABLE[attempt.state]:
            return []
        notes = self.books.notes[attempt.id]
        if notes.in_room_since and attempt.agent == agent_id:
            return self.is_back(attempt, event.at)
        actions = self._talked(attempt, notes.left_at or event.at) if notes.in_room_since else []
        actions += self.moves.arrived(attempt.id, agent_id)
        if attempt.agent != agent_id:
            actions += self.team.join_failed(attempt.agent, attempt.id, event.at)
        actions += self._wrapped_by_call(agent_id)
        actions += self.team.joined(agent_id, attempt.id, event.at)
        if attempt.kind in OWN_AGENT:
            actions += self.team.let_go(attempt.id, event.at)
        if attempt.record_paused and attempt.agent != agent_id:
            actions.append(RecordAgain(attempt))
        talked = f"{attempt.agents} {agent_id}".strip()
        moved = evolve(step(self.attempts[attempt.id], Word.JOINED, event.at), agent=agent_id, agents=talked)
        notes.moving, notes.left_at = "", 0.0
        notes.in_room_since, notes.fell, notes.failed_with = event.at, None, frozenset()
        self.books.put(moved)
        self.books.live(attempt.id, event.at)
        self.books.fate(attempt.id, "connect", agent_id, event.at)
        actions += self.heard(agent_id)
        return self.then_serve([*actions, Save(self.attempts[attempt.id])], now)

    def _left(self, attempt: Attempt, event: Event, now: float) -> list[Action]:
        notes = self.books.notes[attempt.id]
        if event.room != room(attempt.agent) or not notes.in_room_since:
            return []
        if notes.moving:
            notes.left_at = event.at  # where he came is told next
            return []
        return self.then_serve(self._talked(attempt, event.at), now)

    def _talked(self, attempt: Attempt, at: float) -> list[Action]:
        notes = self.books.notes[attempt.id]
        talk_s = attempt.talk_s + max(0.0, at - notes.in_room_since)
        notes.in_room_since = 0.0
        self.books.put(evolve(attempt, talk_s=talk_s, left_at=at))
        return self.talk_over(attempt.agent, attempt.id, at)

    def talk_over(self, agent_id: str, attempt_id: str, at: float) -> list[Action]:
        """The agent's talk is over: wrap-up, with its time limit."""
        actions = self.team.customer_left(agent_id, attempt_id, at)
        if actions:
            self.wraps_until(agent_id, at + self.campaign.wrap_up_max_s)
        return actions

    def wraps_until(self, agent_id: str, when: float) -> None:
        """When his wrap-up ends without him."""
        self.deadlines.set("wrap", agent_id, when)

    # ---- the end of a call

    def _gone(self, before: Attempt, word: Word, at: float, now: float) -> list[Action]:
        """Its end. A Hangup of a call that nothing was said of yet waits for the word whether it had been answered."""
        if before.state in SETTLED:
            return []
        attempt = self.attempts[before.id]
        if word is Word.HANGUP and before.state in UNANSWERED and not attempt.failed:
            self.books.notes[before.id].waiting_end = True
            self.deadlines.set("response", before.id, now + RESPONSE_S)
            return []
        return self._end(before.id, before.state, at)

    def _failed(self, attempt: Attempt, event: Event, now: float) -> list[Action]:
        """An Originate came to nothing. Its channel, if there was one, hangs up now or has done so."""
        self.books.put(learn(attempt, told(event)))
        if self.books.notes[attempt.id].waiting_end:
            return self._end(attempt.id, CallState.RINGING, event.at)
        if attempt.state in UNANSWERED:
            self.deadlines.set("failed", attempt.id, now + FAILED_S)
        return []

    def _failed_long_ago(self, attempt: Attempt, at: float) -> list[Action]:
        if not attempt.dialled:
            return self._happened(attempt, Word.FAILED, at, at)
        self.deadlines.set("overdue", attempt.id, at + FAILED_S)
        return [HangUp(attempt.id, "failed")]

    def _unheard_of(self, attempt: Attempt, at: float) -> list[Action]:
        """Nothing said whether it had been answered but the channel itself, when it hung up."""
        if not self.books.notes[attempt.id].was_up:
            return self._end(attempt.id, CallState.RINGING, attempt.ended_at)
        answer = Event(Seen.ANSWERED, attempt.ended_at, attempt.id)
        word = word_of(answer, self.campaign.kind, self.campaign.detection)
        return self._happened(attempt, word, answer.at, at)

    def _end(self, attempt_id: str, was: CallState, at: float) -> list[Action]:
        self.books.notes[attempt_id].waiting_end = False
        attempt = self.attempts[attempt_id]
        self.books.ended(was, attempt, self.campaign.kind, at)
        if self._is_wrapped_up(attempt):
            return [Save(attempt)]
        return self.close(attempt_id)

    def close(self, attempt_id: str) -> list[Action]:
        """Its outcome is to be written, once."""
        attempt, notes = self.attempts.get(attempt_id), self.books.notes.get(attempt_id)
        if attempt is None or notes is None or notes.closing:
            return []
        notes.closing = True
        unseen = attempt.cause < 0 and not attempt.failed and not attempt.cancelled  # the IVR may have had him
        if attempt.ivr_at or attempt.overflow_to == "ivr" or attempt.ivr_result or unseen:
            return [Save(attempt), Close(attempt, facts=True)]
        return [Close(attempt, facts=False)]

    def _is_wrapped_up(self, attempt: Attempt) -> bool:
        agent = self.team.agents.get(attempt.agent)
        return agent is not None and agent.attempt == attempt.id and agent.state is AgentState.WRAP_UP

    def awaits(self, attempt: Attempt) -> bool:
        """Whether something still has to be heard of a call that is over: a result, or if it had been answered."""
        return self.books.notes[attempt.id].waiting_end or self._is_wrapped_up(attempt)

    def wrap(self, agent_id: str, disposition: str, at: float) -> list[Action]:
        """The agent is done with his last call: its outcome can be written."""
        agent = self.team.agents.get(agent_id)
        if agent is None or agent.state is not AgentState.WRAP_UP:
            return []
        self.deadlines.drop(agent_id)
        attempt = self.attempts.get(agent.attempt)
        if attempt is not None:
            self.books.put(evolve(attempt, disposition=disposition or attempt.disposition, wrapped_at=at))
        actions = self._wrapped_by_call(agent_id)
        actions += self.team.wrapped(agent_id, at)
        return self.then_serve(actions, at)

    def _wrapped_by_call(self, agent_id: str) -> list[Action]:
        """Close the call whose wrap-up ends."""
        agent = self.team.agents[agent_id]
        attempt = self.attempts.get(agent.attempt)
        if attempt is None or attempt.state is not CallState.GONE or agent.state is not AgentState.WRAP_UP:
            return []
        return self.close(attempt.id) if attempt.agent == agent_id or not self._is_wrapped_up(attempt) else []

    # ---- time

    def tick(self, at: float) -> list[Action]:
        """Deadlines that have passed."""
        actions = self.team.tick(at)
        for name, owner in self.deadlines.due(at):
            if name == "wrap":
                actions += self.wrap(owner, "", at)
            elif owner in self.attempts:
                actions += self._deadline(name, self.attempts[owner], at)
        return actions

    def _deadline(self, name: str, attempt: Attempt, at: float) -> list[Action]:
        match name:
            case "join" if attempt.state is CallState.JOINING:
                actions = self._happened(attempt, Word.JOIN_FAILED, at, at)
                return [*actions, LookAgain(f"{attempt.id} did not come to {attempt.agent}")]
            case "rang" if attempt.state is CallState.RINGING and not attempt.cancelled:
                # Originate's Timeout counts the post-dial delay too. An answer may have been missed: only if sure
                self.deadlines.set("rang", attempt.id, at + AGAIN_S)
                return [HangUp(attempt.id, "rang out", if_sure=True)]
            case "moved":
                return self.not_moved(attempt.id, at)
            case "ready":
                return self._ready(attempt.id, attempt.answered_at, at)
            case "serve" if attempt.state in NEEDS_AGENT:
                return self.then_serve([], at)
            case "response" if self.books.notes[attempt.id].waiting_end:
                return self._unheard_of(attempt, at)
            case "failed" if attempt.state in UNANSWERED:
                return self._failed_long_ago(attempt, at)
            case "came_in" if attempt.state not in SETTLED:
                return [LookAgain(f"{attempt.id} came in")]
            case "look":
                return [LookAgain(f"{attempt.id} changed while calls were compared")]
            case "overdue" if attempt.state in UNANSWERED | NEEDS_AGENT:
                self.deadlines.set("overdue", attempt.id, at + OVERDUE_S)
                return [LookAgain(f"no end of {attempt.id} seen")]
            case _:
                return []


def _nobody(attempt_id: str) -> Contact | None:
    return None


def _is_brief(attempt: Attempt) -> bool:
    """Answered, and served or saved as soon as the dialplan runs."""
    return attempt.state is CallState.WAITING and not attempt.waits_until
