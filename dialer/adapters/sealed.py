"""What is kept encrypted, with age (age-encryption.org): the site's keys, short texts, whole files.

A file is what `age` itself writes: whoever holds the keys opens it without us by `age -d -i site.keys`.
"""

import base64
import binascii
import io
import os
import stat
from pathlib import Path
from typing import BinaryIO, Protocol

import pyrage
import structlog

from dialer.errors import ConfigError
from dialer.forms.privacy import SITE_KEYS

log = structlog.get_logger(__name__)
TEXT = "age:"
OPENED_MAX = 10_000
CHUNK = 64 * 1024  # of plain bytes; each has a tag of TAG bytes
TAG = 16
_NONCE = 16
_HEAD_MAX = 8 * 1024
_SHARED = stat.S_IWGRP | stat.S_IXGRP | stat.S_IRWXO


class Sink(Protocol):
    """Where plain bytes go; what it raises ends the reading."""

    def write(self, data: bytes) -> int: ...
    def flush(self) -> None: ...


class Seals:
    """The site's keys: the newest one encrypts, any of them opens. Keys of the form age1... can only encrypt."""

    def __init__(self, identities: tuple[pyrage.x25519.Identity, ...], newest: pyrage.x25519.Recipient) -> None:
        self._identities, self._newest = list(identities), newest
        self.tag = str(newest)[4:12]  # tells which key encrypted a text
        self._opened: dict[str, str] = {}

    @property
    def opens(self) -> bool:
        """False: it has public keys alone."""
        return bool(self._identities)

    def seal_text(self, text: str) -> str:
        """One line."""
        raw: bytes = pyrage.encrypt(text.encode(), [self._newest])
        return f"{TEXT}{self.tag}:{base64.b64encode(raw).decode()}"

    def open_text(self, sealed: str) -> str | None:
        """What was sealed; None: by no key that is here. What was never sealed comes back as it is."""
        if not sealed.startswith(TEXT):
            return sealed
        known = self._opened.get(sealed)
        if known is None:
            try:
                raw = base64.b64decode(sealed.rpartition(":")[2], validate=True)
                known = pyrage.decrypt(raw, self._identities).decode()
            except (pyrage.DecryptError, binascii.Error, UnicodeDecodeError, ValueError):
                return None
            if len(self._opened) >= OPENED_MAX:
                self._opened.clear()
            self._opened[sealed] = known
        return known

    def is_newest(self, sealed: str) -> bool:
        """Whether it needs not be sealed anew."""
        return sealed.startswith(f"{TEXT}{self.tag}:")

    def seal_stream(self, plain: BinaryIO, sealed: BinaryIO) -> None:
        """All of it. Raises OSError."""
        pyrage.encrypt_io(plain, sealed, [self._newest])

    def open_stream(self, sealed: BinaryIO, plain: Sink) -> None:
        """Only bytes that are proved to be whole and ours arrive. Raises OSError, and whatever `plain` raises."""
        try:
            pyrage.decrypt_io(sealed, plain, self._identities)
        except pyrage.DecryptError as error:
            raise OSError(f"it was sealed by a key that is not here ({error})") from None


def plain_size(sealed: BinaryIO) -> int:
    """How many bytes a sealed file holds. Raises OSError where it is none."""
    head = sealed.read(_HEAD_MAX)
    end = head.find(b"\n--- ")
    end = head.find(b"\n", end + 1) + 1 if end > 0 and head.startswith(b"age-encryption.org/v1\n") else 0
    payload = sealed.seek(0, io.SEEK_END) - end - _NONCE
    if not end or payload < TAG:
        raise OSError("no file of age")
    return payload - TAG * -(-payload // (CHUNK + TAG))


def new_key() -> str:
    """A line for the file of keys."""
    return str(pyrage.x25519.Identity.generate())


def read_keys(text: str, where: str) -> Seals | None:
    """Lines of AGE-SECRET-KEY-1... or age1..., the newest last; # begins a remark. None: there are none.

    Raises ConfigError, which names the line and never what stands in it.
    """
    identities: list[pyrage.x25519.Identity] = []
    newest: pyrage.x25519.Recipient | None = None
    lines = [line.partition("#")[0].strip() for line in text.replace(",", "\n").splitlines()]
    for turn, line in enumerate(lines, 1):
        if not line:
            continue
        try:
            if line.startswith("age1"):
                newest = pyrage.x25519.Recipient.from_str(line)
            else:
                identities.append(pyrage.x25519.Identity.from_str(line))
                newest = identities[-1].to_public()
        except (pyrage.IdentityError, pyrage.RecipientError):
            raise ConfigError(f"{where} line {turn} is no key; `dialer key` makes one.") from None
    return None if newest is None else Seals(tuple(identities), newest)


def keys_text(path: Path) -> str:
    """A file of keys that nobody else may read. Raises ConfigError."""
    try:
        with path.open(encoding="utf-8") as file:
            if os.fstat(file.fileno()).st_mode & _SHARED:
                raise ConfigError(f"[privacy] keys: {path} is open to others: chmod 600 {path}.")
            return file.read()
    except (OSError, UnicodeDecodeError) as error:
        said = getattr(error, "strerror", None) or "it is not UTF-8"
        raise ConfigError(f"[privacy] keys: {path} cannot be read ({said}); or use {SITE_KEYS}.") from None
