"""Calls that an agent starts himself: the account that he is shown, or a number of an account by hand.

Rules of this file: the same gate, locks and limits as any other call; the agent is reserved before anything is asked of
the store, so nobody who answers is abandoned; only numbers that the account has are called; who dials in a break of his
own is counted from then on, and is on it again after the call.
"""

from collections.abc import Sequence

from dialer.desk.offers import REASON_MAX, Offer
from dialer.floor.actions import Action
from dialer.floor.breaks import may_dial
from dialer.model import MANUAL, PREVIEWED, Campaign, Contact, Mode, Refused
from dialer.running.placing import Refusal
from dialer.running.run import Run

TIME_UP = "time is up"
DIAL = "dial"
COMMANDS = {"preview_call": PREVIEWED, DIAL: MANUAL}
SKIP = "preview_skip"


def not_now(run: Run, agent_id: str, holds: Sequence[str], at: float) -> str:
    """Why this agent may start no call now; empty: he may."""
    agent = run.floor.team.agents.get(agent_id)
    if agent is None or not may_dial(agent) or not agent.leg:
        return f"agent {agent_id} is {agent.state if agent else 'not signed in'}"
    if hard := [hold for hold in holds if hold != run.no_contact()]:
        return "; ".join(hard)
    if run.draining:
        return "the engine is being stopped"
    if run.floor.lines() >= min(run.campaign.lines_max, run.share.lines):
        return "all lines are in use"
    run.by_hand.refill(at, min(run.campaign.calls_per_second, run.share.calls_per_second))
    return "" if run.by_hand.whole() else "too many calls at once: try again in a second"


def why_not(refused: Refused) -> str:
    """The rule, for pages, and how it is put."""
    return f"{refused.rule}: {refused.reason}" if refused.reason else refused.rule


def number_of(contact: Contact, word: str) -> int | str:
    """Which of his numbers is meant by its place, the first being 0; or why none is."""
    if not (word.isascii() and word.isdigit()) or int(word) >= len(contact.numbers):
        return f"{word!r} is none of his numbers: use 0 to {len(contact.numbers) - 1}"
    return int(word)


def offer(run: Run, wanted: int, at: float) -> tuple[list[Action], list[Refusal], list[Offer]]:
    """Shows an account to each of so many idle agents; what follows, whom the gate refused, whose time is up."""
    team, refusals = run.floor.team, list[Refusal]()
    actions = run.offers.tidy(team, at)
    if run.campaign.mode is not Mode.PREVIEW:
        shown = [one.id for one in team.agents.values() if run.offers.get(one.id) is not None]
        return actions + [action for agent in shown for action in run.offers.end(team, agent, at)], [], []
    for _ in range(2 * wanted):
        agent = team.longest_idle()
        if wanted <= 0 or agent is None or not (found := run.ahead.take(1)):
            break
        asked = run.placer.call_back(found[0], at, refusals)  # the gate, as for one whom an agent is kept for
        if asked is not None:
            wanted -= 1
            actions += run.offers.make(team, agent, asked.contact, at + run.campaign.preview_s, at)
    return actions, refusals, run.offers.due(at)


def skip_fault(reason: str, campaign: Campaign) -> str:
    """Why he may not be skipped for this."""
    if not reason.strip() or len(reason) > REASON_MAX:
        return f"say why, in 1 to {REASON_MAX} characters"
    return "" if campaign.mode is Mode.PREVIEW else "this campaign shows no accounts"
