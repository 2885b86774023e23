"""`dialer check` against what answers, what refuses and what is not there."""

import asyncio
import socket
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from dialer.adapters.reach import WAIT_S, faults_of
from dialer.adapters.redis_process import RedisProcess
from dialer.adapters.redis_store import RedisStore
from dialer.adapters.sealed import new_key
from dialer.adapters.site import load_config
from dialer.model import Campaign
from tests.patience import PATIENCE

from .scripted_ami import SECRET, Fields, ScriptedAmi


@pytest.fixture
async def ivr() -> AsyncIterator[int]:
    """Somebody who listens."""
    server = await asyncio.start_server(lambda _, writer: writer.close(), "127.0.0.1", 0)
    async with server:
        yield server.sockets[0].getsockname()[1]


@pytest.fixture
def nobody() -> int:
    """A port where nobody listens."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def site(path: Path, monkeypatch: pytest.MonkeyPatch, redis: str, ami: int, ivr: int) -> Path:
    monkeypatch.setenv("SANTUN_AMI_SECRET", SECRET)
    monkeypatch.setenv("SANTUN_PERSON_KEY", "ab" * 32)
    monkeypatch.setenv("SANTUN_REDIS_URL", redis)
    monkeypatch.setenv("SANTUN_SITE_KEYS", new_key())
    file = path / "santun.toml"
    file.write_text(
        f'[asterisk.pbx1]\nport = {ami}\n[trunk.carrier]\nendpoint = "carrier"\nhost = "192.0.2.7"\nlines = 30\n'
        f'caller_ids = ["+622150001234"]\n[ivr]\nport = {ivr}\n'
    )
    return file


def denied(far: ScriptedAmi, fields: Fields) -> None:
    """A manager's user with too few rights."""
    far.answer(fields, "Response: Error", "Message: Permission denied")


@pytest.fixture(autouse=True)
def _patience(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("dialer.adapters.reach.WAIT_S", WAIT_S * PATIENCE)


async def test_a_campaign_and_a_managers_rights(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, redis_process: RedisProcess, store: RedisStore, ivr: int
) -> None:
    await store.save_campaign(Campaign("april", "April", trunk="carrier", caller_id="+622150001234"))
    await store.save_campaign(Campaign("broken", "Broken", trunk="gone"))
    async with ScriptedAmi() as ami:
        ami.replies["CoreShowChannels"] = denied
        file = site(tmp_path, monkeypatch, redis_process.url, ami.port, ivr)
        found = await faults_of(load_config(file), file)
    broken, rights = found
    assert broken == "The configuration is not usable. campaign broken: trunk = 'gone': use one of carrier."
    assert "Its manager user needs read=system,call,user" in rights


async def test_every_one_that_is_not_there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, nobody: int) -> None:
    monkeypatch.setattr("dialer.adapters.reach.WAIT_S", 0.3)
    file = site(tmp_path, monkeypatch, f"redis://127.0.0.1:{nobody}/0", nobody, nobody)
    redis, ivr, asterisk = await faults_of(load_config(file), file)
    assert "is [redis] url right?" in redis
    assert "start `ivr serve`" in ivr
    assert asterisk.startswith("Asterisk pbx1: no manager session within 0 s (127.0.0.1:")
    assert "look at [asterisk.pbx1] host, port and tls, the secret" in asterisk


async def test_what_would_lie_unencrypted_is_said(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, redis_process: RedisProcess, store: RedisStore, ivr: int
) -> None:
    await store.save_campaign(
        Campaign("april", "April", trunk="carrier", caller_id="+622150001234", pack="indonesia", record=True)
    )
    async with ScriptedAmi() as ami:
        ami.replies["CoreShowChannels"] = denied
        file = site(tmp_path, monkeypatch, redis_process.url, ami.port, ivr)
        monkeypatch.delenv("SANTUN_SITE_KEYS")
        file.write_text(file.read_text() + '[web]\nrecordings = "gone"\n')
        found = await faults_of(load_config(file), file)
        campaign, keys, folder = (one for one in found if "manager" not in one)
        assert "campaign april: record = true, but no site keys: recording is refused" in campaign
        assert keys.startswith("No site keys: recording is refused")
        assert "`dialer key >site.keys`" in keys
        assert folder.startswith("[web] recordings: ")
        (tmp_path / "gone").mkdir()
        file.write_text(file.read_text() + "[privacy]\nplain_recordings = true\n")
        found = await faults_of(load_config(file), file)
        assert [one for one in found if "manager" not in one] == [keys], "it may record; codes are still open"
