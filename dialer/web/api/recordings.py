"""Recordings: which calls have one, and the sound itself; every listening is written into the audit.

They lie encrypted and are opened while they are sent. A file's name comes from our own record of the attempt, never
from the request.
"""

import re
from typing import Protocol

import msgspec

from dialer.mask import mask_number
from dialer.users import Deed
from dialer.web.access import Right
from dialer.web.doors import Office
from dialer.web.problems import Problem
from dialer.web.records import Count, campaign_of, records
from dialer.web.route import Asked, Download, Parts, Route

ATTEMPT = re.compile(r"[0-9a-hjkmnp-tv-z]{26}")
NAME = re.compile(r"[0-9a-z]{26}\.wav")
_DIGITS = "0123456789abcdefghjkmnpqrstvwxyz"
PAGE, LOOKED_MAX = 500, 5000
SHELF = "recordings"


class Shelf(Protocol):
    """Where recordings lie encrypted."""

    def find(self, name: str) -> Parts | None: ...
    def is_new(self, name: str) -> bool:
        """It is not encrypted yet."""


class RecordingQuery(msgspec.Struct, forbid_unknown_fields=True):
    """Newest first, `before` the `next` of the page before."""

    before: str = ""
    limit: Count = 50


class RecordingShown(msgspec.Struct):
    """A call that was recorded; `here`: the file is where this process can read it."""

    attempt: str
    answered_at: str
    agent: str
    debtor: str
    person: str
    number: str
    talk_s: float
    here: bool


class RecordingList(msgspec.Struct):
    """`next` empty: that is all."""

    recordings: list[RecordingShown]
    next: str


async def listed(office: Office, asked: Asked[RecordingQuery, None]) -> RecordingList:
    """By the outcomes that name a file; at most 5,000 outcomes are looked through at once."""
    campaign, _ = await campaign_of(office, asked)
    if asked.query.before and not re.fullmatch(r"[0-9]{1,15}-[0-9]{1,19}", asked.query.before):
        raise Problem(422, "bad_cursor", "before: use `next` of the page before.")
    found: list[RecordingShown] = []
    cursor, full = asked.query.before, asked.who.may(Right.NUMBERS_SEE)
    for _ in range(LOOKED_MAX // PAGE):
        page = await records(office).page_back(campaign.id, "outcomes", cursor, PAGE)
        for entry, one in page:
            cursor = entry
            if one.get("recording") and one.get("type") == "outcome":
                number = one.get("number", "")
                found.append(
                    RecordingShown(
                        one.get("attempt", ""), one.get("answered_at", ""), one.get("agent", ""),
                        one.get("debtor", ""), one.get("person", ""), number if full else mask_number(number),
                        float(one.get("talk_s") or 0.0), _found(office, one["recording"]) is not None,
                    )
                )  # fmt: skip
                if len(found) == asked.query.limit:
                    return RecordingList(found, cursor)
        if len(page) < PAGE:
            return RecordingList(found, "")
    return RecordingList(found, cursor)


async def sound(office: Office, asked: Asked[None, None]) -> Download:
    """The WAV file of one attempt, whole or in ranges."""
    campaign, _ = await campaign_of(office, asked)
    attempt = asked.path["attempt"]
    if not ATTEMPT.fullmatch(attempt):
        raise Problem(404, "no_recording", "There is no such recording.")
    if _shelf(office) is None:
        raise Problem(503, "not_here", "This process has no recordings: see [web] recordings.")
    known = await records(office).outcomes_of(campaign.id, {attempt: f"{_made_ms(attempt)}-0"})
    name = known.get(attempt, {}).get("recording", "")
    found = _found(office, name)
    if found is None:
        if name == f"{attempt}.wav" and (shelf := _shelf(office)) is not None and shelf.is_new(name):
            raise Problem(409, "not_ready", "The call has only just ended; ask again.", 2)
        raise Problem(404, "no_recording", "There is no such recording.")
    deed = Deed(
        asked.at, asked.who.name, asked.who.role.value, "listened to a recording", f"{campaign.id} {attempt}",
        asked.who.address, 200,
    )  # fmt: skip
    await office.audit.write(deed)  # first: what cannot be written down is not heard
    return Download("audio/wav", name, parts=found)


def _made_ms(attempt: str) -> int:
    number = 0
    for digit in attempt:
        number = number << 5 | _DIGITS.index(digit)
    return min(number >> 80, 10**15 - 1)


def _shelf(office: Office) -> Shelf | None:
    shelf: Shelf | None = office.parts.get(SHELF)
    return shelf


def _found(office: Office, name: str) -> Parts | None:
    shelf = _shelf(office)
    return shelf.find(name) if shelf is not None and NAME.fullmatch(name) else None


ROUTES = (
    Route("GET", "/campaigns/{campaign}/recordings", Right.RECORDINGS_SEE, listed, "Recorded calls",
          query=RecordingQuery, gives=RecordingList, cost=2, problems=((404, "no_campaign"), (422, "bad_cursor"))),
    Route("GET", "/campaigns/{campaign}/recordings/{attempt}", Right.RECORDINGS_SEE, sound, "One recording",
          gives=Download, cost=2, problems=((404, "no_recording"), (409, "not_ready"), (503, "not_here"))),
)  # fmt: skip
