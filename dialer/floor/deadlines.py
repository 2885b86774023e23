"""Deadlines by name and owner: the latest one set counts; they come back in order of time."""

import heapq

_SLACK = 64


class Deadlines:
    """A heap beside a table: what the table no longer says is passed over, and swept out when it is too much."""

    def __init__(self) -> None:
        self._of: dict[str, dict[str, float]] = {}  # owner -> name -> when
        self._heap: list[tuple[float, str, str]] = []

    def __len__(self) -> int:
        return len(self._heap)

    def set(self, name: str, owner: str, when: float) -> None:
        """Replaces the owner's deadline of this name."""
        self._of.setdefault(owner, {})[name] = when
        heapq.heappush(self._heap, (when, name, owner))
        if len(self._heap) > _SLACK + 8 * len(self._of):
            self._heap = [(at, one, who) for who, names in self._of.items() for one, at in names.items()]
            heapq.heapify(self._heap)

    def drop(self, owner: str) -> None:
        """All of this owner's."""
        self._of.pop(owner, None)
        if not self._of:
            self._heap.clear()

    def due(self, at: float) -> list[tuple[str, str]]:
        """(name, owner) of those whose time has come, which are then no more."""
        found: list[tuple[str, str]] = []
        while self._heap and self._heap[0][0] <= at:
            when, name, owner = heapq.heappop(self._heap)
            names = self._of.get(owner)
            if names is not None and names.get(name) == when:
                del names[name]
                if not names:
                    del self._of[owner]
                found.append((name, owner))
        return found

    def next(self) -> float | None:
        """When due() has something at the latest."""
        return self._heap[0][0] if self._heap else None
