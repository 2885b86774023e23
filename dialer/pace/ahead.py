"""Who is called next: the head of the list, looked at from time to time, each with the chance that he answers."""

from collections.abc import Sequence
from datetime import UTC, tzinfo
from itertools import islice
from math import inf

from dialer.forecast import Forecast
from dialer.lists.outlook import zone_of
from dialer.lists.past import Past
from dialer.model import Contact, Number
from dialer.pace.snapshot import Candidate
from dialer.ports import Store

LOOK = 200  # contacts seen ahead
LOOK_S = 2.0  # a look is good for so long: who becomes due meanwhile waits


class Ahead:
    """The next contacts of one campaign in order of calling. Whoever is taken is not seen again before the next look;
    to be read and taken from by one task at a time, or a contact that is being claimed would come back.
    """

    def __init__(self, store: Store, campaign: str, forecast: Forecast, zone: str) -> None:
        self._store, self._campaign = store, campaign
        self.forecast = forecast
        self.zone = zone  # of a debtor whose own is not known
        self.call_backs: dict[str, Contact] = {}  # soon due: they are called by their minute, not by the list's order
        self.apart = True  # an agent is to be kept for a call-back
        self.held: set[str] = set()  # an agent looks at them
        self._next: dict[str, Contact] = {}
        self._seen: tuple[Candidate, ...] | None = ()
        self._looked_at = -inf
        self._is_all = True  # the last look saw the whole of the list

    def is_old(self, at: float) -> bool:
        """Whether it is time to look again; a clock that jumped is."""
        return not 0.0 <= at - self._looked_at < LOOK_S

    def suffices(self, wanted: int, at: float) -> bool:
        """Whether `wanted` contacts can be had without another look."""
        return bool(self._next) and not self.is_old(at) and (self._is_all or len(self._next) >= wanted)

    def runs_low(self, wanted: int, at: float) -> bool:
        """Whether a look now keeps claims from having to look."""
        return self.is_old(at) or (not self._is_all and len(self._next) < wanted)

    async def look(self, at: float) -> None:
        """Read the head of the list anew. Raises StoreError."""
        found = await self._store.candidates(self._campaign, at, LOOK)
        self.call_backs = {contact.id: contact for contact in found if self.apart and contact.callback_at}
        out = self.call_backs.keys() | self.held
        self._next = {contact.id: contact for contact in found if contact.id not in out}
        self._seen = None
        self._looked_at, self._is_all = at, len(found) < LOOK

    def forget(self) -> None:
        """What became of those taken is not known: look again before anything is taken."""
        self._next, self._seen = {}, ()
        self.call_backs = {}

    def candidates(self, at: float) -> tuple[Candidate, ...]:
        """Those not yet taken, as the pacer is told of them: with the chance of the number whose turn it is."""
        if self._seen is None:
            self._seen = tuple(Candidate(one.id, self._chance(one, at)) for one in self._next.values())
        elif len(self._seen) != len(self._next):
            self._seen = tuple(one for one in self._seen if one.contact in self._next)
        return self._seen

    def take(self, count: int, chosen: Sequence[str] = ()) -> list[Contact]:
        """The chosen ones first, then the others in order."""
        taken = [self._next.pop(one) for one in dict.fromkeys(chosen[: max(0, count)]) if one in self._next]
        rest = list(islice(self._next, max(0, count - len(taken))))
        return taken + [self._next.pop(one) for one in rest]

    def chance(self, contact: Contact, number: Number, at: float) -> float:
        """That a person answers this number now."""
        return self.forecast.chance(Past.parse(number.past), at, zone(contact.zone, self.zone))

    def _chance(self, contact: Contact, at: float) -> float | None:
        if not contact.numbers:
            return None
        return self.chance(contact, contact.numbers[contact.next_number % len(contact.numbers)], at)


def zone(name: str, default: str) -> tzinfo:
    """The zone of this name, else the other one."""
    return zone_of(name) or zone_of(default) or UTC
