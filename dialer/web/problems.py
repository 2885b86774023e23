"""Refusals and faults as problem details (RFC 9457)."""

from collections.abc import Mapping

import msgspec

from dialer.errors import BadInput, ConfigError, DialerError, StoreError, TelephonyError

TYPE = "application/problem+json"


class Problem(Exception):
    """A handler's refusal. `kind`: a short stable word for programs, such as `promise_too_late`; `more`: its facts."""

    def __init__(
        self,
        status: int,
        kind: str,
        detail: str,
        retry_after_s: float = 0.0,
        more: Mapping[str, object] | None = None,
    ) -> None:
        super().__init__(f"{status} {kind}: {detail}")
        self.status, self.kind, self.detail = status, kind, detail
        self.retry_after_s = retry_after_s
        self.more = dict(more or {})


class ProblemBody(msgspec.Struct, kw_only=True, omit_defaults=True):
    """What a refusal looks like. `kind` is stable, `detail` is a sentence for people."""

    type: str
    title: str
    status: int
    kind: str
    detail: str = ""
    retry_after_s: int = 0


TITLES = {
    400: "Not understood", 401: "Not signed in", 403: "Not allowed", 404: "Not there", 405: "No such method",
    408: "Too slow", 409: "Does not fit the present state", 410: "Gone", 411: "Length missing", 413: "Too large",
    414: "Address too long", 415: "Wrong kind of content", 417: "Not expected", 421: "Wrong host",
    422: "Understood, but not possible", 428: "Condition missing", 429: "Too many requests",
    431: "Header too large", 500: "A fault of ours", 502: "Asterisk or the engine refused",
    503: "Not available now", 504: "No answer in time",
}  # fmt: skip


def of_error(error: DialerError) -> Problem:
    """The refusal that an error of ours means."""
    match error:
        case BadInput():
            return Problem(422, "bad_input", error.detail or str(error))
        case ConfigError():
            return Problem(409, "settings", error.detail or str(error))
        case StoreError():
            return Problem(503, "store_down", "Redis cannot be reached or refuses; try again soon.", 2)
        case TelephonyError():
            return Problem(502, "asterisk", "Asterisk cannot be reached or refuses; try again soon.", 2)
        case _:
            return Problem(500, "fault", "Something went wrong here; it has been logged.")


def body_of(problem: Problem) -> bytes:
    """Its JSON."""
    body = {
        "type": f"urn:santun:problem:{problem.kind}",
        "title": TITLES.get(problem.status, "Refused"),
        "status": problem.status,
        "kind": problem.kind,
        "detail": problem.detail,
    }
    if problem.retry_after_s > 0:
        body["retry_after_s"] = max(1, round(problem.retry_after_s + 0.5))
    return msgspec.json.encode(body | problem.more)
