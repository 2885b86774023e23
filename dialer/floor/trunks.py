"""Whether a trunk does its work: a run of failures that are not the debtors' stops new calls, with growing pauses."""

from dataclasses import dataclass

from dialer.model import Outcome, Side, Verdict

FAILURES = 5  # in a row
PAUSES_S = (5.0, 10.0, 20.0, 40.0, 60.0)


@dataclass(slots=True)
class Breaker:
    """Opens after FAILURES own or network faults in a row; each further one while probing makes the pause longer."""

    failures: int = 0
    until: float = 0.0
    opened: int = 0

    def saw(self, verdict: Verdict, at: float) -> None:
        """Count one outcome."""
        if verdict.outcome in (Outcome.NOT_PLACED, Outcome.CANCELLED, Outcome.INTERRUPTED):
            return
        if verdict.side is not Side.DEBTOR and not verdict.live and verdict.outcome in _TRUNKS_FAULT:
            self.failures += 1
            if self.failures >= FAILURES and at >= self.until:
                self.until = at + PAUSES_S[min(self.opened, len(PAUSES_S) - 1)]
                self.opened += 1
                self.failures = FAILURES - 1  # the next failure after the pause opens it again
        else:
            self.failures = self.opened = 0

    def shown(self, at: float) -> dict[str, float]:
        """For the board: failures in a row, seconds until the next try."""
        return {"failures": self.failures, "hold_s": max(0.0, self.until - at)}

    def hold(self, at: float) -> str:
        """Why no call may start over this trunk now; empty: it may."""
        if at >= self.until:
            return ""
        return f"the trunk fails: the next try in {self.until - at:.0f} s"


_TRUNKS_FAULT = frozenset({Outcome.TRUNK_DOWN, Outcome.CONGESTION, Outcome.NETWORK_FAULT})
