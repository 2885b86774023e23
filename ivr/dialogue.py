"""The conversation: state and what was keyed -> what to say, which keys to await, what was learnt.

It plays a flow. Nothing of the debt is said before a step that verifies: the machine itself refuses to, whatever the
flow says. Every talk ends: silence, wrong keys, entries and turns are all counted.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace

from dialer.errors import DialerError
from ivr import entries, spoken
from ivr.flow import End, Flow, Item, Step
from ivr.prompts import Sentence, sentence
from ivr.slots import Slots
from ivr.talk import State, Talk, conditions, other
from ivr.words import ENTRIES, FACTS

ANY_KEY = "0123456789*"  # a # first is what many press after their digits: it is not heard
AGAIN = "*"  # says the step again, wherever one is
HIDDEN = frozenset({"secret", "number"})  # entries whose digits are not told
PRIVATE = frozenset({"name"})
OWN_WORDS = tuple(f"{{{slot}}}" for slot in ("name", "what", "va_bank"))  # slots that hold no fixed pieces
PARTS_OF_DAY = {"call_morning": 9 * 60, "call_noon": 13 * 60, "call_afternoon": 16 * 60}

Facts = tuple[tuple[str, str], ...]


class DebtUntold(DialerError):
    """The dialogue was about to speak of a debt to somebody who is not verified."""


@dataclass(frozen=True, slots=True)
class Listen:
    """Keys awaited: `count` of `keys`; after the first, `#` ends an entry early."""

    keys: str
    count: int = 1


@dataclass(frozen=True, slots=True)
class Turn:
    """One thing to do: store the facts, say the sentences, then listen or end."""

    state: State
    say: tuple[Sentence, ...]
    facts: Facts = ()
    must: bool = False
    listen: Listen | None = None
    end: End | None = None


@dataclass(frozen=True, slots=True)
class Dialogue:
    """One flow with one person."""

    flow: Flow
    talk: Talk

    def begin(self) -> Turn:
        """The first turn."""
        flow, talk = self.flow, self.talk
        facts = (("flow", flow.label), ("language", talk.language))
        return self._enter(State(flow.start, talk.language), flow.start, facts)

    def hear(self, state: State, keyed: str) -> Turn:
        """What follows when `keyed` was heard; '' is silence."""
        state = replace(state, turns=state.turns + 1, came_from=state.step)
        if state.turns >= self.flow.turns:
            return self._enter(state, self.flow.enough)
        step = self.flow.steps[state.step]
        if not keyed:
            return self._again(state, self.flow.silent, ())
        if keyed[0] == AGAIN:
            return self._enter(replace(state, repeats=0), state.step, (("key", AGAIN),))
        if step.entry:
            return self._entered(state, step, keyed)
        facts = (("key", keyed[0]),)
        target = self.choices(state).get(keyed[0])
        if target is None:
            return self._again(state, self.flow.wrong, facts)
        return self._enter(replace(state, repeats=0, misses=0), target, facts)

    def not_stored(self, state: State) -> Turn:
        """What follows when a choice could not be stored."""
        return self._enter(state, self.flow.not_stored)

    def choices(self, state: State) -> dict[str, str]:
        """The keys that work now, and where they lead."""
        known = conditions(self.talk, state)
        step = self.flow.steps[state.step]
        return {choice.key: choice.to for choice in step.choices if choice.when.holds(known)}

    def ahead(self) -> tuple[Sentence, ...]:
        """Sentences with words of this call's own, which a voice should have ready before they are needed."""
        texts = self.flow.texts[self.talk.language]
        found = dict.fromkeys(one for one in self._all() if any(slot in texts[one.name] for slot in OWN_WORDS))
        return tuple(found)

    def check(self) -> None:
        """Raises BadInput if something of this talk cannot be spoken, while nothing has been said yet."""
        for language in self.flow.texts:
            list(self._all(language))

    def _all(self, language: str = "") -> Iterator[Sentence]:
        """What may be said of what is known at the beginning."""
        state = State(self.flow.start, language or self.talk.language, proved=True, verified=True)
        known = conditions(self.talk, state)
        for step in self.flow.steps.values():
            yield from (self.sentence(one.name, state) for one in step.say if one.when.holds(known))
            yield from (self.sentence(one.say, state) for one in step.choices if one.say and one.when.holds(known))

    def sentence(self, name: str, state: State, in_other: bool = False) -> Sentence:
        """A text in the language of the talk, or in the other one."""
        if name in self.flow.debt and not state.verified:
            raise DebtUntold(name)
        language = other(state.language) if in_other else state.language
        texts = self.flow.texts[language]
        return sentence(name, language, Slots(self.talk, state, language, texts), PRIVATE, texts)

    # ---- one turn

    def _again(self, state: State, texts: tuple[str, ...], facts: Facts) -> Turn:
        """The same step once more, or the end when it was said often enough."""
        if state.repeats >= self.flow.repeats:
            return self._enter(state, self.flow.quiet, facts)
        turn = self._enter(replace(state, repeats=state.repeats + 1), state.step, facts)
        text = texts[min(state.repeats, len(texts) - 1)]
        return replace(turn, say=(self.sentence(text, state), *turn.say))

    def _entered(self, state: State, step: Step, keyed: str) -> Turn:
        """Digits have come in: check them."""
        facts = (("key", "*" * len(keyed) if step.entry in HIDDEN else keyed),)
        if step.entry == "secret":
            found, state = self._secret(state, keyed)
        else:
            found, state = entries.check(step.entry, self.talk, state, keyed)
            state = replace(state, misses=0 if found == "ok" else state.misses + 1)
            if state.misses >= self.flow.tries:
                found, state = "given_up", replace(state, misses=0)
        return self._enter(replace(state, repeats=0), step.on[found], facts)

    def _secret(self, state: State, keyed: str) -> tuple[str, State]:
        if state.secret_misses < self.flow.tries:
            found, state = entries.check("secret", self.talk, state, keyed)
            if found == "ok":
                return found, state
            state = replace(state, secret_misses=state.secret_misses + 1)
        return ("given_up" if state.secret_misses >= self.flow.tries else "bad"), state

    def _enter(self, state: State, target: str, facts: Facts = ()) -> Turn:
        """Go to a step, and on through those that neither listen nor end; gather what they say."""
        say: list[Sentence] = []
        learnt = list(facts)
        must = False
        while True:
            step = self.flow.steps[target]
            state = self._acted(replace(state, step=target), step)
            learnt += [(fact, self._value(fact, state)) for fact in step.facts]
            must = must or any(FACTS[fact].must for fact in step.facts)
            known = conditions(self.talk, state)
            say += [self.sentence(one.name, state) for one in step.say if one.when.holds(known)]
            say += [
                self.sentence(choice.say, state, choice.other)
                for choice in step.choices
                if choice.say and choice.when.holds(known)
            ]
            if not step.next:
                break
            target = _first(step.next, known)
        return Turn(state, tuple(say), (*learnt, ("step", target)), must, self._listen(step), step.end)

    def _acted(self, state: State, step: Step) -> State:
        """What entering a step changes."""
        talk, does = self.talk, step.does
        if step.verifies:
            if talk.secret_digits and not state.proved:
                raise DebtUntold(state.step)
            state = replace(state, verified=True)
        if does == "switch_language":
            return replace(state, language=other(state.language))
        if does.startswith("promise_"):
            return replace(state, promise=talk.today if does == "promise_today" else talk.friday, offer="")
        if does == "call_soon":
            return replace(state, call_time=entries.soon(talk))
        if does in PARTS_OF_DAY:
            minute = entries.nearest(talk, PARTS_OF_DAY[does])
            return replace(state, call_time=entries.call_at(talk, minute))
        if does.startswith("take_") and (offer := talk.offer(does.removeprefix("take_"))):
            return replace(state, offer=offer.name, promise=offer.payments[0].day)
        return state

    def _listen(self, step: Step) -> Listen | None:
        if not step.listens:
            return None
        if step.entry == "secret":
            return Listen(ANY_KEY, max(1, self.talk.secret_digits))
        return Listen(ANY_KEY, ENTRIES[step.entry].count if step.entry else 1)

    def _value(self, fact: str, state: State) -> str:
        """What is written down of a fact."""
        taken = self.talk.offer(state.offer)
        match fact:
            case "language":
                return state.language
            case "promise" if state.promise:
                amount = taken.payments[0].amount if taken else self.talk.amount
                return f"{state.promise.isoformat()};{amount}"
            case "offer":
                return str(taken or "")
            case "call_back" if state.call_time:
                return state.call_time.isoformat(timespec="minutes")
            case "new_number":
                return state.number
            case "wants_agent":
                day = state.promise.isoformat() if state.promise else ""
                return f"{state.came_from};{'verified' if state.verified else ''};{day}"
        return ""


def _first(items: Iterable[Item], known: frozenset[str]) -> str:
    return next(one.name for one in items if one.when.holds(known))


def between(flow: Flow, talk: Talk) -> Dialogue:
    """The flow with this person, in a language that it speaks."""
    spoken_here = tuple(language for language in spoken.LANGUAGES if language in flow.texts)
    language = talk.language if talk.language in spoken_here else spoken_here[0]
    return Dialogue(flow, replace(talk, language=language, switch=talk.switch and len(spoken_here) > 1))
