"""A site put together: settings read, Redis and Asterisk at hand, an engine that may run."""

import os
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from dialer.adapters.clock import SystemClock
from dialer.adapters.redis_store import RedisStore
from dialer.adapters.sealed import Seals, keys_text, read_keys
from dialer.adapters.spool import default_folder
from dialer.config import Asterisk, Config, Ivr, Offers, Redis, RuleFiles, SpoolSettings, Web, read_config, tls_url
from dialer.errors import ConfigError
from dialer.forms.privacy import NO_KEYS, SITE_KEYS, Privacy
from dialer.keyed import OTHER_KEY, mark_of
from dialer.model import Campaign, attempt_id

if TYPE_CHECKING:
    import ssl

    from dialer.adapters.ami import Ami
    from dialer.adapters.ari import Ari
    from dialer.debts.plans import LimitsOf
    from dialer.law.rulebook import Pack

CONFIG = "SANTUN_CONFIG"


def load_config(path: Path) -> Config:
    """Read the settings; raises ConfigError with every fault."""
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(f"{path} cannot be read ({error}); name it by --config or {CONFIG}.") from None
    config = read_config(text, os.environ, path.name)
    privacy = _with_keys(config.privacy, path.parent)
    return config.model_copy(
        update={
            "rules": _beside(config.rules, path.parent),
            "web": _web_beside(config.web, path.parent),
            "privacy": privacy,
            "spool": _spool_beside(config.spool, path.parent),
            "ivr": _ivr_beside(config.ivr, path.parent),
            "redis": _redis_beside(config.redis, path.parent),
            "asterisk": {name: _node_beside(node, path.parent) for name, node in config.asterisk.items()},
            "offers": _offers_beside(config.offers, path.parent),
        }
    )


def _with_keys(privacy: Privacy, folder: Path) -> Privacy:
    """With the site's keys out of their file, if the environment has none; looked at once, so that a fault is told."""
    if privacy.keys and not privacy.secret:
        path = (folder / privacy.keys).absolute()
        privacy = privacy.model_copy(update={"keys": str(path), "secret": keys_text(path)})
    seals_of(privacy)
    return privacy


def seals_of(privacy: Privacy) -> Seals | None:
    """The site's keys; None: it has none. Raises ConfigError."""
    return read_keys(privacy.secret, privacy.keys or SITE_KEYS)


def _beside(rules: RuleFiles, folder: Path) -> RuleFiles:
    """Its paths count from the settings file, wherever the command was started."""

    def whole(name: str) -> str:
        return str((folder / name).absolute()) if name else ""

    return RuleFiles(
        folder=whole(rules.folder),
        holidays=whole(rules.holidays),
        stricter=tuple(whole(name) for name in rules.stricter),
    )


def _ivr_beside(ivr: Ivr, folder: Path) -> Ivr:
    return ivr.model_copy(update={"prompts": str((folder / ivr.prompts).absolute())}) if ivr.prompts else ivr


def _offers_beside(offers: Offers, folder: Path) -> Offers:
    return Offers(limits=str((folder / offers.limits).absolute()) if offers.limits else "")


def _web_beside(web: Web, folder: Path) -> Web:
    files = {name: getattr(web, name) for name in ("tls_cert", "tls_key", "recordings", "uploads")}
    return web.model_copy(update={name: str((folder / file).absolute()) for name, file in files.items() if file})


def _redis_beside(redis: Redis, folder: Path) -> Redis:
    """Its files as a part of its address: whoever connects, connects with them."""
    files = {name: str((folder / file).absolute()) for name, file in redis.files.items() if file}
    if not files:
        return redis
    from dialer.adapters.tls import client_context

    client_context(files.get("tls_ca", ""), files.get("tls_cert", ""), files.get("tls_key", ""))  # faults are told now
    return redis.model_copy(update={**files, "url": tls_url(redis.url, files)})


