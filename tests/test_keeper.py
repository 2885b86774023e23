"""`dialer keep` as a process on a real Redis: seals what ends, removes what is unwanted or old, goes with a web."""

import asyncio
import os
import signal
import sys
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import msgspec
import pytest

from dialer.adapters.redis_deeds import RedisAudit
from dialer.adapters.redis_keys import ENDED, UNWANTED, campaign_keys, history_key
from dialer.adapters.redis_link import Link
from dialer.adapters.redis_process import RedisProcess
from dialer.adapters.redis_store import RedisStore
from dialer.adapters.redis_upkeep import DAY_S, Upkeep, tried
from dialer.adapters.sealed import new_key, read_keys
from dialer.adapters.sealed_recordings import day_of
from dialer.debts.history import note
from dialer.forms.privacy import Privacy
from dialer.model import Status, attempt_id
from tests.adapters.conftest import redis_process, store  # noqa: F401 # fixtures
from tests.adapters.redis_lives import AT, CAMPAIGN, begin, claimed, contacts, dump, finish, link_of
from tests.web.house import ENV, SITE

pytestmark = pytest.mark.redis
ROOT = Path(__file__).parents[1]
CONTENT = b"RIFF" + bytes(5000)


@pytest.fixture
def site(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, redis_process: RedisProcess) -> Path:  # noqa: F811
    for name, value in {**ENV, "SANTUN_SITE_KEYS": new_key()}.items():
        monkeypatch.setenv(name, value)
    (tmp_path / "recordings").mkdir()
    path = tmp_path / "santun.toml"
    path.write_text(f'[redis]\nurl = "{redis_process.url}"\n{SITE}\n[web]\nrecordings = "recordings"\n')
    return path


async def until(seen: Callable[[], bool]) -> None:
    async with asyncio.timeout(60):
        while not seen():  # noqa: ASYNC110 - a folder tells nobody
            await asyncio.sleep(0.05)


@asynccontextmanager
async def keeping(site: Path) -> AsyncIterator[asyncio.subprocess.Process]:
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "dialer", "keep", "--config", str(site), cwd=ROOT, stderr=asyncio.subprocess.PIPE
    )
    try:
        yield process
    finally:
        if process.returncode is None:
            process.terminate()
        await process.communicate()


def left(folder: Path) -> list[str]:
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*.wav*"))


@pytest.mark.parametrize("half", ["whole", "public"])
async def test_it_seals_what_ends_and_removes_what_is_unwanted_or_old(
    site: Path,
    store: RedisStore,  # noqa: F811
    monkeypatch: pytest.MonkeyPatch,
    half: str,
) -> None:
    """Also on a machine on which nobody is to listen."""
    if half == "public":
        keys = read_keys(new_key(), "keys")
        assert keys
        monkeypatch.setenv("SANTUN_SITE_KEYS", str(keys._newest))
    folder, at = site.parent / "recordings", os.stat(site).st_mtime
    now, unwanted, open_one, old = (attempt_id(at - age, os.urandom(10)) for age in (0, 1, 2, 200 * DAY_S))
    for stem in (now, unwanted, old):
        (folder / f"{stem}.wav").write_bytes(CONTENT)
    await link_of(store).one(("ZADD", UNWANTED, f"{at:.0f}", unwanted))
    with (folder / f"{open_one}.wav").open("wb") as asterisk:
        asterisk.write(CONTENT)
        async with keeping(site):
            await until(lambda: set(left(folder)) == {f"{day_of(now)}/{now}.wav.age", f"{open_one}.wav"})
            asterisk.close()
            await until(lambda: f"{open_one}.wav" not in left(folder))
            await until(lambda: f"{day_of(open_one)}/{open_one}.wav.age" in left(folder))
    [(_, deed)] = await RedisAudit(link_of(store)).read(5)
    assert deed.who == "keeper"
    assert "2 recordings" in deed.note


PARENT = """
import asyncio, sys
from pathlib import Path
from dialer.adapters import keeper_process
keeper_process.AGAIN_S = 0.05
async def main():
    async with keeper_process.kept_beside(Path(sys.argv[1] + ".toml")):
        await asyncio.sleep(600)
asyncio.run(main())
"""


async def test_it_is_started_again_when_it_dies_and_ends_with_its_parent(site: Path) -> None:
    folder = site.parent / "recordings"

    def keepers() -> list[int]:
        found = []
        for pid in Path("/proc").glob("[0-9]*"):
            try:
                if str(site).encode() in (pid / "cmdline").read_bytes():
                    found.append(int(pid.name))
            except OSError:
                continue
        return found

    parent = await asyncio.create_subprocess_exec(sys.executable, "-c", PARENT, str(site.with_suffix("")), cwd=ROOT)
    try:
        await until(lambda: bool(keepers()))
        (first,) = keepers()
        os.kill(first, signal.SIGKILL)
        (folder / "b.wav").write_bytes(CONTENT)
        await until(lambda: "b.wav" not in left(folder))
        assert first not in keepers()
    finally:
        parent.kill()  # as -9 does: it can tell nobody
        await parent.wait()
    await until(lambda: not keepers())


