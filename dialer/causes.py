"""What the network says of a call that was not answered: SIP codes and Q.850 causes, a row each.

As measured against a strict far end: only the SIP code (TechCause) tells 603 from 403 and 607 from 400; one 404 is no
proof of a dead number; and from a cause nobody knows follows no further call.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from dialer.model import Outcome, Side, Verdict


@dataclass(frozen=True, slots=True)
class Row:
    """One row of a table: what a code means. `again` False: no call of this campaign follows. `dead`: the number is."""

    outcome: Outcome
    side: Side
    reason: str
    again: bool = True
    dead: bool = False
    count: bool = True

    def verdict(self) -> Verdict:
        """Without its times."""
        return Verdict(self.outcome, self.side, self.reason, dead=self.dead, count=self.count)


_D, _N, _U = Side.DEBTOR, Side.NETWORK, Side.US


def _busy(reason: str) -> Row:
    return Row(Outcome.BUSY, _D, reason)


def _silent(reason: str) -> Row:
    return Row(Outcome.UNREACHABLE, _D, reason)


def _full(reason: str) -> Row:
    return Row(Outcome.CONGESTION, _N, reason, count=False)


def fault(reason: str, again: bool = True, side: Side = _N) -> Row:
    """Something is wrong on the way, or with us."""
    return Row(Outcome.NETWORK_FAULT, side, reason, again=again)


def _invalid(reason: str, dead: bool = False) -> Row:
    return Row(Outcome.INVALID_NUMBER, _N, reason, dead=dead)


def _refused(reason: str, again: bool = True) -> Row:
    return Row(Outcome.REJECTED, _D, reason, again=again)


RANG_OUT = Row(Outcome.NO_ANSWER, _D, "rang_out")
EARLY_MEDIA = Row(Outcome.NO_ANSWER, _D, "early_media_only")
NO_RESPONSE = Row(Outcome.TRUNK_DOWN, _N, "no_response", count=False)
NO_CHANNEL = Row(Outcome.TRUNK_DOWN, _U, "no_channel", count=False)

# SIP final responses (RFC 3261 and those named) of a call that was not answered.
SIP: Mapping[int, Row] = {
    400: fault("sip_bad_request", again=False, side=_U),
    401: fault("trunk_credentials", again=False, side=_U),
    402: fault("trunk_unpaid", again=False, side=_U),
    403: fault("forbidden"),
    404: _invalid("not_found"),
    405: fault("sip_method_not_allowed", again=False, side=_U),
    406: fault("media_unusable", again=False),
    407: fault("trunk_credentials", again=False, side=_U),
    408: _silent("no_reply_in_time"),
    410: _invalid("gone", dead=True),
    415: fault("media_unusable", again=False),
    480: _silent("not_available"),
    482: fault("loop"),
    483: fault("too_many_hops"),
    484: _invalid("incomplete", dead=True),
    485: _invalid("ambiguous"),
    486: _busy("user_busy"),
    487: _silent("ended_before_answer"),
    488: fault("media_unusable", again=False),
    500: _full("server_error"),
    502: _full("bad_gateway"),
    503: _full("service_unavailable"),
    504: _full("gateway_timeout"),
    600: _busy("busy_everywhere"),
    603: _refused("declined"),
    604: _invalid("does_not_exist_anywhere", dead=True),
    606: fault("media_unusable", again=False),
    607: _refused("unwanted", again=False),  # RFC 8197: the called person calls this call unwanted
    608: _refused("blocked_by_analytics", again=False),  # RFC 8688
}

# Q.850 causes, where there is no SIP code that says more.
CAUSES: Mapping[int, Row] = {
    0: fault("cause_0", again=False),
    1: _invalid("unallocated"),
    2: fault("no_route_to_network"),
    3: fault("no_route"),
    5: fault("misdialled_prefix", again=False, side=_U),
    16: _silent("ended_before_answer"),
    17: _busy("user_busy"),
    18: _silent("no_user_responding"),
    19: _silent("no_answer_no_ringing"),
    20: _silent("phone_off"),
    21: _refused("call_rejected"),
    22: _invalid("number_changed", dead=True),
    26: fault("cleared_elsewhere"),
    27: _silent("line_out_of_order"),
    28: _invalid("incomplete", dead=True),
    29: fault("facility_rejected", again=False),
    31: _silent("ended_unspecified"),
    34: _full("no_circuit"),
    38: _full("network_out_of_order"),
    41: _full("temporary_failure"),
    42: _full("switch_congested"),
    44: _full("channel_not_available"),
    47: _full("no_resource"),
    50: fault("not_subscribed", again=False, side=_U),
    52: fault("outgoing_barred", again=False, side=_U),
    54: _refused("incoming_barred"),
    57: fault("bearer_not_authorised", again=False),
    58: fault("media_unusable", again=False),
    65: fault("media_unusable", again=False),
    79: fault("not_implemented", again=False),
    88: fault("media_unusable", again=False),
    102: _silent("timer_expired"),
}

UNUSABLE_SIP = frozenset({406, 415, 488, 606})
# Codes that say only "nobody picked up": whether a phone rang decides.
_NOBODY_SIP = frozenset({408, 480, 487})
_NOBODY_CAUSES = frozenset({0, 3, 16, 18, 19, 31, 102})


def unanswered(cause: int, sip_code: int, rang: bool, timed_out: bool, early_media: bool) -> Row:
    """The row of a call that came to nothing. `timed_out`: by our own limit; both sides' limits say 19 and 480."""
    sip = sip_code if sip_code >= 300 else 0
    nobody = sip in _NOBODY_SIP if sip else cause in _NOBODY_CAUSES
    if nobody and rang:
        return RANG_OUT
    if nobody and timed_out:
        return EARLY_MEDIA if early_media else NO_RESPONSE
    if sip in SIP:
        return SIP[sip]
    return CAUSES.get(cause) or fault(f"cause_{cause}", again=False)
