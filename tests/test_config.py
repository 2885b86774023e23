"""The site's settings: all faults at once, no secret shown; and a campaign against its pack and trunk."""

import math
from dataclasses import replace
from typing import Any

import pytest

from dialer.config import AMI_SECRET, PAYMENT_SECRET, PERSON_KEY, REDIS_URL, Trunk, read_config, validate_campaign
from dialer.errors import ConfigError
from dialer.model import Campaign, Kind, Mode, Recycle, Retry
from tests.packs import demo, indonesia

KEY = "0123456789abcdef" * 4
SECRET = "s3cret-of-the-manager"
ENV = {PERSON_KEY: KEY, AMI_SECRET: SECRET}
GOOD = """
[asterisk.pbx1]
host = "10.0.0.5"

[trunk.carrier]
endpoint = "carrier"
host = "203.0.113.7"
lines = 30
caller_ids = ["+62215551234"]

[agents.101]
name = "Sari"
"""


def fault_of(text: str, env: dict[str, str] | None = None) -> str:
    with pytest.raises(ConfigError) as caught:
        read_config(text, ENV if env is None else env)
    return str(caught.value)


def test_a_small_file_is_enough() -> None:
    config = read_config(GOOD, ENV)
    assert config.redis.url == "redis://127.0.0.1:6379/0"
    node = config.asterisk["pbx1"]
    assert (node.host, node.port, node.user, node.secret) == ("10.0.0.5", 5038, "santun", SECRET)
    trunk = config.trunk["carrier"]
    assert (trunk.lines, trunk.calls_per_second, trunk.dial) == (30, 5.0, "PJSIP/{digits}@carrier")
    assert config.node_of(trunk) == "pbx1"
    assert config.agents["101"].name == "Sari"
    assert config.person_key == bytes.fromhex(KEY)
    assert (config.ivr.host, config.ivr.port) == ("127.0.0.1", 4573)


def test_browsers_need_ari_and_its_password() -> None:
    text = GOOD.replace('host = "10.0.0.5"', 'host = "10.0.0.5"\nari = "http://10.0.0.5:8088/ari"')
    assert "set SANTUN_ARI_PASSWORD" in fault_of(text)
    node = read_config(text, ENV | {"SANTUN_ARI_PASSWORD": "one", "SANTUN_ARI_PASSWORD_PBX1": "two"}).asterisk["pbx1"]
    assert (node.ari_user, node.ari_secret, node.sip_websocket) == ("santun", "two", "ws://10.0.0.5:8088/ws")
    assert "two" not in repr(node)
    assert read_config(GOOD, ENV).asterisk["pbx1"].sip_websocket == ""
    home = text.replace("ari =", 'turn = ["turn:turn.example.com:3478"]\nari =')
    node = read_config(home, ENV | {"SANTUN_ARI_PASSWORD": "one", "SANTUN_TURN_SECRET": "three"}).asterisk["pbx1"]
    assert (node.turn, node.turn_secret, node.relay_only) == (("turn:turn.example.com:3478",), "three", False)
    assert "three" not in repr(node)
    assert "asterisk.pbx1.turn" in fault_of(
        home.replace("turn:turn", "http:turn"), ENV | {"SANTUN_ARI_PASSWORD": "one"}
    )
    assert "asterisk.pbx1.ari_secret: take it out" in fault_of(text.replace("ari =", 'ari_secret = "x"\nari ='))


def test_lists_are_read_by_the_sites_region() -> None:
    rules = read_config(GOOD, ENV).list_rules()
    assert (rules.region, rules.country_codes, rules.day_first, rules.currency) == ("ID", frozenset({62}), False, "IDR")
    rules = read_config(GOOD + "[list]\nregion = 'GB'\ncurrency = 'GBP'\nday_first = true\n", ENV).list_rules()
    assert (rules.region, rules.country_codes, rules.day_first, rules.currency) == ("GB", frozenset({44}), True, "GBP")
    rules = read_config(GOOD + "[list]\ncountry_codes = [62, 65]\n", ENV).list_rules()
    assert rules.country_codes == frozenset({62, 65})


def test_no_secret_is_in_any_text() -> None:
    config = read_config(GOOD, ENV | {REDIS_URL: "redis://:hunter2@redis/0"})
    assert config.redis.url == "redis://:hunter2@redis/0"
    for text in (repr(config), str(config), repr(config.asterisk), repr(config.list_rules()), repr(config.redis)):
        assert not {word for word in (SECRET, KEY, "hunter2", repr(bytes.fromhex(KEY))[2:-1]) if word in text}


@pytest.mark.parametrize(
    ("text", "env"),
    [
        (GOOD.replace("10.0.0.5", "10.0.0.5;"), {}),
        (GOOD + "[redis]\nurl = 'redis://:hunter2@redis/0'\n", {}),
        (GOOD + "[redis]\nurl = 'hunter2@redis'\n", {}),
        (GOOD, {REDIS_URL: "hunter2@redis"}),
        (GOOD.replace("[trunk", "secret = 'hunter2'\n[trunk"), {}),
        (GOOD.replace("[trunk", "password = 'hunter2'\n[trunk"), {}),
        ("person_key = 'hunter2'\n" + GOOD, {}),
        (GOOD, {PERSON_KEY: "hunter2"}),
        (GOOD, {AMI_SECRET: "hunter2\r\nAction: Command"}),
    ],
)
def test_no_fault_shows_a_secret(text: str, env: dict[str, str]) -> None:
    said = fault_of(text, ENV | env)
    assert "hunter2" not in said
    assert SECRET not in said
    assert KEY not in said


