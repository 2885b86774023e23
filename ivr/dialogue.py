"""The conversation: state and what was keyed -> what to say, which keys to await, what was learnt.

It plays the table of steps.py. Nothing of the debt is said before a step that verifies: the machine itself refuses to,
whatever the table says. Every talk ends: silence, wrong keys, entries and turns are all counted.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import date, timedelta

from dialer.errors import DialerError
from ivr import spoken
from ivr.prompts import Sentence, sentence, spoken_name, spoken_words
from ivr.spoken import Pieces
from ivr.steps import ON_ENOUGH, ON_NOT_STORED, ON_QUIET, START, STEPS, End, Step
from ivr.texts import DEBT, TEXTS
from ivr.verify import TRIES

REPEATS = 2  # how often a step is said again after silence or a wrong key
MOST_TURNS = 25
BIRTH_DIGITS = 8  # a date of birth, DDMMYYYY
ANY_KEY = "0123456789*"  # a # first is what many press after their digits: it is not heard
PRIVATE = frozenset({"name"})


class DebtUntold(DialerError):
    """The dialogue was about to speak of a debt to somebody who is not verified."""


@dataclass(frozen=True, slots=True)
class Talk:
    """All that is known when the conversation begins. `proves` tells whether what was keyed is the secret."""

    today: date
    greeting: str = "hello"
    language: str = "id"
    switch: bool = False  # the other language is offered
    caller: str = ""
    agent: bool = False  # a person can be asked for
    name: str = ""
    lender: str = ""
    product: str = ""
    currency: str = "IDR"
    amount: int = 0
    due: date | None = None
    secret_digits: int = 0  # 0: a key is proof enough
    proves: Callable[[str], bool] = lambda _: False
    promise_days: int = 14


@dataclass(frozen=True, slots=True)
class State:
    """Where the conversation is."""

    step: str = START
    language: str = "id"
    verified: bool = False
    repeats: int = 0
    secret_misses: int = 0
    date_misses: int = 0
    promise: date | None = None
    turns: int = 0


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
    facts: tuple[tuple[str, str], ...] = ()
    must: bool = False
    listen: Listen | None = None
    end: End | None = None


def begin(talk: Talk) -> Turn:
    """The first turn."""
    return _enter(talk, State(language=talk.language), START)


def hear(talk: Talk, state: State, keyed: str) -> Turn:
    """What follows when `keyed` was heard; '' is silence."""
    state = replace(state, turns=state.turns + 1)
    if state.turns >= MOST_TURNS:
        return _enter(talk, state, ON_ENOUGH)
    step = STEPS[state.step]
    if not keyed:
        return _again(talk, state, "silent", ())
    if step.entry:
        return _entered(talk, state, step, keyed)
    facts = (("key", keyed[:1]),)
    target = allowed(step.keys, talk, state).get(keyed[:1])
    if target is None:
        return _again(talk, state, "wrong_key", facts)
    return _enter(talk, replace(state, repeats=0), target, facts)


def not_stored(talk: Talk, state: State) -> Turn:
    """What follows when a choice could not be stored."""
    return _enter(talk, state, ON_NOT_STORED)


def ahead(talk: Talk) -> tuple[Sentence, ...]:
    """Sentences with words of this call's own, which a voice should have ready before they are needed."""
    names = ["ask_name"] if talk.name else []
    state = State(language=talk.language, verified=True)
    return tuple(_sentence(name, talk, state) for name in [*names, "purpose"])


def check(talk: Talk) -> None:
    """Raises BadInput if something of this talk cannot be spoken, while nothing has been said yet."""
    for language in spoken.LANGUAGES:
        state = State(language=language, verified=True, promise=talk.today)
        for step in STEPS.values():
            for name in holding(step.say, talk, state):
                _sentence(name, talk, state)


def _again(talk: Talk, state: State, text: str, facts: tuple[tuple[str, str], ...]) -> Turn:
    """The same step once more, or the end when it was said often enough."""
    if state.repeats >= REPEATS:
        return _enter(talk, state, ON_QUIET, facts)
    turn = _enter(talk, replace(state, repeats=state.repeats + 1), state.step, facts)
    return replace(turn, say=(_sentence(text, talk, state), *turn.say))


def _entered(talk: Talk, state: State, step: Step, keyed: str) -> Turn:
    """Digits have come in: check them."""
    if step.entry == "secret":
        facts = (("key", "*" * len(keyed)),)
        found, state = _check_secret(talk, state, keyed)
    else:
        facts = (("key", keyed),)
        found, state = _check_date(talk, state, keyed)
    return _enter(talk, replace(state, repeats=0), step.on[found], facts)


def _check_secret(talk: Talk, state: State, keyed: str) -> tuple[str, State]:
    if talk.proves(keyed):
        return "ok", state
    misses = state.secret_misses + 1
    return "given_up" if misses >= TRIES else "bad", replace(state, secret_misses=misses)


def _check_date(talk: Talk, state: State, keyed: str) -> tuple[str, State]:
    found = promise_date(keyed, talk.today, talk.promise_days)
    if isinstance(found, date):
        return "ok", replace(state, promise=found, date_misses=0)
    misses = state.date_misses + 1
    if misses >= TRIES:
        return "given_up", replace(state, date_misses=0)
    return found, replace(state, date_misses=misses)


