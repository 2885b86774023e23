"""dialplan.py, sounds.toml, ami_words.py and asterisk-conf/ agree, in both directions; the dialplan keeps its rules."""

import re
from itertools import pairwise
from pathlib import Path

import pytest

from dialer.adapters.ami_words import EVENTS
from dialer.adapters.asterisk_conf import CONF
from dialer.adapters.sounds import CONNECT_LIMITS_MS, SILENCES_MS, read_catalogue
from dialer.dialplan import (
    ANSWERED_AGENTS,
    ANSWERED_IVR,
    IVR_RESULT,
    SERVICE_CODES,
    TOLD_ANSWERED,
    Context,
    IvrResult,
    Told,
    Var,
    endpoint,
    room,
)
from dialer.model import Machine, Overflow

ROOT = CONF.parent
EXTENSIONS = (CONF / "extensions.conf").read_text(encoding="utf-8")
MANAGER = (CONF / "manager.conf").read_text(encoding="utf-8")
CODE = "\n".join(line for line in EXTENSIONS.splitlines() if not line.startswith(";"))
LINES = re.findall(r"^(?:exten =>|\s+same =>) (.+)$", CODE, re.MULTILINE)

FIELDS = {
    TOLD_ANSWERED: "",
    Told.DETECTED: "Result Cause",
    Told.OVERFLOWED: "To",
    Told.IVR_BEGIN: "",
    Told.IVR_END: "Result",
    Told.WANTS_AGENT: "",
    Told.HELD: "Room",
    Told.ON_HOLD: "Room",
    Told.ROOM_REFUSED: "Room",
    Told.MESSAGE: "",
    Told.VOICEMAIL: "Left",
    Told.PHONE_KEY: "Agent Key",
}
ENGINE_ACTS_ON = (TOLD_ANSWERED, Told.DETECTED, Told.WANTS_AGENT, Told.HELD, Told.ON_HOLD, Told.ROOM_REFUSED)
READ_BY_THE_IVR = {Var.ATTEMPT, Var.CAMPAIGN}


def context(name: str) -> str:
    """The lines of one context."""
    found = re.search(rf"^\[{re.escape(name)}\]\n(.*?)(?=^\[|\Z)", CODE, re.MULTILINE | re.DOTALL)
    assert found, name
    return found[1]


def extensions(name: str) -> set[str]:
    """The extensions of one context."""
    return set(re.findall(r"^exten => ([^,]+),", context(name), re.MULTILINE))


def test_every_context_is_there_and_no_other() -> None:
    assert set(re.findall(r"^\[([^]]+)\]", CODE, re.MULTILINE)) - {"general"} == set(Context)


def test_contexts_of_phones_and_trunks_exist() -> None:
    named = set(re.findall(r"^context=(.+)$", (CONF / "pjsip.conf").read_text(), re.MULTILINE))
    assert named == {Context.FROM_TRUNK, Context.FROM_AGENT}


def test_jumps_lead_to_places_that_exist() -> None:
    for line in LINES:
        for place in re.findall(r"santun-[a-z-]+(?=,)", line):
            assert place in set(Context), line


def test_variables() -> None:
    used = set(re.findall(r"SANTUN_\w+", re.sub(r"@\w+@", "", EXTENSIONS + MANAGER)))
    assert used <= set(Var)
    assert set(Var) - used <= READ_BY_THE_IVR


def test_user_events_and_their_fields() -> None:
    sent: dict[str, set[str]] = {}
    for name, rest in re.findall(r"UserEvent\((\w+)(.*)\)$", CODE, re.MULTILINE):
        sent.setdefault(name, set()).add(" ".join(re.findall(r",(\w+): ", rest)))
    assert sent == {name: {fields} for name, fields in FIELDS.items()}
    assert set(FIELDS) == {*Told, TOLD_ANSWERED}


def test_events_let_through_are_the_events_read() -> None:
    assert set(re.findall(r"name\((\w+)\)", MANAGER)) == EVENTS | {"FullyBooted"}


def test_ivr_results() -> None:
    assert f"${{FILTER(a-z,${{{IVR_RESULT}}})}}" in CODE
    compared = set(re.findall(r'"\$\{result\}"!?="(\w+)"', CODE))
    assert compared == {IvrResult.DONE, IvrResult.AGENT}  # all else, IvrResult.MESSAGE too, is the message


