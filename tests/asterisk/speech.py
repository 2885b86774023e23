"""espeak-ng as the speech engine of the tests: short, no cache, no dependence on ivr/."""

import io
import subprocess
from functools import lru_cache

import numpy as np
import soundfile
import soxr

from dialer.adapters.sounds import RATE, Samples


@lru_cache(maxsize=64)
def speak(language: str, text: str) -> Samples:
    """8 kHz samples of this sentence."""
    command = ["espeak-ng", "-v", language, "--stdout", text]
    spoken = subprocess.run(command, capture_output=True, check=True, timeout=30)
    samples, rate = soundfile.read(io.BytesIO(spoken.stdout), dtype="float32")
    return np.asarray(np.clip(soxr.resample(samples, rate, RATE) * 32767, -32768, 32767), np.int16)
