"""The conversation: every path of the shipped flow, for debtors of every kind, without a phone."""

from dataclasses import replace
from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dialer.dialplan import IvrResult
from dialer.errors import BadInput
from ivr.dialogue import DebtUntold, Dialogue, Turn
from ivr.flow import End
from ivr.shipped import shipped
from ivr.spoken import LANGUAGES
from ivr.talk import State
from ivr.texts import DEBT, PARTS, TEXTS
from ivr.words import FACTS, SPOKEN_MOST
from tests.ivr.people import FULL, TALKS, TODAY, Edge, dialogue, edges

FLOW = shipped()
GRAPHS: dict[str, list[Edge]] = {}

Graph = tuple[Dialogue, list[Edge]]


def graph_of(name: str) -> Graph:
    """Walked once for all tests."""
    one = dialogue(name)
    if name not in GRAPHS:
        GRAPHS[name] = list(edges(one))
    return one, GRAPHS[name]


@pytest.fixture(params=TALKS, ids=str)
def graph(request: pytest.FixtureRequest) -> Graph:
    return graph_of(request.param)


def turns(graph: Graph) -> list[Turn]:
    return [graph[0].begin(), *(after for _, _, after in graph[1])]


def test_every_path_ends(graph: Graph) -> None:
    """Each turn ends or is counted, and the last one counted ends."""
    one, found = graph
    for before, heard, after in found:
        assert (after.listen is None) == (after.end is not None)
        assert after.end or after.state.turns == before.state.turns + 1, heard
        if before.listen:
            last = replace(before.state, turns=FLOW.turns - 1)
            assert one.hear(last, heard).end == End(IvrResult.DONE, "turn_limit")


def test_nothing_of_the_debt_before_verification(graph: Graph) -> None:
    """By text, by the debt's own words, and by the keys that could have verified."""
    one, found = graph
    talk = one.talk
    secret = {4: {"1234"}, 8: {"17081990"}, 0: {"1"}}[talk.secret_digits]
    for before, heard, after in found:
        if not after.state.verified:
            assert not {sentence.name for sentence in after.say} & DEBT
            said = " ".join(map(str, after.say)).lower()
            own = [talk.lender.lower(), talk.product.lower()]
            for word in filter(None, [*own, "rupiah", "bayar", "tagihan", "jatuh tempo", "pay", "bill", "due"]):
                assert word not in said
        if after.state.verified and not before.state.verified:
            assert heard in secret
    assert not {sentence.name for sentence in one.begin().say} & DEBT


def test_texts_with_a_word_about_the_debt_are_marked() -> None:
    words = ("{amount}", "{due}", "{what}", "{promise}", "{va_number}", "{offer", "bayar", "tagihan", "pay", "bill")
    for language in LANGUAGES:
        for name, text in TEXTS[language].items():
            if any(word in text for word in words):
                assert name in DEBT | PARTS, (language, name)


def test_the_machine_itself_refuses_to_tell_a_stranger() -> None:
    one = Dialogue(FLOW, FULL)
    for step in ("tell", "menu", "promised", "verified"):
        with pytest.raises(DebtUntold):
            one._enter(State("person"), step)


def test_every_step_is_reached_and_every_text_said() -> None:
    reached: set[str] = set()
    said: set[str] = set()
    for name in TALKS:
        one, found = graph_of(name)
        for turn in turns((one, found)):
            reached |= {value for fact, value in turn.facts if fact == "step"}
            said |= {sentence.name for sentence in turn.say}
    passed = {name for name, step in FLOW.steps.items() if step.next}
    assert reached == set(FLOW.steps) - passed - {"enough"}
    assert said == set(TEXTS["id"]) - PARTS
    assert TEXTS["id"].keys() == TEXTS["en"].keys()


def test_no_agent_is_offered_where_there_is_none(graph: Graph) -> None:
    one, found = graph
    if one.talk.agent:
        return
    for _, _, after in found:
        assert "menu_agent" not in {sentence.name for sentence in after.say}
        assert after.end is None or after.end.result is not IvrResult.AGENT


