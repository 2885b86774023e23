"""Length and msgpack on a pipe: how the processes that read lists talk with each other."""

import struct
from typing import Any, BinaryIO, Final, TypeVar

import msgspec

Value = TypeVar("Value")

FRAME_MAX: Final = 256 << 20
_LENGTH = struct.Struct(">I")
encode = msgspec.msgpack.Encoder().encode


def write_frame(pipe: BinaryIO, raw: bytes) -> None:
    """One message; returns when the pipe has taken it."""
    pipe.write(_LENGTH.pack(len(raw)))
    pipe.write(raw)
    pipe.flush()


def read_frame(pipe: BinaryIO) -> bytes | None:
    """One message; None: the other side has ended, maybe in the middle of one."""
    head = pipe.read(_LENGTH.size)
    if len(head) < _LENGTH.size:
        return None
    length = _LENGTH.unpack(head)[0]
    if length > FRAME_MAX:
        return None
    raw = pipe.read(length)
    return raw if len(raw) == length else None


def decoder(kind: Any) -> "msgspec.msgpack.Decoder[Any]":
    """Of one kind of message."""
    return msgspec.msgpack.Decoder(kind)
