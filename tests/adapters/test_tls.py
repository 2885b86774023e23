"""Redis and the manager interface over TLS: the right far end is believed, every wrong one refused with its cure."""

import asyncio
import os
import socket
import ssl
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
import structlog

from dialer.adapters.ami import Ami
from dialer.adapters.ami_session import AmiSettings
from dialer.adapters.clock import SystemClock
from dialer.adapters.programs import redis_server
from dialer.adapters.reach import faults_of
from dialer.adapters.redis_ivr import IvrStore
from dialer.adapters.redis_process import RedisProcess
from dialer.adapters.redis_store import RedisStore
from dialer.adapters.site import load_config
from dialer.adapters.tls import ca_fault, client_context, pair_faults, time_faults, tls_address
from dialer.commands.desk import log_to_stderr
from dialer.config import tls_url
from dialer.errors import ConfigError, DialerError, StoreDown
from tests.adapters.certificates import LONG_AGO, Authority, Pair
from tests.adapters.redis_lives import ROOT, until
from tests.adapters.scripted_ami import SECRET, ScriptedAmi

SETTINGS = """
[redis]
url = "rediss://127.0.0.1:6380/0"
tls_ca = "ca.pem"
[asterisk.pbx1]
port = 5039
tls = true
tls_ca = "ca.pem"
[trunk.carrier]
endpoint = "carrier"
host = "198.51.100.7"
lines = 3
caller_ids = ["+622150001234"]
"""
NOW = datetime(2026, 11, 22, tzinfo=UTC)


@pytest.fixture
def authority(tmp_path: Path) -> Authority:
    return Authority(tmp_path)


# ---- files


def test_a_good_pair_has_no_fault(authority: Authority) -> None:
    pair = authority.sign("server")
    assert pair_faults(str(pair.cert), str(pair.key)) == []
    assert pair_faults("", "") == []
    assert ca_fault(authority.ca) == ""
    assert time_faults(pair.cert, NOW) == []


def test_each_fault_names_its_file_and_its_cure(authority: Authority, tmp_path: Path) -> None:
    pair, other = authority.sign("server"), authority.sign("other")
    cert, key = str(pair.cert), str(pair.key)
    assert pair_faults(cert, "") == ["the key is not given: certificate and key go together"]
    assert pair_faults(cert, str(other.key)) == [f"{cert}, {other.key}: the key is of another certificate"]
    assert pair_faults(cert, f"{key}x")[0] == f"{key}x: No such file or directory"
    for mode in (0o644, 0o602, 0o620):
        pair.key.chmod(mode)
        (said,) = pair_faults(cert, key)
        assert said.endswith(f"(mode {mode:04o}): chmod 600 {key}")
    pair.key.chmod(0o640)  # root's, for a service by way of its group
    assert bool(pair_faults(cert, key)) == (os.geteuid() != 0)
    pair.key.chmod(0o600)
    assert "no PEM" in ca_fault(Path(key)) or "no certificate" in ca_fault(Path(key))
    assert (
        ca_fault(tmp_path / "none")
        == f"{tmp_path / 'none'}: No such file or directory; give the CA's certificate, in PEM"
    )
    old = authority.sign("old", end=LONG_AGO)
    assert time_faults(old.cert, NOW) == [f"{old.cert} has expired on 2025-02-01 00:00 UTC: renew it"]
    soon = authority.sign("soon", end=datetime(2026, 11, 30, tzinfo=UTC))
    assert time_faults(soon.cert, NOW) == [f"{soon.cert} expires on 2026-11-30 00:00 UTC: renew it"]
    assert "is not valid before" in time_faults(pair.cert, datetime(2024, 1, 1, tzinfo=UTC))[0]
    assert "is no certificate in PEM" in time_faults(pair.key, NOW)[0]


