"""The conversation: every path of it, without a phone."""

from collections import deque
from collections.abc import Iterator
from dataclasses import replace
from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from ivr.steps import STEPS, End

from dialer.dialplan import IvrResult
from dialer.errors import BadInput
from ivr import dialogue
from ivr.dialogue import State, Talk, Turn
from ivr.spoken import LANGUAGES
from ivr.texts import DEBT, PARTS, TEXTS

TODAY = date(2026, 11, 21)
FULL = Talk(
    today=TODAY, language="id", switch=True, caller="Dana Sejahtera", agent=True, name="Budi Santoso",
    lender="Bank Maju", product="Kredit Motor", amount=1_250_000, due=date(2026, 11, 18), secret_digits=4,
    proves=lambda keyed: keyed == "1234",
)  # fmt: skip
TALKS = {
    "everything": FULL,
    "english": replace(FULL, language="en", switch=False),
    "no agent": replace(FULL, agent=False),
    "no secret": replace(FULL, secret_digits=0),
    "no name": replace(FULL, name=""),
    "due later": replace(FULL, due=TODAY + timedelta(days=3)),
    "due today": replace(FULL, due=TODAY),
    "bare": Talk(today=TODAY, name="Ani"),
    "birth date": replace(FULL, secret_digits=8, proves=lambda keyed: keyed == "17081990"),
}
HEARD = ["", *"0123456789*", "1234", "9999", "17081990", "11", "2511", "3113", "2011", "2512", "3006"]

Edge = tuple[Turn, str, Turn]


def edges(talk: Talk) -> Iterator[Edge]:
    """Every turn that can follow every turn, whatever is keyed and whether or not it can be stored.

    The count of turns is set back, so that the graph is small; test_every_path_ends looks at it by itself.
    """
    first = dialogue.begin(talk)
    seen, waiting = {first.state}, deque([first])
    while waiting:
        turn = waiting.popleft()
        following = [("not stored", dialogue.not_stored(talk, turn.state))] if turn.must else []
        if turn.listen:
            following += [(heard, dialogue.hear(talk, turn.state, heard)) for heard in HEARD]
        for heard, after in following:
            yield turn, heard, after
            anew = replace(after, state=replace(after.state, turns=0))
            if anew.state not in seen:
                seen.add(anew.state)
                waiting.append(anew)


@pytest.fixture(scope="module", params=TALKS, ids=str)
def graph(request: pytest.FixtureRequest) -> tuple[Talk, list[Edge]]:
    talk = TALKS[request.param]
    return talk, list(edges(talk))


def turns(graph: tuple[Talk, list[Edge]]) -> Iterator[Turn]:
    talk, found = graph
    yield dialogue.begin(talk)
    yield from (after for _, _, after in found)


def test_every_path_ends(graph: tuple[Talk, list[Edge]]) -> None:
    """Each turn ends or is counted, and the last one counted ends."""
    for before, heard, after in graph[1]:
        assert (after.listen is None) == (after.end is not None)
        assert after.end or after.state.turns == before.state.turns + 1, heard
        if before.listen:
            last = replace(before.state, turns=dialogue.MOST_TURNS - 1)
            assert dialogue.hear(graph[0], last, heard).end == End(IvrResult.DONE, "turn_limit")


def test_nothing_of_the_debt_before_verification(graph: tuple[Talk, list[Edge]]) -> None:
    """By text, by the debt's own words, and by the keys that could have verified."""
    talk, found = graph
    secret = {"1234"} if talk.secret_digits == 4 else {"17081990"} if talk.secret_digits else {"1"}
    for before, heard, after in found:
        if not after.state.verified:
            assert not {sentence.name for sentence in after.say} & DEBT
            said = " ".join(map(str, after.say)).lower()
            own = [talk.lender.lower(), talk.product.lower()]
            for word in filter(None, [*own, "rupiah", "bayar", "tagihan", "jatuh tempo", "pay", "bill", "due"]):
                assert word not in said
        if after.state.verified and not before.state.verified:
            assert heard[: len(max(secret))] in secret
    assert not {sentence.name for sentence in dialogue.begin(talk).say} & DEBT


def test_texts_with_a_word_about_the_debt_are_marked() -> None:
    words = ("{amount}", "{due}", "{what}", "{promise}", "bayar", "tagihan", "pay", "bill", "due on")
    for language in LANGUAGES:
        for name, text in TEXTS[language].items():
            if any(word in text for word in words):
                assert name in DEBT, (language, name)


