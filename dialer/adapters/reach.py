"""`dialer check`: can everything be reached, and may every campaign run? Each fault is a sentence with its cure."""

import asyncio
from datetime import UTC, datetime
from pathlib import Path

from dialer.adapters.ami import Ami
from dialer.adapters.site import OpenSite, ari_of, check_key, limits_of, open_site, phones_of
from dialer.adapters.tls import server_pair, time_faults
from dialer.config import ARI_PASSWORD, Asterisk, Config
from dialer.errors import ConfigError, StoreError, TelephonyError
from dialer.forms.privacy import NO_KEYS

WAIT_S = 5.0
LOOK_S = 0.05
ACTIONS = frozenset({"Originate", "Redirect", "Hangup", "MixMonitorMute"})
RIGHTS = "Its manager user needs read=system,call,user write=originate,call,reporting."


async def faults_of(config: Config, path: Path) -> list[str]:
    """What is wrong with a site whose settings are in order; [] if nothing is."""
    wrong = []
    try:
        limits_of(config)
    except ConfigError as error:
        wrong.append(f"[offers] limits: {error}")
    async with open_site(path) as site:
        nodes = [_node(name, phone) for name, phone in phones_of(site).items()]
        browsers = [_browsers(name, node) for name, node in config.asterisk.items()]
        found = await asyncio.gather(_redis(site), _ivr(config), *nodes, *browsers)
        shown = _certificates(config, site.clock.now())
    return [fault for some in (wrong, shown, *found, _privacy(config)) for fault in some]


def _certificates(config: Config, at: float) -> list[str]:
    """Of the files that we show or trust."""
    now, wrong = datetime.fromtimestamp(at, UTC), []
    if config.web.tls_cert:
        wrong += [f"[web] {one}." for one in server_pair(config.web.tls_cert, config.web.tls_key, now)]
    if config.redis.tls_cert:
        wrong += [f"[redis] {one}." for one in server_pair(config.redis.tls_cert, config.redis.tls_key, now)]
    trusted = {"[redis]": config.redis.tls_ca}
    trusted |= {f"[asterisk.{name}]": one.tls_ca for name, one in config.asterisk.items()}
    return wrong + [f"{place} {one}." for place, ca in trusted.items() if ca for one in time_faults(Path(ca), now)]


def _privacy(config: Config) -> list[str]:
    """What lies unencrypted."""
    privacy, folder = config.privacy, config.web.recordings
    wrong = [] if privacy.secret else [f"{NO_KEYS[:1].upper()}{NO_KEYS[1:]}."]
    if folder and not Path(folder).is_dir():
        wrong.append(f"[web] recordings: {folder} is no folder that can be looked into; `dialer conf` makes it.")
    return wrong


async def _redis(site: OpenSite) -> list[str]:
    wrong = []
    try:
        await site.store.health()
        try:
            await check_key(site)
        except ConfigError as error:
            wrong.append(str(error))
        for name in sorted(await site.store.campaigns()):
            found = await site.store.campaign(name)
            try:
                if found is not None:
                    site.pack_of(found[0])
            except ConfigError as error:
                wrong.append(str(error))
    except StoreError as error:
        return [f"{error} Is it running, and is [redis] url right?"]
    return wrong


async def _node(name: str, phone: Ami) -> list[str]:
    await phone.start()
    try:
        async with asyncio.timeout(WAIT_S):
            while not phone.health().up:  # noqa: ASYNC110 - a command that looks once, and gives up soon
                await asyncio.sleep(LOOK_S)
            await phone.channels()
            lacks = ACTIONS - await phone.permitted()
    except TimeoutError:
        why = f" ({phone.fault})" if phone.fault else ""
        return [
            f"Asterisk {name}: no manager session within {WAIT_S:.0f} s{why}; look at [asterisk.{name}] host, port and "
            "tls, the secret, and permit in its manager.conf."
        ]
    except TelephonyError as error:
        return [f"Asterisk {name}: {error} {RIGHTS}"]
    finally:
        await phone.close()
    return [f"Asterisk {name}: its manager refuses us {', '.join(sorted(lacks))}. {RIGHTS}"] if lacks else []


async def _browsers(name: str, node: Asterisk) -> list[str]:
    """Where its agents' passwords are pushed to."""
    ari = ari_of(name, node)
    if ari is None:
        return []
    try:
        await ari.check()
    except TelephonyError as error:
        return [
            f"Asterisk {name}: {error} Look at [asterisk.{name}] ari, ari_user and tls_ca, at {ARI_PASSWORD}, and at "
            "http_port or http_tls_port of its own settings. Until then no agent works in a browser."
        ]
    finally:
        await ari.close()
    return []


async def _ivr(config: Config) -> list[str]:
    place = f"{config.ivr.host}:{config.ivr.port}"
    try:
        async with asyncio.timeout(WAIT_S):
            _, writer = await asyncio.open_connection(config.ivr.host, config.ivr.port)
            writer.close()
    except (OSError, TimeoutError):
        return [
            f"IVR {place}: nobody listens; start `ivr serve`, or correct [ivr]. Until then its callers get the message."
        ]
    return []
