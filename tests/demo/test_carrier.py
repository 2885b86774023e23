"""Numbers, the call log and the configuration of the demo's carrier, without starting it."""

import re
from pathlib import Path

import phonenumbers
import pytest

from dialer.adapters.asterisk_conf import Phone
from dialer.adapters.sounds import read_catalogue
from dialer.demo.carrier import (
    BEHAVIOURS,
    BY_CODE,
    BY_NAME,
    CATALOGUE,
    CONF,
    Begun,
    CarrierCall,
    CarrierSettings,
    Heard,
    number,
    parse_begun,
    parse_call,
    parse_heard,
    render,
)
from dialer.errors import BadInput, ConfigError

EXTENSIONS = (CONF / "extensions.conf").read_text(encoding="utf-8")


def settings(run: Path, **keys: str) -> CarrierSettings:
    return CarrierSettings(run=run, pbx_port=5060, port=5070, phones=(Phone("1001", "s3cret-1001"),), keys=keys)


def test_a_number_tells_behaviour_delay_and_person() -> None:
    assert number("human", 7, 3) == "+62812000071200"
    assert number("voicemail", 99_999, 24.75) == "+62812999999920"


@pytest.mark.parametrize("behaviour", BY_NAME)
def test_every_number_is_a_valid_mobile_number(behaviour: str) -> None:
    for serial in (0, 12_345, 99_999):
        assert phonenumbers.is_valid_number(phonenumbers.parse(number(behaviour, serial, 1.5)))


@pytest.mark.parametrize(("behaviour", "serial", "delay_s"), [("nobody", 1, 1), ("human", -1, 1), ("human", 1, 25)])
def test_what_no_number_can_say_is_refused(behaviour: str, serial: int, delay_s: float) -> None:
    with pytest.raises(BadInput):
        number(behaviour, serial, delay_s)


def test_codes_and_names_are_unique_and_the_dialplan_has_them_all() -> None:
    assert len(BY_CODE) == len(BY_NAME) == len(BEHAVIOURS)
    context = EXTENSIONS.split("[behaviour]")[1].split("\n[")[0]
    plain = set(re.findall(r"^exten => (\d\d),1", context, re.MULTILINE))
    assert {code for code in BY_CODE if not code.startswith("1")} == plain
    assert "exten => _1X,1" in context


def test_sounds_are_there() -> None:
    played = set(re.findall(r"Playback\((\w+)", EXTENSIONS))
    assert played == set(read_catalogue(CATALOGUE)) | {"beep"}


def test_a_line_of_the_log() -> None:
    line = "01jc|62812000071200|622150001234|00|1795298677.325112|1795298680.325344|1795298690.5|1 0701 "
    assert parse_call(line) == CarrierCall(
        attempt="01jc", number="+62812000071200", caller="622150001234", behaviour="00",
        began_at=1795298677.325112, answered_at=1795298680.325344, ended_at=1795298690.5, keys="1 0701",
    )  # fmt: skip
    assert parse_call(line.replace("1795298680.325344", "0.000000")).answered_at is None


@pytest.mark.parametrize("line", ["", "a|b", "a|b|c|d|e|f|g|h", "a|b|c|d|1|2|3|4|5"])
def test_a_line_that_is_none(line: str) -> None:
    with pytest.raises(BadInput, match="call log"):
        parse_call(line)


def test_render_writes_keys_and_phones(tmp_path: Path) -> None:
    render(settings(tmp_path, keys_right="1-n4-1"), Path("/modules"), tmp_path / "etc")
    assert "KEYS_10=1-n4-1\n" in (tmp_path / "etc/extensions.conf").read_text()
    assert "client_uri=sip:agent1001@127.0.0.1:5060" in (tmp_path / "etc/phones.conf").read_text()


def test_keys_for_nobody_are_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="keys_rihgt"):
        render(settings(tmp_path, keys_rihgt="1"), Path("/modules"), tmp_path / "etc")


def test_a_call_that_began_and_what_was_heard_are_read() -> None:
    assert parse_begun("a1|62812000011200|1795335118.25\n") == Begun("a1", "+62812000011200", 1795335118.25)
    heard = parse_heard("a1|+100.5 -103.25 +104.0 \n")
    assert heard == Heard("a1", ((True, 100.5), (False, 103.25), (True, 104.0)))
    assert parse_heard("a2|\n").turns == ()


@pytest.mark.parametrize("line", ["", "a1|62812", "a1|62812|soon"])
def test_what_is_no_line_of_a_call_begun_is_refused(line: str) -> None:
    with pytest.raises(BadInput):
        parse_begun(line)


@pytest.mark.parametrize("line", ["a1", "a1|+then", "a1|+1 -"])
def test_what_is_no_line_of_what_was_heard_is_refused(line: str) -> None:
    with pytest.raises(BadInput):
        parse_heard(line)
