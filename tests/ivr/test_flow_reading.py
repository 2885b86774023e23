"""What is wrong with a flow is told with its file and line, and nothing of it is used."""

from pathlib import Path

import pytest

from dialer.errors import ConfigError
from dialer.forms.toml_lines import line_of, lines
from ivr.adapters.flow_files import load
from ivr.flow import Flow
from ivr.flow_reading import File, read
from ivr.shipped import SHIPPED, shipped
from tests.ivr.people import dialogue

ROOT = Path(__file__).parents[2]

FLOW = """\
id = "small"
version = 1
title = "Small"
start = "person"
quiet = "bye"
enough = "bye"
not_stored = "bye"
silent = ["silent"]
wrong = ["silent"]

[steps.person]
say = ["ask_name if name", "ask if not name"]
choices = [
    { key = "1", say = "press_yes", to = "right" },
    { key = "9", say = "press_no", to = "wrong" },
]

[steps.right]
next = ["secret if secret", "verified"]

[steps.secret]
say = ["ask_secret"]
entry = "secret"
on = { ok = "verified", bad = "secret", given_up = "bye" }

[steps.verified]
verifies = true
next = ["tell"]

[steps.tell]
say = ["amount if amount"]
next = ["bye"]

[steps.wrong]
facts = ["wrong_person"]
say = ["sorry"]
end = { how = "wrong_person" }

[steps.bye]
say = ["bye"]
end = { how = "bye" }
"""
TEXTS = """\
[anyone]
ask_name = "Dengan {name}?"
ask = "Dengan siapa?"
press_yes = "Ya, tekan {key}."
press_no = "Bukan, tekan {key}."
ask_secret = "Kode Anda?"
silent = "Maaf."
sorry = "Maaf."
bye = "Terima kasih."

[verified]
amount = "Jumlahnya {amount}."
"""


def parsed(flow: str = FLOW, texts: str = TEXTS, **more: str) -> Flow:
    others = {language: File(f"f.{language}.toml", text) for language, text in more.items()}
    return read(File("f.toml", flow), {"id": File("f.id.toml", texts), **others})


def test_a_small_flow_is_sound() -> None:
    flow = parsed()
    assert flow.label == "small@1"
    assert flow.texts["id"]["press_no"] == "Bukan, tekan sembilan."
    assert flow.debt == {"amount"}


FAULTS = [
    # what is changed in the flow, into what, where it is told, what is told
    ('[steps.wrong]\n', '[steps.other]\nnext = ["bye"]\n\n[steps.wrong]\n', 34, "the step other is never reached"),
    ('to = "right"', 'to = "rihgt"', 14, "there is no step rihgt"),
    ('say = "press_no"', 'say = "press_know"', 15, "there is no text press_know"),
    ('say = ["sorry"]', 'say = ["sorrow"]', 36, "there is no text sorrow"),
    ('key = "9"', 'key = "1"', 15, "key 1 is used twice: right, wrong"),
    ('key = "9"', 'key = "#"', 15, "choices.1.key = '#'"),
    ('key = "9"', 'kee = "9"', 15, "unknown key steps.person.choices.1.kee"),
    ('end = { how = "wrong_person" }', "", 34, "no way out: give it choices, an entry, next or end"),
    ('end = { how = "wrong_person" }', 'next = ["wrong"]', 34, "no way out: from wrong no key leads to an end"),
    ('next = ["tell"]', 'next = ["tell if amount"]', 28, "no way out where no condition holds"),
    ('bad = "secret", given_up = "bye"', 'bad = "secret", given_up = "secret"', 24, "a loop without limit"),
    ('bad = "secret", given_up = "bye"', 'bad = "secret"', 21, "may find given_up: say in `on` where that leads"),
    ('bad = "secret",', 'bad = "secret", far = "bye",', 21, "never finds far"),
    ('next = ["bye"]', 'next = ["tell if due", "bye"]', 30, "a loop without limit: from tell back to tell"),
    ('quiet = "bye"', 'quiet = "person"', 5, "quiet leads to person, which awaits keys"),
    ('start = "person"', 'start = "begin"', 4, "there is no step begin"),
    ('next = ["secret if secret", "ver', 'next = ["tell if not secret", "secret", "ver', 31, "tells of the debt"),
    ('"secret if secret"', '"secret if birth"', 27, "it verifies somebody who need not have proved it"),
    ('bad = "secret"', 'bad = "verified"', 27, "it verifies somebody who need not have proved it"),
    ('"amount if amount"', '"amount"', 31, "amount needs amount for {amount}"),
    ('"ask_name if name"', '"ask_name if caller"', 12, "ask_name needs name for {name}"),
    ('"ask_name if name"', '"ask_name if named"', 12, "no such condition named"),
    ('"ask_name if name"', '"ask_name if"', 12, "use a name, or `name if condition`"),
    ('"amount if amount"', '"amount if amount and not amount"', 31, "amount is never said"),
    ('entry = "secret"', 'entry = "pin"', 23, "no such entry: use one of secret, date"),
    ('"wrong_person"]', '"wrong_persn"]', 35, "no such fact: use one of"),
    ('"wrong_person"]', '"step"]', 35, "no such fact: use one of"),
    ('"wrong_person"]', '"promise"]', 35, "the fact promise needs promise on every way here"),
    ('facts = ["wrong_person"]', 'does = "take_early"', 35, "take_early needs the condition early"),
    ('facts = ["wrong_person"]', 'does = "dance"', 35, "no such action: use one of"),
    ('say = ["ask_secret"]', 'say = ["ask_secret"]\nfacts = ["stop"]', 21, "it may be said again"),
    ('silent = ["silent"]', 'silent = ["silence"]', 8, "there is no text silence"),
    ('silent = ["silent"]', 'silent = ["amount"]', 11, "amount tells of the debt"),
    ("version = 1", "version = 0", 2, "version = 0: use at least 1"),
    ('title = "Small"\n', "", 1, "set title"),
    ('say = ["bye"]', 'say = ["bye"', 41, "Unclosed array"),
    ("[steps.bye]", "[steps.wrong]", 39, "Cannot declare"),
]  # fmt: skip


