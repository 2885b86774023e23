"""Keys of the site: short texts and whole files sealed and opened, turned over, never told, never guessed."""

import io
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dialer.adapters.sealed import CHUNK, Seals, keys_text, new_key, plain_size, read_keys
from dialer.adapters.site import load_config
from dialer.config import read_config
from dialer.errors import ConfigError
from tests.web.house import ENV, SITE

OLD, NEW = new_key(), new_key()


def seals(*lines: str) -> Seals:
    found = read_keys("\n".join(lines), "keys")
    assert found is not None
    return found


def sealed_file(keys: Seals, content: bytes) -> bytes:
    out = io.BytesIO()
    keys.seal_stream(io.BytesIO(content), out)
    return out.getvalue()


def opened(keys: Seals, sealed: bytes) -> bytes:
    out = io.BytesIO()
    keys.open_stream(io.BytesIO(sealed), out)
    return out.getvalue()


def test_a_text_is_opened_by_any_key_and_sealed_by_the_newest() -> None:
    before, both, after = seals(OLD), seals("# of 2026", OLD, "", NEW), seals(NEW)
    text = before.seal_text("JBSWY3DPEHPK3PXP")
    assert "JBSWY3DP" not in text
    assert text != before.seal_text("JBSWY3DPEHPK3PXP")
    assert both.open_text(text) == both.open_text(text) == "JBSWY3DPEHPK3PXP"
    assert not both.is_newest(text)
    assert after.open_text(text) is None
    anew = both.seal_text("JBSWY3DPEHPK3PXP")
    assert after.is_newest(anew)
    assert (after.open_text(anew), before.open_text(anew)) == ("JBSWY3DPEHPK3PXP", None)
    assert before.open_text("JBSWY3DPEHPK3PXP") == "JBSWY3DPEHPK3PXP", "of before there were keys"


@given(st.text(alphabet="age:=+/AZ09 ", max_size=80))
def test_what_is_no_sealed_text_opens_nothing(text: str) -> None:
    assert KEYS.open_text("age:" + text) is None


KEYS = seals(OLD)


def test_a_public_key_seals_and_opens_nothing() -> None:
    public = str(KEYS._newest)
    blind = seals(public)
    assert not blind.opens
    text = blind.seal_text("x")
    assert (blind.open_text(text), KEYS.open_text(text)) == (None, "x")
    assert seals(OLD, public).tag == KEYS.tag


@settings(max_examples=40)
@given(st.one_of(st.integers(0, 300), st.integers(CHUNK - 2, CHUNK + 2), st.just(3 * CHUNK)), st.floats(0, 1))
def test_a_file_comes_back_whole_or_not_at_all(size: int, share: float) -> None:
    content = bytes(turn % 251 for turn in range(size))
    sealed = sealed_file(KEYS, content)
    assert plain_size(io.BytesIO(sealed)) == size
    assert opened(KEYS, sealed) == content
    if size:
        assert content[:16] not in sealed or size < 16
    place = round(share * (len(sealed) - 1))
    broken = bytearray(sealed)
    broken[place] ^= 1
    for wrong in (bytes(broken), sealed[:place], sealed + b"x"):
        with pytest.raises(OSError, match=r"."):
            opened(KEYS, wrong)


@pytest.mark.parametrize(
    "content", [b"", b"RIFF" + bytes(99), b"age-encryption.org/v1\n", b"age-encryption.org/v1\n-> X25519 x\n--- y\n"]
)
def test_the_size_of_what_is_no_sealed_file_is_none(content: bytes) -> None:
    with pytest.raises(OSError, match="no file of age"):
        plain_size(io.BytesIO(content))


def test_a_wrong_line_is_named_and_not_shown() -> None:
    for line in ("AGE-SECRET-KEY-1NONSENSE", "age1nonsense", "secret"):
        with pytest.raises(ConfigError, match="keys line 2 is no key") as told:
            read_keys(f"{OLD}\n{line}", "keys")
        assert line not in str(told.value)
        assert OLD not in str(told.value)
    assert read_keys("# none yet\n", "keys") is None


def test_a_file_of_keys_is_nobody_elses(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in ENV.items():
        monkeypatch.setenv(name, value)
    site, keys = tmp_path / "santun.toml", tmp_path / "site.keys"
    site.write_text(SITE + '\n[privacy]\nkeys = "site.keys"\n')
    with pytest.raises(ConfigError, match="keys cannot be read"):
        load_config(site)
    keys.write_text(OLD + "\n")
    keys.chmod(0o644)
    with pytest.raises(ConfigError, match="open to others: chmod 600"):
        load_config(site)
    keys.chmod(0o600)
    config = load_config(site)
    assert config.privacy.may_record
    assert OLD not in repr(config)
    keys.write_text("nonsense\n")
    with pytest.raises(ConfigError, match="line 1 is no key") as told:
        load_config(site)
    assert "nonsense" not in str(told.value)
    keys.chmod(0o640)  # systemd's credentials, a group of the operator's own
    assert keys_text(keys) == "nonsense\n"


def test_keys_stand_in_no_settings_file() -> None:
    with pytest.raises(ConfigError, match=r"privacy\.secret: take it out of the file"):
        read_config(f'{SITE}\n[privacy]\nsecret = "{OLD}"\n', ENV)
    config = read_config(SITE, {**ENV, "SANTUN_SITE_KEYS": OLD})
    assert (config.privacy.may_record, OLD in repr(config)) == (True, False)
