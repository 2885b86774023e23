"""The command `ivr`: serve calls, render prompts, hold a conversation on the keyboard."""

import os
import re
import tempfile
import wave
from collections.abc import Callable
from functools import lru_cache
from pathlib import Path
from typing import Annotated

import typer

from dialer.errors import ConfigError, DialerError
from ivr import flow_drawing, flow_words
from ivr.adapters import flow_files, keyboard
from ivr.adapters.logs import log_to_stderr
from ivr.adapters.speech import opened
from ivr.commands import prompts as prompts_command
from ivr.paths import Path as Way
from ivr.paths import estimated_s, paths
from ivr.prompts import Sentence
from ivr.session import FIRST_KEY_MS, learn
from ivr.shipped import PAYMENT_REMINDER, SHIPPED

app = typer.Typer(
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode="markdown",
    help=__doc__,
)
app.add_typer(prompts_command.app, name="prompts")
flows = typer.Typer(no_args_is_help=True, help="The conversation as data: docs/ivr-flows.md.")
app.add_typer(flows, name="flow")

REDIS_URL = "SANTUN_REDIS_URL"
CONFIG = "SANTUN_CONFIG"
_PLACE = re.compile(r"\S+:\d+: ")  # file:line:

FlowName = Annotated[str, typer.Argument(metavar="FLOW", help=f"{', '.join(SHIPPED)}, or the file of another.")]
Sample = Annotated[str, typer.Option(help=f"An invented debtor: {', '.join(keyboard.SAMPLES)}; his code is 1234.")]
Language = Annotated[str, typer.Option(help="id or en")]


@app.command()
def serve(
    prompts: Annotated[Path, typer.Option(help="Folder of `ivr prompts render`; more is made there during calls.")],
    redis: Annotated[str, typer.Option(envvar=REDIS_URL, help="Where the dialer keeps its state.")],
    listen: Annotated[str, typer.Option(help="host:port for Asterisk's AGI().")] = "127.0.0.1:4573",
    prompts_as: Annotated[str, typer.Option(help="The same folder as Asterisk sees it, if it is another.")] = "",
    most: Annotated[int, typer.Option(help="Calls at once; more get the courteous message.", min=1)] = 500,
    drain_s: Annotated[float, typer.Option(help="How long calls go on after a signal to stop.", min=0)] = 60.0,
    forget_days: Annotated[float, typer.Option(help="Delete sounds with names and amounts unused for so long.")] = 7,
    most_mb: Annotated[int, typer.Option(help="How large those sounds may grow together.", min=1)] = 2048,
    limits: Annotated[Path | None, typer.Option(help="What lenders let us offer: a TOML file.")] = None,
    flow: Annotated[str, typer.Option(help=f"{PAYMENT_REMINDER}, or the file of another flow.")] = PAYMENT_REMINDER,
    known_as: Annotated[str, typer.Option(help="host:port of [ivr] in the settings, if not that of --listen.")] = "",
    send: Annotated[bool, typer.Option(help="A worker sends messages: offer the virtual account as one.")] = False,
    metrics: Annotated[str, typer.Option(help="host:port of /metrics, /healthz and /readyz: docs/metrics.md.")] = "",
    redis_ca: Annotated[Path | None, typer.Option(help="The CA of a rediss:// address. [the system's]")] = None,
    redis_cert: Annotated[Path | None, typer.Option(help="Our certificate, where Redis asks for one.")] = None,
    redis_key: Annotated[Path | None, typer.Option(help="Its key, mode 0600.")] = None,
    spool: Annotated[Path | None, typer.Option(help="Where facts wait for Redis. [spool, beside --prompts]")] = None,
    spool_mb: Annotated[int, typer.Option(help="How much may wait there.", min=1)] = 64,
    config: Annotated[
        Path | None, typer.Option(envvar=CONFIG, help="The site's settings: call-backs keep to its rule packs, too.")
    ] = None,
) -> None:
    """Answer Asterisk's FastAGI: a thread per call."""
    from ivr import service  # a command that needs no Redis does not load it

    if "@" in redis and redis != os.environ.get(REDIS_URL):
        raise ConfigError(f"--redis: take the password off the command line, which everybody reads; set {REDIS_URL}.")
    if redis_ca or redis_cert or redis_key:
        from dialer.adapters.tls import tls_address

        redis = tls_address(redis, redis_ca, redis_cert, redis_key)
    service.become(
        service.Settings(
            prompts=str(prompts),
            redis=redis,
            listen=listen,
            prompts_as=prompts_as,
            most=most,
            drain_s=drain_s,
            forget_days=forget_days,
            most_mb=most_mb,
            limits=str(limits or ""),
            flow=flow,
            known_as=known_as,
            send=send,
            metrics=metrics,
            spool=str(spool or ""),
            spool_mb=spool_mb,
            config=str(config or ""),
        )
    )