def test_what_is_offered_works_and_at_most_five_are(graph: Graph) -> None:
    one, found = graph
    for turn in turns((one, found)):
        step = FLOW.steps[turn.state.step]
        if not turn.listen or step.entry:
            continue
        keys = one.choices(turn.state)
        said = [sentence.name for sentence in turn.say]
        offered = {choice.key for choice in step.choices if choice.say in said and choice.to == keys.get(choice.key)}
        assert len(offered) <= SPOKEN_MOST
        assert offered == {choice.key for choice in step.choices if choice.say and choice.key in keys}


def test_a_key_that_is_not_offered_is_told_so(graph: Graph) -> None:
    one, found = graph
    for before, heard, after in found:
        if before.listen and before.listen.count == 1 and heard in "0123456789" and heard and after.listen:
            wrong = after.say[0].name in FLOW.wrong
            assert wrong == (heard not in one.choices(before.state)), (before.state.step, heard)


def test_a_star_says_it_again(graph: Graph) -> None:
    for before, heard, after in graph[1]:
        if heard == "*":
            assert after.state.step == before.state.step
            assert after.state.repeats == 0
            assert not after.must


def walk(*keyed: str, name: str = "everything") -> tuple[list[Turn], list[tuple[str, str]]]:
    one = dialogue(name)
    found = [one.begin()]
    for keys in keyed:
        assert found[-1].listen, f"ended before {keys!r}"
        found.append(one.hear(found[-1].state, keys))
    return found, [fact for turn in found for fact in turn.facts]


IN = ("1", "1234")
WAYS: list[tuple[list[str], str, IvrResult, tuple[str, str]]] = [
    ([*IN, "2", "1", "1"], "promise", IvrResult.DONE, ("promise", "2026-11-21;1250000")),
    ([*IN, "2", "2", "1"], "promise", IvrResult.DONE, ("promise", "2026-11-27;1250000")),
    ([*IN, "2", "3", "2511", "1"], "promise", IvrResult.DONE, ("promise", "2026-11-25;1250000")),
    ([*IN, "2", "3", "2511", "2", "1", "1"], "promise", IvrResult.DONE, ("promise", "2026-11-21;1250000")),
    ([*IN, "1", "3", "1"], "promise", IvrResult.DONE, ("pay_now", "")),
    ([*IN, "1", "2", "2", "1", "1"], "promise", IvrResult.DONE, ("send_va", "")),
    ([*IN, "3", "1", "1"], "offer", IvrResult.DONE, ("offer", "early;2026-11-24=1150000")),
    ([*IN, "3", "1", "1"], "offer", IvrResult.DONE, ("promise", "2026-11-24;1150000")),
    ([*IN, "3", "2", "1", "1"], "offer", IvrResult.DONE, ("offer", "short;2026-11-24=593000;2026-12-24=592000")),
    ([*IN, "3", "3", "1"], "offer", IvrResult.DONE, ("offer", "defer;2026-12-05=1275000")),
    ([*IN, "3", "1", "0", "2", "1", "1"], "promise", IvrResult.DONE, ("promise", "2026-11-21;1250000")),
    ([*IN, "3", "4"], "hardship", IvrResult.DONE, ("hardship", "")),
    ([*IN, "4", "1"], "paid_claim", IvrResult.DONE, ("paid_claim", "")),
    ([*IN, "4", "2", "1"], "dispute", IvrResult.DONE, ("dispute", "")),
    ([*IN, "4", "3", "1", "1"], "call_back", IvrResult.DONE, ("call_back", "2026-11-23T09:00+00:00")),
    ([*IN, "4", "3", "3", "1"], "call_back", IvrResult.DONE, ("call_back", "2026-11-21T16:00+00:00")),
    ([*IN, "4", "3", "4", "1830", "1"], "call_back", IvrResult.DONE, ("call_back", "2026-11-21T18:30+00:00")),
    ([*IN, "4", "4", "1", "081234567890", "1", "0"], "agent", IvrResult.AGENT, ("new_number", "+6281234567890")),
    ([*IN, "4", "4", "2", "1"], "stop", IvrResult.DONE, ("stop", "")),
    ([*IN, "0"], "agent", IvrResult.AGENT, ("wants_agent", "menu;verified;")),
    ([*IN, "2", "1", "0", "0"], "agent", IvrResult.AGENT, ("wants_agent", "menu;verified;2026-11-21")),
    (["1", "9999", "1234", "4", "1"], "paid_claim", IvrResult.DONE, ("paid_claim", "")),
    (["9", "1"], "wrong_person", IvrResult.DONE, ("wrong_person", "")),
    (["9", "2", "3"], "not_at_home", IvrResult.DONE, ("not_at_home", "")),
    (["1", "1", "22", "333"], "not_verified", IvrResult.DONE, ("not_verified", "")),
    (["", "", ""], "no_input", IvrResult.DONE, ("no_input", "")),
    (["5", "", "7"], "no_input", IvrResult.DONE, ("no_input", "")),
    (["1", "", "", ""], "no_input", IvrResult.DONE, ("no_input", "")),
    ([*IN, "", "", ""], "listened", IvrResult.DONE, ("no_input", "")),
    ([*IN, "8", "9", "", "", ""], "listened", IvrResult.DONE, ("told", "")),
    (["2", *IN, "", "", ""], "listened", IvrResult.DONE, ("language", "en")),
]  # fmt: skip


