"""Recordings: which calls have one, and the sound itself; every listening is written into the audit.

A file's name comes from our own record of the attempt, never from the request.
"""

import os
import re
import stat
from pathlib import Path

import msgspec

from dialer.mask import mask_number
from dialer.users import Deed
from dialer.web.access import Right
from dialer.web.doors import Office
from dialer.web.problems import Problem
from dialer.web.records import Count, campaign_of, records
from dialer.web.route import Asked, Download, Route

ATTEMPT = re.compile(r"[0-9a-hjkmnp-tv-z]{26}")
NAME = re.compile(r"[0-9a-z]{26}\.wav")
_DIGITS = "0123456789abcdefghjkmnpqrstvwxyz"
PAGE, LOOKED_MAX = 500, 5000


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
                        float(one.get("talk_s") or 0.0), _file(office, one["recording"]) is not None,
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
    if not office.config.web.recordings:
        raise Problem(503, "not_here", "This process has no recordings: see [web] recordings.")
    known = await records(office).outcomes_of(campaign.id, {attempt: f"{_made_ms(attempt)}-0"})
    path = _file(office, known.get(attempt, {}).get("recording", ""))
    if path is None:
        raise Problem(404, "no_recording", "There is no such recording.")
    deed = Deed(
        asked.at, asked.who.name, asked.who.role.value, "listened to a recording", f"{campaign.id} {attempt}",
        asked.who.address, 200,
    )  # fmt: skip
    await office.audit.write(deed)  # first: what cannot be written down is not heard
    return Download("audio/wav", path.name, path)


def _made_ms(attempt: str) -> int:
    number = 0
    for digit in attempt:
        number = number << 5 | _DIGITS.index(digit)
    return min(number >> 80, 10**15 - 1)


def _file(office: Office, name: str) -> Path | None:
    """The file of that name in the recordings' folder itself: no link, no other place."""
    folder = office.config.web.recordings
    if not folder or not NAME.fullmatch(name):
        return None
    path = Path(folder) / name
    try:
        return path if stat.S_ISREG(os.lstat(path).st_mode) else None
    except OSError:
        return None


ROUTES = (
    Route("GET", "/campaigns/{campaign}/recordings", Right.RECORDINGS_SEE, listed, "Recorded calls",
          query=RecordingQuery, gives=RecordingList, cost=2, problems=((404, "no_campaign"), (422, "bad_cursor"))),
    Route("GET", "/campaigns/{campaign}/recordings/{attempt}", Right.RECORDINGS_SEE, sound, "One recording",
          gives=Download, cost=2, problems=((404, "no_recording"), (503, "not_here"))),
)  # fmt: skip