def test_the_settings_bring_the_files_along(
    authority: Authority, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SANTUN_AMI_SECRET", "the-managers-secret")
    monkeypatch.setenv("SANTUN_PERSON_KEY", "ab" * 32)
    monkeypatch.setenv("SANTUN_REDIS_URL", "rediss://user:pass-word@127.0.0.1:6380/0")
    file = tmp_path / "santun.toml"
    file.write_text(SETTINGS)
    config = load_config(file)
    assert config.redis.url == tls_url("rediss://user:pass-word@127.0.0.1:6380/0", {"tls_ca": str(authority.ca)})
    assert config.asterisk["pbx1"].tls_ca == str(authority.ca)
    shown = f"{config!r} {config.redis!r} {config.asterisk!r}"
    for secret in ("pass-word", "the-managers-secret", "abab"):
        assert secret not in shown
    authority.ca.write_text("nonsense")
    with pytest.raises(ConfigError, match=r"ca\.pem: .*give the CA's certificate, in PEM"):
        load_config(file)
    monkeypatch.setenv("SANTUN_REDIS_URL", "redis://127.0.0.1:6380/0")
    with pytest.raises(ConfigError, match=r"redis: tls_ca, tls_cert and tls_key are for url = rediss://"):
        load_config(file)
    with pytest.raises(ConfigError, match=r"is not rediss://"):
        tls_address("redis://127.0.0.1/0", authority.ca, None, None)


# ---- Redis


class Secured:
    """A Redis with a TLS port beside its plain one."""

    def __init__(self, run: Path, pair: Pair, authority: Authority, clients: str = "no") -> None:
        self.port = _port()
        options = (
            "--tls-port", str(self.port), "--tls-cert-file", str(pair.cert), "--tls-key-file", str(pair.key),
            "--tls-ca-cert-file", str(authority.ca), "--tls-auth-clients", clients,
        )  # fmt: skip
        self.process = RedisProcess(redis_server(ROOT), run, "no", options=options)

    def url(self, **files: Path) -> str:
        return tls_url(f"rediss://127.0.0.1:{self.port}/0", {name: str(path) for name, path in files.items()})


def _port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        found: int = probe.getsockname()[1]
        return found


async def both(url: str) -> list[str]:
    """What the engine's client and the IVR's say of it; empty: they are connected."""
    said, store, ivr = [], RedisStore(url), IvrStore(url)
    try:
        await store.health()
        assert await store.campaigns() == ()
    except StoreDown as error:
        said.append(str(error))
    try:
        await asyncio.to_thread(ivr.check)
    except StoreDown as error:
        said.append(str(error))
    await store.close()
    ivr.close()
    return said


@pytest.mark.redis
async def test_redis_is_believed_by_its_certificate_and_by_its_name(authority: Authority, tmp_path: Path) -> None:
    stranger = Authority(tmp_path, "stranger")
    redis = Secured(tmp_path / "redis", authority.sign("server"), authority)
    await redis.process.start()
    try:
        assert await both(redis.url(tls_ca=authority.ca)) == []
        for said in await both(redis.url(tls_ca=stranger.ca)):
            assert "its certificate is not signed by the CA given: tls_ca has to be the CA's file" in said
        assert len(await both(redis.url())) == 2  # the system does not know it either
        plain = tls_url(f"rediss://127.0.0.1:{redis.process.port}/0", {"tls_ca": str(authority.ca)})
        for said in await both(plain):
            assert "is this its TLS port?" in said
        assert len(await both(f"redis://127.0.0.1:{redis.port}/0")) == 2  # in the clear to the TLS port
    finally:
        await redis.process.kill()


@pytest.mark.redis
@pytest.mark.parametrize(
    ("name", "cure"),
    [
        ("expired", "its certificate has expired: renew it there"),
        ("elsewhere", "its certificate is for another name: reach it by a name or an address that stands in it"),
    ],
)
async def test_a_redis_with_a_wrong_certificate_is_refused(
    authority: Authority, tmp_path: Path, name: str, cure: str
) -> None:
    pairs = {"expired": authority.sign("expired", end=LONG_AGO), "elsewhere": authority.sign("e", "redis.example.com")}
    redis = Secured(tmp_path / "redis", pairs[name], authority)
    await redis.process.start()
    try:
        said = await both(redis.url(tls_ca=authority.ca))
        assert len(said) == 2
        assert all(cure in one for one in said)
    finally:
        await redis.process.kill()


@pytest.mark.redis
async def test_a_redis_that_asks_for_our_certificate_gets_it(authority: Authority, tmp_path: Path) -> None:
    redis = Secured(tmp_path / "redis", authority.sign("server"), authority, clients="yes")
    ours = authority.sign("client")
    await redis.process.start()
    try:
        assert await both(redis.url(tls_ca=authority.ca, tls_cert=ours.cert, tls_key=ours.key)) == []
        assert len(await both(redis.url(tls_ca=authority.ca))) == 2
    finally:
        await redis.process.kill()


# ---- the manager interface


def server_context(pair: Pair) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(pair.cert, pair.key)
    return context


async def met(server: ScriptedAmi, tls: ssl.SSLContext | None) -> str:
    """Why there is no session; empty: there is one."""
    settings = AmiSettings("n", "127.0.0.1", server.port, "santun", SECRET, connect_s=2.0, tls=tls)
    assert SECRET not in repr(settings)
    ami = Ami(settings, SystemClock())

    async def known() -> bool:
        return ami.health().up or bool(ami.fault)

    await ami.start()
    try:
        await until(known)
        return ami.fault
    finally:
        await ami.close()


@pytest.fixture
async def manager(authority: Authority) -> AsyncIterator[ScriptedAmi]:
    async with ScriptedAmi(server_context(authority.sign("server"))) as server:
        yield server


async def test_a_manager_is_believed_by_its_certificate(manager: ScriptedAmi, authority: Authority) -> None:
    assert await met(manager, client_context(str(authority.ca))) == ""
    assert len(manager.named("Login")) == 1


async def test_a_manager_of_another_ca_never_hears_the_secret(manager: ScriptedAmi, tmp_path: Path) -> None:
    said = await met(manager, client_context(str(Authority(tmp_path, "stranger").ca)))
    assert said.startswith(f"127.0.0.1:{manager.port}: its certificate is not signed by the CA given: tls_ca")
    assert SECRET not in said
    assert manager.actions == []


@pytest.mark.parametrize(
    ("host", "end", "cure"), [("127.0.0.1", LONG_AGO, "has expired"), ("a.example", None, "another name")]
)
async def test_a_manager_with_a_wrong_certificate_is_refused(
    authority: Authority, host: str, end: datetime | None, cure: str
) -> None:
    pair = authority.sign("wrong", host, end) if end else authority.sign("wrong", host)
    async with ScriptedAmi(server_context(pair)) as server:
        assert cure in await met(server, client_context(str(authority.ca)))
        assert server.actions == []


async def test_a_plain_manager_where_tls_is_asked_is_refused(authority: Authority) -> None:
    async with ScriptedAmi() as server:
        assert "what answers there does not speak TLS: is this its TLS port?" in await met(
            server, client_context(str(authority.ca))
        )
        assert server.named("Login") == []


async def test_our_own_wrong_files_are_said_at_once(authority: Authority, tmp_path: Path) -> None:
    pair = authority.sign("client")
    pair.key.chmod(0o604)
    with pytest.raises(DialerError, match="may be read by others"):
        client_context(str(authority.ca), str(pair.cert), str(pair.key))
    with pytest.raises(DialerError, match="No such file"):
        client_context(str(tmp_path / "none.pem"))


# ---- what is shown


async def test_the_check_tells_what_is_wrong_and_no_secret(
    authority: Authority, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With a key open to all, Redis of another CA, and nobody at the manager's port."""
    monkeypatch.setattr("dialer.adapters.reach.WAIT_S", 0.3)
    old, open_key = authority.sign("old", end=LONG_AGO), authority.sign("web")
    open_key.key.chmod(0o644)
    redis = Secured(tmp_path / "redis", Authority(tmp_path, "stranger").sign("server"), authority)
    file = tmp_path / "santun.toml"
    web = f'[web]\ntls_cert = "{old.cert}"\ntls_key = "{open_key.key}"\n'
    file.write_text(web + SETTINGS.replace("5039", str(_port())))
    secrets = {
        "SANTUN_AMI_SECRET": "the-managers-secret",
        "SANTUN_PERSON_KEY": "ab" * 32,
        "SANTUN_REDIS_URL": f"rediss://user:pass-word@127.0.0.1:{redis.port}/0",
    }
    for name, value in secrets.items():
        monkeypatch.setenv(name, value)
    await redis.process.start()
    try:
        said = "\n".join(await faults_of(load_config(file), file))
    finally:
        await redis.process.kill()
    for part in (
        f"{open_key.key} may be read by others (mode 0644): chmod 600 {open_key.key}",
        "the key is of another certificate",
        f"{old.cert} has expired on 2025-02-01 00:00 UTC: renew it",
        "its certificate is not signed by the CA given: tls_ca has to be the CA's file",
        "Connect call failed",
    ):
        assert part in said, said
    for secret in ("pass-word", "the-managers-secret", "ab" * 32):
        assert secret not in said


def test_a_traceback_in_a_terminal_shows_no_variables(capsys: pytest.CaptureFixture[str]) -> None:
    before = structlog.get_config()
    log_to_stderr()
    try:
        secret = "the-managers-secret"
        try:
            raise ValueError(len(secret))
        except ValueError:
            structlog.get_logger().exception("it broke")
    finally:
        structlog.configure(**before)
    said = capsys.readouterr().err
    assert "ValueError: 19" in said
    assert "the-managers-secret" not in said.replace('secret = "the-managers-secret"', "")