@pytest.mark.parametrize(("keyed", "how", "result", "fact"), WAYS, ids=[" ".join(way[0]) + way[1] for way in WAYS])
def test_ways(keyed: list[str], how: str, result: IvrResult, fact: tuple[str, str]) -> None:
    found, facts = walk(*keyed)
    assert found[-1].end == End(result, how)
    assert fact in facts


def test_a_bill_of_somebody_else_without_a_secret() -> None:
    found, facts = walk("1", "4", "2", "9", "1", name="no secret")
    assert found[-1].end == End(IvrResult.DONE, "wrong_person")
    assert ("wrong_person", "") in facts


def test_silence_is_met_with_two_repeats_and_with_help() -> None:
    found, _ = walk("", "")
    assert [turn.say[0].name for turn in found[1:]] == ["silent", "silent_help"]
    assert [sentence.name for sentence in found[1].say[1:]] == [
        sentence.name for sentence in found[0].say if sentence.name not in ("hello", "caller")
    ]


def test_silence_counts_anew_after_a_choice() -> None:
    found, _ = walk("", "", "1", "", "", "1234", "", "")
    assert found[-1].listen


def test_three_wrong_dates_lead_back_to_the_menu() -> None:
    found, _ = walk(*IN, "2", "3", "3113", "2011", "2512")
    assert [turn.say[0].name for turn in found[5:]] == ["date_unreal", "date_past", "date_given_up"]
    assert found[-1].state.step == "menu"


def test_no_way_through_a_flow_gives_more_tries_for_the_secret() -> None:
    """Not even where given up leads back, or a menu lies between."""
    bent = replace(FLOW.steps["secret"], on={"ok": "verified", "bad": "person", "given_up": "person"})
    one = Dialogue(replace(FLOW, steps={**FLOW.steps, "secret": bent}), FULL)
    turn = one.begin()
    for keys in ("1", "9999", "1", "9998", "1", "9997", "1", "1234", "1", "1234"):
        turn = one.hear(turn.state, keys)
    assert not turn.state.proved
    assert not turn.state.verified


def test_an_offer_laid_aside_promises_nothing() -> None:
    """Nor does its sum come into a promise that is made afterwards."""
    found, facts = walk(*IN, "3", "2", "1", "0", "2", "2", "1")
    assert ("promise", "2026-11-27;1250000") in facts
    assert "offer" not in dict(facts)
    assert found[-1].end == End(IvrResult.DONE, "promise")


def test_secrets_and_numbers_are_masked_in_every_key(graph: Graph) -> None:
    for before, heard, after in graph[1]:
        entry = FLOW.steps[before.state.step].entry
        if before.listen and entry in ("secret", "number") and heard.strip("*"):
            assert [value for name, value in after.facts if name == "key"] in ([], ["*" * len(heard)])
            assert all(heard not in value for name, value in after.facts if name != "new_number")


def test_what_must_be_safe_is_stored_first(graph: Graph) -> None:
    for turn in turns(graph):
        assert turn.must == any(FACTS[name].must for name, _ in turn.facts)


