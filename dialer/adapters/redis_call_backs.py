"""Call-backs of a campaign: who wants to be called when; made, moved and taken back by people at a desk."""

from dataclasses import replace

from dialer.adapters.redis_codec import text
from dialer.adapters.redis_contact import REVISIONS, encode_contact, read_contact
from dialer.adapters.redis_keys import campaign_keys
from dialer.adapters.redis_link import Link
from dialer.adapters.redis_list import epoch_word
from dialer.adapters.redis_scripts import call
from dialer.errors import StoreDown
from dialer.floor.callbacks import on_list
from dialer.model import Contact

TURNS = 20


class CallBacks:
    """Part of the store."""

    def __init__(self, link: Link) -> None:
        self._link = link

    async def call_backs(self, campaign: str, after: float, limit: int) -> tuple[Contact, ...]:
        """Whose minute is `after` or later, the earliest first."""
        keys = campaign_keys(campaign)
        found = await self._link.one(
            ("ZRANGE", keys.call_backs, epoch_word(after), "+inf", "BYSCORE", "LIMIT", 0, limit)
        )
        if not found:
            return ()
        rows = zip(found, await self._link.one(("HMGET", keys.contacts, *found)), strict=True)
        known = [read_contact(self._link.reader, raw, keys.contacts, text(name)) for name, raw in rows]
        return tuple(one for one in known if one is not None and one.callback_at)

    async def call_back(self, campaign: str, contact: str, when: float, agent: str, at: float) -> bool:
        """Call him at `when` (0.0: at no minute of his own, but now as anybody); False: he is not waiting."""
        keys = campaign_keys(campaign)
        places = (keys.contacts, keys.ready, keys.later, keys.withdrawn, keys.call_backs)
        for _ in range(TURNS):
            raw = await self._link.one(("HGET", keys.contacts, contact))
            known = read_contact(self._link.reader, raw, keys.contacts, contact)
            if known is None or (not when and not known.callback_at):
                return False
            wanted = replace(known, callback_at=when, callback_agent=agent, rev=(known.rev + 1) % REVISIONS)
            due, minute = (epoch_word(on_list(when, at)), epoch_word(when)) if when else (epoch_word(at), "")
            done = await self._link.one(call("call_back", places, due, minute, contact, raw, encode_contact(wanted)))
            if done:
                return bool(done > 0)
        raise StoreDown(f"a contact of {campaign} changes all the time; try again")
