"""`ivr prompts`: render the sounds of the conversation, say what a studio has still to record, delete what is old."""

import csv
import io
import time
from pathlib import Path
from typing import Annotated

import typer

from dialer.errors import ConfigError
from ivr import script, texts
from ivr.adapters import flow_files, voices
from ivr.adapters.clock import SystemClock
from ivr.adapters.recordings import Recordings
from ivr.adapters.speech import opened
from ivr.adapters.voices import Setup
from ivr.prompts import spoken_words
from ivr.spoken import LANGUAGES
from ivr.texts import Said

app = typer.Typer(no_args_is_help=True, help="The sounds of the conversation.")

DAY_S = 86400
MB = 1024 * 1024

Out = Annotated[Path, typer.Option(help="Folder of the rendered sounds.")]
Language = Annotated[str, typer.Option(help="id or en")]
Company = Annotated[str, typer.Option(help="Who calls, in the messages that the dialplan plays.")]
Flows = Annotated[
    list[str] | None, typer.Option("--flow", help="The file of a conversation that is not shipped; once for each.")
]
Folder = Annotated[Path | None, typer.Option(help="Folder of a studio's recordings; see docs/voices.md.")]


@app.command()
def render(
    out: Out,
    company: Company = "Santun",
    recordings: Folder = None,
    piper: Annotated[list[str] | None, typer.Option(help="A piper voice, as id=VOICE.onnx; once per language.")] = None,
    google: Annotated[
        bool, typer.Option(help="Fixed sentences by Google; sends them out. Needs santun[gtts].")
    ] = False,
    wide: Annotated[bool, typer.Option(help="16 kHz beside 8 kHz, for telephones that have it.")] = False,
    flow: Flows = None,
) -> None:
    """Render every fixed piece, and the messages that the dialplan plays; what is there already is kept.

    `ivr serve` speaks from this folder by the same voices.
    """
    from dialer.adapters.sounds import write_messages, write_plain  # with numpy, which `ivr serve` does without

    began = time.monotonic()
    out = out.resolve()
    studio, own = str(recordings.resolve()) if recordings else "", _own(flow or [])
    setup = Setup(studio, _models(piper or []), google, wide, _messages(company), own.sentences, own.words)
    speech = opened(out, setup)
    pieces = speech.warm()
    write_plain(out)
    write_messages(out, speech.render, {"company": spoken_words(company)})
    voices.keep(out, setup)
    typer.echo(f"{pieces} pieces in {time.monotonic() - began:.1f} s: {out}")


@app.command()
def missing(
    recordings: Folder = None,
    language: Language = "id",
    as_csv: Annotated[
        bool, typer.Option("--csv", help="A table for the voice actor, to lie beside the files.")
    ] = False,
    every: Annotated[bool, typer.Option("--all", help="Also what is recorded.")] = False,
    company: Company = "Santun",
    flow: Flows = None,
) -> None:
    """What is not recorded: file name, words, where they are said, how often. Without a folder: everything."""
    known(language)
    messages = _messages(company)
    said = texts.SHIPPED.with_(_own(flow or []))
    studio = Recordings(recordings, messages, said) if recordings else None
    lines = script.lines(language, messages[language], said)
    wanted = lines if every or studio is None else tuple(studio.missing(language))
    if as_csv:
        table = io.StringIO()
        writer = csv.writer(table, lineterminator="\n")
        writer.writerow(script.COLUMNS)
        writer.writerows((line.files[0], line.text, line.context, line.uses) for line in wanted)
        typer.echo(table.getvalue(), nl=False)
        return
    for line in wanted:
        typer.echo(f"{line.files[0]:28} {line.uses:5}  {line.text}")
    typer.echo(f"{len(wanted)} of {len(lines)} pieces are to be recorded.", err=True)
    if studio:
        for name in studio.outdated(language):
            typer.echo(f"{name}: other words were read than are to be said now; record it again.", err=True)
        for name in studio.unknown(language):
            typer.echo(f"{name}: no fixed piece has this name; right for a lender's or a product's words.", err=True)


@app.command()
def forget(
    out: Out,
    days: Annotated[float, typer.Option(help="Unused for so long.", min=0)] = 7,
    most_mb: Annotated[int, typer.Option(help="Then what was used longest ago, down to this size.", min=1)] = 2048,
) -> None:
    """Delete the sounds with people's names and amounts; what is still needed is made anew."""
    speech, now = opened(out.resolve()), SystemClock().now()
    deleted = speech.forget(now - days * DAY_S) + speech.shrink(most_mb * MB, now)
    typer.echo(f"{deleted} files deleted: {out}")


@app.command("list")
def list_texts(language: Language = "id", flow: Flows = None) -> None:
    """Every sentence of the conversations, by name."""
    known(language)
    said = texts.SHIPPED.with_(_own(flow or []))
    for name, text in (*said.sentences.get(language, {}).items(), *said.words.get(language, {}).items()):
        typer.echo(f"{name:24} {text}")


def _own(flows: list[str]) -> Said:
    """What the conversations of these files say."""
    found = [flow_files.load(name) for name in flows]
    if taken := [one.id for one in found if one.id in script.FOLDERS]:
        raise ConfigError(
            f"a flow cannot have the id {taken[0]}: recordings of other words lie in a folder of that name."
        )
    return texts.said(found)


def known(language: str) -> str:
    """A language that we speak. Raises ConfigError."""
    if language not in LANGUAGES:
        raise ConfigError(f"--language {language}: use one of {', '.join(LANGUAGES)}.")
    return language


def _models(given: list[str]) -> dict[str, str]:
    found = {}
    for word in given:
        language, _, path = word.partition("=")
        if language not in LANGUAGES or not path:
            raise ConfigError(f"--piper {word}: use LANGUAGE=VOICE.onnx, LANGUAGE one of {', '.join(LANGUAGES)}.")
        found[language] = str(Path(path).resolve())
    return found


def _messages(company: str) -> dict[str, dict[str, str]]:
    """The sentences that the dialplan plays, by language and name."""
    from dialer.adapters.sounds import read_catalogue

    words = {"company": spoken_words(company)}
    catalogue = read_catalogue()
    return {
        language: {name: said[language].format_map(words) for name, said in catalogue.items()} for language in LANGUAGES
    }
