"""Agents of a campaign: written down by its leader, reserved together with the attempt they are for."""

from collections.abc import Mapping, Sequence
from dataclasses import replace

import msgspec
import structlog

from dialer.adapters.redis_codec import AGENT, encode, pairs, text
from dialer.adapters.redis_keys import agent_key, campaign_keys, desk_key, messages_key
from dialer.adapters.redis_link import Link
from dialer.adapters.redis_scripts import Argument, RedisCommand, call
from dialer.adapters.redis_web_keys import EXTENSIONS, USERS
from dialer.errors import NotLeader
from dialer.floor.desknote import DeskMessage, DeskNote
from dialer.model import Agent, AgentState, Attempt

log = structlog.get_logger(__name__)
MESSAGES_KEPT = 20
NOTE_KEPT_MS = 7 * 24 * 3600 * 1000  # after so long away nobody asks how he stood


class Serves(msgspec.Struct):
    """Of a user, what an engine needs."""

    agent: str = ""
    campaigns: tuple[str, ...] = ()


SERVES = msgspec.json.Decoder(Serves)


class Agents:
    """Part of the store. Agents live in their campaign's slot, so that a reservation is one atomic, fenced step;
    `{a:<id>}` says which campaign an agent works for."""

    def __init__(self, link: Link) -> None:
        self._link = link

    async def save_agents(
        self, campaign: str, token: int, agents: Sequence[Agent], notes: Sequence[DeskNote] = ()
    ) -> None:
        """Agents who come in (raising) while another campaign has them are left out: they cannot be reserved here."""
        if not agents:
            return
        elsewhere = await self._sign_in(campaign, token, [one.id for one in agents if one.state is AgentState.RAISING])
        keys = campaign_keys(campaign)
        rows: list[Argument] = []
        for one in agents:
            if one.id not in elsewhere:
                rows += (one.id, encode(one))
        told = [_desk(one) for one in notes if one.agent not in elsewhere]
        await self._link.run([call("agents", (keys.fence, keys.agents), token, *rows), *told])
        out = [one.id for one in agents if one.state is AgentState.SIGNED_OUT]
        await self._link.run([call("sign_in", (agent_key(one),), campaign, "out", "") for one in out])
        for agent, other in elsewhere.items():
            log.warning(
                "agent works for another campaign; sign him out there first",
                action="agent_elsewhere", agent=agent, campaign=campaign, works_for=other,
            )  # fmt: skip

    async def works_for(self, agent: str) -> str:
        """The campaign that has this agent; empty: none. To be asked before he is signed in."""
        return text(await self._link.one(("GET", agent_key(agent))) or "")

    async def agents(self, campaign: str) -> tuple[Agent, ...]:
        """Without those who have gone over to another campaign."""
        key = campaign_keys(campaign).agents
        found = self._link.reader.many(AGENT, pairs(await self._link.one(("HGETALL", key))), key)
        homes = await self._link.run([("GET", agent_key(one.id)) for one in found])
        own = [one for one, home in zip(found, homes, strict=True) if home is None or text(home) == campaign]
        return tuple(sorted(own, key=lambda one: one.id))

    async def skills(self, agents: Sequence[str]) -> Mapping[str, tuple[str, ...]]:
        """As the web's users have them."""
        if not agents:
            return {}
        names = [text(name or b"") for name in await self._link.one(("HMGET", EXTENSIONS, *agents))]
        raw = await self._link.one(("HMGET", USERS, *names))
        users = [self._link.reader.one(SERVES, one, USERS, name) for one, name in zip(raw, names, strict=True)]
        return {
            agent: user.campaigns
            for agent, user in zip(agents, users, strict=True)
            if user is not None and user.agent == agent and user.campaigns
        }

    async def reserve(self, token: int, agent: Agent, attempt: Attempt, note: DeskNote | None = None) -> bool:
        """`agent` may be given idle or already as reserved. The same reservation again: True.

        The leader writes agents down behind the calls, so Redis may not know yet that he is idle: refused is who is not
        known here, or has another attempt that is still open.
        """
        keys = campaign_keys(attempt.campaign)
        if agent.state is not AgentState.RESERVED:
            agent = replace(agent, state=AgentState.RESERVED, attempt=attempt.id)
        words = (token, agent.id, encode(agent), attempt.id, encode(attempt))
        asked = [call("reserve", (keys.fence, keys.agents, keys.open), *words), *([_desk(note)] if note else [])]
        return bool((await self._link.run(asked))[0])

    async def tell_desk(self, message: DeskMessage) -> None:
        """One that comes late to its reader is found in the list."""
        kept, told = messages_key(message.agent), encode(message)
        await self._link.run(
            [
                ("LPUSH", kept, told),
                ("LTRIM", kept, 0, MESSAGES_KEPT - 1),
                ("PEXPIRE", kept, NOTE_KEPT_MS),
                ("PUBLISH", desk_key(message.agent), told),
            ]
        )

    async def _sign_in(self, campaign: str, token: int, agents: Sequence[str]) -> dict[str, str]:
        """Agent -> the campaign that has him, for those who cannot come."""
        if not agents:
            return {}
        fence = await self._link.one(("GET", campaign_keys(campaign).fence))
        if int(fence or 0) > token:
            raise NotLeader(f"token {token} is old")
        entries = [call("sign_in", (agent_key(one),), campaign, "in", "") for one in agents]
        taken = {one: text(other) for one, other in zip(agents, await self._link.run(entries), strict=True) if other}
        return {one: other for one, other in taken.items() if not await self._take_over(campaign, one, other)}

    async def _take_over(self, campaign: str, agent: str, other: str) -> bool:
        """True when the other campaign has signed him out, or nobody leads it any more."""
        keys = campaign_keys(other)
        looks: list[RedisCommand] = [("HGET", keys.agents, agent), ("EXISTS", keys.lease)]
        raw, led = await self._link.run(looks)
        there = self._link.reader.one(AGENT, raw, keys.agents, agent)
        if led and there is not None and there.state is not AgentState.SIGNED_OUT:
            return False
        return not await self._link.one(call("sign_in", (agent_key(agent),), campaign, "over", other))


def _desk(note: DeskNote) -> RedisCommand:
    return call(
        "desk",
        (desk_key(note.agent), agent_key(note.agent)),
        note.campaign,
        note.token,
        note.turn,
        NOTE_KEPT_MS,
        encode(note),
    )
