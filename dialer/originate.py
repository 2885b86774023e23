"""4/8 originate: debtor + campaign -> the fields of one Originate."""

import re

from dialer.dialplan import ANSWERED_AGENTS, ANSWERED_IVR, Context, Var, endpoint
from dialer.errors import BadInput
from dialer.floor.spies import PLACES, Spy
from dialer.mask import mask_number, shape
from dialer.model import Agent, Attempt, Campaign, Kind, Link, Order

AUTO_ANSWER = (("PJSIP_HEADER(add,X-Auto-Answer)", "1"), ("PJSIP_HEADER(add,Alert-Info)", "auto-answer"))
LEG_TIMEOUT_MS = 20_000
_E164 = re.compile(r"\+[1-9][0-9]{6,14}")
_LINE_BREAK = re.compile("[\r\n\0]")


def dial_string(template: str, e164: str, national_prefix: str = "0") -> str:
    """`PJSIP/{digits}@carrier` and a number -> what Asterisk dials. Fields: {e164} {digits} {national} (+62 only).

    Raises BadInput: a number is dialled as it is, or not at all.
    """
    if not _E164.fullmatch(e164):
        raise BadInput(f"{shape(e164)} is no number in E.164")
    digits = e164[1:]
    fields = {"e164": e164, "digits": digits}
    if digits.startswith("62"):
        fields["national"] = national_prefix + digits[2:]
    try:
        return template.format(**fields)
    except (KeyError, IndexError, ValueError, AttributeError):
        raise BadInput(f"dial {template!r} does not fit {mask_number(e164)}: use {', '.join(fields)}") from None


def order(attempt: Attempt, campaign: Campaign, dial: str, attempt_header: str = "") -> Order:
    """The Originate of an attempt; its Timeout is the allowed post-dial delay plus the ring time. Raises BadInput."""
    variables = (
        (Var.ATTEMPT, attempt.id),
        (Var.CAMPAIGN, campaign.id),
        (Var.CONNECT_LIMIT_MS, str(campaign.connect_limit_ms)),
        (Var.OVERFLOW, campaign.overflow.value),
        (Var.DETECT, "yes" if campaign.detection else "no"),
        (Var.MACHINE, campaign.machine.value),
        (Var.GRACE_MS, str(campaign.grace_ms)),
        (Var.AGENT_WAIT_S, str(campaign.agent_wait_s)),
        (Var.OFFER_S, str(campaign.agent_offer_s)),
        (Var.HOLD_MAX_S, str(campaign.hold_max_s)),
        (Var.CALL_MAX_S, str(campaign.call_max_s)),
        (Var.LANGUAGE, attempt.language),
        (Var.RECORD, "yes" if campaign.record else "no"),
    )
    for name, value in (*variables, ("caller_id", attempt.caller_id)):
        if _LINE_BREAK.search(value):
            raise BadInput(f"{name} contains a line break or a NUL")
    headers = ((f"PJSIP_HEADER(add,{attempt_header})", attempt.id),) if attempt_header else ()
    return Order(
        channel_id=attempt.id,
        channel=dial_string(dial, attempt.number.e164),
        context=Context.ANSWERED,
        exten=ANSWERED_IVR if campaign.kind is Kind.IVR else ANSWERED_AGENTS,
        timeout_ms=(campaign.post_dial_delay_s + campaign.ring_s) * 1000,
        caller_id=attempt.caller_id,
        variables=(*((str(name), value) for name, value in variables), *headers),
    )


def timeout_s(campaign: Campaign) -> int:
    """How long an unanswered attempt can last, as Asterisk was told."""
    return campaign.post_dial_delay_s + campaign.ring_s


def link_order(link: Link) -> Order:
    """The Originate of the line between two agents' rooms: each end goes into one."""
    return Order(
        channel_id=link.channel,
        channel=f"Local/{link.to}@{Context.LINK}/n",
        context=Context.LINK,
        exten=link.agent,
        timeout_ms=LEG_TIMEOUT_MS,
        caller_id="",
        variables=(),
    )


def spy_order(spy: Spy) -> Order:
    """The Originate of a supervisor's leg, which his phone answers by itself."""
    return Order(
        channel_id=spy.channel,
        channel=f"PJSIP/{endpoint(spy.supervisor)}",
        context=PLACES[spy.mode],
        exten=spy.agent,
        timeout_ms=LEG_TIMEOUT_MS,
        caller_id="",
        variables=AUTO_ANSWER,
    )


def leg_order(agent: Agent, leg: str) -> Order:
    """The Originate of an agent's own leg, which his phone answers by itself."""
    return Order(
        channel_id=leg,
        channel=f"PJSIP/{endpoint(agent.id)}",
        context=Context.AGENT,
        exten=agent.id,
        timeout_ms=LEG_TIMEOUT_MS,
        caller_id="",
        variables=AUTO_ANSWER,
    )