def test_extensions_of_the_answer_and_of_overflow() -> None:
    assert {ANSWERED_AGENTS, ANSWERED_IVR} <= extensions(Context.ANSWERED)
    assert extensions(Context.OVERFLOW) - {"i"} == set(Overflow)
    assert 'SANTUN_MACHINE})}"="message"' in CODE
    assert "message" in set(Machine)


def test_service_codes() -> None:
    (pattern,) = (each for each in extensions(Context.FROM_AGENT) if "*" in each)
    first, last = re.fullmatch(r"_\*\[(\d)-(\d)\]", pattern).groups()  # type: ignore[union-attr]
    assert {f"*{digit}" for digit in range(int(first), int(last) + 1)} == set(SERVICE_CODES)


def test_names_of_rooms_and_endpoints() -> None:
    assert room("7") == "agent-7"
    assert endpoint("7") == "agent7"
    assert set(re.findall(r"(\w+-)\$\{FILTER\(0-9,\$\{EXTEN", CODE)) == {room("")}
    assert set(re.findall(r"PJSIP/(\w+)\$", CODE)) == {endpoint("")}
    assert f"${{CHANNEL(endpoint):{len(endpoint(''))}}}" in CODE


def test_sounds() -> None:
    spoken = set(read_catalogue())
    found = re.findall(r"Playback\(([^$)]+)\)", CODE) + re.findall(r"Read\(key,([^$,]+),", CODE)
    played = {name for names in found for name in names.split("&")}
    assert spoken <= played
    made = {f"silence-{length}" for length in SILENCES_MS} | {"tone-ok"}
    assert played - spoken <= made
    assert "silence-10000" in made  # AMD's
    assert set(CONNECT_LIMITS_MS) <= set(SILENCES_MS)


def test_every_context_catches_nonsense() -> None:
    for name in Context:
        last = re.search(r"^exten => i,1,(.+)$", context(name), re.MULTILINE)
        assert last, name
        ends = {Context.FROM_AGENT: "Hangup(21)", Context.FROM_TRUNK: "Goto(s,1)", Context.MESSAGE: "Goto(s,1)"}
        assert last[1] == ends.get(name, "Goto(message,1)" if name is Context.OVERFLOW else "Goto(santun-message,s,1)")


def test_nothing_jumps_where_the_engine_may_redirect() -> None:
    assert "Gosub" not in CODE
    for line, following in pairwise(LINES):
        if any(f"UserEvent({told}" in line for told in ENGINE_ACTS_ON) and not line.startswith("machine"):
            assert re.match(r"n,(Playback\(|MusicOnHold\(|AMD\(|Goto\(santun-ivr,s,1\))", following), (line, following)


def test_nothing_from_outside_meets_an_expression_unfiltered() -> None:
    outside = r"\$\{(?:SANTUN_\w+|EXTEN|UNIQUEID|IVR_RESULT|CALLERID\(\w+\))\}"
    for line in LINES:
        left = re.sub(rf"\$\{{FILTER\([^,]+,{outside}\)\}}", "", line)
        if "Key: ${EXTEN}" not in left:  # matched as one of five codes
            assert not re.search(outside, left), line


@pytest.mark.parametrize("word", ["System(", "SHELL(", "Exec(", "FILE(", "EVAL(", "CURL("])
def test_the_dialplan_reaches_no_shell(word: str) -> None:
    assert word not in CODE


def test_no_module_reaches_a_shell() -> None:
    loaded = set(re.findall(r"^load=(\w+)\.so", (CONF / "modules.conf").read_text(), re.MULTILINE))
    assert loaded & {"app_system", "func_shell", "func_env", "func_curl", "app_externalivr", "func_realtime"} == set()


@pytest.mark.parametrize("file", sorted(CONF.glob("*.conf")), ids=lambda path: path.name)
def test_the_first_line_names_the_python_that_relies_on_it(file: Path) -> None:
    first = file.read_text(encoding="utf-8").splitlines()[0]
    named = re.findall(r"[\w/]+(?:\.py|/)(?= |$|,|;|:)", first)
    assert first.startswith("; ")
    assert named, first
    for path in named:
        assert (ROOT / path).exists(), path
