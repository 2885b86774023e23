"""Numbers as logs may show them: at most the last three digits."""

import re

_RUN = re.compile(r"\+?\d(?:[ ().-]{0,2}\d){6,}")  # seven digits or more, however they are grouped
_SHOWN = 3


def mask_number(number: str) -> str:
    """`+6281234567890` -> `***********890`; what has fewer than seven digits is masked whole."""
    shown = _SHOWN if sum(char.isdigit() for char in number) > 6 else 0
    return "*" * (len(number) - shown) + number[len(number) - shown :] if shown else "*" * len(number)


def mask_text(text: str) -> str:
    """The text with every run of seven digits or more masked: for errors that quote what came from outside."""
    return _RUN.sub(lambda match: mask_number(match.group()), text)


def shape(text: str, longest: int = 40) -> str:
    """`Budi 31/2/90` -> `xxxx 99/9/99`: enough to see what is wrong with a value, too little to know it."""
    shaped = "".join("9" if char.isdigit() else "x" if char.isalpha() else char for char in text[:longest])
    return ascii(shaped)[1:-1] + ("..." if len(text) > longest else "")