# ---- retention in Redis


async def test_contacts_go_after_their_campaign_was_stopped_for_long_enough(store: RedisStore) -> None:  # noqa: F811
    people = contacts(450)
    token = await begin(store, listed=people)
    (attempt,) = await claimed(store, token, [people[0]])
    await store.write(token, CAMPAIGN, [], [finish(attempt, people[0])])
    link = link_of(store)
    upkeep = Upkeep(link, store, Privacy(contacts_days=30))
    await upkeep.run(AT + 400 * DAY_S)
    assert await store.remaining(CAMPAIGN, AT + 1e6) == (450, 0), "it runs"
    await store.set_status(CAMPAIGN, token, Status.STOPPED)
    began = AT + 400 * DAY_S
    assert not (await upkeep.run(began))["contacts"]
    assert not (await upkeep.run(began + 29.9 * DAY_S))["contacts"]
    await store.set_status(CAMPAIGN, token, Status.PAUSED)
    await upkeep.run(began + 29.9 * DAY_S)
    await store.set_status(CAMPAIGN, token, Status.STOPPED)
    assert not (await upkeep.run(began + 30.1 * DAY_S))["contacts"], "the time began anew"
    assert (await upkeep.run(began + 60.2 * DAY_S))["contacts"] == 450
    assert not (await upkeep.run(began + 61 * DAY_S))["contacts"]
    keys = campaign_keys(CAMPAIGN)
    for key in (keys.contacts, keys.ready, keys.later, keys.rest, keys.refused):
        assert not await link.one(("EXISTS", key)), key
    names = [one for one in await dump(store) if one.endswith(b"}:contacts")]
    assert names == [], "the index has nobody"
    assert await link.one(("HEXISTS", ENDED, CAMPAIGN))


async def test_a_call_under_way_keeps_the_list_of_its_campaign(store: RedisStore) -> None:  # noqa: F811
    people = contacts(3)
    token = await begin(store, listed=people)
    await claimed(store, token, people[:1])
    await store.set_status(CAMPAIGN, token, Status.STOPPED)
    upkeep = Upkeep(link_of(store), store, Privacy(contacts_days=1))
    await upkeep.run(AT)
    assert not (await upkeep.run(AT + 5 * DAY_S))["contacts"]


async def test_histories_and_streams_by_their_own_days(
    redis_process: RedisProcess,  # noqa: F811
    store: RedisStore,  # noqa: F811
) -> None:
    people = contacts(3)
    token = await begin(store, listed=people)
    (attempt,) = await claimed(store, token, [people[0]])
    await store.write(token, CAMPAIGN, [], [finish(attempt, people[0])])
    for days in (0, 5, 20):
        await store.remember("ap1", note(attempt_id(AT, os.urandom(10)), AT + days * DAY_S, "me", f"day {days}"))
    link = link_of(store)
    await link.one(("RPUSH", history_key("odd"), b"xy"))  # too short: left to who reads it
    upkeep = Upkeep(link, store, Privacy(history_days=10))
    gone = await upkeep.run(AT + 21 * DAY_S)
    assert gone["history entries"] == 3, "two notes and the call"
    assert [one.text for one in await store.history("ap1", AT + 21 * DAY_S)] == ["day 20"]
    assert not await link.one(("EXISTS", history_key("ap0")))
    kept = RedisStore(redis_process.url, kept_days={"outcomes": 1})
    (written_ms,) = [int(entry.partition("-")[0]) for entry, _ in await store.tail(CAMPAIGN, 5)]
    assert await kept.trim(CAMPAIGN, written_ms / 1000 + 0.9 * DAY_S) == 0
    assert await kept.trim(CAMPAIGN, written_ms / 1000 + 1.1 * DAY_S) == 1
    await kept.close()


async def test_one_of_several_does_it_each_hour(store: RedisStore) -> None:  # noqa: F811
    upkeep = Upkeep(link_of(store), store, Privacy())
    assert (await upkeep.is_mine(), await upkeep.is_mine()) == (True, False)
    link = Link("redis://127.0.0.1:1/0")
    assert not await tried(Upkeep(link, store, Privacy()), AT), "Redis is away: no fault"
    await link.close()


def test_what_is_kept_by_default() -> None:
    """As docs/privacy.md says."""
    page = (ROOT / "docs" / "privacy.md").read_text(encoding="utf-8")
    for name, value in msgspec.to_builtins(Privacy().model_dump(exclude={"secret"})).items():
        shown = (
            {True: "true", False: "false", "": '""'}.get(value, str(value))
            if not isinstance(value, int) or isinstance(value, bool)
            else str(value)
        )
        assert f"| `{name}` | {shown} |" in page, name
