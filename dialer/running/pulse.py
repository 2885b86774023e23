"""Whether the IVR lives: its servers' beats, looked at again and again; who is in it while it stands still.

Rules of this file: only that a beat changes counts, never the time in it, for clocks differ; any server of the address
that beats is enough; what the store did not tell, told late or was not asked for says nothing against the IVR.
"""

import ipaddress
from collections.abc import Mapping
from dataclasses import dataclass, field
from math import inf

from dialer.floor.actions import Action, SendToMessage
from dialer.floor.floor import AGAIN_S, Floor
from dialer.model import CallState, Campaign, Kind, Overflow

LOOK_S = 0.2
STILL_S = 1.75  # of beats four times a second six are missing; with a look more and the Redirect it stays below 3 s
LATE_S = 1.0  # a look so late, or so long under way, says nothing of the time before it
DOUBT_S = 5.0  # the store failed: so long its other clients may need to come back
_ANY_HOST = frozenset({"", "0.0.0.0", "::"})  # noqa: S104 - told by a server, not listened on


@dataclass(slots=True)
class Pulse:
    """Of the IVR at one address, host:port. Times are monotonic."""

    address: str
    still: bool = False  # it beat, and does so no more
    _beats: Mapping[str, float] = field(default_factory=dict)
    _known: bool = False
    _alive_at: float = -inf  # nothing is held against it before
    _looked_at: float = -inf

    def looked(self, beats: Mapping[str, float], asked_at: float, at: float) -> None:
        """All beats, as asked for at `asked_at`."""
        ours = {server: beat for server, beat in beats.items() if serves(server, self.address)}
        changed = any(self._beats.get(server) != beat for server, beat in ours.items())
        sure = at - asked_at <= LATE_S and asked_at - self._looked_at <= LATE_S
        if changed:
            self._alive_at = at
        elif not (sure or self.still):
            self._alive_at = max(self._alive_at, at)
        self._known = self._known or bool(ours)
        self._beats, self._looked_at = ours, at
        self.still = bool(ours) and at - self._alive_at > STILL_S

    def missed(self, at: float) -> None:
        """The store did not tell."""
        self.still = False
        self._alive_at = at + DOUBT_S
        self._looked_at = at

    @property
    def hold(self) -> str:
        """Why no call may start that the IVR is to serve; empty: it may, or nothing was ever heard of the IVR."""
        if self.still:
            return f"the IVR at {self.address} stands still: its heartbeat has stopped"
        if self._known and not self._beats:
            return f"the IVR at {self.address} has ended: start `ivr serve`"
        return ""


def serves(server: str, address: str) -> bool:
    """Whether a server, `host:port name`, is reached at the address. A host name may stand for any host."""
    host, _, port = server.partition(" ")[0].rpartition(":")
    wanted, _, wanted_port = address.rpartition(":")
    return port == wanted_port and (host == wanted or host in _ANY_HOST or not _is_ip(wanted))


def _is_ip(host: str) -> bool:
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return False
    return True


def uses_ivr(campaign: Campaign) -> bool:
    """Whether its debtors come into the IVR."""
    return campaign.kind is Kind.IVR or campaign.overflow is Overflow.IVR


def out_of_ivr(floor: Floor, at: float) -> list[Action]:
    """Who is in the IVR goes to the courteous message; asked for again until he is seen there."""
    actions: list[Action] = []
    for one in floor.attempts.values():
        notes = floor.books.notes[one.id]
        in_it = one.state is CallState.IN_IVR and one.ivr_at and not one.ivr_result
        if in_it and not 0.0 <= at - notes.sent_off_at < AGAIN_S:
            notes.sent_off_at = at
            actions.append(SendToMessage(one))
    return actions
