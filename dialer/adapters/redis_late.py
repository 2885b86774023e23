"""Changes that could not be written in their time, kept for whoever leads: anybody may put them here, he takes them."""

from collections.abc import Sequence

from dialer.adapters.redis_codec import pairs
from dialer.adapters.redis_keys import campaign_keys
from dialer.adapters.redis_link import Link
from dialer.adapters.redis_scripts import Argument, RedisCommand, call
from dialer.adapters.spool import decode_change, encode_change
from dialer.ports import Unwritten

TAKEN_AT_ONCE = 200


def late_field(change: Unwritten) -> str:
    """Of one leader, or of the IVR, the newest of each attempt counts."""
    return f"{change.attempt_id} {'facts' if change.facts else change.token}"


class LateChanges:
    """Part of the store."""

    def __init__(self, link: Link) -> None:
        self._link = link

    async def hand_over(self, changes: Sequence[Unwritten]) -> None:
        """In their order; the same ones again change nothing."""
        commands: list[RedisCommand] = [
            ("HSET", campaign_keys(one.campaign).late, late_field(one), encode_change(one)) for one in changes
        ]
        await self._link.run(commands)

    async def handed_over(self, campaign: str) -> tuple[Unwritten, ...]:
        """The oldest leader's first."""
        key = campaign_keys(campaign).late
        found = [decode_change(raw) for _, raw in pairs(await self._link.one(("HGETALL", key)))]
        known = [one for one in found if one is not None and one.campaign == campaign]
        return tuple(sorted(known, key=lambda one: (one.token, one.at)))

    async def taken(self, token: int, campaign: str, changes: Sequence[Unwritten]) -> None:
        """Dealt with, by the leader."""
        keys = campaign_keys(campaign)
        for start in range(0, len(changes), TAKEN_AT_ONCE):
            rows: list[Argument] = [token]
            for one in changes[start : start + TAKEN_AT_ONCE]:
                rows += (late_field(one), encode_change(one))
            await self._link.one(call("taken", (keys.fence, keys.late), *rows))
