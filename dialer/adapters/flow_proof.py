"""Flows proved by the IVR's own program, as a process of its own: the dialer knows nothing of conversations."""

import asyncio
import re
import sys
import tomllib
from collections.abc import Iterator, Mapping
from typing import Any

import msgspec
import structlog

from dialer.errors import SetupError
from dialer.forms.conversations import FlowFault, Proof, Source

PROVE_LIMIT_S = 30.0
MAKE_LIMIT_S = 110.0
AT_ONCE = 2
_LINE = re.compile(r"\(at line (\d+)")
log = structlog.get_logger(__name__)


def _no_toml(source: Source) -> Iterator[FlowFault]:
    for file, text in (("flow", source.flow), *source.texts.items()):
        try:
            tomllib.loads(text)
        except (tomllib.TOMLDecodeError, RecursionError) as error:
            place = _LINE.search(str(error))
            line = int(place[1]) if place else text.count("\n") + 1
            yield FlowFault(file, line, str(error), "no_toml", {"why": str(error)})


class FlowProofs:
    """conversations.Proofs. `prompts`: the folder of the IVR's sounds on this machine; empty: it is elsewhere."""

    def __init__(self, prompts: str) -> None:
        self._prompts = prompts
        self._turn = asyncio.Semaphore(AT_ONCE)
        self._shipped: dict[str, Source] = {}  # part of the program: the same as long as it runs

    async def prove(self, source: Source, make: bool = False) -> Proof:
        """`make`: what has no sound gets one. What is no TOML needs no other program to be told."""
        if faults := list(_no_toml(source)):
            return Proof("", faults, [], None)
        asked = {"flow": source.flow, "texts": source.texts, "prompts": self._prompts, "make": make}
        return msgspec.convert(await self._run(asked, MAKE_LIMIT_S if make else PROVE_LIMIT_S), Proof)

    async def shipped(self, name: str) -> Source:
        """The files of one that comes with Santun."""
        if name not in self._shipped:
            self._shipped[name] = msgspec.convert(await self._run({"shipped": name}, PROVE_LIMIT_S), Source)
        return self._shipped[name]

    async def _run(self, asked: Mapping[str, Any], limit_s: float) -> Any:
        """Raises SetupError where the program is not there, breaks or takes too long."""
        async with self._turn:
            process = await asyncio.create_subprocess_exec(
                sys.executable, "-m", "ivr.commands.prove", stdin=asyncio.subprocess.PIPE,
                stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE, start_new_session=True,
            )  # fmt: skip
            try:
                async with asyncio.timeout(limit_s):
                    out, wrong = await process.communicate(msgspec.json.encode(asked))
            except TimeoutError:
                raise SetupError(f"the flow could not be proved within {limit_s:.0f} s") from None
            finally:
                if process.returncode is None:
                    process.kill()
                    await asyncio.shield(process.wait())
        if process.returncode:
            log.error("a flow could not be proved", action="prove", reason=wrong.decode(errors="replace")[-400:])
            raise SetupError("the flow could not be proved; look into the log")
        return msgspec.json.decode(out)
