"""What campaigns' callers hear, as it is edited while calls are served: flows from the store, limits from their file.

Looked at every few seconds in a thread of its own. What is not sound or cannot be read changes nothing and is told
once; conversations under way keep what they began with.
"""

import threading
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Protocol

import msgspec
import structlog

from dialer.errors import ConfigError, StoreError
from dialer.forms.sheets import Sheet
from ivr.adapters.limit_files import load_limits
from ivr.flow import Flow
from ivr.flow_reading import File, read
from ivr.session import Desk
from ivr.terms import Terms

LOOKED_EACH_S = 2.0
log = structlog.get_logger("ivr.flow_book")


class _Switch(msgspec.Struct, frozen=True):
    """As the web writes it."""

    flow: str
    revision: int


class _Source(msgspec.Struct):
    flow: str
    texts: dict[str, str]


class _Kept(msgspec.Struct):
    label: str
    source: _Source


_switches = msgspec.json.Decoder(dict[str, _Switch]).decode
_kept = msgspec.json.Decoder(_Kept).decode


class Sheets(Protocol):
    """Where the browser writes. Raises StoreError."""

    def sheet(self, name: str, revision: int = 0) -> Sheet:
        """A version, 0: the newest; one of revision 0 where there is none."""


class FlowBook:
    """`serve(desk)` is told of every change. `file`: the lenders' limits, None: none."""

    def __init__(self, sheets: Sheets, desk: Desk, file: Path | None, serve: Callable[[Desk], None]) -> None:
        self._sheets, self._serve, self._file = sheets, serve, file
        self._desk = desk
        self._terms = desk.terms  # of the file
        self._stamp = self._look_at_file()
        self._switches: dict[str, _Switch] = {}
        self._flows: dict[_Switch, Flow] = {}
        self._complained: set[str] = set()
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True, name="flow-book")

    def start(self) -> None:
        """Look at once, and then again and again."""
        self.look()
        self._thread.start()

    def stop(self) -> None:
        """No change is taken over any more."""
        self._stopped.set()
        self._thread.join(LOOKED_EACH_S * 5)

    def look(self) -> None:
        """Take over what is there now."""
        desk = self._with_limits(self._desk)
        try:
            found = self._sheets.sheet("flows")
            switches = _switches(found.text) if found.revision else {}
            flows = {campaign: flow for campaign, one in switches.items() if (flow := self._flow(one)) is not None}
        except StoreError as error:
            self._complain("flows stay as they were", error.detail)
            return
        except (msgspec.DecodeError, ValueError) as error:
            self._complain("the campaigns' flows cannot be read", str(error))
            return
        terms = Terms(self._terms.lenders, self._terms.campaigns, {**self._terms.flows, **flows})
        if terms != self._desk.terms or desk is not self._desk:
            if flows.keys() != self._switches.keys() or switches != self._switches:
                log.info(
                    "Campaigns have other flows.",
                    action="flows",
                    flows={name: one.label for name, one in flows.items()},
                )
            self._desk, self._switches = replace(desk, terms=terms), switches
            self._serve(self._desk)

    def _flow(self, one: _Switch) -> Flow | None:
        """None: it is not what it was when it was written; then the campaign has the IVR's own."""
        if one not in self._flows:
            kept = self._sheets.sheet(f"flow/{one.flow}", one.revision)
            try:
                source = _kept(kept.text).source
                texts = {language: File(f"{one.flow}.{language}", text) for language, text in source.texts.items()}
                self._flows[one] = read(File(one.flow, source.flow), texts)
            except (ConfigError, msgspec.DecodeError, ValueError) as error:
                self._complain(f"flow {one.flow} version {one.revision} cannot be used", str(error))
                return None
        return self._flows[one]

    def _with_limits(self, desk: Desk) -> Desk:
        stamp = self._look_at_file()
        if stamp == self._stamp:
            return desk
        self._stamp = stamp
        try:
            rule, self._terms = load_limits(self._file)
        except ConfigError as error:
            self._complain("limits stay as they were", error.detail)
            return desk
        log.info("The lenders' limits have changed.", action="limits")
        return replace(desk, limits=rule)

    def _look_at_file(self) -> tuple[int, int]:
        try:
            seen = self._file.stat() if self._file else None
        except OSError:
            seen = None
        return (seen.st_mtime_ns, seen.st_size) if seen else (0, 0)

    def _complain(self, what: str, why: str) -> None:
        if f"{what}: {why}" not in self._complained:
            self._complained.add(f"{what}: {why}")
            log.error(what, action="flow_book", error=why)

    def _run(self) -> None:
        while not self._stopped.wait(LOOKED_EACH_S):
            self.look()