@pytest.mark.parametrize(("old", "new", "line", "told"), FAULTS, ids=[f"{one[2]} {one[3][:40]}" for one in FAULTS])
def test_a_fault_of_the_flow(old: str, new: str, line: int, told: str) -> None:
    assert old in FLOW
    with pytest.raises(ConfigError) as raised:
        parsed(FLOW.replace(old, new, 1))
    found = str(raised.value.detail).splitlines()
    assert any(one.startswith(f"f.toml:{line}: ") and told in one for one in found), found


TEXT_FAULTS = [
    ('ask = "Dengan siapa?"\n', "", "f.toml:12: ", "there is no text ask"),
    ('sorry = "Maaf."', 'sorry = "Maaf."\nmore = "Lagi."', "f.id.toml:9: ", "the text more is never said"),
    ("Dengan {name}?", "Dengan {nama}?", "f.id.toml:2: ", "no such slot {nama}: use one of caller, name"),
    ("Dengan {name}?", "Dengan {name?", "f.id.toml:2: ", "write slots as {name}"),
    ("Dengan {name}?", "Dengan {name}", "f.id.toml:2: ", ""),
    ("Dengan siapa?", "Dengan siapa", "f.id.toml:3: ", "end it with a full stop"),
    ("Dengan siapa?", "Dengan {amount}?", "f.id.toml:3: ", "{amount} tells of the debt: move the text to [verified]"),
    ("Dengan siapa?", "Ini soal tagihan Anda.", "f.id.toml:3: ", "`tagihan` tells a stranger of a debt"),
    ("Dengan siapa?", "Tekan 1.", "f.id.toml:3: ", "write numbers in words"),
    ("Dengan siapa?", "Tekan {key}.", "f.id.toml:3: ", "{key} is for texts that offer a choice"),
    ("{amount}.", "{what}.", "f.id.toml:12: ", "{what} is filled with what_bill, what_from: write that into [parts]"),
    ("Kode Anda?", "Nomor-kartu Anda?", "f.id.toml:6: ", "`nomor kartu` is never spoken of here"),
    ("Kode Anda?", "PIN Anda?", "f.id.toml:6: ", "`pin` is never spoken of here"),
    ("Jumlahnya {amount}.", "Kartu kredit Anda: {amount}.", "f.id.toml:12: ", ""),
    ("[anyone]", "[everyone]", "f.id.toml:1: ", "unknown key everyone"),
    ('bye = "Terima kasih."', "bye = 3", "f.id.toml:9: ", "anyone.bye = 3"),
]


@pytest.mark.parametrize(("old", "new", "where", "told"), TEXT_FAULTS)
def test_a_fault_of_the_texts(old: str, new: str, where: str, told: str) -> None:
    changed = TEXTS.replace(old, new, 1)
    assert changed != TEXTS
    if not told:
        parsed(texts=changed)  # a slot may end a text
        return
    with pytest.raises(ConfigError) as raised:
        parsed(texts=changed)
    found = str(raised.value.detail).splitlines()
    assert any(one.startswith(where) and told in one for one in found), found


