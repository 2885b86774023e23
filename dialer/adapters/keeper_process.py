"""`dialer keep` beside a web: a process of its own that begins and ends with it, and is started again if it dies."""

import asyncio
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path

import structlog

log = structlog.get_logger(__name__)
AGAIN_S = 5.0
END_S = 10.0


@asynccontextmanager
async def kept_beside(config: Path) -> AsyncIterator[None]:
    """While the block runs. It ends with us even where we are killed: its standard input ends."""
    task = asyncio.create_task(_run(config))
    try:
        yield
    finally:
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task


async def _run(config: Path) -> None:
    while True:
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "dialer", "keep", "--config", str(config), "--with-parent",
            stdin=asyncio.subprocess.PIPE,
        )  # fmt: skip
        try:
            code = await process.wait()
        except asyncio.CancelledError:
            await _end(process)
            raise
        log.error("the keeper of recordings died and is started again", action="keeper", code=code)
        await asyncio.sleep(AGAIN_S)


async def _end(process: asyncio.subprocess.Process) -> None:
    with suppress(ProcessLookupError):
        process.terminate()
        try:
            async with asyncio.timeout(END_S):
                await process.wait()
        except TimeoutError:
            process.kill()
            await process.wait()
