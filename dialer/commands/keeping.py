"""`dialer backup` and `dialer restore`."""

import asyncio
from pathlib import Path

from dialer.adapters import redis_backup
from dialer.adapters.site import OpenSite, check_key
from dialer.commands.desk import say


async def backup(site: OpenSite, folder: Path) -> None:
    """All keys into `folder`, and the names of the recordings, which are files and kept as such."""
    link = redis_backup.client(site.config.redis.url)
    try:
        kept = await redis_backup.backup(link, folder, site.clock.now())
    finally:
        await link.aclose()
    say(f"{kept.keys} keys, {kept.bytes} bytes in {folder / redis_backup.FILE}.")
    if site.config.web.recordings:
        count = await asyncio.to_thread(_list_recordings, Path(site.config.web.recordings), folder)
        say(f"{count} recordings are named in {folder / redis_backup.RECORDINGS}: copy them by your own means.")
    say("Kept apart from it: SANTUN_PERSON_KEY and the site keys. Without them no history, no recording can be read.")


async def restore(site: OpenSite, folder: Path) -> None:
    """Into an empty Redis only."""
    link = redis_backup.client(site.config.redis.url)
    try:
        kept = await redis_backup.restore(link, folder)
    finally:
        await link.aclose()
    say(f"{kept.keys} keys are back.")
    await check_key(site)
    say("Start the engine: it takes calls that were open for interrupted ones.")


def _list_recordings(source: Path, folder: Path) -> int:
    files = (path for path in source.rglob("*.wav*") if path.is_file())  # sealed ones lie in a folder for each day
    found = sorted((path.stat().st_size, str(path.relative_to(source))) for path in files)
    lines = "".join(f"{size}\t{name}\n" for size, name in sorted(found, key=lambda one: one[1]))
    (folder / redis_backup.RECORDINGS).write_text(lines, encoding="utf-8")
    return len(found)
