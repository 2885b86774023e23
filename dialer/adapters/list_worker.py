"""A process that reads rows of a list into contacts, for adapters/list_pool.py; Ctrl-C is for its parent."""

import mmap
import os
import signal
import struct
import sys
from base64 import urlsafe_b64encode
from traceback import extract_tb

import msgspec

from dialer.adapters.frames import decoder, encode, read_frame, write_frame
from dialer.adapters.list_files import named
from dialer.contacts import ListRules, Rejected, Restored, read_row
from dialer.lists.columns import Columns
from dialer.lists.importing import Cells
from dialer.model import Contact

ALIAS_BYTES = 12  # 16 characters
RESTORED_SHOWN = 3  # of a chunk
LINE = struct.Struct("q")


class Job(msgspec.Struct, frozen=True):
    """What all chunks are read by."""

    columns: Columns
    rules: ListRules


class Rows(msgspec.Struct, frozen=True):
    """One chunk; `known`: what its contacts are called by already (an import taken up again)."""

    number: int
    rows: list[tuple[int, Cells]]


class Read(msgspec.Struct, frozen=True):
    """What became of it. `fault`: a mistake of ours at `line`, without a word of the row."""

    number: int
    contacts: tuple[Contact, ...] = ()
    lines: tuple[int, ...] = ()
    rejected: tuple[Rejected, ...] = ()
    restored: tuple[Restored, ...] = ()
    restored_count: int = 0
    fault: str = ""
    line: int = 0


def read(chunk: Rows, job: Job, at_line: mmap.mmap) -> Read:
    """`at_line` tells the parent where we are, should a row be our end."""
    contacts: list[Contact] = []
    lines: list[int] = []
    rejected: list[Rejected] = []
    restored: list[Restored] = []
    columns, rules = job.columns, job.rules
    for line, cells in chunk.rows:
        LINE.pack_into(at_line, 0, line)
        try:
            found = read_row(line, named(cells, columns.all), columns, rules, new_alias())
        except Exception as error:  # a mistake of ours must name its row, and nothing of what stands there
            place = extract_tb(error.__traceback__)[-1]
            fault = f"{type(error).__name__} in {os.path.basename(place.filename)}, line {place.lineno}"
            return Read(chunk.number, fault=fault, line=line)
        for one in found:
            if isinstance(one, Contact):
                contacts.append(one)
                lines.append(line)
            elif isinstance(one, Rejected):
                rejected.append(one)
            else:
                restored.append(one)
    shown = tuple(restored[:RESTORED_SHOWN])
    return Read(chunk.number, tuple(contacts), tuple(lines), tuple(rejected), shown, len(restored))


def new_alias() -> str:
    """A pseudonym for the decision log."""
    return urlsafe_b64encode(os.urandom(ALIAS_BYTES)).decode()


def main(line_file: int) -> int:
    """Chunks on standard input, what became of them on standard output, until the input ends."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    source, out = sys.stdin.buffer, sys.stdout.buffer
    job = decoder(Job).decode(read_frame(source) or b"")
    rows = decoder(Rows)
    with mmap.mmap(line_file, LINE.size) as at_line:
        while (raw := read_frame(source)) is not None:
            try:
                write_frame(out, encode(read(rows.decode(raw), job, at_line)))
            except BrokenPipeError:
                break  # the parent is gone
    return 0


if __name__ == "__main__":
    sys.exit(main(int(sys.argv[1])))
