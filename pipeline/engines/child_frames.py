"""The bytes between an engine and its child process: a 4-byte big-endian length, then msgpack `[stream, kind, body]`.

`pipeline.engines.child` tells what the kinds mean. Kept apart from it so that a child need not import asyncio.
"""

import struct
from collections.abc import Callable
from typing import Any, Final, NamedTuple

import msgpack

OPEN: Final = "open"
ITEM: Final = "item"
MORE: Final = "more"
END: Final = "end"
ABORT: Final = "abort"
ERROR: Final = "error"

WINDOW: Final = 64
"""Items of one stream that may be under way in one direction before the other side has asked for more."""

HEADER: Final = struct.Struct(">I")
SIZE_LIMIT: Final = 16 * 1024 * 1024
"""A longer frame is not a frame: something else wrote into the pipe."""


class Frame(NamedTuple):
    stream: int
    kind: str
    body: Any = None


def pack(frame: Frame) -> bytes:
    body: bytes = msgpack.packb(tuple(frame))
    return HEADER.pack(len(body)) + body


def unpack(body: bytes) -> Frame:
    return Frame(*msgpack.unpackb(body, strict_map_key=False))


def size_of(header: bytes) -> int:
    """Raises ValueError when this cannot be a frame's header."""
    size: int = HEADER.unpack(header)[0]
    if size > SIZE_LIMIT:
        raise ValueError(f"a frame of {size} bytes: the pipe carries something else")
    return size


def read_frame(read: Callable[[int], bytes]) -> Frame | None:
    """The next frame of a blocking, buffered reader; None at its end."""
    header = read(HEADER.size)
    if len(header) < HEADER.size:
        return None
    size = size_of(header)
    body = read(size)
    return unpack(body) if len(body) == size else None
