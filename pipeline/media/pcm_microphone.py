"""The way in over a websocket: packets of PCM become sound on the session's audio clock."""

from collections.abc import Callable

from pipeline.contracts.audio import Sound
from pipeline.contracts.numbers import PACKET_MS, WIRE_RATE_HZ
from pipeline.contracts.packets import MICROPHONE_PCM_BYTES, unpack_microphone
from pipeline.core.ports import Clock
from pipeline.media.capture import CaptureClock

TICKS = WIRE_RATE_HZ * PACKET_MS // 1000
"""CaptureClock counts in RTP's 48 kHz, whoever counts."""
SILENCE = bytes(MICROPHONE_PCM_BYTES)
FILLED_PACKETS = 5
"""Gaps up to this many packets (100 ms) are filled with silence, so that whoever counts samples keeps the time."""
AHEAD_PACKETS = 150
"""3 s: what a socket that was stuck may bring at once. Whoever sends more than real time beyond it is not heard."""


class PcmMicrophone:
    """`core.ports.Microphone`, fed by `take()`."""

    def __init__(self, clock: Clock, session_t0: float) -> None:
        self._clock = clock
        self._t0 = session_t0
        self._capture = CaptureClock()
        self._on_sound: Callable[[Sound], None] | None = None
        self._on_end: Callable[[], None] | None = None
        self._ended = False
        self._seq: int | None = None
        self._pts = 0
        self._first_s: float | None = None
        self.packets_in = 0
        self.packets_lost = 0
        self.frames_dropped = 0

    def attach(self, on_sound: Callable[[Sound], None], on_end: Callable[[], None]) -> None:
        self._on_sound, self._on_end = on_sound, on_end
        if self._ended:
            on_end()

    def take(self, data: bytes) -> None:
        """One packet came. Raises WireError for anything else."""
        seq, pcm = unpack_microphone(data)
        if self._ended or self._too_fast():
            self.frames_dropped += 1
            return
        missing = self._missing(seq)
        self._pts += missing * TICKS
        now_ms = (self._clock.now() - self._t0) * 1000
        t_audio_ms = self._capture.stamp(self._pts, TICKS, now_ms)
        self._pts += TICKS
        if missing <= FILLED_PACKETS:
            for back in range(missing, 0, -1):
                self._hand_over(SILENCE, t_audio_ms - back * PACKET_MS)
        self._hand_over(pcm, t_audio_ms)

    def close(self) -> None:
        """Nothing comes any more."""
        if not self._ended:
            self._ended = True
            if self._on_end is not None:
                self._on_end()

    def _hand_over(self, pcm: bytes, t_audio_ms: float) -> None:
        if self._on_sound is not None:
            self._on_sound(Sound(pcm, t_audio_ms))

    def _missing(self, seq: int) -> int:
        """How many packets the page left out before this one. A number that goes back is a new beginning."""
        ahead = 0 if self._seq is None else (seq - self._seq - 1) & 0xFFFF_FFFF
        self._seq = seq
        missing = ahead if ahead < 50 else 0
        self.packets_lost += missing
        return missing

    def _too_fast(self) -> bool:
        now = self._clock.now()
        if self._first_s is None:
            self._first_s = now
        self.packets_in += 1
        return self.packets_in > (now - self._first_s) * 1000 / PACKET_MS + AHEAD_PACKETS