def _node_beside(node: Asterisk, folder: Path) -> Asterisk:
    return node.model_copy(update={"tls_ca": str((folder / node.tls_ca).absolute())}) if node.tls_ca else node


def _spool_beside(spool: SpoolSettings, folder: Path) -> SpoolSettings:
    found = folder / spool.folder if spool.folder else default_folder(folder)
    return spool.model_copy(update={"folder": str(found.absolute())})


@dataclass(frozen=True, slots=True)
class OpenSite:
    """What the command line and the engine work with."""

    config: Config
    store: RedisStore
    clock: SystemClock

    def pack_of(self, campaign: Campaign) -> "Pack":
        """The campaign's rule pack, after everything that forbids to run it has been looked for."""
        return pack_of(self.config, campaign, self.clock.now())


def pack_of(config: Config, campaign: Campaign, at: float) -> "Pack":
    """As OpenSite's, for who needs no store. Raises ConfigError."""
    from dialer.adapters.rule_files import load_pack  # holidays: only where rules are asked for

    trunk = config.trunk.get(campaign.trunk)
    if trunk is None:
        known = ", ".join(config.trunk)
        raise ConfigError(f"campaign {campaign.id}: trunk = {campaign.trunk!r}: use one of {known}.")
    if campaign.record and not config.privacy.may_record:
        raise ConfigError(f"campaign {campaign.id}: record = true, but {NO_KEYS}.")
    rules = config.rules
    return load_pack(
        campaign,
        trunk,
        at,
        Path(rules.folder) if rules.folder else None,
        Path(rules.holidays) if rules.holidays else None,
        [Path(name) for name in rules.stricter],
    )


def limits_of(config: Config) -> "LimitsOf":
    """What lenders let us offer. Raises ConfigError with every fault of the file."""
    from dialer.adapters.limit_files import LimitFile  # only where offers are asked for

    return LimitFile(Path(config.offers.limits) if config.offers.limits else None).limits


@asynccontextmanager
async def open_site(path: Path) -> AsyncIterator[OpenSite]:
    """The site of a settings file."""
    config = load_config(path)
    store = RedisStore(config.redis.url, kept_days=config.privacy.stream_days)
    try:
        yield OpenSite(config, store, SystemClock())
    finally:
        await store.close()


def tls_of(node: Asterisk) -> "ssl.SSLContext | None":
    """What proves this node where it is reached over TLS; None: nothing of its own. Raises ConfigError."""
    if not (node.tls or node.tls_ca):
        return None
    from dialer.adapters.tls import client_context  # commands that only look at Redis start sooner without it

    return client_context(node.tls_ca)


def ari_of(name: str, node: Asterisk) -> "Ari | None":
    """Who pushes this node's passwords, not yet connected; None: it has no browsers. Raises ConfigError."""
    if not node.ari:
        return None
    from dialer.adapters.ari import Ari, AriSettings

    return Ari(AriSettings(name, node.ari, node.ari_user, node.ari_secret, node.media_address, tls_of(node)))


async def check_key(site: OpenSite, from_now: bool = False) -> None:
    """Raises ConfigError where people are known by another secret than ours; StoreError. `from_now`: somebody is about
    to be known by it."""
    if not await site.store.is_keyed_by(mark_of(site.config.person_key), from_now):
        raise ConfigError(OTHER_KEY)


def new_id(at: float) -> str:
    """An attempt's id."""
    return attempt_id(at, os.urandom(10))


def phones_of(site: OpenSite) -> Mapping[str, "Ami"]:
    """One manager link per Asterisk node, not yet started."""
    from dialer.adapters.ami import Ami, AmiSettings  # commands that only look at Redis start sooner without it

    return {
        name: Ami(
            AmiSettings(name, node.host, node.port, node.user, node.secret, tls=tls_of(node) if node.tls else None),
            site.clock,
        )
        for name, node in site.config.asterisk.items()
    }
