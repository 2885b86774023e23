"""docs/voices.md says what the code does."""

import re
from math import log10
from pathlib import Path

from ivr import script
from ivr.adapters import audio, wavs
from ivr.adapters.recordings import KINDS, READ
from ivr.adapters.voices import FILE, REGISTRY
from ivr.commands import prompts as command

PAGE = (Path(__file__).parents[2] / "docs" / "voices.md").read_text(encoding="utf-8")


def test_the_figures_are_those_of_the_code() -> None:
    for figure in (
        f"{audio.LOUDNESS_DB} LUFS", f"{20 * log10(audio.PEAK):.1f} dBFS", f"{-audio.QUIET_DB:.0f} dB below",
        f"{1000 * audio.EDGE_S:.0f} ms kept", f"{1000 * audio.FADE_S:.0f} ms faded", f"{1000 * wavs.GAP_S:.0f} ms;",
        f"{1000 * wavs.PAUSE_S:.0f} ms after a piece", f"{1000 * wavs.TAIL_S:.0f} ms after a sentence",
        f"{1000 * audio.BLOCK_S:.0f} ms instead of 400", *wavs.EXTENSIONS.values(), READ, FILE,
    ):  # fmt: skip
        assert figure in PAGE, figure


def test_the_voices_are_in_their_order() -> None:
    assert re.findall(r"^\| `(\w+)` \| ", PAGE, re.MULTILINE) == list(REGISTRY)


def test_the_names_are_those_of_the_script() -> None:
    lines = {file for line in script.lines("id", {"message": "Halo."}) for file in line.files}
    named = set(re.findall(r"STUDIO/id/([\w/-]+)\.wav", PAGE))
    others = {"words/bank-maju", f"{script.NAMES}/budi-santoso"}
    assert named - others <= lines
    assert all(kind.strip(".").upper().removesuffix("F") in PAGE for kind in KINDS)
    assert all(f"`{column}`" in PAGE for column in script.COLUMNS)


def test_the_commands_have_these_options() -> None:
    for name in ("render", "missing", "forget"):
        (line,) = re.findall(rf"^    ivr prompts {name} (.*)$", PAGE, re.MULTILINE)
        options = set(re.findall(r"--([\w-]+)", line))
        function = getattr(command, name)
        known = {
            word.replace("_", "-").removeprefix("as-").replace("every", "all") for word in function.__annotations__
        }
        assert options <= known
