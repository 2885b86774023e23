"""The sender's side of commands: put one into its campaign's stream, wait for the engine's word."""

from dialer.adapters.redis_codec import REPLY, Reply, encode
from dialer.adapters.redis_keys import campaign_keys, reply_key
from dialer.adapters.redis_link import Link
from dialer.adapters.redis_scripts import call
from dialer.model import Command

WAIT_MAX_S = 600.0


class Commands:
    """Part of the store, used by the command line and the web."""

    def __init__(self, link: Link) -> None:
        self._link = link

    async def send(self, command: Command, wait_s: float) -> Reply | None:
        """The same id is applied once, however often it is sent. None: nobody answered in `wait_s` (is an engine up?);
        until its deadline the command may still be applied."""
        keys = campaign_keys(command.campaign)
        places = (keys.commands, keys.command_ids, keys.told, reply_key(command.campaign, command.id))
        await self._link.one(call("send", places, command.id, encode(command)))
        return await self.answer(command, wait_s)

    async def order(self, command: Command) -> tuple[bool, str] | None:
        """One engine's to another: nobody waits."""
        reply = await self.send(command, 0.0)
        return None if reply is None else (reply.ok, reply.text)

    async def answer(self, command: Command, wait_s: float) -> Reply | None:
        """Wait for the reply to a command that was sent."""
        place = reply_key(command.campaign, command.id)
        wait_s = max(0.001, min(wait_s, WAIT_MAX_S))  # Redis takes 0 for: for ever
        # moved onto itself, not taken: a sender that asks again hears the same
        raw = await self._link.wait(("BLMOVE", place, place, "LEFT", "LEFT", repr(wait_s)), wait_s)
        return self._link.reader.one(REPLY, raw, place, command.id)
