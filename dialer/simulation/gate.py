"""The list as it is worked off: whose turn it is, and the product's gate asked before every call.

Who is refused comes again when the gate says so; who was called goes to the end of the list.
"""

from collections import deque
from dataclasses import replace
from heapq import heappop, heappush
from math import inf

from dialer.compliance import may_call
from dialer.law.rulebook import Pack
from dialer.model import Contact, History, Refused
from dialer.simulation.leads import People
from dialer.simulation.result import Result


class Gate:
    """Hands out leads that may be called now."""

    def __init__(self, people: People, pack: Pack, begin: float, call_s: float, result: Result) -> None:
        self.people, self.pack, self.begin = people, pack, begin
        self._call_s, self._result = call_s, result
        self._order: deque[int] = deque(range(people.size))
        self._refused: list[tuple[float, int]] = []  # until, lead
        self._called: dict[int, tuple[float, ...]] = {}  # today
        self._talked: dict[int, tuple[float, ...]] = {}
        self.tries: dict[int, int] = {}
        self._furthest = -1
        self._ever_refused: set[int] = set()

    def coming(self, many: int) -> list[int]:
        """The next leads in order, whatever the gate will say of them."""
        return [self._order[n] for n in range(min(many, len(self._order)))]

    def next(self, at: float, chosen: int | None = None) -> Contact | None:
        """Who may be called at second `at` of the shift: the one chosen, or the next in order. None: nobody."""
        while self._refused and self._refused[0][0] <= self.begin + at:
            self._order.append(heappop(self._refused)[1])
        if chosen is not None and chosen in self._order:
            self._order.remove(chosen)
            return self._asked(chosen, at)
        while self._order:
            contact = self._asked(self._order.popleft(), at)
            if contact is not None:
                return contact
        return None

    def _asked(self, lead: int, at: float) -> Contact | None:
        contact = self.people.contact(lead)
        known = self._history(lead)
        # a number is nobody else's here: its past is the person's but for the do-not-call mark
        of_number = replace(known, stop=False) if known.stop else known
        now = self.begin + at
        answer = may_call(contact, contact.numbers[0], known, of_number, self.pack, now, self._call_s)
        if isinstance(answer, Refused):
            self._result.refused[answer.rule] = self._result.refused.get(answer.rule, 0) + 1
            self._ever_refused.add(lead)
            if answer.until < inf:
                heappush(self._refused, (max(answer.until, now + 1.0), lead))
            return None
        self._called[lead] = (*self._called.get(lead, ()), now)
        self.tries[lead] = self.tries.get(lead, 0) + 1
        self._furthest = max(self._furthest, lead)
        self._order.append(lead)
        return contact

    def talked(self, lead: int, at: float) -> None:
        """A talk ended: the pack's silence begins."""
        self._talked[lead] = (*self._talked.get(lead, ()), self.begin + at)

    def _history(self, lead: int) -> History:
        known, called = self.people.history(lead, self.begin), self._called.get(lead)
        if called is None:
            return known
        talked = self._talked.get(lead, ())
        return replace(known, attempts=(*known.attempts, *called), conversations=(*known.conversations, *talked))

    def close(self) -> None:
        """Count the list."""
        self._result.leads, self._result.tried = self.people.size, len(self.tries)
        self._result.passed_over = sum(
            lead not in self.tries and lead not in self._ever_refused for lead in range(self._furthest + 1)
        )
