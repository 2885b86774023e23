"""What a recording sounds like, in figures."""

from pathlib import Path

import numpy as np

from dialer.adapters.sounds import RATE, Samples

from .waiting import until


def read(path: Path) -> Samples:
    """Samples of a WAV that is still being written: what its header says comes last, so the bytes count."""
    raw = path.read_bytes()[44:] if path.exists() else b""
    return np.frombuffer(raw[: len(raw) // 2 * 2], "<i2").astype(np.int16)


def rms(samples: Samples) -> float:
    """0 to 1; speech over a telephone lies near 0.05 to 0.2."""
    return float(np.sqrt(np.mean((samples / 32768.0) ** 2))) if samples.size else 0.0


def seconds_of_sound(path: Path, at_least: float = 0.01) -> float:
    """How long it is louder than this."""
    frame = RATE // 50
    samples = read(path)
    frames = samples[: samples.size // frame * frame].reshape(-1, frame)
    return sum(rms(each) > at_least for each in frames) * 0.02


async def loud_for(path: Path, seconds: float) -> None:
    """Wait until a recording that is being written holds this much sound."""

    async def loud() -> bool:
        return seconds_of_sound(path) >= seconds

    await until(loud, f"{seconds} s of sound in {path.name}", 6.0)
