"""Lists loaded into a real Redis: by the command, killed at any moment, and from an upload."""

import asyncio
import os
import sys
from collections.abc import AsyncIterator
from dataclasses import replace
from functools import partial
from pathlib import Path
from random import Random

import pytest

from dialer.adapters import loading
from dialer.adapters.redis_elsewhere import elsewhere
from dialer.adapters.redis_keys import campaign_keys
from dialer.adapters.redis_process import RedisProcess
from dialer.adapters.redis_store import RedisStore
from dialer.adapters.reject_files import NoRejects
from dialer.contacts import ListRules
from dialer.errors import BadInput
from dialer.lists.importing import Across, Summary
from dialer.lists.mappings import ListMapping
from dialer.model import Campaign, Contact

from .redis_lives import AT, CAMPAIGN, link_of, until

ROOT = Path(__file__).parents[2]
KEY = bytes.fromhex("ab" * 32)
SITE = (
    '[asterisk.a]\nport = 1\n[trunk.t]\nendpoint = "t"\nhost = "192.0.2.7"\nlines = 3\ncaller_ids = ["+622150001234"]\n'
)
LOADING = "dialer.adapters.loading"


def write(path: Path, rows: int, seed: int = 0) -> None:
    """With bad rows and doubles."""
    chance = Random(seed)
    with path.open("w", encoding="utf-8") as file:
        file.write("nik,nama,hp,hp2,jumlah,prioritas\n")
        for i in range(rows):
            who = chance.randrange(rows) if chance.random() < 0.1 else i
            second = chance.choice(["", "1500123", f"0813{i:08d}"])
            file.write(
                f"N{who},Budi {i},0812{who:08d},{second},{chance.choice(['', 'x', '5000'])},{chance.randrange(3)}\n"
            )


async def listed(store: RedisStore, campaign: str = CAMPAIGN) -> tuple[list[bytes], list[Contact | None]]:
    """The list in its order, without what is chance: the aliases."""
    keys = campaign_keys(campaign)
    ids = await link_of(store).one(("ZRANGE", keys.later, 0, -1))
    found = [await store.contact(campaign, one.decode()) for one in ids]
    return ids, [one and replace(one, alias="") for one in found]


async def load(
    store: RedisStore, path: Path, campaign: str = CAMPAIGN, across: Across = Across.SAY, url: str = ""
) -> Summary:
    found = loading.understand(path, ListRules(KEY), ListMapping())
    wanted = loading.Wanted(campaign, AT, across)
    if not url:
        return await loading.load(store, None, found, wanted, NoRejects(), lambda seen: None, 1)
    async with elsewhere(url) as others:
        return await loading.load(store, others, found, wanted, NoRejects(), lambda seen: None, 1)


def children_of(pid: int) -> list[str]:
    return Path(f"/proc/{pid}/task/{pid}/children").read_text().split()


