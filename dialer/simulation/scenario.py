"""What an invented shift is like, as plain figures, and the six shifts that pacing is judged by."""

from dataclasses import dataclass, replace
from math import pi, sin


@dataclass(frozen=True, slots=True)
class Scenario:
    """One kind of shift. Times are seconds; shares and rates 0..1; hours count from the start of the shift."""

    name: str = "steady"
    agents: int = 20
    hours: float = 8.0
    answer_rate: float = 0.28  # of all attempts: a person picks up before the ring timeout
    talk_s: float = 100.0
    talk_spread: float = 0.8  # sigma of the lognormal law
    talk_short_share: float = 0.0  # the other hump: this share of talks has mean `talk_short_s`
    talk_short_s: float = 30.0
    wrap_s: float = 15.0
    wrap_spread: float = 0.5
    # the network and the other side
    delay_s: float = 3.0
    delay_spread: float = 0.4
    fail_share: float = 0.08
    busy_share: float = 0.05
    machine_share: float = 0.12
    answer_s: float = 9.0
    answer_spread: float = 0.5
    machine_s: float = 19.0
    ring_timeout_s: float = 28.0
    detect_s: tuple[float, float] = (0.3, 1.6)
    person_missed: float = 0.02  # a person taken for a machine
    machine_missed: float = 0.05  # a machine taken for a person
    wait_s: float = 2.0
    patience_s: float = 8.0
    # the list
    spread: float = 1.2  # a + b of the Beta law of the leads' own answer rates; 0: all alike
    own_hours: float = 0.5  # how much a lead's rate depends on his hour of the day
    segment: int = 0  # leads of one list segment; 0: one list
    segment_spread: float = 0.0
    hour_swing: float = 0.0
    # the team
    log_in_s: float = 600.0
    breaks: bool = True
    pause_every_s: float = 2400.0
    pause_s: float = 60.0
    speed_spread: float = 0.15
    # what goes wrong
    storms: tuple[tuple[float, float, float], ...] = ()  # from hour, minutes, times the answer rate
    outages: tuple[tuple[float, float], ...] = ()  # from hour, minutes: every call fails
    walkouts: tuple[tuple[float, float], ...] = ()  # from hour, minutes: half the floor is gone
    # what is allowed
    lines_per_agent: float = 10.0
    calls_per_second: float = 0.0  # 0.0: agents / 4, at least 3
    end_ringing: bool = False  # calls that ring in vain may be ended after 15 s
    drain: bool = False  # the shift's end is played: everybody goes home, who answers then is abandoned

    @property
    def cps(self) -> float:
        """Calls per second that are allowed."""
        return self.calls_per_second or max(3.0, self.agents / 4)

    @property
    def lines(self) -> int:
        """Lines that are allowed, talks included."""
        return int(self.lines_per_agent * self.agents) + self.agents

    def rate_factor(self, at: float) -> float:
        """What the answer rate is multiplied with at this second of the shift."""
        hour = at / 3600
        factor = 1.0 + self.hour_swing * sin(2 * pi * (hour + 0.7) / 5.3)
        for begin, minutes, times in self.storms:
            if begin <= hour < begin + minutes / 60:
                factor *= times
        return factor

    def is_out(self, at: float) -> bool:
        """Whether the trunk is dead."""
        return any(begin <= at / 3600 < begin + minutes / 60 for begin, minutes in self.outages)


STEADY = Scenario()
SCENARIOS: dict[str, Scenario] = {
    one.name: one
    for one in (
        STEADY,
        replace(STEADY, name="drifting", hour_swing=0.35, segment=900, segment_spread=0.35),
        replace(
            STEADY,
            name="shocks",
            storms=((1.5, 6, 1.9), (5.2, 10, 1.7)),
            outages=((2.5, 5), (6.5, 2)),
            walkouts=((3.6, 40),),
        ),
        replace(STEADY, name="short", talk_s=35.0, wrap_s=8.0, talk_spread=0.6),
        replace(STEADY, name="heavy", talk_s=210.0, talk_spread=1.0, talk_short_share=0.6, talk_short_s=35.0),
        replace(STEADY, name="poor", answer_rate=0.10, machine_share=0.2, fail_share=0.2),
    )
}
