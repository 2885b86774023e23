"""The campaigns' rule packs, as the site's settings have them: when the gate will let a call-back begin.

Looked at in a thread of its own. What cannot be read leaves a campaign as it was, at first without rules: then the
lender's hours and the campaign's own are all that counts. It is told once.
"""

import threading
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Protocol

import structlog

from dialer.adapters.pack_process import Found, read_rules
from dialer.errors import ConfigError, StoreError
from dialer.law.places import Rules
from dialer.model import Campaign
from ivr.ports import Clock

LOOKED_EACH_S = 5.0
READ_AGAIN_S = 3600.0  # the operator's files may have changed, or the year
TRIED_AGAIN_S = 60.0
ENDS_S = 2.0
_RULED = ("id", "pack", "trunk", "week", "first_day", "last_day", "ring_s", "post_dial_delay_s")

log = structlog.get_logger("ivr.rule_book")


class Campaigns(Protocol):
    """Raises StoreError."""

    def campaigns(self) -> Sequence[Campaign]:
        """All of them."""


class RuleBook:
    """`settings`: the site's file; None: no campaign's rules are known."""

    def __init__(
        self, campaigns: Campaigns, settings: Path | None, clock: Clock, read: Callable[..., Found] = read_rules
    ) -> None:
        self._campaigns, self._settings, self._clock, self._read = campaigns, settings, clock, read
        self._rules: Mapping[str, Rules] = {}
        self._labels: dict[str, str] = {}
        self._seen: list[object] = []
        self._read_at = 0.0
        self._complained: set[str] = set()
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True, name="rule-book")

    def of(self, campaign: str) -> Rules | None:
        """None: not known here."""
        return self._rules.get(campaign)

    def start(self) -> None:
        """Look, and then again and again."""
        if self._settings is not None:
            self._thread.start()

    def stop(self) -> None:
        """Nothing is read any more."""
        self._stopped.set()
        if self._thread.is_alive():
            self._thread.join(ENDS_S)

    def look(self) -> None:
        """Read anew where a campaign has changed in what its rules depend on, or an hour has gone by."""
        if self._settings is None:
            return
        try:
            campaigns = self._campaigns.campaigns()
        except StoreError:
            return  # whoever serves calls says so
        seen = [[getattr(one, name) for name in _RULED] for one in campaigns]
        now = self._clock.now()
        if seen == self._seen and now < self._read_at + READ_AGAIN_S:
            return
        self._seen, self._read_at = list(seen), now
        try:
            found, faults = self._read(self._settings, campaigns) if campaigns else ({}, {})
        except ConfigError as error:
            self._read_at = now - READ_AGAIN_S + TRIED_AGAIN_S
            self._complain("", error.detail)
            return
        for campaign, why in faults.items():
            self._complain(campaign, why)
        kept = {name: rules for name, rules in self._rules.items() if name in faults}
        self._rules = {**kept, **found}
        labels = {name: rules.lawful.label for name, rules in found.items()}
        if labels != self._labels:
            log.info("Call-backs keep to rule packs.", action="rules", packs=labels)
            self._labels = labels

    def _complain(self, campaign: str, why: str) -> None:
        if f"{campaign}: {why}" not in self._complained:
            self._complained.add(f"{campaign}: {why}")
            log.warning(
                "Call-backs go by the lender's hours alone: the rules cannot be read.",
                action="rule_book",
                campaign=campaign,
                error=why,
            )

    def _run(self) -> None:
        self.look()
        while not self._stopped.wait(LOOKED_EACH_S):
            self.look()