def test_the_machine_itself_refuses_to_tell_a_stranger() -> None:
    with pytest.raises(dialogue.DebtUntold):
        dialogue._enter(FULL, State(), "tell")


def test_every_step_is_reached_and_every_text_said() -> None:
    reached: set[str] = set()
    said: set[tuple[str, str]] = set()
    for talk in TALKS.values():
        for greeting in ("hello", "morning", "noon", "afternoon", "evening"):
            for turn in (dialogue.begin(replace(talk, greeting=greeting)),):
                said |= {(sentence.language, sentence.name) for sentence in turn.say}
        for before, _, after in edges(talk):
            reached |= {name for turn in (before, after) for fact, name in turn.facts if fact == "step"}
            said |= {(sentence.language, sentence.name) for sentence in after.say}
    passed = {name for name, step in STEPS.items() if step.next}
    assert reached == set(STEPS) - passed - {"enough"}
    assert {name for _, name in said} == set(TEXTS["id"]) - PARTS
    assert TEXTS["id"].keys() == TEXTS["en"].keys()


def test_every_target_is_a_step() -> None:
    for step in STEPS.values():
        for target in (*step.keys.values(), *step.on.values(), *step.next):
            assert target.partition(" if ")[0] in STEPS
        assert bool(step.keys) + bool(step.entry) + bool(step.next) + bool(step.end) == 1


@pytest.mark.parametrize("name", ["no agent", "bare"])
def test_no_agent_is_offered_where_there_is_none(name: str) -> None:
    for _, _, after in edges(TALKS[name]):
        assert "menu_agent" not in {sentence.name for sentence in after.say}
        assert after.end is None or after.end.result is not IvrResult.AGENT


def test_a_key_that_is_offered_works_and_one_that_is_not_does_not(graph: tuple[Talk, list[Edge]]) -> None:
    offered = {"menu_promise": "1", "menu_agent": "2", "menu_repeat": "3", "menu_paid": "8", "menu_wrong": "9"}
    for before, heard, after in graph[1]:
        if before.state.step != "menu" or after.state.step in ("enough", "listened"):
            continue
        said = {sentence.name for sentence in before.say}
        if "menu_promise" in said and heard in offered.values():
            name = next(name for name, key in offered.items() if key == heard)
            assert (name in said) == ("wrong_key" not in {sentence.name for sentence in after.say}), heard


def walk(talk: Talk, *keyed: str) -> tuple[list[Turn], list[tuple[str, str]]]:
    found = [dialogue.begin(talk)]
    for keys in keyed:
        assert found[-1].listen, f"ended before {keys!r}"
        found.append(dialogue.hear(talk, found[-1].state, keys))
    return found, [fact for turn in found for fact in turn.facts]


@pytest.mark.parametrize(
    ("keyed", "how", "result", "fact"),
    [
        (["1", "1234", "1", "2511", "1"], "promise", IvrResult.DONE, ("promise", "2026-11-25;1250000")),
        (["1", "1234", "1", "2511", "2", "2211", "1"], "promise", IvrResult.DONE, ("promise", "2026-11-22;1250000")),
        (["1", "1234", "2"], "agent", IvrResult.AGENT, ("wants_agent", "")),
        (["1", "9999", "1234", "8"], "paid_claim", IvrResult.DONE, ("paid_claim", "")),
        (["9"], "wrong_person", IvrResult.DONE, ("wrong_person", "")),
        (["1", "1", "22", "333"], "not_verified", IvrResult.DONE, ("not_verified", "")),
        (["", "", ""], "no_input", IvrResult.DONE, ("no_input", "")),
        (["5", "", "7"], "no_input", IvrResult.DONE, ("no_input", "")),
        (["1", "", "", ""], "no_input", IvrResult.DONE, ("no_input", "")),
        (["1", "1234", "", "", ""], "listened", IvrResult.DONE, ("no_input", "")),
        (["2", "1", "1234", "", "", ""], "listened", IvrResult.DONE, ("language", "en")),
    ],
)
def test_ways(keyed: list[str], how: str, result: IvrResult, fact: tuple[str, str]) -> None:
    found, facts = walk(FULL, *keyed)
    assert found[-1].end == End(result, how)
    assert fact in facts


