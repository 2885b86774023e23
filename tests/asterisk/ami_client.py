"""A tiny AMI client for the tests: independent of the production one, so that both cannot be wrong in the same way."""

import asyncio
import contextlib
import itertools
from collections.abc import Callable
from dataclasses import dataclass, field

from tests.patience import PATIENCE

Message = dict[str, str]


@dataclass(slots=True)
class AmiClient:
    """Collects every event; `until` waits for one, those already seen included."""

    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter
    events: list[Message] = field(default_factory=list)
    _answers: dict[str, asyncio.Future[Message]] = field(default_factory=dict)
    _changed: asyncio.Event = field(default_factory=asyncio.Event)
    _ids: "itertools.count[int]" = field(default_factory=itertools.count)
    _task: "asyncio.Task[None] | None" = None

    @classmethod
    async def login(cls, host: str, port: int, user: str, secret: str) -> "AmiClient":
        """Log in and begin to listen."""
        reader, writer = await asyncio.open_connection(host, port)
        await reader.readuntil(b"\r\n")
        client = cls(reader, writer)
        client._task = asyncio.create_task(client._read())
        answer = await client.send("Login", Username=user, Secret=secret)
        if answer["Response"] != "Success":
            await client.close()
            raise AssertionError(answer["Message"])
        return client

    async def close(self) -> None:
        """Leave."""
        self.writer.close()
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)

    async def send(self, action: str, variables: dict[str, str] | None = None, **fields: str | int) -> Message:
        """One action, and its answer."""
        action_id = f"t{next(self._ids)}"
        lines = [f"Action: {action}", f"ActionID: {action_id}", *(f"{name}: {value}" for name, value in fields.items())]
        lines += [f"Variable: {name}={value}" for name, value in (variables or {}).items()]
        answer = self._answers[action_id] = asyncio.get_running_loop().create_future()
        self.writer.write("\r\n".join([*lines, "", ""]).encode())
        async with asyncio.timeout(60):
            message: Message = await answer
        return message

    async def until(self, name: str, timeout_s: float = 5.0, **fields: str) -> Message:
        """The first event of this name with these fields."""
        wanted = {"Event": name} | fields
        return await self.where(lambda event: wanted.items() <= event.items(), timeout_s, str(wanted))

    async def where(self, wanted: Callable[[Message], bool], timeout_s: float = 5.0, what: str = "") -> Message:
        """The first event like this."""
        try:
            async with asyncio.timeout(timeout_s * PATIENCE):
                while True:
                    self._changed.clear()
                    if found := next(filter(wanted, self.events), None):
                        return found
                    await self._changed.wait()
        except TimeoutError:
            seen = "\n".join(map(str, self.events[-15:]))
            raise AssertionError(f"no {what} within {timeout_s * PATIENCE:g} s; last events:\n{seen}") from None

    async def _read(self) -> None:
        with contextlib.suppress(asyncio.IncompleteReadError):
            while True:
                self._take((await self.reader.readuntil(b"\r\n\r\n")).decode())

    def _take(self, block: str) -> None:
        parts = (line.partition(":") for line in block.strip().split("\r\n"))
        message = {name: value.strip() for name, _, value in parts}
        answer = None if "Event" in message else self._answers.pop(message.get("ActionID", ""), None)
        if answer is not None:
            answer.set_result(message)
        else:
            self.events.append(message)
            self._changed.set()
