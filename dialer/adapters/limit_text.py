"""The file of the lenders' limits, looked at and written by the web: whole or not at all, never over a newer one."""

import asyncio
import hashlib
import os
from pathlib import Path

from dialer.adapters.limit_files import faults_of, parsed
from dialer.debts.plans import Limits
from dialer.errors import BadInput, ConfigError


class LimitText:
    """web.api.offers.LimitsKept. `path` None: the site has no such file."""

    def __init__(self, path: Path | None) -> None:
        self._path = path

    @property
    def file(self) -> str:
        """Its name, as people know it; empty: there is none."""
        return self._path.name if self._path else ""

    async def read(self) -> tuple[str, str]:
        """The text and its print. Raises ConfigError where it cannot be read."""
        return await asyncio.to_thread(self._read)

    async def write(self, text: str, known: str) -> str | None:
        """The new print; None: it is not as `known` any more. Raises BadInput where it cannot be written."""
        return await asyncio.to_thread(self._write, text, known)

    def faults(self, text: str) -> list[tuple[int, str]]:
        """(line, sentence) of each."""
        return faults_of(text)

    def limits(self, text: str, campaign: str, lender: str) -> Limits:
        """As a text without faults would have them."""
        read = parsed(text)
        return read.terms.limits(read.rule, campaign, lender)

    def _read(self) -> tuple[str, str]:
        if self._path is None:
            return "", _print("")
        try:
            text = self._path.read_text(encoding="utf-8")
        except FileNotFoundError:
            text = ""
        except (OSError, UnicodeDecodeError) as error:
            raise ConfigError(f"[offers] limits = {self._path.name}: {error}.") from error
        return text, _print(text)

    def _write(self, text: str, known: str) -> str | None:
        if self._path is None:
            raise BadInput("the site has no file of limits: set [offers] limits.")
        if self._read()[1] != known:
            return None
        part = self._path.with_name(f".{self._path.name}.{os.getpid()}.part")
        try:
            mode = self._path.stat().st_mode & 0o777 if self._path.exists() else 0o640
            number = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, mode)
            with os.fdopen(number, "w", encoding="utf-8") as file:
                file.write(text)
                file.flush()
                os.fsync(number)
            os.replace(part, self._path)
        except OSError as error:
            part.unlink(missing_ok=True)
            raise BadInput(f"{self._path.name} cannot be written here: {error.strerror}.") from error
        return _print(text)


def _print(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:16]
