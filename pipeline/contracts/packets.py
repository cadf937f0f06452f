"""Sound on the websocket audio transport: one packet a binary message, little endian. The page has its twin.

| bytes | voice packet (worker → page) | microphone packet (page → worker) |
| --- | --- | --- |
| 0 | version, 1 | version, 1 |
| 1 | kind, 1 | kind, 2 |
| 2 | codec, 1: `pcm16/24000` | 0 |
| 3 | 0 | 0 |
| 4–7 | `seq` u32 | `seq` u32 |
| 8–11 | `reply` u32 | 640 bytes: 20 ms of mono s16le at 16 kHz |
| 12–19 | `t_audio_ms` f64 |  |
| 20–21 | `duration_ms` u16 |  |
| 22–23 | `overlap_ms` u16 |  |
| 24– | mono s16le: the overlap (the previous packet's last sound), then `duration_ms` of new sound |  |

`t_audio_ms` is the time of the first new sample; the overlap never advances the clock (voice contract, V4). `seq` grows
by one a packet and wraps. The session is the socket's own, and stands in no packet.
"""

import math
import struct
from typing import Final

from pipeline.contracts.audio import AudioPacket
from pipeline.contracts.errors import WireError
from pipeline.contracts.numbers import EAR_RATE_HZ, OVERLAP_MS, PACKET_MS

VERSION: Final = 1
VOICE: Final = 1
MICROPHONE: Final = 2

VOICE_RATE_HZ: Final = 24_000
"""All that espeak-ng gives (22,050 Hz) and most other voices do, at half the bytes of 48 kHz."""
PCM16: Final = "pcm16/24000"
CODECS: Final = {1: (PCM16, VOICE_RATE_HZ)}
"""Code on the wire → (name, sample rate)."""
_CODES: Final = {name: code for code, (name, _) in CODECS.items()}

MICROPHONE_PCM_BYTES: Final = EAR_RATE_HZ * PACKET_MS // 1000 * 2
LONGEST_MS: Final = PACKET_MS + OVERLAP_MS

_VOICE = struct.Struct("<BBBBIIdHH")
_MICROPHONE = struct.Struct("<BBHI")
_U32 = 0xFFFF_FFFF


def pack_voice(packet: AudioPacket) -> bytes:
    """Raises ValueError for what the form cannot hold (a codec it does not know, parts of a millisecond)."""
    if packet.codec not in _CODES:
        raise ValueError(f"no code for the codec {packet.codec!r}")
    duration_ms, overlap_ms = int(packet.duration_ms), int(packet.overlap_ms)
    if (duration_ms, overlap_ms) != (packet.duration_ms, packet.overlap_ms):
        raise ValueError("durations are whole milliseconds")
    return (
        _VOICE.pack(
            VERSION,
            VOICE,
            _CODES[packet.codec],
            0,
            packet.seq & _U32,
            packet.reply & _U32,
            packet.t_audio_ms,
            duration_ms,
            overlap_ms,
        )
        + packet.payload
    )


def unpack_voice(data: bytes, session_id: str) -> AudioPacket:
    """Raises WireError, in words, for anything that is not a whole voice packet."""
    _check_kind(data, VOICE, _VOICE.size)
    _, _, code, reserved, seq, reply, t_audio_ms, duration_ms, overlap_ms = _VOICE.unpack_from(data)
    if code not in CODECS or reserved:
        raise WireError(f"a voice packet of codec {code}, which nobody here knows")
    codec, rate_hz = CODECS[code]
    if not 0 < duration_ms + overlap_ms <= LONGEST_MS or not math.isfinite(t_audio_ms):
        raise WireError(f"a voice packet of {overlap_ms} + {duration_ms} ms at {t_audio_ms} ms")
    wanted = (duration_ms + overlap_ms) * rate_hz // 1000 * 2
    if len(data) - _VOICE.size != wanted:
        raise WireError(f"a voice packet with {len(data) - _VOICE.size} bytes of sound instead of {wanted}")
    return AudioPacket(
        session_id=session_id,
        reply=reply,
        seq=seq,
        t_audio_ms=t_audio_ms,
        duration_ms=float(duration_ms),
        overlap_ms=float(overlap_ms),
        codec=codec,
        payload=data[_VOICE.size :],
    )


def pack_microphone(seq: int, pcm: bytes) -> bytes:
    """20 ms of the visitor. Raises ValueError when `pcm` has another length."""
    if len(pcm) != MICROPHONE_PCM_BYTES:
        raise ValueError(f"{len(pcm)} bytes of sound instead of {MICROPHONE_PCM_BYTES}")
    return _MICROPHONE.pack(VERSION, MICROPHONE, 0, seq & _U32) + pcm


def unpack_microphone(data: bytes) -> tuple[int, bytes]:
    """(seq, 20 ms of mono s16le at 16 kHz). Raises WireError, in words, for anything else."""
    _check_kind(data, MICROPHONE, _MICROPHONE.size)
    _, _, reserved, seq = _MICROPHONE.unpack_from(data)
    if reserved or len(data) - _MICROPHONE.size != MICROPHONE_PCM_BYTES:
        raise WireError(
            f"a microphone packet has {len(data) - _MICROPHONE.size} bytes of sound instead of {MICROPHONE_PCM_BYTES}"
        )
    return seq, data[_MICROPHONE.size :]


def _check_kind(data: bytes, kind: int, least_bytes: int) -> None:
    if len(data) < least_bytes:
        raise WireError(f"a packet of {len(data)} bytes, shorter than its header")
    if data[0] != VERSION:
        raise WireError(f"a packet of version {data[0]}; this side speaks version {VERSION}")
    if data[1] != kind:
        raise WireError(f"a packet of kind {data[1]} where kind {kind} was expected")
