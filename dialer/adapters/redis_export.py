"""All that is held of one person, as JSON: what UU PDP entitles him to, numbers in full."""

from collections.abc import Mapping
from datetime import UTC, datetime
from math import isfinite
from typing import Any

import msgspec

from dialer.adapters.redis_codec import PAYMENT, pairs, text
from dialer.adapters.redis_erasure import Seeking, Subject
from dialer.adapters.redis_keys import STOPS_LOG, number_keys, payments_key, person_keys
from dialer.adapters.redis_web_keys import AUDIT

VERSION = 1
LOOKED_AT_ONCE = 500


class Exporting(Seeking):
    """Part of the store."""

    async def held(self, person: str, at: float) -> dict[str, Any]:
        """Times are ISO 8601 in UTC; money counts in the currency's smallest written unit."""
        subject = await self.subject(person)
        store: Any = self  # histories and the rest are parts of the same store
        campaigns = await store.campaigns()
        calls = [one for name in campaigns for _, one in await self.entries(subject, name, "outcomes")]
        refusals = [one for name in campaigns for _, one in await self.entries(subject, name, "refusals")]
        waiting = [one for name in campaigns for one in await self.late(subject, name)]
        key = payments_key(person)
        paid = self._link.reader.many(PAYMENT, pairs(await self._link.one(("HGETALL", key))), key)
        return {
            "v": VERSION,
            "at": _iso(at),
            "person": person,
            "accounts": [
                {"campaign": place.campaign, **_plain(msgspec.to_builtins(one))}
                for place, one in subject.accounts.items()
            ],
            "calling": await self._calling(subject),
            "promises": [_plain(msgspec.to_builtins(one)) for one in await store.promises(person, at)],
            "payments": [_plain(msgspec.to_builtins(one)) for one in paid],
            "payments_told": [one for _, one in await self.told_of(subject)],
            "history": [_plain(msgspec.to_builtins(one)) for one in await store.history(person, at)],
            "calls": calls,
            "refusals": refusals,
            "waiting": [_plain(msgspec.to_builtins(one)) for one in waiting],
            "recordings": [one["recording"] for one in calls if one.get("recording")],
            "stops_log": await self._naming(STOPS_LOG, person, subject),
            "audit": await self._naming(AUDIT, person, subject),
        }

    async def _calling(self, subject: Subject) -> dict[str, Any]:
        """What holds for calling him: the person, and each number that nobody else has."""
        parties = {"person": person_keys(subject.person)}
        parties |= {e164: number_keys(key) for key, e164 in subject.alone.items()}
        found = {}
        for name, keys in parties.items():
            state, attempts, talks = await self._link.run(
                [("HGETALL", keys.state), ("ZRANGE", keys.attempts, 0, -1, "WITHSCORES"),
                 ("ZRANGE", keys.talks, 0, -1, "WITHSCORES")]
            )  # fmt: skip
            flags = {text(flag): text(value) for flag, value in pairs(state)}
            found[name] = {
                "stopped_by": (["anybody"] if flags.get("stop") else []) + flags.get("stops", "").splitlines(),
                "silent_until": _iso(float(flags.get("silent") or 0.0)),
                "hardship": bool(flags.get("hardship")),
                "not_in_service": bool(flags.get("dead")),
                "attempts": [_iso(float(when)) for _, when in pairs(attempts)],
                "conversations": [_iso(float(when)) for _, when in pairs(talks)],
            }
        return found

    async def _naming(self, key: str, person: str, subject: Subject) -> list[Mapping[str, str]]:
        """Lines of a log that name him by keyed hash."""
        marks = {person, *subject.alone}
        found: list[Mapping[str, str]] = []
        after = "-"
        while True:
            page = await self._link.one(("XRANGE", key, after, "+", "COUNT", LOOKED_AT_ONCE))
            for _, flat in page:
                one = {text(name): text(value) for name, value in pairs(flat)}
                words = {word for value in one.values() for word in value.replace("=", " ").split()}
                if words & marks:
                    found.append(one)
            if len(page) < LOOKED_AT_ONCE:
                return found
            after = f"({text(page[-1][0])}"


_TIMES = frozenset(
    "last_at callback_at broken_at expires not_found_at given_at at until made_at told_at settled_at paid_at".split()
)


def _plain(value: Any, name: str = "") -> Any:
    """With times that people can read."""
    if isinstance(value, dict):
        return {key: _plain(one, key) for key, one in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(one) for one in value]
    return _iso(float(value)) if name in _TIMES and isinstance(value, int | float) else value


def _iso(at: float) -> str:
    """Empty: there is none."""
    return datetime.fromtimestamp(at, UTC).isoformat().replace("+00:00", "Z") if at and isfinite(at) else ""
