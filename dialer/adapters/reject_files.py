"""The reject file: a CSV with the rows that are not used, as they were, and why; for the operator's eyes, mode 0600.

Its rows hold personal data. Corrected, it can be loaded in place of the list: our own columns are passed over.
"""

import csv
import os
from collections.abc import Sequence
from pathlib import Path
from typing import Self

from dialer.contacts import Rejected
from dialer.errors import BadInput
from dialer.lists.columns import REJECT_HEADERS
from dialer.lists.values import for_export


class RejectFile:
    """Written row by row beside its place, and put there when it is whole: a killed import leaves the old one."""

    def __init__(self, path: Path, header: Sequence[str]) -> None:
        self._path, self._part = path, path.with_name(f".{path.name}.{os.getpid()}.part")
        self._width = len(header)
        try:
            number = os.open(self._part, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o600)
        except OSError as error:
            raise BadInput(f"--rejects {path} cannot be written: {error.strerror}; nothing was loaded.") from None
        self._file = os.fdopen(number, "w", newline="", encoding="utf-8-sig")
        self._rows = csv.writer(self._file)
        self._rows.writerow((*header, *REJECT_HEADERS))

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: object, *_: object) -> None:
        self._file.close()
        try:
            if kind is None:
                os.replace(self._part, self._path)
            else:
                os.unlink(self._part)
        except OSError as error:
            raise BadInput(f"--rejects {self._path} cannot be written: {error.strerror}; the list is loaded.") from None

    def write(self, rejected: Rejected, cells: Sequence[str]) -> None:
        """importing.Rejects."""
        own = [*cells[: self._width], *[""] * (self._width - len(cells))]
        told = (str(rejected.line), rejected.column, rejected.value, rejected.reason, rejected.cure)
        self._rows.writerow([for_export(cell) for cell in (*own, *told)] + [str(int(rejected.row_lost))])


class NoRejects:
    """importing.Rejects that keeps nothing."""

    def write(self, rejected: Rejected, cells: Sequence[str]) -> None:
        """The summary has the first ones."""
