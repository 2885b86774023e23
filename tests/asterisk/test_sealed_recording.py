"""A recording that a real Asterisk writes: left alone while the call lasts, sealed right after, its sound inside."""

import asyncio
import io
from pathlib import Path

import pytest
import soundfile

from dialer.adapters.asterisk_conf import AsteriskSettings
from dialer.adapters.sealed import new_key, read_keys
from dialer.adapters.sealed_recordings import Folder, Swept, day_of
from dialer.model import attempt_id

from .conftest import Line
from .waiting import until

pytestmark = [pytest.mark.asyncio(loop_scope="session"), pytest.mark.asterisk]


async def test_a_call_is_sealed_when_it_is_over_and_not_before(line: Line, settings: AsteriskSettings) -> None:
    seals = read_keys(new_key(), "keys")
    assert seals is not None
    folder, attempt = Folder(settings.recordings, seals), attempt_id(1_800_000_000.0, bytes(10))
    await line.call(channel=attempt, connect_limit_ms="10000", overflow="message", record="yes")
    plain = settings.recordings / f"{attempt}.wav"

    async def written() -> bool:
        return plain.is_file() and plain.stat().st_size > 30_000  # Asterisk writes two seconds at once

    await until(written, "two seconds of the call", 10)
    for _ in range(3):
        assert await asyncio.to_thread(_sealed, folder, attempt, settings.recordings) is False, "Asterisk has it open"
    await line.hang_up(attempt)
    async with asyncio.timeout(60):
        while not await asyncio.to_thread(_sealed, folder, attempt, settings.recordings):  # noqa: ASYNC110
            await asyncio.sleep(0.05)
    assert not await asyncio.to_thread(plain.exists)
    sound = io.BytesIO()
    seals.open_stream(io.BytesIO((settings.recordings / day_of(attempt) / f"{attempt}.wav.age").read_bytes()), sound)
    assert sound.getvalue()[:4] == b"RIFF"
    sound.seek(0)
    samples, rate = soundfile.read(sound)
    assert rate == 8000
    assert len(samples) > 1.5 * rate


def _sealed(folder: Folder, attempt: str, place: Path) -> bool:
    """Look once; other tests' recordings, which they look at themselves, are left alone."""
    for entry in folder._files():
        if entry.name == f"{attempt}.wav":
            swept = Swept()
            folder._look(entry, 0.0, (), swept)
            return bool(swept.sealed)
    return (place / day_of(attempt) / f"{attempt}.wav.age").is_file()
