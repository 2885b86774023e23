"""Keeps the process small: a thousand threads share one heap, and what only starting needed is given back."""

import contextlib
import ctypes
import gc

M_ARENA_MAX = -8  # of glibc's mallopt


def one_heap() -> None:
    """Before threads start. Each would get a heap of its own, to no use: Python's threads allocate one at a time."""
    with contextlib.suppress(OSError, AttributeError):  # another C library: larger, and as right
        ctypes.CDLL(None).mallopt(M_ARENA_MAX, 1)


def settle() -> None:
    """When all is loaded. What is there now stays: the collector, which stops every call, need not look at it again."""
    gc.collect()
    gc.freeze()
    with contextlib.suppress(OSError, AttributeError):
        ctypes.CDLL(None).malloc_trim(0)
