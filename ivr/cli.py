"""The command `ivr`: serve calls, render prompts, hold a conversation on the keyboard."""

import os
import signal
import socket
import sys
import tempfile
import threading
import wave
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from functools import lru_cache
from pathlib import Path
from types import FrameType
from typing import Annotated
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import structlog
import typer

from dialer.errors import ConfigError, DialerError
from dialer.keyed import read_key
from ivr import flow_drawing, flow_words
from ivr.adapters import flow_files, keyboard, memory
from ivr.adapters.agi import Server
from ivr.adapters.broom import Broom
from ivr.adapters.clock import SystemClock
from ivr.adapters.heart import Heart
from ivr.adapters.limit_files import load_limits
from ivr.adapters.line import PaymentReminder
from ivr.adapters.logs import log_to_stderr
from ivr.adapters.metrics import PageServer, Parts, pages_of
from ivr.adapters.speech import Speech, opened
from ivr.adapters.workshop import Workshop
from ivr.commands import prompts as prompts_command
from ivr.flow import Flow
from ivr.paths import Path as Way
from ivr.paths import estimated_s, paths
from ivr.prompts import Sentence
from ivr.session import FIRST_KEY_MS, Desk, learn
from ivr.shipped import CALL_BACK, PAYMENT_REMINDER, call_back, wish
from ivr.texts import said

app = typer.Typer(no_args_is_help=True, add_completion=False, pretty_exceptions_enable=False, help=__doc__)
app.add_typer(prompts_command.app, name="prompts")
flows = typer.Typer(no_args_is_help=True, help="The conversation as data: docs/ivr-flows.md.")
app.add_typer(flows, name="flow")

SCRIPTS = (PAYMENT_REMINDER, CALL_BACK)  # as extensions.conf asks for them
KEY = "SANTUN_PERSON_KEY"
HOME_ZONE = "Asia/Jakarta"
SWITCH_S = 0.001  # while 300 threads have work at once the heartbeat is 0.04 s late; with Python's 5 ms 1.3 s
THREAD_STACK_BYTES = 512 * 1024
BACKGROUND_THREADS = 16
DAY_S = 86400
MB = 1024 * 1024

log = structlog.get_logger("ivr")

FlowName = Annotated[str, typer.Argument(metavar="FLOW", help=f"{PAYMENT_REMINDER}, or the file of another flow.")]
Sample = Annotated[str, typer.Option(help=f"An invented debtor: {', '.join(keyboard.SAMPLES)}; his code is 1234.")]
Language = Annotated[str, typer.Option(help="id or en")]


@app.command()
def serve(
    prompts: Annotated[Path, typer.Option(help="Folder of `ivr prompts render`; more is made there during calls.")],
    redis: Annotated[str, typer.Option(envvar="SANTUN_REDIS_URL", help="Where the dialer keeps its state.")],
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
    spool: Annotated[Path | None, typer.Option(help="Where facts wait for Redis. [spool, beside --prompts]")] = None,
    spool_mb: Annotated[int, typer.Option(help="How much may wait there.", min=1)] = 64,
) -> None:
    """Answer Asterisk's FastAGI: a thread per call."""
    from dialer.adapters.redis_ivr import IvrStore  # a command that needs no Redis does not load it
    from dialer.adapters.spool import SpoolFile, default_folder
    from ivr.adapters.spooled import KIND, SpooledReports

    log_to_stderr()
    key = read_key(os.environ.get(KEY, ""))
    if not key:
        raise ConfigError(f"set {KEY} to the key that the list was loaded with, in hex.")
    threading.stack_size(THREAD_STACK_BYTES)
    memory.one_heap()
    sys.setswitchinterval(SWITCH_S)
    spoken_flow, (offered, terms) = flow_files.load(flow), load_limits(limits)
    store = IvrStore(redis)
    workshop = Workshop(prompts.resolve())
    voice = opened(prompts.resolve(), elsewhere=workshop)
    _compare(voice, prompts, (spoken_flow, wish(), call_back(), *terms.flows.values()))
    clock = SystemClock()
    file = SpoolFile(spool or default_folder(prompts.resolve().parent), KIND, spool_mb * MB)
    reports = SpooledReports(store, file, clock)
    reports.start()
    broom = Broom(voice, clock, forget_days * DAY_S, most_mb * MB)
    broom.start()
    background = ThreadPoolExecutor(BACKGROUND_THREADS, "background")
    desk = Desk(store, reports, clock, background.submit, zone_of, key, offered, send, spoken_flow, store, terms)
    script = PaymentReminder(desk, voice, background, _seen(prompts.resolve(), prompts_as))
    server = _server(listen, script, most)
    _stop_on_signal(server, drain_s)
    memory.settle()
    heart = Heart(store, clock, _name(known_as or "{}:{}".format(*server.address), server.address[1]))
    parts = Parts(server, heart, lambda: script.endings, lambda: broom.left, lambda: reports.waiting)
    shown = _shown(metrics, parts, script)
    heart.start()
    log.info("Waiting for calls.", action="serve", host=server.address[0], port=server.address[1], pid=os.getpid())
    server.serve()
    if shown:
        shown.stop()
    heart.stop()
    broom.stop()
    background.shutdown(wait=False, cancel_futures=True)
    reports.stop()
    workshop.close()
    store.close()
    log.info("All calls have ended.", action="stopped", endings=script.endings)


