# ruff: noqa: F811 # a fixture is named like its argument
"""Hostile words on a real Asterisk: each arrives in its own variable as it was, and nothing is run, set or placed."""

import secrets
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from dialer.adapters.ami_words import originate
from dialer.demo.carrier import number
from dialer.dialplan import Context, Var
from dialer.errors import BadInput
from dialer.model import Campaign, Number, Order, Seen
from dialer.originate import order
from tests.corpus import CORPUS, HOSTILE
from tests.test_injection import PLAIN, attempt

from .ami_client import AmiClient
from .conftest import TRUNK
from .test_ami_real import Link, _serial, link  # noqa: F401 # a fixture

pytestmark = [pytest.mark.asyncio(loop_scope="session"), pytest.mark.asterisk]
AT_ONCE = 9
EXAMPLES = 12
PROOF = Path("/tmp/evil")


async def sent(link: Link, values: Sequence[str]) -> tuple[str, dict[str, str]]:
    """A call that carries them, and which of them were not refused before."""
    named = {f"SANTUN_H{turn}": value for turn, value in enumerate(values)}
    while True:
        try:
            return await link.call("listens", 0.5, 10_000, SANTUN_LAST="last", **named), named
        except BadInput:  # a line end, or too long: find whose
            for name, value in list(named.items()):
                try:
                    _check(name, value)
                except BadInput:
                    del named[name]


def _check(name: str, value: str) -> None:
    originate(Order("a", "PJSIP/1@carrier", Context.ANSWERED, "agents", 1000, "", ((name, value),)))


async def told(ami: AmiClient, channel: str, name: str) -> str:
    return (await ami.send("Getvar", Channel=channel, Variable=name))["Value"]


async def nothing_happened(link: Link, ami: AmiClient, channel: str) -> None:
    for name in ("EVIL", "GLOBAL(EVIL)", "B", "SANTUN_EVIL"):
        assert await told(ami, channel, name) == "", name
    assert await told(ami, channel, "SANTUN_LAST") == "last"
    assert not PROOF.exists(), "a shell was reached"  # noqa: ASYNC240
    ours = {*link.placed}
    assert {row.id for row in await link.ami.channels() if row.id.startswith("ami-")} <= ours
    assert not [one for one in ami.events if "evil" in one.get("Exten", "").lower()]
    assert not [one for one in ami.events if "evil" in one.get("UserEvent", "").lower()]


async def arrives(link: Link, ami: AmiClient, values: Sequence[str]) -> None:
    channel, named = await sent(link, values)
    await link.until(Seen.DIALLED, channel)
    for name, value in named.items():
        assert await told(ami, channel, name) == value.strip(), "the test's client strips"
    await nothing_happened(link, ami, channel)
    assert await link.ami.hang_up(channel)


@pytest.mark.parametrize("start", range(0, len(CORPUS), AT_ONCE))
async def test_the_corpus_arrives_as_it_is_and_alone(
    link: Link,
    ami: AmiClient,
    start: int,
) -> None:
    await arrives(link, ami, CORPUS[start : start + AT_ONCE])


@settings(
    max_examples=EXAMPLES,
    phases=[Phase.explicit, Phase.generate],
    suppress_health_check=list(HealthCheck),
    database=None,
)
@given(values=st.lists(HOSTILE, min_size=AT_ONCE, max_size=AT_ONCE))
async def test_whatever_is_invented_arrives_as_it_is_and_alone(
    link: Link,
    ami: AmiClient,
    values: list[str],
) -> None:
    await arrives(link, ami, values)


@pytest.mark.parametrize("field", ["language", "campaign"])
async def test_the_dialplan_reads_hostile_variables_and_goes_its_way(
    link: Link,
    ami: AmiClient,
    field: str,
) -> None:
    """The real Originate of an attempt, with words in it that no list and no setting lets through; no agent is there,
    so the caller gets the message, as always."""
    words = [word for word in CORPUS if not set(word) & set("\r\n\0") and len(word) < 300]
    for word in words[:: len(words) // 6]:
        channel = f"ami-{secrets.token_hex(8)}"
        link.placed.append(channel)
        campaign = Campaign("april", "April", caller_id="+622150001234", connect_limit_ms=500, record=False)
        one = replace(
            attempt(PLAIN),
            id=channel,
            number=Number("+6281" + "0" * 8, "n"),
            language=word if field == "language" else "id",
        )
        made = order(one, replace(campaign, id=word) if field == "campaign" else campaign, "PJSIP/{digits}@carrier")
        to = await link_number(link)
        variables = (*made.variables, ("SANTUN_LAST", "last"))
        await link.ami.originate(replace(made, channel=to, variables=variables))
        await link.until(Seen.ANSWERED, channel)
        await link.until(Seen.OVERFLOWED, channel)
        await link.until(Seen.MESSAGE, channel)
        assert await told(ami, channel, Var.CAMPAIGN if field == "campaign" else Var.LANGUAGE) == word.strip()
        await nothing_happened(link, ami, channel)
        assert await link.ami.hang_up(channel)


async def link_number(link: Link) -> str:
    """A subscriber who answers and listens."""
    return f"PJSIP/{number('listens', next(_serial), 0)}@{TRUNK}"
