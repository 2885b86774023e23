"""What engines and IVRs that are gone left on this machine, brought to Redis: there a person is looked for."""

import asyncio
from collections.abc import Sequence
from pathlib import Path

import structlog

from dialer.adapters.redis_ivr import IvrStore
from dialer.adapters.site import OpenSite
from dialer.adapters.spool import SUFFIX, DiskSpool, SpoolFile
from dialer.adapters.spooled_facts import KIND, send_left
from dialer.errors import BadInput, SpoolFailed
from dialer.running.spooling import Spooling

BROKEN = f"*{SUFFIX}.broken"

log = structlog.get_logger("spool")


async def bring(site: OpenSite, named: Sequence[Path]) -> list[str]:
    """From the folders of the settings and those that are `named`; sentences of what could not be looked through. Files
    of processes that run stay theirs. Raises StoreError, BadInput."""
    if wrong := [str(folder) for folder in named if not folder.is_dir()]:
        raise BadInput(f"--spool {wrong[0]} is no folder.")
    config, faults = site.config, []
    folders = [Path(config.spool.folder), *named]
    folders += [Path(config.ivr.prompts).parent / "spool"] if config.ivr.prompts else []
    for folder in dict.fromkeys(folders):
        try:
            if folder.is_dir():
                await _bring(site, folder)
                faults += [f"{path} holds what makes no sense: look whether he is in it." for path in _broken(folder)]
        except (OSError, SpoolFailed) as error:
            faults.append(f"{str(error).rstrip('.')}. Run it once more as the user of engine and IVR.")
    return faults


async def _bring(site: OpenSite, folder: Path) -> None:
    disk = DiskSpool(folder)
    try:
        spooling = Spooling(disk, site.store, site.clock, log.warning)
        await spooling.hand_over()
    finally:
        await disk.close()
    if spooling.fault:
        raise SpoolFailed(spooling.fault)
    await asyncio.to_thread(_bring_facts, site, folder)


def _bring_facts(site: OpenSite, folder: Path) -> None:
    file, store = SpoolFile(folder, KIND), IvrStore(site.config.redis.url)
    try:
        send_left(file, store, site.clock.now)
    finally:
        file.close()
        store.close()


def _broken(folder: Path) -> list[Path]:
    return sorted(folder.glob(BROKEN))
