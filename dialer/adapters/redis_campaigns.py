"""Campaigns, their leader's lease, live snapshots, commands to the leader, slices of a trunk."""

from collections.abc import Mapping, Sequence

from dialer.adapters.redis_codec import CAMPAIGN, COMMAND, Reply, encode, text
from dialer.adapters.redis_keys import CAMPAIGNS, IVR_BEATS, campaign_keys, reply_key, trunk_key
from dialer.adapters.redis_link import Link
from dialer.adapters.redis_scripts import call
from dialer.model import Campaign, Command, Status

COMMANDS_AT_ONCE = 200
REPLY_KEPT_MS = 60_000
SLICE_S = 2.5  # an engine that has not asked for so long has lost its slice, as it has its lease (leading.LEASE_MS)


class Campaigns:
    """Part of the store."""

    def __init__(self, link: Link) -> None:
        self._link = link

    async def campaigns(self) -> tuple[str, ...]:
        """Ids of all campaigns, sorted."""
        return tuple(sorted(text(name) for name in await self._link.one(("SMEMBERS", CAMPAIGNS))))

    async def campaign(self, campaign: str) -> tuple[Campaign, Status] | None:
        """Settings and what the operator wants of it."""
        keys = campaign_keys(campaign)
        settings, status = await self._link.one(("MGET", keys.settings, keys.status))
        known = self._link.reader.one(CAMPAIGN, settings, keys.settings, campaign)
        if known is None:
            return None
        word = text(status or Status.READY)
        if word not in Status.__members__.values():
            self._link.reader.complain(keys.status, word, "no such status; the campaign counts as paused")
            word = Status.PAUSED
        return known, Status(word)

    async def save_campaign(self, campaign: Campaign) -> None:
        """New, or changed settings; the status stays."""
        keys = campaign_keys(campaign.id)
        await self._link.run(
            [
                ("SET", keys.settings, encode(campaign)),
                ("SET", keys.status, Status.READY.value, "NX"),
                ("SADD", CAMPAIGNS, campaign.id),
            ]
        )

    async def set_status(self, campaign: str, token: int, status: Status) -> None:
        """By the leader."""
        keys = campaign_keys(campaign)
        await self._link.one(call("save", (keys.fence, keys.status), token, status.value, ""))

    # -- leadership

    async def lead(self, campaign: str, engine: str, ttl_ms: int) -> int | None:
        """`engine` has to be unique per process: the same name gets the same token back."""
        keys = campaign_keys(campaign)
        token = await self._link.one(call("lead", (keys.lease, keys.fence), engine, ttl_ms))
        return None if token is None else int(token)

    async def leaders(self, campaigns: Sequence[str]) -> Mapping[str, str]:
        """Campaign -> the engine that has its lease; empty: none."""
        found = await self._link.run([("GET", campaign_keys(name).lease) for name in campaigns])
        return {name: text(lease or "").partition(" ")[2] for name, lease in zip(campaigns, found, strict=True)}

    async def renew(self, campaign: str, engine: str, token: int, ttl_ms: int) -> bool:
        """False: another engine has led since."""
        keys = campaign_keys(campaign)
        return bool(await self._link.one(call("renew", (keys.lease, keys.fence), engine, token, ttl_ms)))

    async def resign(self, campaign: str, engine: str, token: int) -> None:
        """Let the next one lead at once."""
        await self._link.one(call("resign", (campaign_keys(campaign).lease,), engine, token))

    # -- live state and commands

    async def publish(self, campaign: str, token: int, snapshot: bytes) -> None:
        """Kept for those who come later, and sent to those who watch."""
        keys = campaign_keys(campaign)
        await self._link.one(call("save", (keys.fence, keys.snapshot), token, snapshot, keys.live))

    async def published(self, campaign: str) -> bytes | None:
        """The last snapshot of whoever led."""
        found: bytes | None = await self._link.one(("GET", campaign_keys(campaign).snapshot))
        return found

    async def commands(self, campaign: str, token: int) -> tuple[Command, ...]:
        """Not yet applied, oldest first; a broken one is dropped, its sender hears nothing until his time is up."""
        keys = campaign_keys(campaign)
        entries = await self._link.one(call("commands", (keys.fence, keys.commands), token, COMMANDS_AT_ONCE))
        found, broken = [], []
        for entry, fields in entries:
            raw = dict(zip(fields[::2], fields[1::2], strict=False)).get(b"command", b"")
            command = self._link.reader.one(COMMAND, raw, keys.commands, text(entry))
            if command is None or command.campaign != campaign:
                broken.append(entry)
            else:
                found.append(command)
        if broken:
            await self._link.one(("XDEL", keys.commands, *broken))
        return tuple(found)

    async def reply(self, command: Command, token: int, ok: bool, text: str) -> None:
        """Off the stream and answered in one step: a command is never applied by the next leader again."""
        keys = campaign_keys(command.campaign)
        places = (keys.fence, keys.commands, keys.command_ids, reply_key(command.campaign, command.id))
        await self._link.one(call("reply", places, token, command.id, encode(Reply(ok, text)), REPLY_KEPT_MS))

    # -- shared things

    async def trunk_share(self, trunk: str, engine: str, lines: int, cps: float) -> tuple[int, float]:
        """This engine's slice, good for SLICE_S; all slices together are never more than the trunk has."""
        share = call("trunk", (trunk_key(trunk),), engine, lines, repr(cps), repr(SLICE_S))
        own_lines, own_cps = await self._link.one(share)
        return int(own_lines), float(own_cps)

    async def leave_trunk(self, trunk: str, engine: str) -> None:
        """Its slice is free at once."""
        await self._link.one(("HDEL", trunk_key(trunk), engine))

    async def ivr_beats(self) -> dict[str, float]:
        """IVR server -> when its last heartbeat was (epoch seconds)."""
        found = await self._link.one(("HGETALL", IVR_BEATS))
        beats: dict[str, float] = {}
        for server, at in zip(found[::2], found[1::2], strict=False):
            try:
                beats[text(server)] = float(at)
            except ValueError as error:
                self._link.reader.complain(IVR_BEATS, text(server), str(error))
        return beats