@app.command()
def talk(
    flow: FlowName = PAYMENT_REMINDER,
    debtor: Sample = keyboard.SAMPLES[0],
    language: Language = "id",
    agent: Annotated[bool, typer.Option(help="Offer to speak with a person.")] = True,
    voice: Annotated[bool, typer.Option(help="Speak, where there is a sound device.")] = True,
) -> None:
    """Hold the conversation on the keyboard: type keys, nothing for silence; Ctrl-D hangs up."""
    log_to_stderr()
    with tempfile.TemporaryDirectory() as folder:
        speaker = opened(Path(folder)) if voice and keyboard.speaks() else None
        keyboard.talk(_sample(debtor), flow_files.load(flow), prompts_command.known(language), agent, speaker)


@app.command("path")
def list_paths(
    flow: FlowName = PAYMENT_REMINDER,
    debtor: Sample = keyboard.SAMPLES[0],
    language: Language = "id",
    agent: Annotated[bool, typer.Option(help="Offer to speak with a person.")] = True,
    prompts: Annotated[
        Path | None, typer.Option(help="Measure sounds of this folder; else lengths are guessed.")
    ] = None,
) -> None:
    """Every path of a flow, loops walked once: seconds if nobody interrupts, outcome, keys (`-` is silence), steps."""
    call, desk, _ = keyboard.rehearsal(_sample(debtor), flow_files.load(flow), prompts_command.known(language), agent)
    dialogue = learn(call, desk)
    if dialogue is None:
        raise ConfigError("the debt cannot be spoken.")
    seconds = _measured(prompts) if prompts else estimated_s
    found = list(paths(dialogue, keyboard.SECRET))
    for way in found:
        typer.echo(_line(way, seconds))
    typer.echo(f"{len(found)} paths; seconds are {'of the sounds in ' + str(prompts) if prompts else 'guessed'}.")


def _line(way: Way, seconds: Callable[[Sentence], float]) -> str:
    length_s = sum(seconds(one) for one in way.said) + way.silences * FIRST_KEY_MS / 1000
    return f"{length_s:6.1f} s  {way.how:16} {' '.join(way.keys):24} {' > '.join(way.steps)}"


def _measured(prompts: Path) -> Callable[[Sentence], float]:
    if not prompts.is_dir():
        raise ConfigError(f"--prompts {prompts}: there is no such folder; `ivr prompts render --out` makes it.")
    voice = opened(prompts.resolve())

    @lru_cache(maxsize=4096)
    def seconds(sentence: Sentence) -> float:
        with wave.open(str(voice.sentence(sentence).with_suffix(".wav")), "rb") as file:
            return file.getnframes() / file.getframerate()

    return seconds


def _sample(name: str) -> str:
    if name not in keyboard.SAMPLES:
        raise ConfigError(f"--debtor {name}: use one of {', '.join(keyboard.SAMPLES)}.")
    return name


@flows.command("check")
def check_flow(flow: FlowName) -> None:
    """Prove a flow: ways out, loops, keys, texts, and that no debt is told before it is known who is there."""
    found = flow_files.load(flow)
    typer.echo(f"{found.label}: {len(found.steps)} steps, {', '.join(found.texts)}; sound.")


@flows.command("draw")
def draw_flow(flow: FlowName = PAYMENT_REMINDER) -> None:
    """The flow as a diagram, in mermaid."""
    typer.echo(flow_drawing.mermaid(flow_files.load(flow)))


@flows.command("words")
def list_words() -> None:
    """The conditions, slots, entries, actions and facts that a flow may use."""
    typer.echo(flow_words.tables())


def main() -> None:
    """The command; an error of ours is one sentence, not a traceback."""
    try:
        app()
    except DialerError as error:
        placed = _PLACE.match(error.detail)  # then the line begins with it, as editors read it
        typer.echo(error.detail if placed else str(error), err=True)
        raise SystemExit(2) from None