def _compare(voice: Speech, prompts: Path, spoken: Iterable[Flow]) -> None:
    """Names what was not rendered beforehand: it is said all the same, made while the line waits."""
    if lacking := voice.lacking(said(spoken)):
        cure = f"run `ivr prompts render --out {prompts}`, with --flow FILE for a conversation of your own"
        log.warning(
            "Sentences are not rendered.", action="made_in_calls", count=len(lacking), first=lacking[:5], cure=cure
        )


def _server(listen: str, script: PaymentReminder, most: int) -> Server:
    host, _, port = listen.rpartition(":")
    try:
        return Server(host, int(port), dict.fromkeys(SCRIPTS, script), most)
    except (ValueError, OverflowError, OSError) as error:
        raise ConfigError(f"--listen {listen}: {error}; use host:port, with a port that is free here.") from error


def _name(place: str, port: int) -> str:
    """Of this server among others that are reached at the same place."""
    return f"{place} {socket.gethostname()}:{port}"


def _shown(listen: str, parts: Parts, script: PaymentReminder) -> PageServer | None:
    """Its metrics and probes, where they are asked for."""
    if not listen:
        return None
    pages = pages_of(parts)
    script.on_end = pages.meters.observer("santun_ivr_call_seconds")
    server = PageServer(pages, listen)
    server.start()
    return server


def _stop_on_signal(server: Server, drain_s: float) -> None:
    """The first signal lets running calls finish; the second ends them."""
    asked: list[int] = []

    def stop(number: int, _: FrameType | None) -> None:
        asked.append(number)
        limit_s = drain_s if len(asked) == 1 else 0.0
        threading.Thread(target=server.stop, args=(limit_s,), daemon=True).start()

    for name in (signal.SIGTERM, signal.SIGINT):
        signal.signal(name, stop)


def _seen(ours: Path, theirs: str) -> Callable[[Path], str]:
    """How Asterisk finds a file of ours."""
    return lambda path: str(Path(theirs) / path.relative_to(ours)) if theirs else str(path)


def zone_of(name: str) -> ZoneInfo:
    """The debtor's zone; the capital's where it is unknown."""
    return _zone(name or HOME_ZONE)


@lru_cache(maxsize=64)
def _zone(name: str) -> ZoneInfo:
    try:
        return ZoneInfo(name)
    except (ValueError, OSError, ZoneInfoNotFoundError):
        return ZoneInfo(HOME_ZONE)


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
        keyboard.talk(_sample(debtor), flow_files.load(flow), language, agent, speaker)


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
    call, desk, _ = keyboard.rehearsal(_sample(debtor), flow_files.load(flow), language, agent)
    dialogue = learn(call, desk)
    if dialogue is None:
        raise ConfigError("the debt cannot be spoken.")
    seconds = _measured(opened(prompts.resolve())) if prompts else estimated_s
    found = list(paths(dialogue, keyboard.SECRET))
    for way in found:
        typer.echo(_line(way, seconds))
    typer.echo(f"{len(found)} paths; seconds are {'of the sounds in ' + str(prompts) if prompts else 'guessed'}.")


def _line(way: Way, seconds: Callable[[Sentence], float]) -> str:
    length_s = sum(seconds(one) for one in way.said) + way.silences * FIRST_KEY_MS / 1000
    return f"{length_s:6.1f} s  {way.how:16} {' '.join(way.keys):24} {' > '.join(way.steps)}"


def _measured(voice: Speech) -> Callable[[Sentence], float]:
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
        typer.echo(str(error), err=True)
        raise SystemExit(2) from None
