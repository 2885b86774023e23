"""What debtors who `hear` heard: no silence that nothing follows, and nobody left in an IVR that stands still."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from dialer.demo.carrier import Heard
from tests.chaos.books import Call, Record, Seen
from tests.chaos.faults import Fault

FIRST_S = 2.0  # from the answer on, to an agent, the IVR or the message
LAST_S = 2.0  # of silence before we hang up on him
PAUSE_S = 6.0 + 2.0  # the IVR waits 6 s for a first key, then speaks again
FROZEN_S = 3.0  # a frozen IVR is left
SLACK_S = (
    1.5  # the voice begins some 0.2 s into its file, the carrier notes it 60 ms later; the rest is the machine's load
)
NOTED_AFTER_S = 1.0  # the carrier notes silence when it has lasted so long
SPEAKS_S = 0.8  # he says halo himself, and hears nothing meanwhile
DEAF = frozenset({"asterisk", "carrier", "trunk"})  # no sound can come, or no ear is there


@dataclass(frozen=True, slots=True)
class Silence:
    """A stretch without sound in one call, epoch seconds."""

    began_at: float
    ended_at: float
    first: bool = False
    last: bool = False

    @property
    def seconds(self) -> float:
        """How long."""
        return self.ended_at - self.began_at


@dataclass(frozen=True, slots=True)
class Sample:
    """How much was listened to, and the worst of it, seconds."""

    calls: int
    first_s: Sequence[float]
    frozen_s: Sequence[float]  # until those heard something who were in the IVR when it froze or died


def silences(call: Call, heard: Heard) -> list[Silence]:
    """In order; the time before the answer is none of them."""
    if call.answered_at is None:
        return []
    found: list[Silence] = []
    since: float | None = call.answered_at
    for sound, at in heard.turns:
        if sound and since is not None:
            found.append(Silence(since, at, first=not found))
            since = None
        elif not sound:
            since = at - NOTED_AFTER_S
    if since is not None:
        found.append(Silence(since, call.ended_at, first=not found, last=True))
    return found


def listen(seen: Seen, heard: Iterable[Heard]) -> tuple[list[str], Sample]:
    """Every violation, and what was measured. Calls in which Asterisk or the carrier was disturbed are left out."""
    calls = {call.attempt: call for call in seen.calls if not call.cut}
    wrong, first_s, frozen_s, count = [], [], [], 0
    stops = [fault for fault in seen.faults if fault.kind.name in ("freeze ivr", "kill ivr")]
    for one in heard:
        call = calls.get(one.attempt)
        if call is None or call.answered_at is None or _deaf(call, seen.faults):
            continue
        count += 1
        found = silences(call, one)
        first_s += [silence.seconds for silence in found if silence.first and not silence.last]
        wrong += [
            f"attempt {call.attempt}: {call.masked} heard {why}"
            for silence in found
            if (why := _too_long(silence, seen))
        ]
        for stop in stops:
            waited = _waited(call, seen.by_attempt, found, stop)
            if waited is None:
                continue
            frozen_s.append(waited)
            if waited > FROZEN_S + SLACK_S:
                wrong.append(
                    f"attempt {call.attempt}: {call.masked} was left {waited:.1f} s in an IVR after {stop.kind.name}"
                )
    return wrong, Sample(count, first_s, frozen_s)


def _deaf(call: Call, faults: Sequence[Fault]) -> bool:
    return any(fault.kind.target in DEAF and fault.touches(call.began_at, call.ended_at) for fault in faults)


def _too_long(silence: Silence, seen: Seen) -> str:
    if silence.last and silence.ended_at >= seen.cut_at - SLACK_S:
        return ""  # the run itself hung up on everybody
    if silence.last and silence.seconds > LAST_S + SLACK_S:
        return f"{silence.seconds:.1f} s of silence, and then we hung up"
    if silence.first and silence.seconds > FIRST_S + SLACK_S:
        return f"nothing for {silence.seconds:.1f} s after his answer"
    return f"a silence of {silence.seconds:.1f} s" if silence.seconds > PAUSE_S + SLACK_S else ""


def _waited(call: Call, records: Mapping[str, Record], found: Sequence[Silence], stop: Fault) -> float | None:
    """Seconds from the IVR's standing still to sound; None: he was not in it, or heard it all the while."""
    record = records.get(call.attempt, {})
    if not record.get("ivr_at") or not call.answered_at or not call.answered_at < stop.began_at < call.ended_at:
        return None
    over = [one for one in found if one.began_at <= stop.began_at + FROZEN_S and one.ended_at > stop.began_at]
    return max((one.ended_at - max(one.began_at, stop.began_at) for one in over if not one.last), default=0.0)
