"""Supervisors' legs on a floor: who listens, whispers or joins where, and who waits to take a caller over.

Rules of this file: a supervisor has one leg; who is on it is known from its answer on; whoever was on it is written
down with each call that he heard.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from enum import StrEnum

from dialer.dialplan import Context


class Mode(StrEnum):
    """What a supervisor does; the names of the commands."""

    LISTEN = "listen"  # hears both
    WHISPER = "whisper"  # and the agent alone hears him
    JOIN = "join"  # everybody hears everybody


PREFIX = "spy"
PLACES = {Mode.LISTEN: Context.LISTEN, Mode.WHISPER: Context.WHISPER, Mode.JOIN: Context.JOIN}


@dataclass(frozen=True, slots=True)
class Spy:
    """One supervisor's leg."""

    channel: str
    supervisor: str  # his extension
    agent: str  # with whom he is
    mode: Mode
    by: str  # who sent the command
    up: bool = False


class Spies:
    """Of one floor."""

    def __init__(self) -> None:
        self._spies: dict[str, Spy] = {}  # by channel
        self.take_over: dict[str, str] = {}  # supervisor whose leg is under way into his own room -> the attempt

    def put(self, spy: Spy) -> None:
        """As he is from now on."""
        self._spies[spy.channel] = spy

    def get(self, channel: str) -> Spy | None:
        """Whose leg this is."""
        return self._spies.get(channel)

    def of(self, supervisor: str) -> Spy | None:
        """The leg of this supervisor."""
        return next((one for one in self._spies.values() if one.supervisor == supervisor), None)

    def up(self, channel: str) -> Spy | None:
        """He has answered; None: he had before, or is not one of ours."""
        spy = self._spies.get(channel)
        if spy is None or spy.up:
            return None
        self._spies[channel] = replace(spy, up=True)
        return self._spies[channel]

    def drop(self, channel: str) -> Spy | None:
        """His leg is gone, or something else from now on."""
        return self._spies.pop(channel, None)

    def at(self, agent: str) -> Iterator[Spy]:
        """Who hears this agent now."""
        return (one for one in self._spies.values() if one.agent == agent and one.up)

    def monitored(self, agent: str, silently: bool) -> str:
        """What his desk is told: the loudest that is done there; `silently`: listening is not told."""
        modes = {one.mode for one in self.at(agent)}
        if silently:
            modes.discard(Mode.LISTEN)
        return next((mode.value for mode in reversed(Mode) if mode in modes), "")


def heard_by(known: str, spy: Spy) -> str:
    """The names of those who heard a call, with this one."""
    names = known.split()
    return known if spy.supervisor in names else " ".join([*names, spy.supervisor])
