"""Backup and restore: every key of ours by DUMP and RESTORE, with its time to live, in one file that says what it is.

Keys come from SCAN while calls go on, so each key is whole, and keys of one moment belong together only where no engine
writes: for a backup to go back to, pause the campaigns first. Redis's own AOF is the safety against a crash.
"""

import asyncio
import hashlib
import os
import struct
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

import msgspec
import redis
from redis.asyncio import Redis

from dialer.adapters.redis_keys import CAMPAIGNS
from dialer.adapters.redis_link import FAILURES, no_retry, translate
from dialer.errors import BadInput

VERSION = 1
FILE = "santun.backup"
RECORDINGS = "recordings.txt"
MAGIC = b"SANTUN-BACKUP\n"
AT_ONCE = 200
KEY_MAX = 512 * 1024 * 1024
_ENTRY = struct.Struct(">IQQ")  # lengths of name and value, milliseconds to live (0: for ever); a name of 0: the end
_OURS = (b"{", b"santun:")


class Head(msgspec.Struct, forbid_unknown_fields=True):
    """First line of a backup. `redis`: the version it came from: an older one may not read its values."""

    v: int
    at: float
    redis: str


class Foot(msgspec.Struct, forbid_unknown_fields=True):
    """Last line: how many keys there are, and the SHA-256 of all bytes before it, so that half a file is no backup."""

    keys: int
    sha256: str


@dataclass(frozen=True, slots=True)
class Kept:
    """What was written or read back."""

    keys: int
    bytes: int


def client(url: str) -> "Redis":
    """A link without time limit on answers: a large key takes its time."""
    return Redis.from_url(url, socket_timeout=60, socket_connect_timeout=2, retry=no_retry(), protocol=2)


async def backup(link: "Redis", folder: Path, at: float) -> Kept:
    """Everything of ours into `folder`/santun.backup, mode 0600; it appears whole or not at all. Raises StoreDown."""
    part = folder / f"{FILE}.part"
    try:
        version = str((await link.info("server"))["redis_version"])
        with await asyncio.to_thread(_opened, part) as file:
            written = _Writer(file)
            written.add(MAGIC + msgspec.json.encode(Head(VERSION, at, version)) + b"\n")
            keys = 0
            async for name, value, lives_ms in _all(link):
                written.add(_ENTRY.pack(len(name), len(value), lives_ms) + name + value)
                keys += 1
            file.write(struct.pack(">I", 0) + msgspec.json.encode(Foot(keys, written.hash.hexdigest())) + b"\n")
            file.flush()
            os.fsync(file.fileno())
        await asyncio.to_thread(os.replace, part, folder / FILE)
        return Kept(keys, written.bytes)
    except FAILURES as error:
        raise translate(error) from error


async def restore(link: "Redis", folder: Path) -> Kept:
    """Put a backup back, into a Redis that has nothing of ours. Raises BadInput, with nothing written, where it has, or
    where the file is not whole; StoreDown.

    Names of campaigns come last: until who must not be called is back, no engine finds anybody to call.
    """
    path = folder / FILE
    head, _ = check(path)
    try:
        async for name in link.scan_iter(count=AT_ONCE):
            if _is_ours(name):
                raise BadInput("this Redis holds data of Santun already; restore into an empty one (another database).")
        done = 0
        with path.open("rb") as file:
            file.seek(_begin(path))
            for name, value, lives_ms in _campaigns_last(file):
                await link.restore(name, lives_ms, value)
                done += 1
        return Kept(done, path.stat().st_size)
    except redis.ResponseError as error:
        cure = f"it was made by Redis {head.redis}; restore into one that is not older"
        raise BadInput(f"{path}: Redis refuses a value ({error}); {cure}.") from error
    except FAILURES as error:
        raise translate(error) from error


def check(path: Path) -> tuple[Head, int]:
    """Head and number of keys of a backup that is whole. Raises BadInput."""
    try:
        with path.open("rb") as file:
            if file.readline() != MAGIC:
                raise BadInput(f"{path} is no backup of Santun.")
            head = msgspec.json.decode(file.readline(), type=Head)
            if head.v != VERSION:
                raise BadInput(f"{path} has version {head.v}; this Santun reads {VERSION}: use the one that wrote it.")
            keys = sum(1 for _ in _entries(file))
            end = file.tell() - 4
            foot = msgspec.json.decode(file.readline(), type=Foot)
            file.seek(0)
            digest = hashlib.sha256()
            while end > 0 and (block := file.read(min(end, 1 << 20))):
                digest.update(block)
                end -= len(block)
        if (foot.keys, foot.sha256) != (keys, digest.hexdigest()):
            raise BadInput(f"{path} is damaged: use another backup.")
    except (OSError, msgspec.DecodeError, UnicodeDecodeError, struct.error, EOFError) as error:
        raise BadInput(f"{path} is no whole backup ({error}): use another one.") from error
    return head, keys


def _opened(part: Path) -> BinaryIO:
    part.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    return open(os.open(part, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb")


def _is_ours(name: bytes | str) -> bool:
    return isinstance(name, bytes) and name.startswith(_OURS)


class _Writer:
    def __init__(self, file: BinaryIO) -> None:
        self.bytes = 0
        self.hash = hashlib.sha256()
        self._file = file

    def add(self, data: bytes) -> None:
        self._file.write(data)
        self.hash.update(data)
        self.bytes += len(data)


async def _all(link: "Redis") -> AsyncIterator[tuple[bytes, bytes, int]]:
    seen: set[bytes] = set()  # SCAN may give a key twice
    cursor = 0
    while True:
        cursor, names = await link.scan(cursor, count=AT_ONCE)
        fresh = [bytes(one) for one in names if one not in seen and _is_ours(one)]  # type: ignore[arg-type] # no str here
        seen.update(fresh)
        pipe = link.pipeline(transaction=False)
        for name in fresh:
            pipe.dump(name)
            pipe.pttl(name)
        answers = await pipe.execute() if fresh else []
        for place, name in enumerate(fresh):
            value, lives_ms = answers[2 * place], answers[2 * place + 1]
            if value is not None:  # gone meanwhile
                yield name, value, max(0, lives_ms)
        if not cursor:
            return


def _begin(path: Path) -> int:
    with path.open("rb") as file:
        file.readline()
        file.readline()
        return file.tell()


def _entries(file: BinaryIO) -> Iterator[tuple[bytes, bytes, int]]:
    while True:
        (length,) = struct.unpack(">I", _exactly(file, 4))
        if not length:
            return
        size, lives_ms = struct.unpack(">QQ", _exactly(file, 16))
        if length > KEY_MAX or size > KEY_MAX:
            raise EOFError("a length that cannot be")
        yield _exactly(file, length), _exactly(file, size), lives_ms


def _campaigns_last(file: BinaryIO) -> Iterator[tuple[bytes, bytes, int]]:
    last = []
    for entry in _entries(file):
        if entry[0] == CAMPAIGNS.encode():
            last.append(entry)
        else:
            yield entry
    yield from last


def _exactly(file: BinaryIO, length: int) -> bytes:
    data = file.read(length)
    if len(data) < length:
        raise EOFError("it ends early")
    return data