def promise_date(keyed: str, today: date, limit_days: int) -> date | str:
    """DDMM -> the date meant, or why not: unreal, past, far. The year is the one that makes it come soonest."""
    if len(keyed) != 4 or not keyed.isdecimal():
        return "unreal"
    days = [day for year in (today.year, today.year + 1) if (day := _real(year, keyed))]
    if not days:
        return "unreal" if not _real(2000, keyed) else "far"
    for day in days:
        if today <= day <= today + timedelta(days=limit_days):
            return day
    return "past" if timedelta() < today - days[0] < timedelta(days=183) else "far"


def _real(year: int, keyed: str) -> date | None:
    try:
        return date(year, int(keyed[2:]), int(keyed[:2]))
    except ValueError:
        return None


def _enter(talk: Talk, state: State, target: str, facts: tuple[tuple[str, str], ...] = ()) -> Turn:
    """Go to a step, and on through those that neither listen nor end; gather what they say."""
    say: list[Sentence] = []
    learnt = list(facts)
    must = False
    while True:
        step, state = STEPS[target], _on_entry(STEPS[target], target, state)
        if step.fact:
            learnt.append((step.fact, _fact_value(step.fact, talk, state)))
        must = must or step.must
        say += [_sentence(name, talk, state) for name in holding(step.say, talk, state)]
        if not step.next:
            break
        target = holding(step.next, talk, state)[0]
    return Turn(state, tuple(say), (*learnt, ("step", target)), must, _listen(step, talk, state), step.end)


def _on_entry(step: Step, target: str, state: State) -> State:
    if step.fact == "language":
        return replace(state, step=target, language=other(state.language))
    return replace(state, step=target, verified=state.verified or step.verifies)


def _listen(step: Step, talk: Talk, state: State) -> Listen | None:
    if step.end:
        return None
    return Listen(ANY_KEY, {"": 1, "secret": talk.secret_digits, "date": 4}[step.entry])


def other(language: str) -> str:
    """The other of the two languages."""
    return spoken.LANGUAGES[language == spoken.LANGUAGES[0]]


def conditions(talk: Talk, state: State) -> frozenset[str]:
    """The words after `if` that hold now."""
    overdue = (talk.today - talk.due).days if talk.due else None
    return frozenset(
        word
        for word, holds in {
            "caller": bool(talk.caller),
            "no_caller": not talk.caller,
            "name": bool(talk.name),
            "no_name": not talk.name,
            "switch": talk.switch,
            "secret": talk.secret_digits > 0,
            "unproven": talk.secret_digits == 0,
            "birth": talk.secret_digits == BIRTH_DIGITS,
            "code": talk.secret_digits not in (0, BIRTH_DIGITS),
            "agent": talk.agent,
            "amount": talk.amount > 0,
            "no_amount": talk.amount <= 0,
            "due_later": overdue is not None and overdue < 0,
            "due_today": overdue == 0,
            "due_late": overdue is not None and overdue > 0,
            "verified": state.verified,
        }.items()
        if holds
    )


def holding(items: tuple[str, ...], talk: Talk, state: State) -> list[str]:
    """The items whose condition holds, without it."""
    known = conditions(talk, state)
    parts = [item.partition(" if ") for item in items]
    return [what for what, _, condition in parts if not condition or condition in known]


def allowed(keys: Mapping[str, str], talk: Talk, state: State) -> dict[str, str]:
    """The keys whose condition holds, and where they lead."""
    return {key: found[0] for key, target in keys.items() if (found := holding((target,), talk, state))}


def _fact_value(fact: str, talk: Talk, state: State) -> str:
    if fact == "promise" and state.promise:
        return f"{state.promise.isoformat()};{talk.amount}"
    return state.language if fact == "language" else ""


def _sentence(name: str, talk: Talk, state: State) -> Sentence:
    """A text in the language of the talk; `press_language` speaks the other one."""
    if name in DEBT and not state.verified:
        raise DebtUntold(name)
    language = other(state.language) if name == "press_language" else state.language
    name = talk.greeting if name == "{greeting}" else name
    return sentence(name, language, _Slots(talk, state, language), PRIVATE)


class _Slots(dict[str, Pieces]):
    """What the slots hold; made when asked for."""

    def __init__(self, talk: Talk, state: State, language: str) -> None:
        self.talk, self.state, self.language = talk, state, language

    def __missing__(self, slot: str) -> Pieces:
        talk, language = self.talk, self.language
        match slot:
            case "caller" | "name":
                return (spoken_words(talk.caller) if slot == "caller" else spoken_name(talk.name),)
            case "count":
                return spoken.cardinal(talk.secret_digits, language)
            case "what":
                return self._what()
            case "amount":
                return spoken.money(talk.amount, talk.currency, language)
            case "late":
                return spoken.days((talk.today - (talk.due or talk.today)).days, language)
            case "example_keys":
                return spoken.digits(self._date("example").strftime("%d%m"), language)
            case _:
                return spoken.day(self._date(slot), talk.today, language)

    def _date(self, slot: str) -> date:
        talk = self.talk
        match slot:
            case "due":
                return talk.due or talk.today
            case "promise":
                return self.state.promise or talk.today
            case "last":
                return talk.today + timedelta(days=talk.promise_days)
            case "example":
                return talk.today + timedelta(days=min(3, talk.promise_days))
        raise KeyError(slot)

    def _what(self) -> Pieces:
        words = TEXTS[self.language]
        product, lender = spoken_words(self.talk.product), spoken_words(self.talk.lender)
        pieces = (product or words["what_bill"],)
        return (*pieces, words["what_from"], lender) if lender else pieces
