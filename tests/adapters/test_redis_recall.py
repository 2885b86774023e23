"""Who rests because a schedule refused him comes back when it is opened; whoever rests for another reason does not."""

from math import inf

import pytest

from dialer.adapters.redis_store import RedisStore
from dialer.errors import NotLeader
from dialer.model import Campaign, Contact, Number, Refused

pytestmark = pytest.mark.redis
AT = 1_795_000_000.0


def who(turn: int) -> Contact:
    return Contact(f"k{turn}", f"p{turn}", (Number(f"+62812000000{turn}", f"n{turn}"),), alias=f"a{turn}")


async def test_only_those_whom_the_schedule_set_aside(store: RedisStore) -> None:
    await store.save_campaign(Campaign("c1", "c1"))
    people = [who(turn) for turn in range(4)]
    await store.add_contacts("c1", people, AT)
    token = await store.lead("c1", "e1", 10_000)
    assert token is not None
    assert len(await store.candidates("c1", AT, 10)) == 4
    why = [Refused("campaign_hours", AT + 3600), Refused("silent", AT + 3600), Refused("stop", inf)]
    refused = [(one, one.numbers[0], reason) for one, reason in zip(people, why, strict=False)]
    await store.refuse(token, "c1", refused, AT)
    assert await store.remaining("c1", AT) == (1, 2)
    assert await store.recall("c1", token, {"campaign_hours", "campaign_days"}, AT) == 1
    assert await store.remaining("c1", AT) == (2, 1)
    assert {one.id for one in await store.candidates("c1", AT, 10)} == {"k0", "k3"}
    assert await store.recall("c1", token, {"campaign_hours"}, AT) == 0, "once"
    with pytest.raises(NotLeader):
        await store.recall("c1", token - 1, {"silent"}, AT)
