"""What must be back to nothing when the last call is over: channels, threads, files, locks, open attempts."""

from collections.abc import Mapping
from pathlib import Path

import redis.asyncio

from dialer.adapters.redis_keys import campaign_keys, trunk_key
from dialer.demo.stage import CAMPAIGNS
from dialer.demo.world import TRUNK
from tests.chaos.service import Load
from tests.chaos.town import Town

# What a process may hold more than soon after its start: pools of connections and threads stay for the next call.
MORE_FILES, MORE_THREADS = 40, 40
REDIS_FILES = 100  # one a connection: pools of everybody
ASTERISK_THREADS = 60  # its SIP and stasis pools end their threads a minute after the rush


async def left_in_redis(town: Town) -> list[str]:
    """Locks, open attempts, effects not settled, commands not applied."""
    wrong = []
    async with redis.asyncio.Redis.from_url(town.redis.url, decode_responses=True) as link:
        for campaign in CAMPAIGNS:
            keys = campaign_keys(campaign)
            sizes = {
                "attempts open": await link.hlen(keys.open),
                "outcomes whose effects are not settled": await link.hlen(keys.unsettled),
                "commands not applied": await link.xlen(keys.commands),
            }
            wrong += [f"{campaign}: {count} {what}" for what, count in sizes.items() if count]
        if (engines := await link.hlen(trunk_key(TRUNK))) > 1:
            wrong.append(f"{engines} engines hold a slice of the trunk, and one is left")
        locks = 0
        for pattern in ("{p:*}:state", "{n:*}:state"):
            async for key in link.scan_iter(pattern, count=1000):
                held = await link.hget(key, "lock")
                locks += held is not None
                if held is not None and locks <= 3:
                    wrong.append(f"a lock is left: {held!s}")
        if locks > 3:
            wrong.append(f"{locks} locks are left")
    return wrong


def left_on_disk(spool: Path) -> list[str]:
    """Changes that Redis never got, or that made no sense."""
    paths = [path for path in spool.glob("*") if path.is_file() and path.stat().st_size]
    return [f"{path.name} is left in the spool, {path.stat().st_size} bytes" for path in paths]


async def channels(town: Town) -> list[str]:
    """Asterisk's and the carrier's."""
    wrong = []
    for name, process in (("asterisk", town.pbx), ("carrier", town.carrier.process)):
        said = await process.console("core show channels count")
        if not said.startswith("0 active channels"):
            wrong.append(f"{name}: {said.splitlines()[0]} when all was over")
    return wrong


def grown(name: str, began: Load, now: Load) -> list[str]:
    """What a process holds too much of."""
    files = REDIS_FILES if name == "redis" else MORE_FILES
    threads = ASTERISK_THREADS if name in ("asterisk", "carrier") else MORE_THREADS
    wrong = []
    if now.files > began.files + files:
        wrong.append(f"{name} holds {now.files} files, {began.files} when it had started")
    if now.threads > began.threads + threads:
        wrong.append(f"{name} has {now.threads} threads, {began.threads} when it had started")
    return wrong


def in_logs(logs: Mapping[Path, str], numbers: frozenset[str], secrets: tuple[str, ...]) -> list[str]:
    """Every log in which a full number, in any of its spellings, or a secret stands."""
    wrong = []
    for path, text in logs.items():
        found = sum(text.count(secret) for secret in secrets)
        if found:
            wrong.append(f"{path.name} has a secret in it, {found} times")
        tails = _digits(text) & {number.removeprefix("+62") for number in numbers}
        if tails:
            wrong.append(f"{path.name} has {len(tails)} full numbers in it, such as one that ends in {min(tails)[-3:]}")
    return wrong


def _digits(text: str) -> set[str]:
    """Every run of digits as a subscriber's number without country code or trunk zero."""
    runs = {run for run in "".join(char if char.isdigit() else " " for char in text).split() if 9 <= len(run) <= 16}
    return {run.removeprefix("62").removeprefix("0") for run in runs}