def test_languages_have_the_same_texts_in_the_same_tables() -> None:
    english = TEXTS.replace('ask = "Dengan siapa?"\n', "").replace("[verified]\n", "").replace("{amount}", "so much")
    with pytest.raises(ConfigError) as raised:
        parsed(en=english)
    found = str(raised.value.detail)
    assert "f.en.toml:1: the text ask is missing in this language" in found
    assert "f.en.toml:10: it is in [verified] in another language: put it there too" in found


def test_a_text_offers_one_key() -> None:
    more = FLOW.replace(
        '{ key = "9", say = "press_no"', '{ key = "2", say = "press_yes", to = "bye" },\n{ key = "9", say = "press_no"'
    )
    with pytest.raises(
        ConfigError, match=r"f\.toml:15: press_yes offers key 1 elsewhere: give key 2 a text of its own"
    ):
        parsed(more)


def test_a_key_works_wherever_one_is_awaited() -> None:
    """Whatever is known of the debtor."""
    named = '{ key = "1", say = "press_yes", to = "right", if = "name" }'
    both = FLOW.replace('{ key = "1", say = "press_yes", to = "right" }', named)
    with pytest.raises(ConfigError, match=r"f\.toml:13: no way out where no condition holds: give it a choice without"):
        parsed(both.replace('to = "wrong" }', 'to = "wrong", if = "name and due" }'))
    parsed(both.replace('to = "wrong" }', 'to = "wrong", if = "not name" }'))


def test_who_is_asked_again_hears_what_for() -> None:
    before = FLOW.replace('say = ["ask_secret"]\n', "").replace("[steps.right]", '[steps.right]\nsay = ["ask_secret"]')
    with pytest.raises(ConfigError, match=r"f\.toml:22: it awaits keys and does not say for what: give it `say`"):
        parsed(before)


def test_six_choices_are_too_many() -> None:
    keys = "".join(f'{{ key = "{key}", say = "press_{key}", to = "bye" }},\n' for key in "34567")
    texts = "".join(f'press_{key} = "Tekan {{key}}."\n' for key in "34567")
    with pytest.raises(ConfigError, match=r"f\.toml:13: 7 choices are spoken: at most 5"):
        parsed(FLOW.replace('{ key = "9"', keys + '{ key = "9"'), TEXTS.replace("[verified]", texts + "[verified]"))


def test_a_key_may_serve_twice_where_both_never_hold() -> None:
    twice = '{ key = "9", say = "press_no", to = "wrong", if = "name" },\n{ key = "9", to = "bye", if = "not name" }'
    parsed(FLOW.replace('{ key = "9", say = "press_no", to = "wrong" }', twice))


def test_every_fault_is_told_at_once() -> None:
    with pytest.raises(ConfigError) as raised:
        parsed(FLOW.replace('to = "right"', 'to = "a"').replace('to = "wrong"', 'to = "b"'))
    assert len(str(raised.value.detail).splitlines()) == 2


def test_lines_of_arrays_strings_and_comments() -> None:
    text = (
        'a = 1\n[t.x]\n"b" = [\n  "[y]", # [z]\n  { k = "=" },\n\n  "c",\n]\nd = """\n[no]\ne = 1\n"""\n[[u]]\nf = 2\n'
    )
    found = lines(text)
    assert found == {
        ("a",): 1, ("t", "x"): 2, ("t", "x", "b"): 3, ("t", "x", "b", "0"): 4, ("t", "x", "b", "1"): 5,
        ("t", "x", "b", "2"): 7, ("t", "x", "d"): 9, ("u",): 13, ("u", "f"): 14,
    }  # fmt: skip
    assert line_of(found, ("t", "x", "b", 1, "k")) == 5
    assert line_of(found, ("nowhere",)) == 1


def test_the_shipped_flow_and_the_example_are_sound() -> None:
    assert load("payment_reminder") is shipped()
    assert [load(name).id for name in SHIPPED] == list(SHIPPED)
    example = load(str(ROOT / "docs/examples/flow-greeting.toml"))
    assert example.label == "greeting@1"
    one = dialogue("english", example)
    assert one.talk.language == "id"
    turn = one.begin()
    while turn.listen:
        turn = one.hear(turn.state, "1")
    assert turn.end


@pytest.mark.parametrize("name", ["nowhere.toml", "payment_remainder"])
def test_a_flow_that_is_not_there(name: str) -> None:
    with pytest.raises(ConfigError, match="cannot be read"):
        load(name)