def test_silence_is_met_with_two_repeats() -> None:
    found, _ = walk(FULL, "", "")
    assert [turn.say[0].name for turn in found[1:]] == ["silent", "silent"]
    assert [sentence.name for sentence in found[1].say[1:]] == [
        sentence.name for sentence in found[0].say if sentence.name not in ("hello", "caller")
    ]


def test_silence_counts_anew_after_a_choice() -> None:
    found, _ = walk(FULL, "", "", "1", "", "", "1234", "", "")
    assert found[-1].listen


def test_three_wrong_dates_lead_back_to_the_menu() -> None:
    found, _ = walk(FULL, "1", "1234", "1", "3113", "2011", "2512")
    assert [turn.say[0].name for turn in found[4:]] == ["date_unreal", "date_past", "date_given_up"]
    assert found[-1].state.step == "menu"


def test_the_secret_is_masked_in_every_fact(graph: tuple[Talk, list[Edge]]) -> None:
    for before, heard, after in graph[1]:
        if before.state.step == "secret" and heard.strip("*"):
            assert all(heard not in value for name, value in after.facts if name != "step")


def test_what_must_be_safe_is_stored_first(graph: tuple[Talk, list[Edge]]) -> None:
    for turn in turns(graph):
        choice = {name for name, _ in turn.facts} & {"promise", "paid_claim", "wrong_person", "wants_agent"}
        assert turn.must == bool(choice)


def test_not_stored_is_said_and_not_claimed() -> None:
    turn = dialogue.not_stored(FULL, walk(FULL, "1", "1234", "8")[0][-1].state)
    assert [sentence.name for sentence in turn.say] == ["not_stored"]
    assert turn.end == End(IvrResult.MESSAGE, "not_stored")


@pytest.mark.parametrize(
    ("keyed", "today", "found"),
    [
        ("2111", TODAY, TODAY),
        ("0512", TODAY, date(2026, 12, 5)),
        ("0612", TODAY, "far"),
        ("2011", TODAY, "past"),
        ("3101", TODAY, "far"),
        ("0101", date(2026, 12, 28), date(2027, 1, 1)),
        ("2712", date(2026, 12, 28), "past"),
        ("2902", date(2028, 2, 20), date(2028, 2, 29)),
        ("2902", date(2027, 2, 20), "far"),
        ("2902", date(2026, 2, 20), "far"),
        ("3002", TODAY, "unreal"),
        ("3104", TODAY, "unreal"),
        ("0000", TODAY, "unreal"),
        ("2513", TODAY, "unreal"),
        ("251", TODAY, "unreal"),
        ("25*1", TODAY, "unreal"),
        ("²511", TODAY, "unreal"),
    ],
)
def test_promise_date(keyed: str, today: date, found: date | str) -> None:
    assert dialogue.promise_date(keyed, today, 14) == found


@given(st.text("0123456789*", max_size=5), st.dates(date(2020, 1, 1), date(2090, 1, 1)), st.integers(0, 60))
def test_a_promise_is_never_past_nor_beyond_the_limit(keyed: str, today: date, limit_days: int) -> None:
    found = dialogue.promise_date(keyed, today, limit_days)
    if isinstance(found, date):
        assert today <= found <= today + timedelta(days=limit_days)
        assert f"{found:%d%m}" == keyed


@given(st.lists(st.text("0123456789*", max_size=8), max_size=40), st.sampled_from(sorted(TALKS)))
def test_any_keys_at_all_end_somewhere(keyed: list[str], name: str) -> None:
    turn = dialogue.begin(TALKS[name])
    for keys in [*keyed, *[""] * 3]:
        if turn.end:
            break
        turn = dialogue.hear(TALKS[name], turn.state, keys)
    assert turn.end


def test_what_cannot_be_spoken_is_found_before_the_first_word() -> None:
    with pytest.raises(BadInput):
        dialogue.check(replace(FULL, currency="XXX"))
    for talk in TALKS.values():
        dialogue.check(talk)


def test_sentences_are_whole(graph: tuple[Talk, list[Edge]]) -> None:
    for turn in turns(graph):
        for sentence in turn.say:
            assert sentence.pieces, sentence.name
            assert str(sentence)[-1] in ".?", str(sentence)
            assert "{" not in str(sentence)
