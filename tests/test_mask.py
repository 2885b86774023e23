"""What logs may show of a number."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dialer.mask import mask_number, mask_text, shape


@pytest.mark.parametrize(
    ("number", "masked"),
    [("+6281234567890", "***********890"), ("081234567", "******567"), ("112", "***"), ("150012", "******"), ("", "")],
)
def test_at_most_three_digits_of_a_number_are_shown(number: str, masked: str) -> None:
    assert mask_number(number) == masked


@pytest.mark.parametrize(
    ("text", "masked"),
    [
        ("no route to 6281234567890 via carrier", "no route to **********890 via carrier"),
        ("PJSIP/081234567890@carrier-0000001", "PJSIP/*********890@carrier-****001"),
        ("call +62 812-3456-7890 now", "call **************890 now"),
        ("port 5060 at 12:30", "port 5060 at 12:30"),
    ],
)
def test_numbers_inside_a_text(text: str, masked: str) -> None:
    assert mask_text(text) == masked


@given(st.text(max_size=80))
def test_no_run_of_seven_digits_is_left(text: str) -> None:
    run = 0
    for char in mask_text(text):
        run = run + 1 if char.isascii() and char.isdigit() else 0
        assert run < 7


def test_shape() -> None:
    assert shape("Budi 31/2/90") == "xxxx 99/9/99"
    assert shape("Budi\r\n") == "xxxx\\r\\n"
    assert shape("1" * 50) == "9" * 40 + "..."
    assert shape("\u200bé") == "\\u200bx"
