"""Every path of a flow with one debtor: keys, steps, outcome, what is said. Loops are walked once.

A path that comes back to a step it has awaited keys at is cut there. At an entry each finding is walked: the right
digits, and every wrong kind until it gives up. Silence is walked until the flow gives up; a wrong key does the same.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import timedelta

from ivr.dialogue import Dialogue, Turn
from ivr.prompts import Sentence

SILENCE = "-"
CHARACTERS_PER_S = 15.0  # of speech, where no sound was rendered
PAUSE_S = 0.25  # after each sentence


@dataclass(frozen=True, slots=True)
class Path:
    """One way through: `keys` as pressed (`-`: silence), `steps` that awaited keys, and how it ended."""

    keys: tuple[str, ...]
    steps: tuple[str, ...]
    how: str
    said: tuple[Sentence, ...]
    turns: tuple[Turn, ...]

    @property
    def silences(self) -> int:
        """How often nothing was pressed."""
        return self.keys.count(SILENCE)


def paths(dialogue: Dialogue, secret: str) -> Iterator[Path]:
    """All of them; `secret` proves who he is."""
    yield from _walk(dialogue, samples(dialogue, secret), (dialogue.begin(),), ())


def samples(dialogue: Dialogue, secret: str) -> Mapping[str, tuple[str, ...]]:
    """What is keyed at an entry: the right first, then one of each wrong kind."""
    today, limits = dialogue.talk.today, dialogue.talk.limits
    good = today + timedelta(days=min(3, limits.promise_days))
    far = today + timedelta(days=limits.promise_days + 40)
    wrong_secret = "".join("1" if digit != "1" else "2" for digit in secret)
    return {
        "secret": (secret, wrong_secret),
        "date": (f"{good:%d%m}", "3113", f"{today - timedelta(days=1):%d%m}", f"{far:%d%m}"),
        "hour": ("1000", "2561", "0300"),
        "number": ("081234567890", "12345"),
    }


def _walk(
    dialogue: Dialogue, entered: Mapping[str, tuple[str, ...]], turns: tuple[Turn, ...], keys: tuple[str, ...]
) -> Iterator[Path]:
    turn = turns[-1]
    before = [one.state.step for one in turns[:-1]]
    step = dialogue.flow.steps[turn.state.step]
    if turn.end:
        yield _path(turns, keys, turn.end.how)
    elif step.entry and (
        turn.state.misses or (step.entry == "secret" and turn.state.secret_misses)
    ):  # the same wrong digits until it gives up
        yield from _walk(dialogue, entered, (*turns, dialogue.hear(turn.state, keys[-1])), (*keys, keys[-1]))
    elif turn.state.step in before:
        yield _path(turns, keys, f"back to {turn.state.step}")
    else:
        pressed = entered[step.entry] if step.entry else tuple(sorted(dialogue.choices(turn.state)))
        for one in pressed:
            yield from _walk(dialogue, entered, (*turns, dialogue.hear(turn.state, one)), (*keys, one))
        yield _silent(dialogue, turns, keys)


def _silent(dialogue: Dialogue, turns: tuple[Turn, ...], keys: tuple[str, ...]) -> Path:
    while turns[-1].listen:
        turns, keys = (*turns, dialogue.hear(turns[-1].state, "")), (*keys, SILENCE)
    end = turns[-1].end
    return _path(turns, keys, end.how if end else "")


def _path(turns: tuple[Turn, ...], keys: tuple[str, ...], how: str) -> Path:
    said = tuple(sentence for turn in turns for sentence in turn.say)
    return Path(keys, tuple(turn.state.step for turn in turns), how, said, turns)


def estimated_s(sentence: Sentence) -> float:
    """How long it may take to say, by its characters."""
    return len(str(sentence)) / CHARACTERS_PER_S + PAUSE_S
