"""The order of calling, in one place: call-backs, the lower priority, the higher score, then the earlier due time.
Whoever broke a promise is called as if his priority were lower by one, until he has been spoken with.

A list without scores is called by days past due. Due time: of a contact never tried the place in its list, of others
when their next attempt is due, so that among equals those tried last come last. A mix: lists loaded with a weight share
the calls of a campaign among contacts never tried, in blocks of rows: weight 3 beside weight 1 gets three of four.
"""

from datetime import date

from dialer.model import Contact

PRIORITY_MAX = 100_000  # beyond it a store's rank * 1e7 + due would lose its seconds
SCORE_MAX = 999
MIX_ROWS = 200  # a block of a mix
MIX_FROM = 1_577_836_800.0  # 2020-01-01 UTC: before every real due time
MIX_STEP_S = 100.0  # between two blocks of weight 1; a store may spread a block over a second


def rank(contact: Contact) -> int:
    """Lower is called first."""
    if contact.callback_at:
        return -(PRIORITY_MAX + 1) * (SCORE_MAX + 1)
    priority = max(-PRIORITY_MAX, min(PRIORITY_MAX, contact.priority - bool(contact.broken_at)))
    return priority * (SCORE_MAX + 1) - max(0, min(SCORE_MAX, contact.score))


def score(given: int | None, due: date | None, as_of: date | None) -> int:
    """The lender's score, else days past due on the day of the import, up to 999."""
    if given is not None:
        return given
    return max(0, min(SCORE_MAX, (as_of - due).days)) if due and as_of else 0


def due(at: float, block: int, weight: int) -> float:
    """The due time of a list's block, counted from 0; weight 0: no mix, in the order in which lists are loaded."""
    return MIX_FROM + MIX_STEP_S * block / weight if weight else at
