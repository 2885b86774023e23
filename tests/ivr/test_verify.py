"""What was keyed against the keyed hash of the list."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dialer.keyed import secret_key
from ivr.verify import proves

KEY = b"a key"
SECRET = secret_key(KEY, "17081990")


@pytest.mark.parametrize(
    ("key", "secret", "keyed", "right"),
    [
        (KEY, SECRET, "17081990", True),
        (KEY, SECRET, "17081991", False),
        (KEY, SECRET, "1708199", False),
        (KEY, SECRET, "", False),
        (KEY, SECRET, SECRET, False),
        (b"another", SECRET, "17081990", False),
        (KEY, "", "", False),
        (KEY, "", "17081990", False),
        (KEY, "ä", "17081990", False),
    ],
)
def test_proves(key: bytes, secret: str, keyed: str, right: bool) -> None:
    assert proves(key, secret, keyed) is right


@given(st.text("0123456789*#", max_size=12))
def test_only_the_secret_itself_proves(keyed: str) -> None:
    assert proves(KEY, SECRET, keyed) is (keyed == "17081990")
