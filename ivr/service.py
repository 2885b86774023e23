"""`ivr serve` itself: joins store, voices, conversations and FastAGI. The command line is read by cli.py, in a program
that this one replaces: what reads options is not kept in memory while calls are served."""

import os
import signal
import socket
import sys
import threading
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from types import FrameType
from typing import NoReturn
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import msgspec
import structlog

from dialer.adapters.redis_ivr import IvrStore
from dialer.adapters.spool import SpoolFile, default_folder
from dialer.adapters.spooled_facts import KIND
from dialer.errors import ConfigError, DialerError, StoreError
from dialer.keyed import OTHER_KEY, mark_of, read_key
from ivr.adapters import flow_files, memory
from ivr.adapters.agi import Server
from ivr.adapters.broom import Broom
from ivr.adapters.clock import SystemClock
from ivr.adapters.flow_book import FlowBook
from ivr.adapters.heart import Heart
from ivr.adapters.limit_files import load_limits
from ivr.adapters.line import PaymentReminder
from ivr.adapters.logs import log_to_stderr
from ivr.adapters.metrics import PageServer, Parts, pages_of
from ivr.adapters.rule_book import RuleBook
from ivr.adapters.speech import Speech, opened
from ivr.adapters.spooled import SpooledReports
from ivr.adapters.workshop import Workshop
from ivr.flow import Flow
from ivr.session import Desk
from ivr.shipped import CALL_BACK, PAYMENT_REMINDER, call_back, wish
from ivr.texts import said

SCRIPTS = (PAYMENT_REMINDER, CALL_BACK)  # as extensions.conf asks for them
KEY = "SANTUN_PERSON_KEY"
SETTINGS = "SANTUN_IVR_SERVE"  # in the environment, which no other user sees: Redis' address may hold a password
HOME_ZONE = "Asia/Jakarta"
SWITCH_S = 0.001  # while 300 threads have work at once the heartbeat is 0.04 s late; with Python's 5 ms 1.3 s
THREAD_STACK_BYTES = 512 * 1024
BACKGROUND_THREADS = 16
MAKERS_EACH = 2  # threads to a call: for what it says now, and for what it may say soon
DAY_S = 86400
MB = 1024 * 1024

log = structlog.get_logger("ivr")


@dataclass(frozen=True, slots=True)
class Settings:
    """The options of `ivr serve`, as its help explains them."""

    prompts: str
    redis: str
    listen: str
    prompts_as: str
    most: int
    drain_s: float
    forget_days: float
    most_mb: int
    limits: str
    flow: str
    known_as: str
    send: bool
    metrics: str
    spool: str
    spool_mb: int
    config: str


def become(settings: Settings) -> NoReturn:
    """Serve in the place of this program: the process stays the same to whoever has started it."""
    shown = sys.argv[1:]  # for who looks at the processes
    words = [sys.executable, "-P", "-m", "ivr.service", *shown]
    env = os.environ | {SETTINGS: msgspec.json.encode(settings).decode()}
    os.execve(sys.executable, words, env)  # noqa: S606 - no shell is wanted


def serve(settings: Settings) -> None:
    """Until a signal ends it."""
    prompts = Path(settings.prompts).resolve()
    key = read_key(os.environ.get(KEY, ""))
    if not key:
        raise ConfigError(f"set {KEY} to the key that the list was loaded with, in hex.")
    threading.stack_size(THREAD_STACK_BYTES)
    memory.one_heap()
    sys.setswitchinterval(SWITCH_S)
    spoken_flow = flow_files.load(settings.flow)
    offered, terms = load_limits(Path(settings.limits) if settings.limits else None)
    store = IvrStore(settings.redis)
    _same_people(store, key)
    workshop = Workshop(prompts)
    voice = opened(prompts, elsewhere=workshop)
    _compare(voice, prompts, (spoken_flow, wish(), call_back(), *terms.flows.values()))
    clock = SystemClock()
    folder = Path(settings.spool) if settings.spool else default_folder(prompts.parent)
    file = SpoolFile(folder, KIND, settings.spool_mb * MB)
    reports = SpooledReports(store, file, clock)
    reports.start()
    broom = Broom(voice, clock, settings.forget_days * DAY_S, settings.most_mb * MB)
    broom.start()
    background = ThreadPoolExecutor(BACKGROUND_THREADS, "background")
    makers = ThreadPoolExecutor(settings.most * MAKERS_EACH, "maker")
    rules = RuleBook(store, Path(settings.config) if settings.config else None, clock)
    rules.start()
    desk = Desk(
        store, reports, clock, background.submit, zone_of, key, offered, settings.send, spoken_flow, store, terms,
        rules.of,
    )  # fmt: skip
    script = PaymentReminder(desk, voice, makers, _seen(prompts, settings.prompts_as))
    book = FlowBook(store, desk, Path(settings.limits) if settings.limits else None, script.take_over)
    book.start()
    server = _server(settings.listen, script, settings.most)
    _stop_on_signal(server, settings.drain_s)
    memory.settle()
    heart = Heart(store, clock, _name(settings.known_as or "{}:{}".format(*server.address), server.address[1]))
    parts = Parts(server, heart, lambda: script.endings, lambda: broom.left, lambda: reports.waiting)
    shown = _shown(settings.metrics, parts, script)
    heart.start()
    log.info("Waiting for calls.", action="serve", host=server.address[0], port=server.address[1], pid=os.getpid())
    server.serve()
    if shown:
        shown.stop()
    heart.stop()
    book.stop()
    rules.stop()
    broom.stop()
    background.shutdown(wait=False, cancel_futures=True)
    makers.shutdown(wait=False, cancel_futures=True)
    reports.stop()
    workshop.close()
    store.close()
    log.info("All calls have ended.", action="stopped", endings=script.endings)


def _same_people(store: IvrStore, key: bytes) -> None:
    with suppress(StoreError):  # it is away: whoever is called was listed by an engine that has asked
        if not store.is_keyed_by(mark_of(key)):
            raise ConfigError(OTHER_KEY)


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


def main() -> None:
    """What `become` has started; an error of ours is one sentence, not a traceback."""
    log_to_stderr()
    try:
        serve(msgspec.json.decode(os.environ.pop(SETTINGS), type=Settings))
    except DialerError as error:
        print(error, file=sys.stderr)
        raise SystemExit(2) from None


if __name__ == "__main__":
    main()