def test_a_choice_is_told_once_and_only_when_confirmed(graph: Graph) -> None:
    for before, heard, after in graph[1]:
        if after.must:
            assert heard in "0123456789", (before.state.step, heard)


def test_not_stored_is_said_and_not_claimed() -> None:
    one = dialogue("everything")
    turn = one.not_stored(walk(*IN, "4", "1")[0][-1].state)
    assert [sentence.name for sentence in turn.say] == ["not_stored"]
    assert turn.end == End(IvrResult.MESSAGE, "not_stored")


@given(st.lists(st.text("0123456789*", max_size=16), max_size=60), st.sampled_from(sorted(TALKS)))
def test_any_keys_at_all_end_somewhere(keyed: list[str], name: str) -> None:
    one = dialogue(name)
    turn = one.begin()
    for keys in [*keyed, *[""] * 3]:
        if turn.end:
            break
        turn = one.hear(turn.state, keys)
    assert turn.end


def test_what_cannot_be_spoken_is_found_before_the_first_word() -> None:
    with pytest.raises(BadInput):
        Dialogue(FLOW, replace(FULL, currency="XXX")).check()
    for name in TALKS:
        dialogue(name).check()


def test_what_holds_a_name_is_prepared() -> None:
    names = {sentence.name for sentence in dialogue("everything").ahead()}
    assert names == {"ask_name", "wrong_check_name", "purpose", "va_bank"}


def test_sentences_are_whole(graph: Graph) -> None:
    for turn in turns(graph):
        for sentence in turn.say:
            assert sentence.pieces, sentence.name
            assert str(sentence)[-1] in ".?", str(sentence)
            assert "{" not in str(sentence)


def test_the_days_of_the_week_are_his() -> None:
    said = [str(sentence) for turn in walk(*IN, "2", "2")[0][-2:] for sentence in turn.say]
    assert "Untuk, hari Jumat, dua puluh tujuh, November, tekan dua." in said
    assert FULL.friday == date(2026, 11, 27)
    assert replace(FULL, today=date(2026, 11, 27)).friday == date(2026, 12, 4)
    assert replace(FULL, today=TODAY + timedelta(days=5)).friday == date(2026, 11, 27)


def test_who_names_a_closed_hour_hears_which_are_open() -> None:
    for name, open_hours in (
        (
            "everything",
            "Kami menelepon antara pukul, delapan, pagi, dan pukul, tujuh, lewat, tiga puluh, menit, malam.",
        ),
        ("english", "We call from, eight, in the morning, until, seven, thirty, in the evening."),
    ):
        refused = walk(*IN, "4", "3", "4", "2100", name=name)[0][-1]
        assert refused.state.step == "hour"
        assert str(refused.say[0]).endswith(open_hours)


@pytest.mark.parametrize(
    ("plan", "said"),
    [
        ("1", "Pembayaran kedua, lima ratus, sembilan puluh dua, ribu, rupiah, paling lambat tanggal,"),
        ("2", "Selanjutnya, tiga ratus, sembilan puluh lima, ribu, rupiah, setiap kali, yang terakhir pada tanggal,"),
    ],
)
def test_a_second_payment_is_not_said_as_if_more_followed(plan: str, said: str) -> None:
    turn = walk(*IN, "3", "2", plan)[0][-1]
    assert turn.state.step == "parts_ask"
    assert sum(str(sentence).startswith(said) for sentence in turn.say) == 1
    assert {"parts_second", "parts_rest"} - {sentence.name for sentence in turn.say}


def test_help_is_offered_and_leads_back_to_the_menu() -> None:
    found, _ = walk(*IN, "4", "8")
    assert "Untuk petunjuk, tekan delapan." in [str(sentence) for sentence in found[-2].say]
    assert (found[-1].say[0].name, found[-1].state.step) == ("help", "menu")


def test_a_virtual_account_is_read_in_groups() -> None:
    said = next(str(one) for one in walk(*IN, "1")[0][-1].say if one.name == "va_number")
    assert said.count("tujuh. nol,") == 1
    assert said.count(".") == 4