def test_secrets_come_from_the_environment_only() -> None:
    assert f"set {AMI_SECRET}" in fault_of(GOOD, {PERSON_KEY: KEY})
    assert f"set {PERSON_KEY} to 32 or more hex digits" in fault_of(GOOD, {AMI_SECRET: SECRET})
    assert PERSON_KEY in fault_of(GOOD, ENV | {PERSON_KEY: "ab" * 15})
    assert "take it out of the file" in fault_of(GOOD.replace("[trunk", "secret = 'x'\n[trunk"))
    assert "take it out of the file" in fault_of("person_key = 'x'\n" + GOOD)


def test_each_node_may_have_its_own_secret() -> None:
    text = GOOD.replace('endpoint = "carrier"', 'endpoint = "carrier"\nnode = "pbx1"').replace(
        'name = "Sari"', 'name = "Sari"\nnode = "pbx-2"\n[asterisk.pbx-2]\nport = 5039\n'
    )
    config = read_config(text, ENV | {f"{AMI_SECRET}_PBX_2": "another-secret"})
    assert (config.asterisk["pbx1"].secret, config.asterisk["pbx-2"].secret) == (SECRET, "another-secret")
    assert config.node_of(config.agents["101"]) == "pbx-2"


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", ["set asterisk", "set trunk"]),
        ("x = \n", ["santun.toml is no TOML", "line 1"]),
        ("asterisk = 3", ["asterisk = 3"]),
        ("[asterisk]\npbx1 = 3", ["asterisk.pbx1 = 3"]),
        ("redis = 3\n" + GOOD, ["redis = 3"]),
        (GOOD + "[ami]\n", ["unknown key ami: remove it or correct its spelling"]),
        (GOOD.replace("lines", "linse"), ["set trunk.carrier.lines", "unknown key trunk.carrier.linse"]),
        (GOOD.replace("30", "0"), ["trunk.carrier.lines = 0: use at least 1"]),
        (GOOD.replace("30", "'many'"), ["trunk.carrier.lines = 'many'"]),
        (GOOD.replace("203.0.113.7", "203.0.113.7 ; x"), ["trunk.carrier.host", "use a host name or an IP address"]),
        (GOOD.replace('["+62215551234"]', "[]"), ["trunk.carrier.caller_ids"]),
        (GOOD.replace("+62215551234", "Bank"), ["caller_ids.0 = 'Bank': use 3 to 15 digits"]),
        (GOOD.replace('endpoint = "carrier"', 'endpoint = "a/b@c"'), ["trunk.carrier.endpoint"]),
        (GOOD.replace("[agents.101]", "[agents.sari]"), ["agents.sari: use an extension of 2 to 10 digits"]),
        (GOOD.replace("[trunk.carrier]", "[trunk.'a b']"), ["trunk.a b: use a name of a-z, 0-9 and -"]),
        (GOOD + "node = 'pbx9'\n", ["agents.101.node = 'pbx9': use one of pbx1, or add [asterisk.pbx9]"]),
        (GOOD + "[asterisk.pbx2]\n", ["set trunk.carrier.node to one of pbx1, pbx2", "set agents.101.node"]),
        (GOOD + "[list]\nregion = 'XX'\n", ["list.region = 'XX': use a country such as ID"]),
        (GOOD + "[list]\ncurrency = 'BTC'\n", ["list.currency = 'BTC': use one of IDR"]),
        (GOOD + "[redis]\nurl = 'http://x'\n", ["redis.url: use redis://127.0.0.1:6379/0"]),
        (GOOD + "[ivr]\nport = 70000\n", ["ivr.port = 70000: use at most 65535"]),
        (GOOD.replace("lines", "calls_per_second = nan\nlines"), ["trunk.carrier.calls_per_second = nan"]),
    ],
)
def test_a_fault_names_the_key_and_the_cure(text: str, words: list[str]) -> None:
    said = fault_of(text)
    assert not [word for word in words if word not in said], said


SENDERS = (
    GOOD
    + """
[payments.bank-maju]
lenders = ["Bank Maju"]
"""
)


def test_a_sender_of_payments_has_its_secret_in_the_environment() -> None:
    secret = "s" * 32
    config = read_config(SENDERS, ENV | {f"{PAYMENT_SECRET}_BANK_MAJU": secret})
    assert config.payments["bank-maju"].lenders == ("Bank Maju",)
    assert secret not in repr(config)
    assert f"set {PAYMENT_SECRET}_BANK_MAJU" in fault_of(SENDERS)
    assert f"set {PAYMENT_SECRET}_BANK_MAJU" in fault_of(SENDERS, ENV | {f"{PAYMENT_SECRET}_BANK_MAJU": secret[1:]})
    assert "take it out of the file" in fault_of(SENDERS + f'secret = "{secret}"\n')
    assert "payments.Bank" in fault_of(GOOD + "[payments.Bank]\n", ENV | {f"{PAYMENT_SECRET}_BANK": secret})


