"""libopus itself, called through ctypes: the copy that av's wheel carries, or the system's.

FFmpeg's decoder, which is all that av offers, always decodes to 48 kHz, and has neither forward error correction nor
concealment. libopus decodes straight to 16 kHz mono, makes a lost frame out of the next packet's redundancy, and goes
on sounding plausible where there is none. Its functions are stable since 1.0 (opus.h, opus_defines.h).
"""

import ctypes
import ctypes.util
import functools
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import av

LONGEST_MS = 120
"""An Opus packet holds at most this (RFC 6716, section 3.2.5)."""
PACKET_BYTES = 1275
"""What one frame can take at most (RFC 6716, section 3.2.1)."""
RESTRICTED_LOWDELAY = 2051
SET_BITRATE, SET_VBR, SET_COMPLEXITY, SET_VBR_CONSTRAINT, RESET_STATE = 4002, 4006, 4010, 4020, 4028


class OpusError(Exception):
    """libopus refused; its text for the error."""


class Decoder:
    """One stream's decoder: Opus packets of any kind to mono s16le of `rate_hz` (8, 12, 16, 24 or 48 kHz)."""

    def __init__(self, rate_hz: int) -> None:
        """Raises OSError when there is no libopus."""
        self._opus = library()
        self._state = ctypes.create_string_buffer(self._opus.opus_decoder_get_size(1))
        _checked(self._opus, self._opus.opus_decoder_init(self._state, rate_hz, 1))
        self._longest = rate_hz * LONGEST_MS // 1000
        self._pcm = ctypes.create_string_buffer(self._longest * 2)

    def decode(self, payload: bytes) -> bytes:
        """The sound of one packet. Raises OpusError; the decoder can be used all the same."""
        return self._decode(payload, self._longest, 0)

    def recover(self, following: bytes, samples: int) -> bytes:
        """The sound of a lost packet of so many samples, from the redundancy in the packet that follows it; concealed
        where that carries none. Raises OpusError."""
        return self._decode(following, samples, 1)

    def conceal(self, samples: int) -> bytes:
        """Something in the place of a lost packet; fades to silence when called again and again. Raises OpusError."""
        return self._decode(None, samples, 0)

    def reset(self) -> None:
        """Another stream begins."""
        self._opus.opus_decoder_ctl(self._state, RESET_STATE)

    def _decode(self, payload: bytes | None, samples: int, fec: int) -> bytes:
        size = len(payload) if payload else 0
        count = self._opus.opus_decode(self._state, payload, size, self._pcm, samples, fec)
        if count < 0:
            raise OpusError(_text(self._opus, count))
        return ctypes.string_at(self._pcm, count * 2)


class Encoder:
    """One stream's encoder for low delay (CELT): mono, any of Opus's rates, constrained VBR."""

    def __init__(self, rate_hz: int, bit_rate: int, complexity: int) -> None:
        """Raises OSError when there is no libopus."""
        self._opus = library()
        self._state = ctypes.create_string_buffer(self._opus.opus_encoder_get_size(1))
        _checked(self._opus, self._opus.opus_encoder_init(self._state, rate_hz, 1, RESTRICTED_LOWDELAY))
        self._packet = ctypes.create_string_buffer(PACKET_BYTES)
        wanted = {SET_BITRATE: bit_rate, SET_COMPLEXITY: complexity, SET_VBR: 1, SET_VBR_CONSTRAINT: 1}
        for request, value in wanted.items():
            _checked(self._opus, self._opus.opus_encoder_ctl(self._state, request, ctypes.c_int(value)))

    def encode(self, pcm: bytes) -> bytes:
        """One frame (2.5 to 60 ms of mono s16le) as one packet. Raises OpusError for any other length."""
        size = self._opus.opus_encode(self._state, pcm, len(pcm) // 2, self._packet, PACKET_BYTES)
        if size < 0:
            raise OpusError(_text(self._opus, size))
        return ctypes.string_at(self._packet, size)


@functools.cache
def library() -> Any:
    """libopus with its functions' types. PyDLL keeps the interpreter's lock: a call takes some 20 µs, and getting the
    lock back from a busy thread could take 5 ms. Raises OSError when there is none."""
    for place in _places():
        try:
            return _typed(ctypes.PyDLL(place))
        except (OSError, AttributeError):
            continue
    raise OSError("libopus was not found, neither beside av nor on the system")


def _places() -> Iterator[str]:
    """Where wheels of av keep their libraries (Linux and Windows, macOS), then the system's."""
    package = Path(av.__file__).parent
    for folder in (package.parent / "av.libs", package / ".dylibs"):
        yield from sorted(map(str, folder.glob("*opus*")))
    if system := ctypes.util.find_library("opus"):
        yield system


def _typed(opus: Any) -> Any:
    pointer, number = ctypes.c_void_p, ctypes.c_int
    opus.opus_strerror.restype = ctypes.c_char_p
    opus.opus_decoder_init.argtypes = [pointer, ctypes.c_int32, number]
    opus.opus_decode.argtypes = [pointer, ctypes.c_char_p, ctypes.c_int32, pointer, number, number]
    opus.opus_decoder_ctl.argtypes = [pointer, number]  # variadic: no more than what is always there
    opus.opus_encoder_init.argtypes = [pointer, ctypes.c_int32, number, number]
    opus.opus_encode.argtypes = [pointer, ctypes.c_char_p, number, pointer, ctypes.c_int32]
    opus.opus_encoder_ctl.argtypes = [pointer, number]
    return opus


def _checked(opus: Any, code: int) -> None:
    if code:
        raise OpusError(_text(opus, code))


def _text(opus: Any, code: int) -> str:
    return str(opus.opus_strerror(code).decode())
