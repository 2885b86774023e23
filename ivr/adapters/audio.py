"""Sound as samples: resampled, trimmed, brought to one loudness, faded."""

from pathlib import Path
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import soundfile
import soxr

from dialer.errors import SetupError
from ivr.adapters.wavs import RATE, read_frames, write_frames

Samples = npt.NDArray[np.int16]
Floats = npt.NDArray[np.float32]

LOUDNESS_DB = -23.5  # of full scale, K-weighted; speech then has about -20 dBFS in its voiced part
PEAK = 0.84  # -1.5 dBFS: what a-law, mu-law and a resampler add stays below full scale
QUIET_DB = -38.0  # what is so much below the loudest moment is no voice
EDGE_S = 0.015  # kept before and after the voice
FADE_S = 0.006
FRAME_S = 0.005
BLOCK_S = 0.1
LIMITER_S = 0.002
CEILINGS = 3  # the limiter takes a little loudness away, which is given back so often


class Sound(NamedTuple):
    """What a voice made, before it is shaped."""

    wave: Floats
    rate: int


def read_sound(source: Path | object) -> Sound:
    """A file of any kind that libsndfile reads, or one open for reading; several channels become one."""
    try:
        samples, rate = soundfile.read(source, dtype="float32", always_2d=True)
    except (OSError, RuntimeError) as error:  # soundfile's own errors are RuntimeErrors
        raise SetupError(f"no sound that can be read: {error}") from error
    return Sound(np.asarray(samples.mean(axis=1), np.float32), int(rate))


def pcm(raw: bytes, rate: int) -> Sound:
    """16 bit samples as an engine writes them."""
    samples = np.frombuffer(raw[: len(raw) // 2 * 2], "<i2").astype(np.float32)
    return Sound(samples / np.float32(32768), rate)


def shaped(sound: Sound, rate: int = RATE) -> Samples:
    """In this rate, without the silence around it, as loud as every other piece, beginning and ending at nothing."""
    wave_form = np.asarray(
        soxr.resample(sound.wave, sound.rate, rate) if sound.rate != rate else sound.wave, np.float32
    )
    if not wave_form.size or not float(np.abs(wave_form).max()):
        return np.zeros(0, np.int16)
    wave_form = wave_form - np.float32(wave_form.mean())  # a studio's direct current would click at each join
    levelled = _levelled(_trimmed(wave_form, rate), rate)
    return np.asarray(np.rint(_faded(levelled, rate) * 32767), np.int16)


def _trimmed(wave_form: Floats, rate: int) -> Floats:
    frame = round(FRAME_S * rate)
    count = -(-wave_form.size // frame)
    padded = np.zeros(count * frame, np.float32)
    padded[: wave_form.size] = wave_form
    level = np.sqrt(np.mean(padded.reshape(count, frame) ** 2, axis=1))
    loud = np.flatnonzero(level > level.max() * 10 ** (QUIET_DB / 20))
    edge = round(EDGE_S * rate)
    return wave_form[max(0, loud[0] * frame - edge) : (loud[-1] + 1) * frame + edge]


def _levelled(wave_form: Floats, rate: int) -> Floats:
    for _ in range(CEILINGS):
        gain = 10 ** ((LOUDNESS_DB - loudness_db(wave_form, rate)) / 20)
        wave_form = _limited(wave_form * np.float32(gain), rate)
    return wave_form


def loudness_db(wave_form: npt.NDArray[np.floating], rate: int) -> float:
    """Weighted and gated as in ITU-R BS.1770-4, but in blocks of 100 ms: most pieces are shorter than its 400."""
    weighted = _k_weighted(np.asarray(wave_form, np.float64), rate)
    block = min(weighted.size, round(BLOCK_S * rate))
    if not block:
        return -120.0
    powers = np.lib.stride_tricks.sliding_window_view(weighted**2, block)[:: max(1, block // 4)].mean(axis=1)
    gated = powers[powers > powers.mean() / 10]  # 10 dB below the mean; there is always one
    return float(-0.691 + 10 * np.log10(max(float(gated.mean()) if gated.size else 0.0, 1e-12)))


def _k_weighted(wave_form: npt.NDArray[np.float64], rate: int) -> npt.NDArray[np.float64]:
    """The standard's two filters, by their response: its coefficients are for 48 kHz only."""
    turn = np.exp(-2j * np.pi * np.fft.rfftfreq(2 * wave_form.size, 1 / rate) / 48000)
    shelf = np.polyval([1.19839281085285, -2.69169618940638, 1.53512485958697], turn) / np.polyval(
        [0.73248077421585, -1.69065929318241, 1.0], turn
    )
    high_pass = (1 - turn) ** 2 / np.polyval([0.99007225036621, -1.99004745483398, 1.0], turn)
    return np.fft.irfft(np.fft.rfft(wave_form, 2 * wave_form.size) * shelf * high_pass)[: wave_form.size]


def _limited(wave_form: Floats, rate: int) -> Floats:
    """Peaks are bent down over 2 ms around them, which nobody hears; clipping would crackle."""
    size = np.abs(wave_form)
    if float(size.max(initial=0.0)) <= PEAK:
        return wave_form
    reach = round(LIMITER_S * rate)
    need = np.pad(np.minimum(1.0, PEAK / np.maximum(size, PEAK)), 2 * reach, constant_values=1.0)
    lowest = np.lib.stride_tricks.sliding_window_view(need, 2 * reach + 1).min(axis=1)
    gain = np.convolve(lowest, np.full(2 * reach + 1, 1 / (2 * reach + 1)), "valid")
    return np.asarray(wave_form * gain, np.float32)


def _faded(wave_form: Floats, rate: int) -> Floats:
    """Half a cosine, so that neither the sound nor its slope jumps."""
    count = min(round(FADE_S * rate), wave_form.size // 2)
    ramp = np.asarray(0.5 - 0.5 * np.cos(np.linspace(0, np.pi, count)), np.float32)
    wave_form = wave_form.copy()
    wave_form[:count] *= ramp
    wave_form[wave_form.size - count :] *= ramp[::-1]
    return wave_form


def read_wav(path: Path, rate: int = RATE) -> Samples:
    """What `write_wav` wrote."""
    return np.frombuffer(read_frames(path, rate), "<i2")


def write_wav(path: Path, samples: Samples, rate: int = RATE) -> None:
    """16 bit mono; appears whole or not at all."""
    write_frames(path, samples.astype("<i2").tobytes(), rate)