def test_all_faults_come_in_one_message() -> None:
    said = fault_of(GOOD.replace("30", "0").replace("10.0.0.5", "?") + "[lsit]\n", {})
    for word in (PERSON_KEY, AMI_SECRET, "asterisk.pbx1.host = '?'", "trunk.carrier.lines = 0", "unknown key lsit"):
        assert word in said


def test_the_configuration_is_frozen() -> None:
    config = read_config(GOOD, ENV)
    with pytest.raises(ValueError, match="frozen"):
        config.redis.url = "redis://elsewhere"


# ---- campaigns ------------------------------------------------------------------------------------------------------

PACK = indonesia()
TRUNK = Trunk(endpoint="carrier", host="203.0.113.7", lines=30, caller_ids=("+62215551234",))
CAMPAIGN = Campaign(id="november", name="November", caller_id="+62215551234")


def test_a_sound_campaign_has_no_fault() -> None:
    assert validate_campaign(CAMPAIGN, PACK, TRUNK) == []
    ivr = replace(CAMPAIGN, kind=Kind.IVR, mode=Mode.IVR, retries={"busy": Retry(1800, 3)})
    assert validate_campaign(ivr, PACK, TRUNK) == []


@pytest.mark.parametrize(
    ("change", "word"),
    [
        ({"id": "November!"}, "id = 'November!'"),
        ({"pack": "us"}, "load that pack"),
        ({"ring_s": 14}, "ring_s = 14: the pack asks for 15 or more"),
        ({"abandon_rate_max": 0.031}, "the pack allows 0 < rate <= 0.03"),
        ({"abandon_rate_max": 0.0}, "the pack allows 0 < rate <= 0.03"),
        ({"abandon_rate_max": math.nan}, "the pack allows 0 < rate <= 0.03"),
        ({"connect_limit_ms": 2250}, "connect_limit_ms = 2250: use 500 to 2000 in steps of 250"),
        ({"connect_limit_ms": 1900}, "in steps of 250"),
        ({"connect_limit_ms": 0}, "use 500 to 2000"),
        ({"caller_id": ""}, "set caller_id to one of +62215551234"),
        ({"caller_id": "+62999"}, "is not one of the trunk's"),
        ({"caller_id": "+62215551234\r\nAction: Command"}, "is not one of the trunk's"),
        ({"caller_name": "Bank\nX"}, "caller_name: use one line"),
        ({"name": "x" * 101}, "name: use one line"),
        ({"kind": Kind.IVR}, "ivr needs both"),
        ({"mode": Mode.IVR}, "ivr needs both"),
        ({"language": "jv"}, "use one of id, en"),
        ({"lines_max": 0}, "lines_max = 0"),
        ({"calls_per_second": math.inf}, "calls_per_second = inf"),
        ({"lines_per_agent_max": 0.5}, "lines_per_agent_max = 0.5"),
        ({"ratio": 4.0}, "ratio = 4.0: use 1 to 3.0"),
        ({"ring_s": 115}, "ring_s + post_dial_delay_s = 123"),
        ({"grace_ms": 2500}, "in steps of 1000"),
        ({"agent_offer_s": 601}, "agent_offer_s"),
        ({"call_max_s": 0}, "call_max_s = 0"),
        ({"retries": {"bussy": Retry(60, 1)}}, "retries.bussy: unknown outcome"),
        ({"retries": {"busy": Retry(0, 1)}}, "retries.busy: use after_s"),
        ({"retries": {"busy": Retry(60, 0)}}, "times of 1 to 50"),
        ({"recycle": {"bussy": Recycle(60)}}, "recycle.bussy: unknown outcome"),
        ({"recycle": {"busy": Recycle(0)}}, "recycle.busy.after = 0: use 1"),
        ({"tries_max": 0}, "tries_max = 0: use 1 to 100"),
        ({"callback_own_agent_s": -1}, "callback_own_agent_s = -1"),
        ({"shift_ends": "24:00"}, "shift_ends = '24:00': use a time such as 17:30"),
        ({"shift_ends": "5pm"}, "shift_ends = '5pm'"),
    ],
)
def test_a_campaign_against_pack_and_trunk(change: dict[str, Any], word: str) -> None:
    faults = validate_campaign(replace(CAMPAIGN, **change), PACK, TRUNK)
    assert any(word in fault for fault in faults), faults


def test_the_demos_pack_is_for_the_demo_on_loopback() -> None:
    loopback = TRUNK.model_copy(update={"host": "127.0.0.1"})
    the_demo = replace(CAMPAIGN, id="demo", pack="demo")
    assert validate_campaign(the_demo, demo(), loopback) == []
    assert validate_campaign(the_demo, demo(), TRUNK)
    assert validate_campaign(replace(the_demo, id="november"), demo(), loopback)