def has_ended(pid: str) -> bool:
    """Whoever took it over has seen it end, or will."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] == "Z"
    except OSError:
        return True


async def ended(pids: list[str]) -> bool:
    return all(map(has_ended, pids))


@pytest.mark.timeout(400)
async def test_killed_at_any_moment_and_done_again_it_is_as_if_nothing_had_been(
    store: RedisStore, redis_process: RedisProcess, tmp_path: Path
) -> None:
    path, site, contacts = tmp_path / "list.csv", tmp_path / "santun.toml", campaign_keys(CAMPAIGN).contacts
    write(path, 8000)
    site.write_text(SITE)
    for name in ("whole", CAMPAIGN):
        await store.save_campaign(Campaign(name, name))
    env = {"SANTUN_AMI_SECRET": "s", "SANTUN_PERSON_KEY": KEY.hex(), "SANTUN_REDIS_URL": redis_process.url}

    async def begin(campaign: str) -> asyncio.subprocess.Process:
        words = ("-m", "dialer", "load", str(path), "--config", str(site), "--campaign", campaign)
        quiet = {"stdout": asyncio.subprocess.DEVNULL, "cwd": ROOT, "env": os.environ | env}
        return await asyncio.create_subprocess_exec(sys.executable, *words, **quiet)  # type: ignore[arg-type]

    assert await (await begin("whole")).wait() == 0
    killed, chance = 0, Random(1)
    for _ in range(3):
        process = await begin(CAMPAIGN)
        wanted = chance.randrange(1, 4500)

        async def so_far(wanted: int = wanted, process: asyncio.subprocess.Process = process) -> bool:
            return process.returncode is not None or await link_of(store).one(("HLEN", contacts)) >= wanted

        await until(so_far)
        await asyncio.sleep(chance.random() / 20)
        if process.returncode is None:
            children = children_of(process.pid)
            process.kill()
            killed += bool(children)
            await until(partial(ended, children))
        await process.wait()
        later = campaign_keys(CAMPAIGN).later
        assert await link_of(store).one(("HLEN", contacts)) == await link_of(store).one(("ZCARD", later))
    assert killed
    assert await (await begin(CAMPAIGN)).wait() == 0
    whole, again = await listed(store, "whole"), await listed(store)
    assert len(whole[0]) > 4600
    assert again == whole


async def test_every_contact_has_an_alias_and_keeps_it(store: RedisStore, tmp_path: Path) -> None:
    path = tmp_path / "list.csv"
    write(path, 50)
    await store.save_campaign(Campaign(CAMPAIGN, CAMPAIGN))
    first = await load(store, path)
    ids, _ = await listed(store)
    before = [await store.contact(CAMPAIGN, one.decode()) for one in ids]
    assert all(one and len(one.alias) == 16 for one in before)
    path.write_text(path.read_text() + "\n")  # another file with the same rows
    again = await load(store, path)
    assert (again.new, again.known) == (0, first.new)
    assert [await store.contact(CAMPAIGN, one.decode()) for one in ids] == before


async def test_a_debt_that_another_campaign_has(store: RedisStore, redis_process: RedisProcess, tmp_path: Path) -> None:
    path, url = tmp_path / "list.csv", redis_process.url
    path.write_text("nik,hp,no_kontrak\nN1,081200000001,K1\nN2,081200000002,K1\n")
    for name in ("c1", "c2", "c3"):
        await store.save_campaign(Campaign(name, name))
    assert (await load(store, path, "c1", Across.REFUSE, url)).new == 2
    path.write_text("nik,hp,no_kontrak\nN1,081200000001,K1\nN1,081200000001,K2\nN3,081200000003,K1\n")
    said = await load(store, path, "c2", Across.SAY, url)
    assert (said.new, said.elsewhere, said.lost) == (3, 1, 0)
    refused = await load(store, path, "c3", Across.REFUSE, url)
    assert (refused.new, refused.elsewhere, refused.lost) == (0, 3, 3)
    assert "on the list of c1, c2 already" in refused.rejected[0].reason
    assert (await load(store, path, "c3", Across.ALLOW, url)).new == 3


async def stream(raw: bytes, size: int) -> AsyncIterator[bytes]:
    for start in range(0, len(raw), size):
        yield raw[start : start + size]


async def test_an_upload_is_read_as_a_file_is(store: RedisStore, tmp_path: Path) -> None:
    path = tmp_path / "list.csv"
    write(path, 30)
    await store.save_campaign(Campaign(CAMPAIGN, CAMPAIGN))
    async with loading.uploaded(stream(path.read_bytes(), 7), "../my\x1blist.csv", tmp_path) as file:
        assert file.parent.stat().st_mode & 0o777 == 0o700
        assert file.name == "_my_list.csv"
        assert (await load(store, file)).new > 10
    assert not file.exists()
    assert (await load(store, path)).new == 0


async def test_an_upload_that_is_too_large_or_breaks_off_leaves_no_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(f"{LOADING}.UPLOAD_MAX", 10)

    async def broken() -> AsyncIterator[bytes]:
        yield b"nama,hp\n"
        raise ConnectionError("gone")

    with pytest.raises(BadInput, match="divide the list"):
        async with loading.uploaded(stream(bytes(11), 4), "x.csv", tmp_path):
            pass
    with pytest.raises(ConnectionError):
        async with loading.uploaded(broken(), "", tmp_path):
            pass
    assert not os.listdir(tmp_path)
