"""A FastAGI server of a few lines: it sends its commands, then closes. What it heard is kept."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager


@asynccontextmanager
async def fastagi(port: int, *commands: str, hold: bool = False) -> AsyncIterator[list[str]]:
    """`hold`: never closes by itself, like a frozen server."""
    heard: list[str] = []
    tasks: set[asyncio.Task[None]] = set()

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        tasks.add(task)
        try:
            while line := (await reader.readline()).decode().strip():
                heard.append(line)
            for command in commands:
                writer.write(f"{command}\n".encode())
                heard.append((await reader.readline()).decode().strip())
            if hold:
                await reader.read()
        finally:
            writer.close()

    server = await asyncio.start_server(talk, "127.0.0.1", port)
    try:
        yield heard
    finally:
        server.close()
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await server.wait_closed()
