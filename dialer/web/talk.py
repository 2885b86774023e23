"""What the agent is to say: the stage of a debt, the script for it as data, with this debtor's own values."""

import re
import tomllib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from functools import cache
from pathlib import Path

from dialer.debts.history import Entry, What
from dialer.errors import ConfigError

SCRIPTS = Path(__file__).parent / "scripts"
LATE_FROM_DAYS = 31  # up to then early: a reminder, not a negotiation
VARIABLES = frozenset(
    "greeting caller name lender product outstanding minimum due days_late promised promised_day".split()
)
FOR_ANYONE = frozenset(("greeting", "caller", "name"))  # what the first step of a script may say
_PLACE = re.compile(r"\{(\w+)\}")
_MONTHS = {
    "id": "Januari Februari Maret April Mei Juni Juli Agustus September Oktober November Desember".split(),
    "en": "January February March April May June July August September October November December".split(),
}


class Stage(StrEnum):
    """How far a debt has come, or what the talk turned into; the agent may choose another."""

    EARLY = "early"
    LATE = "late"
    BROKEN = "broken"
    HARDSHIP = "hardship"
    ANGRY = "angry"


@dataclass(frozen=True, slots=True)
class Step:
    """One thing to say, or to do where `say` is empty."""

    title: str
    say: str
    do: str = ""


def stage_of(days_late: int | None, entries: Sequence[Entry]) -> Stage:
    """By what came last of hardship and a broken promise, else by how late he is."""
    for one in reversed(entries):
        if one.what is What.BROKEN:
            return Stage.BROKEN
        if one.what is What.KEPT or one.what is What.PAYMENT:
            break
        if one.what is What.CALL and one.disposition.startswith("hardship"):
            return Stage.HARDSHIP
    return Stage.LATE if (days_late or 0) >= LATE_FROM_DAYS else Stage.EARLY


def steps(
    stage: Stage, language: str, values: Mapping[str, str], own: Sequence[Step] | None = None
) -> tuple[Step, ...]:
    """The script of a stage, a campaign's `own` instead of ours; what would need a value that is not there is left
    out whole."""
    return tuple(
        Step(*(_PLACE.sub(lambda found: values[found[1]], text) for text in (one.title, one.say, one.do)))
        for one in (read(language)[stage] if own is None else own)
        if all(values.get(name) for name in _PLACE.findall(one.title + one.say + one.do))
    )


@cache
def read(language: str) -> Mapping[Stage, tuple[Step, ...]]:
    """The scripts of a language; Indonesian where there are none. Raises ConfigError."""
    path = SCRIPTS / f"{language}.toml"
    return parse(path.read_text(encoding="utf-8"), path.name) if path.is_file() and language.isalpha() else read("id")


@dataclass(frozen=True, slots=True)
class Fault:
    """What is wrong with a step of a script; `step` counts from 0. `word`: which variable."""

    stage: Stage
    step: int
    kind: str
    word: str = ""


def faults(stage: Stage, script: Sequence[Step]) -> Iterator[Fault]:
    """What nobody may be given to read out. Who it is comes first: until then not a word of a debt."""
    if not script:
        yield Fault(stage, 0, "empty")
    for turn, one in enumerate(script):
        text = f"{one.title}\n{one.say}\n{one.do}"
        if not one.title.strip():
            yield Fault(stage, turn, "no_title")
        if not (one.say.strip() or one.do.strip()):
            yield Fault(stage, turn, "no_words")
        if set("{}") & set(_PLACE.sub("", text)):
            yield Fault(stage, turn, "brace")
        used = dict.fromkeys(_PLACE.findall(text))
        yield from (Fault(stage, turn, "unknown", name) for name in used if name not in VARIABLES)
        if turn == 0:
            yield from (Fault(stage, 0, "debt_first", name) for name in used if name in VARIABLES - FOR_ANYONE)


def parse(text: str, name: str) -> Mapping[Stage, tuple[Step, ...]]:
    """Raises ConfigError with the place of the fault."""
    try:
        found = tomllib.loads(text)
        scripts = {stage: tuple(Step(**step) for step in found[stage]) for stage in Stage}
    except (tomllib.TOMLDecodeError, KeyError, TypeError) as error:
        raise ConfigError(f"{name}: {error!r}: every stage needs steps of title, say and do.") from None
    used = {
        name for one in scripts.values() for step in one for name in _PLACE.findall(step.title + step.say + step.do)
    }
    if unknown := sorted(used - VARIABLES):
        raise ConfigError(f"{name}: unknown {', '.join(unknown)}; use {', '.join(sorted(VARIABLES))}.")
    return scripts


def money(amount: int, currency: str, language: str, minor_digits: int) -> str:
    """1250000 IDR -> Rp1.250.000 in Indonesian, IDR 1,250,000 in English."""
    whole, cents = divmod(amount, 10**minor_digits)
    thousands, point = (".", ",") if language == "id" else (",", ".")
    figures = f"{whole:,}".replace(",", thousands) + (f"{point}{cents:0{minor_digits}d}" if minor_digits else "")
    return f"Rp{figures}" if currency == "IDR" and language == "id" else f"{currency} {figures}"


def greeting(hour: int, language: str) -> str:
    """By the debtor's own clock."""
    words = ("Selamat pagi", "Selamat siang", "Selamat sore", "Selamat malam")
    if language != "id":
        words = ("Good morning", "Good afternoon", "Good afternoon", "Good evening")
    return words[(hour >= 11) + (hour >= 15) + (hour >= 18)]


def day(when: date, language: str) -> str:
    """1 Desember 2026, 1 December 2026."""
    return f"{when.day} {_MONTHS.get(language, _MONTHS['en'])[when.month - 1]} {when.year}"
