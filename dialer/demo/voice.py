"""The voices of the demo's carrier: espeak-ng, resampled to the telephone's 8 kHz."""

import io
import subprocess

import numpy as np
import soundfile
import soxr

from dialer.adapters.sounds import RATE, Samples
from dialer.errors import SetupError

LIMIT_S = 30.0


class Voice:
    """Callable as sounds.Speech: (language, text) -> samples."""

    def __init__(self, program: str = "espeak-ng") -> None:
        self._program = program

    def __call__(self, language: str, text: str) -> Samples:
        """8 kHz samples of this sentence."""
        command = [self._program, "-v", language, "--stdout", text]
        try:
            spoken = subprocess.run(command, capture_output=True, check=True, timeout=LIMIT_S).stdout
        except (OSError, subprocess.SubprocessError) as error:
            raise SetupError(f"{self._program} could not speak ({error}); run ./run setup.") from error
        samples, rate = soundfile.read(io.BytesIO(spoken), dtype="float32")
        return np.asarray(np.clip(soxr.resample(samples, rate, RATE) * 32767, -32768, 32767), np.int16)
