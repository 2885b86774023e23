"""Scripts: which stage a debt is in, and that nobody ever reads out a value that is not there."""

from datetime import date

import pytest

from dialer.debts.history import Entry, What
from dialer.errors import ConfigError
from dialer.web import talk
from dialer.web.talk import SCRIPTS, VARIABLES, Stage, Step, parse, read, stage_of, steps

LANGUAGES = ("id", "en")
ALL = dict.fromkeys(VARIABLES, "x")


def past(*whats: What, disposition: str = "") -> list[Entry]:
    return [Entry(what, f"e{n}", 1000 + n, disposition=disposition) for n, what in enumerate(whats)]


@pytest.mark.parametrize(
    ("days_late", "entries", "stage"),
    [
        (None, [], Stage.EARLY),
        (-3, [], Stage.EARLY),
        (30, [], Stage.EARLY),
        (31, [], Stage.LATE),
        (5, past(What.BROKEN), Stage.BROKEN),
        (90, past(What.BROKEN, What.PAYMENT), Stage.LATE),
        (5, past(What.BROKEN, What.KEPT), Stage.EARLY),
        (5, past(What.CALL, disposition="hardship"), Stage.HARDSHIP),
        (5, [*past(What.CALL, disposition="hardship"), *past(What.BROKEN)], Stage.BROKEN),
        (40, past(What.CALL, disposition="refuses"), Stage.LATE),
    ],
)
def test_stage(days_late: int | None, entries: list[Entry], stage: Stage) -> None:
    assert stage_of(days_late, entries) is stage


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("stage", Stage)
def test_every_stage_has_a_script_in_both_languages(language: str, stage: Stage) -> None:
    assert len(read("id")[stage]) == len(read("en")[stage]) == len(steps(stage, language, ALL)) >= 3


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("stage", Stage)
def test_nothing_is_said_of_a_value_that_is_not_known(language: str, stage: Stage) -> None:
    said = steps(stage, language, dict.fromkeys(VARIABLES, ""))
    assert all("{" not in one.say and one.title for one in said)
    assert (len(said) < len(steps(stage, language, ALL))) is (stage is not Stage.ANGRY)  # which needs no value


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("stage", [Stage.EARLY, Stage.LATE, Stage.BROKEN])
def test_the_debt_is_not_named_before_the_debtor_is_there(language: str, stage: Stage) -> None:
    first = read(language)[stage][0]
    told = {"outstanding", "lender", "product", "minimum", "due", "days_late", "promised"}
    assert not [name for name in told if f"{{{name}}}" in first.say]
    assert "{name}" in first.say


def test_values_are_put_in_once() -> None:
    values = ALL | {"name": "{lender}", "caller": "Maju", "greeting": "Selamat pagi"}
    assert "Maju" in steps(Stage.EARLY, "id", values)[0].say
    assert "{lender}" in steps(Stage.EARLY, "id", values)[0].say  # a name is a name, whatever is in it


def test_an_unknown_language_is_indonesian() -> None:
    assert read("xx") == read("id") == read("../id")
    assert isinstance(read("id")[Stage.EARLY][0], Step)


@pytest.mark.parametrize(
    "text",
    [
        "[[early]]\ntitle = 'x'\nsay = 'y'",
        "not toml",
        (SCRIPTS / "id.toml").read_text() + '\n[[angry]]\ntitle="{sum}"\nsay="x"',
    ],
)
def test_a_faulty_script_is_refused(text: str) -> None:
    with pytest.raises(ConfigError, match=r"mine\.toml"):
        parse(text, "mine.toml")


def test_figures() -> None:
    assert talk.money(1250000, "IDR", "id", 0) == "Rp1.250.000"
    assert talk.money(1250000, "IDR", "en", 0) == "IDR 1,250,000"
    assert talk.money(123456, "USD", "en", 2) == "USD 1,234.56"
    assert talk.money(5, "EUR", "id", 2) == "EUR 0,05"
    assert talk.day(date(2026, 12, 1), "id") == "1 Desember 2026"
    assert [talk.greeting(hour, "id").split()[1] for hour in (8, 11, 15, 18)] == ["pagi", "siang", "sore", "malam"]
